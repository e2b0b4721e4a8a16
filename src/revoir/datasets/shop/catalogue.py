"""What the demonstration shop sells, where its customers live, and what people say of it.

All of it is invented. Telephone numbers come from the ranges that ARCEP keeps for fiction
(decision 2018-0881), e-mail addresses from the domains of RFC 2606.
"""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "Comptoir Séraphine"
"""The name of the shop: teas, herbal teas and fine groceries, in Tours and Nantes and online."""


@dataclass(frozen=True)
class Channel:
    """A sales channel and how its customers behave.

    Attributes:
        name: Its name.
        share: Share of the customers who buy there first.
        rate_factor: Purchases made there, against the average customer.
        dropout_a: First parameter of the Beta distribution of leaving after a purchase.
        dropout_b: Second parameter.
        late_share: Share of orders that arrive late on ordinary days.
        promoter_share: Share of 9 and 10 among customers who were served well.
        detractor_share: Share of 0 to 6 among them.
    """

    name: str
    share: float
    rate_factor: float
    dropout_a: float
    dropout_b: float
    late_share: float
    promoter_share: float
    detractor_share: float

    @property
    def dropout_mean(self) -> float:
        """The mean probability of leaving after a purchase that went well."""
        return self.dropout_a / (self.dropout_a + self.dropout_b)


CHANNELS = (
    Channel("boutique", 0.41, 1.10, 0.90, 2.90, 0.00, 0.66, 0.09),
    Channel("site", 0.38, 1.00, 1.00, 2.70, 0.05, 0.60, 0.12),
    Channel("marketplace", 0.15, 0.75, 1.40, 1.60, 0.08, 0.45, 0.22),
    Channel("téléphone", 0.06, 0.90, 0.60, 2.90, 0.04, 0.70, 0.07),
)


@dataclass(frozen=True)
class Product:
    """A product with its price (€, taxes included), cost (€, without) and tax rate."""

    product_id: str
    name: str
    category: str
    price: float
    cost: float
    tax: float
    weight: float


_FOOD, _GOODS = 0.055, 0.2

PRODUCTS = tuple(
    Product(f"{prefix}{number:02d}", name, category, price, cost, tax, weight)
    for prefix, category, tax, items in (
        (
            "TV",
            "Thés verts",
            _FOOD,
            (
                ("Sencha du matin 100 g", 11.9, 4.1, 9),
                ("Gunpowder menthe 100 g", 9.5, 3.0, 8),
                ("Genmaicha 100 g", 10.9, 3.6, 5),
                ("Jasmin d’avril 100 g", 12.5, 4.4, 7),
                ("Matcha de Nishio 40 g", 24.9, 10.2, 3),
                ("Bancha hojicha 100 g", 10.5, 3.4, 4),
            ),
        ),
        (
            "TN",
            "Thés noirs",
            _FOOD,
            (
                ("Earl Grey bergamote 100 g", 9.9, 3.1, 10),
                ("Darjeeling de printemps 100 g", 16.9, 6.9, 4),
                ("Assam corsé 100 g", 9.5, 2.9, 5),
                ("Lapsang fumé 100 g", 11.5, 3.9, 3),
                ("Thé noir aux quatre fruits 100 g", 10.5, 3.3, 7),
                ("Chaï aux épices 100 g", 11.2, 3.5, 6),
            ),
        ),
        (
            "TB",
            "Thés blancs et oolongs",
            _FOOD,
            (
                ("Pai Mu Tan 50 g", 13.9, 5.4, 3),
                ("Oolong de Formose 50 g", 15.9, 6.3, 3),
                ("Thé blanc à la rose 50 g", 14.5, 5.5, 3),
            ),
        ),
        (
            "IN",
            "Infusions",
            _FOOD,
            (
                ("Rooibos vanille 100 g", 9.2, 2.7, 8),
                ("Verveine de Touraine 50 g", 8.5, 2.6, 6),
                ("Tilleul et fleur d’oranger 50 g", 8.9, 2.8, 5),
                ("Camomille romaine 50 g", 8.2, 2.5, 4),
                ("Carcadet pomme 100 g", 8.9, 2.5, 5),
                ("Tisane du soir 50 g", 9.4, 2.9, 6),
            ),
        ),
        (
            "EF",
            "Épicerie fine",
            _FOOD,
            (
                ("Miel de tilleul 250 g", 8.9, 4.6, 6),
                ("Confiture poire et gingembre", 6.9, 3.2, 5),
                ("Sablés au beurre salé", 5.9, 2.6, 8),
                ("Chocolat noir au thé 100 g", 6.5, 2.9, 6),
                ("Caramels à la fleur de sel", 7.5, 3.3, 4),
                ("Pain d’épices", 7.9, 3.6, 3),
            ),
        ),
        (
            "CO",
            "Coffrets",
            _FOOD,
            (
                ("Coffret découverte 6 thés", 29.9, 12.4, 4),
                ("Coffret infusions", 26.9, 10.9, 3),
                ("Calendrier de l’Avent", 34.9, 15.8, 2),
                ("Coffret prestige", 59.0, 26.5, 1),
            ),
        ),
        (
            "AC",
            "Accessoires",
            _GOODS,
            (
                ("Théière en fonte 0,8 l", 49.0, 21.0, 1),
                ("Théière en verre 1 l", 34.0, 13.5, 1.5),
                ("Mug à infuseur", 18.9, 7.2, 3),
                ("Boîte à thé 100 g", 7.9, 2.9, 3),
                ("Filtres en papier × 100", 4.5, 1.3, 5),
                ("Bouilloire à température réglable", 69.0, 36.0, 0.6),
            ),
        ),
    )
    for number, (name, price, cost, weight) in enumerate(items, start=1)
)

SEASON_OF_CATEGORY = {
    "Coffrets": (0.4, 0.5, 0.5, 0.5, 1.2, 0.8, 0.4, 0.4, 0.6, 1.0, 3.0, 5.0),
    "Thés verts": (0.9, 0.9, 1.1, 1.3, 1.4, 1.4, 1.3, 1.2, 1.1, 0.9, 0.8, 0.7),
    "Infusions": (1.4, 1.3, 1.0, 0.9, 0.8, 0.9, 1.0, 1.0, 1.0, 1.2, 1.2, 1.0),
    "Épicerie fine": (0.8, 0.9, 0.9, 1.0, 1.0, 0.9, 0.8, 0.8, 0.9, 1.0, 1.5, 2.2),
}
"""How each category sells, January to December, against its average; absent ones sell evenly."""

SEASON = (0.98, 0.86, 0.88, 0.90, 0.94, 0.86, 0.72, 0.62, 1.00, 1.10, 1.42, 1.72)
"""Purchases of existing customers, January to December."""

SEASON_OF_JOINING = (1.05, 0.85, 0.90, 0.85, 1.00, 0.85, 0.65, 0.55, 0.95, 1.05, 1.55, 2.15)
"""New customers, January to December: Christmas gifts, sales, Mother's day."""


@dataclass(frozen=True)
class Town:
    """A town, its weight among those who buy in the shops and afar, and how often people buy."""

    name: str
    postcode: str
    region: str
    near: float
    far: float
    rate_factor: float


_LOIRE, _VAL = "Pays de la Loire", "Centre-Val de Loire"
TOWNS = (
    Town("Tours", "37000", _VAL, 30, 6, 1.15),
    Town("Joué-lès-Tours", "37300", _VAL, 8, 1.5, 1.1),
    Town("Saint-Cyr-sur-Loire", "37540", _VAL, 6, 1.2, 1.1),
    Town("Amboise", "37400", _VAL, 4, 1, 1.0),
    Town("Chinon", "37500", _VAL, 2, 0.6, 1.0),
    Town("Blois", "41000", _VAL, 3, 1.5, 1.0),
    Town("Orléans", "45000", _VAL, 1.5, 3, 1.0),
    Town("Bourges", "18000", _VAL, 0.6, 1.5, 1.0),
    Town("Nantes", "44000", _LOIRE, 28, 6, 1.05),
    Town("Rezé", "44400", _LOIRE, 6, 1.2, 1.0),
    Town("Saint-Herblain", "44800", _LOIRE, 6, 1.2, 1.0),
    Town("Vertou", "44120", _LOIRE, 3, 0.8, 1.0),
    Town("Angers", "49000", _LOIRE, 2.5, 4, 1.0),
    Town("Le Mans", "72000", _LOIRE, 1.2, 3, 1.0),
    Town("La Roche-sur-Yon", "85000", _LOIRE, 1.2, 2, 1.0),
    Town("Laval", "53000", _LOIRE, 0.4, 1.2, 1.0),
    Town("Paris", "75011", "Île-de-France", 1, 12, 0.9),
    Town("Paris", "75015", "Île-de-France", 1, 10, 0.9),
    Town("Versailles", "78000", "Île-de-France", 0.3, 4, 0.9),
    Town("Montreuil", "93100", "Île-de-France", 0.2, 4, 0.9),
    Town("Rennes", "35000", "Bretagne", 1, 6, 1.0),
    Town("Brest", "29200", "Bretagne", 0.2, 3, 1.0),
    Town("Vannes", "56000", "Bretagne", 0.4, 2, 1.0),
    Town("Lyon", "69003", "Auvergne-Rhône-Alpes", 0.2, 8, 1.0),
    Town("Grenoble", "38000", "Auvergne-Rhône-Alpes", 0.1, 4, 1.0),
    Town("Bourg-en-Bresse", "01000", "Auvergne-Rhône-Alpes", 0.1, 1.5, 1.0),
    Town("Clermont-Ferrand", "63000", "Auvergne-Rhône-Alpes", 0.1, 3, 1.0),
    Town("Bordeaux", "33000", "Nouvelle-Aquitaine", 0.4, 6, 1.0),
    Town("Poitiers", "86000", "Nouvelle-Aquitaine", 1, 3, 1.0),
    Town("La Rochelle", "17000", "Nouvelle-Aquitaine", 0.4, 3, 1.0),
    Town("Toulouse", "31000", "Occitanie", 0.1, 6, 1.0),
    Town("Montpellier", "34000", "Occitanie", 0.1, 4, 1.0),
    Town("Marseille", "13006", "Provence-Alpes-Côte d’Azur", 0.1, 4, 0.95),
    Town("Nice", "06000", "Provence-Alpes-Côte d’Azur", 0.1, 3, 0.95),
    Town("Lille", "59000", "Hauts-de-France", 0.1, 6, 1.0),
    Town("Amiens", "80000", "Hauts-de-France", 0.1, 2, 1.0),
    Town("Strasbourg", "67000", "Grand Est", 0.1, 5, 1.0),
    Town("Reims", "51100", "Grand Est", 0.1, 3, 1.0),
    Town("Dijon", "21000", "Bourgogne-Franche-Comté", 0.1, 3, 1.0),
    Town("Rouen", "76000", "Normandie", 0.2, 4, 1.0),
    Town("Caen", "14000", "Normandie", 0.2, 3, 1.0),
)

WOMEN = (
    "Camille",
    "Marie",
    "Claire",
    "Sophie",
    "Émilie",
    "Nathalie",
    "Françoise",
    "Léa",
    "Chloé",
    "Inès",
    "Manon",
    "Julie",
    "Aurélie",
    "Céline",
    "Isabelle",
    "Hélène",
    "Monique",
    "Sylvie",
    "Fatima",
    "Noémie",
    "Anaïs",
    "Jeanne",
    "Louise",
    "Zoé",
    "Agnès",
    "Véronique",
    "Samira",
    "Lucie",
    "Margaux",
    "Élodie",
)
MEN = (
    "Pierre",
    "Jean",
    "Thomas",
    "Nicolas",
    "Julien",
    "Antoine",
    "François",
    "Mathieu",
    "Hugo",
    "Lucas",
    "Philippe",
    "Michel",
    "Alain",
    "Karim",
    "Sébastien",
    "Jérôme",
    "Rémi",
    "Loïc",
    "Paul",
    "Étienne",
)
SURNAMES = (
    "Martin",
    "Bernard",
    "Dubois",
    "Thomas",
    "Robert",
    "Richard",
    "Petit",
    "Durand",
    "Leroy",
    "Moreau",
    "Simon",
    "Laurent",
    "Lefèvre",
    "Michel",
    "Garcia",
    "David",
    "Bertrand",
    "Roux",
    "Vincent",
    "Fournier",
    "Morel",
    "Girard",
    "André",
    "Mercier",
    "Dupont",
    "Lambert",
    "Bonnet",
    "François",
    "Martinez",
    "Legrand",
    "Garnier",
    "Faure",
    "Rousseau",
    "Blanc",
    "Guérin",
    "Muller",
    "Henry",
    "Roussel",
    "Nicolas",
    "Perrin",
    "Morin",
    "Mathieu",
    "Clément",
    "Gauthier",
    "Dumont",
    "Lopez",
    "Fontaine",
    "Chevalier",
    "Robin",
    "Masson",
    "Sanchez",
    "Gérard",
    "Nguyen",
    "Boyer",
    "Denis",
    "Lemaire",
    "Duval",
    "Joly",
    "Gautier",
    "Roger",
    "Roche",
    "Roy",
    "Noël",
    "Meyer",
    "Lucas",
    "Meunier",
    "Jean",
    "Pérez",
    "Marchand",
    "Dufour",
    "Blanchard",
    "Marie",
    "Barbier",
    "Brun",
    "Dumas",
    "Brunet",
    "Schmitt",
    "Leroux",
    "Colin",
    "Fernandez",
    "Renaud",
    "Arnaud",
    "Rolland",
    "Caron",
    "Aubert",
    "Giraud",
    "Leclerc",
    "Vidal",
    "Bourgeois",
    "Renard",
    "O’Connor",
    "Le Goff",
    "de la Tour",
    "Benali",
    "Da Silva",
    "Hamon",
    "Kerbrat",
    "Poirier",
    "Traoré",
    "Haddad",
)
DOMAINS = ("example.com", "example.org", "example.net")
STREETS = (
    "rue de la République",
    "rue Nationale",
    "avenue de Grammont",
    "place du Marché",
    "rue des Tanneurs",
    "boulevard Béranger",
    "rue Victor-Hugo",
    "impasse des Lilas",
    "rue de l’Église",
    "chemin du Moulin",
)
PHONES = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49", "06 39 98")
ORIGINS = (
    "Bouche-à-oreille",
    "Passage devant la boutique",
    "Instagram",
    "Moteur de recherche",
    "Marché de Noël",
)

PLANS = (
    ("Box Découverte", 19.90, 1.10, 11.0, 0.46),
    ("Box Gourmande", 29.90, 0.95, 14.0, 0.38),
    ("Box Prestige", 44.90, 0.80, 20.0, 0.16),
)
"""Plan, price a month (€), the two parameters of its sBG renewal, share of the subscribers."""
CHANGE_OF_PLAN = "Changement de formule"
REASONS_OF_LEAVING = (
    ("Trop cher", 0.30),
    ("J’ai trop de thé", 0.26),
    ("Livraison", 0.14),
    ("Choix des thés", 0.12),
    ("Cadeau terminé", 0.10),
    ("Déménagement", 0.08),
)

COMMENTS_GOOD = (
    ("Des thés délicieux et une équipe adorable.", "Delicious teas and a lovely team."),
    (
        "Conseils précieux en boutique, je reviendrai.",
        "Precious advice in the shop, I will come back.",
    ),
    (
        "Emballage soigné et livraison rapide, bravo.",
        "Careful packing and fast delivery, well done.",
    ),
    ("Le coffret a beaucoup plu à ma mère.", "My mother loved the gift box."),
    ("Très bon rapport qualité-prix.", "Very good value for money."),
    ("La verveine est exceptionnelle.", "The verbena is exceptional."),
)
COMMENTS_FAIR = (
    (
        "Bons produits, mais un peu chers depuis la hausse.",
        "Good products, but a little dear since the rise.",
    ),
    ("Correct, le choix pourrait être plus large.", "Fine, the choice could be wider."),
    (
        "Bien dans l’ensemble, attente un peu longue en caisse.",
        "Good on the whole, a rather long wait at the till.",
    ),
    ("J’aimerais des échantillons avec ma commande.", "I would like samples with my order."),
)
COMMENTS_POOR = (
    (
        "Le thé avait peu de goût cette fois-ci, déçue.",
        "The tea had little taste this time, disappointed.",
    ),
    ("Trop cher pour la quantité.", "Too expensive for the quantity."),
    ("Accueil froid, on ne m’a pas conseillée.", "Cold welcome, nobody advised me."),
)
COMMENTS_LATE = (
    (
        "Colis arrivé avec dix jours de retard, aucune nouvelle du transporteur.",
        "The parcel came ten days late, without news from the carrier.",
    ),
    (
        "Livraison annoncée en 48 h, reçue deux semaines plus tard.",
        "Delivery promised in 48 hours, received two weeks later.",
    ),
    ("Trois appels pour savoir où était ma commande.", "Three calls to learn where my order was."),
    (
        "Depuis le changement de transporteur, tout arrive en retard et abîmé.",
        "Since the carrier changed, everything comes late and damaged.",
    ),
    (
        "Le cadeau est arrivé après l’anniversaire, je ne commanderai plus en ligne.",
        "The gift came after the birthday, I shall not order online again.",
    ),
)

SUBJECTS = {
    "Réclamation": (
        ("Colis en retard", "Late parcel"),
        ("Colis abîmé", "Damaged parcel"),
        ("Erreur dans la commande", "Mistake in the order"),
    ),
    "Question produit": (
        ("Conseil d’infusion", "How to brew"),
        ("Disponibilité d’un thé", "Is a tea available"),
    ),
    "Suivi de commande": (
        ("Où est mon colis", "Where is my parcel"),
        ("Changer l’adresse", "Change the address"),
    ),
    "Retour": (("Renvoyer un article", "Send an article back"),),
}
SERVICE_CHANNELS = ("E-mail", "Téléphone", "Chat", "Boutique")
EVENTS = ("visite", "fiche_produit", "panier", "commande")
DEVICES = ("mobile", "ordinateur", "tablette")
