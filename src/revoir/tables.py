"""The canonical tables: their columns, types, grain, meaning, and what files call them.

Every source is brought into these tables and every metric is defined on them. A book holds
those it has; a column that is not `required` may be absent. Columns that the tables do not
name (a customer's "sector", an order's "till") are *attributes*: they stay beside the named
ones under a plain name (`plain_name`) and can be used to break figures down or to filter.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from revoir.language import Message, msg

FAR = dt.date(2100, 1, 1)
"""From here on a day is a mistake, or stands for none: many systems write 9999-12-31 for no end."""


class Type(StrEnum):
    """The types of canonical columns.

    ``DECIMAL`` is an exact DECIMAL(18, 4); ``TIMESTAMP`` is UTC without zone;
    ``DATE`` is a day in the company's own time zone.
    """

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes:
        name: Its name, everywhere.
        type: What it holds.
        meaning: One sentence.
        required: Whether the table is of no use without it.
        synonyms: What files call it, in French and English, as `plain_name` writes them.
        derived: Whether reading computes it; files never carry it.
        personal: Whether it identifies a person (masked for analysts, never in a lake).
    """

    name: str
    type: Type
    meaning: Message
    required: bool = False
    synonyms: tuple[str, ...] = ()
    derived: bool = False
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table.

    Attributes:
        name: Its name, everywhere.
        grain: What one row is.
        key: The column that identifies a row.
        clock: The column that says when the row happened (None: the row is a state).
        columns: Its columns, the important ones first.
    """

    name: str
    grain: Message
    key: str
    clock: str | None
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)


@lru_cache(maxsize=8192)
def plain_name(header: str) -> str:
    """Write a header without case, accents, zero-width characters and punctuation.

    Args:
        header: A header as a file writes it.

    Returns:
        Lower-case ASCII letters, digits and single underscores.

    Examples:
        >>> plain_name("Date de la 1ère commande "), plain_name("CustomerID"), plain_name("N° client")
        ('date_de_la_1ere_commande', 'customer_id', 'n_client')
    """
    text = unicodedata.normalize("NFKD", header.replace("œ", "oe").replace("°", " "))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)
    text = re.sub(r"[^0-9a-z]+", "_", text.lower().encode("ascii", "ignore").decode())
    return text.strip("_")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CUSTOMERS = Table(
    "customers",
    msg("one row a customer"),
    key="customer_id",
    clock=None,
    columns=(
        Column("customer_id", Type.TEXT, msg("Identifies the customer."), True, _words(
            "customer client id_client client_id numero_client num_client n_client no_client"
            " code_client ref_client reference_client customer_number customer_no customer_code"
            " identifiant_client identifiant cust_id custid acheteur buyer_id user_id userid"
            " household_id member_id id_membre adherent id_adherent contact_id account_id"
            " customerid clientid id_contact tiers code_tiers code_du_tiers n_tiers buyer"
            " buyer_username record_id id"
        )),
        Column("name", Type.TEXT, msg("Full name."), False, _words(
            "nom_complet full_name customer_name nom_client client_name nom_et_prenom"
            " nom_prenom prenom_nom contact_name display_name nom_tiers nom_du_tiers intitule_tiers"
            " intitule_du_tiers nom_facturation invoice_partner_display_name guest_name"
            " nom_d_affichage_du_partenaire_de_la_facture"
        ), personal=True),
        Column("first_name", Type.TEXT, msg("First name."), False, _words(
            "prenom firstname given_name fname prenom_client prenom_payeur"
        ), personal=True),
        Column("last_name", Type.TEXT, msg("Family name."), False, _words(
            "nom lastname surname family_name nom_de_famille lname name_last nom_payeur"
        ), personal=True),
        Column("email", Type.TEXT, msg("E-mail address."), False, _words(
            "e_mail mail courriel adresse_email adresse_mail adresse_e_mail email_address"
            " adresse_courriel mel customer_email email_client billing_email"
        ), personal=True),
        Column("phone", Type.TEXT, msg("Telephone number."), False, _words(
            "telephone tel mobile portable gsm phone_number telephone_mobile tel_portable"
            " numero_de_telephone mobile_phone sms billing_phone num_tel"
        ), personal=True),
        Column("birth_date", Type.DATE, msg("Date of birth."), False, _words(
            "date_naissance date_de_naissance birthday birthdate dob naissance ne_e_le"
        ), personal=True),
        Column("age", Type.INTEGER, msg("Age in years."), False, _words("age_ans")),
        Column("age_band", Type.TEXT, msg(
            "Age band, such as 25-34; where the file has none, made of the date of birth."
        ), False, _words(
            "tranche_d_age tranche_age tranche_dage age_range age_group age_bracket"
        )),
        Column("gender", Type.TEXT, msg("Gender as the file writes it."), False, _words(
            "sexe genre civilite sex title titre"
        )),
        Column("street", Type.TEXT, msg("Street and number."), False, _words(
            "adresse rue address address1 adresse_1 street_address billing_address_1 adresse1 voie"
        ), personal=True),
        Column("postcode", Type.TEXT, msg("Postcode, with its leading zeros."), False, _words(
            "code_postal cp zip zip_code zipcode postal_code billing_zip billing_postcode"
        )),
        Column("city", Type.TEXT, msg("Town."), False, _words(
            "ville commune town localite billing_city"
        )),
        Column("region", Type.TEXT, msg("Region, state or department."), False, _words(
            "region departement state province etat county billing_province billing_state"
        )),
        Column("country", Type.TEXT, msg("Country."), False, _words(
            "pays country_code code_pays billing_country country_region"
        )),
        Column("company", Type.TEXT, msg("Company, for business customers."), False, _words(
            "societe entreprise raison_sociale company_name organisation organization account_name"
        )),
        Column("joined_at", Type.TIMESTAMP, msg("When the customer was first known."), False, _words(
            "date_inscription inscrit_le date_creation created_at create_date created_date"
            " date_d_inscription client_depuis customer_since signup_date registered_at"
            " date_de_creation date_adhesion optin_time date_added creation_date added_time"
            " date_registered sign_up"
        )),
        Column("consent", Type.BOOLEAN, msg("Agreed to be contacted."), False, _words(
            "consentement optin opt_in newsletter accepts_marketing accepts_email_marketing"
            " accepte_newsletter email_opt_in marketing_consent abonne_newsletter rgpd"
        )),
    ),
)

AGE_BANDS = ((0, 17), (18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 120))
"""The ages of each band, first and last; the last band is written ``65+``."""


def band_named(low: int, high: int) -> str:
    """How an age band is written: as most files write it, and as a keyboard can.

    Examples:
        >>> band_named(25, 34), band_named(65, 120)
        ('25-34', '65+')
    """
    return f"{low}+" if (low, high) == AGE_BANDS[-1] else f"{low}-{high}"



ORDERS = Table(
    "orders",
    msg("one row an order, a return or a refund"),
    key="order_id",
    clock="ordered_on",
    columns=(
        Column("order_id", Type.TEXT, msg("Identifies the order."), False, _words(
            "order commande id_commande numero_commande num_commande n_commande no_commande"
            " commande_id reference_commande ref_commande order_number order_no orderid invoice"
            " invoice_no invoice_id facture num_facture numero_facture n_facture id_facture"
            " basket_id ticket num_ticket numero_ticket id_ticket transaction_id id_transaction"
            " receipt receipt_id invoiceno panier_id bon_de_commande charge_id payment_id"
            " n_piece no_piece num_piece numero_piece numero_de_piece n_de_piece n_document"
            " numero_document numero_du_document num_document document_number booking_id"
            " book_number booking_number n_reservation numero_reservation numero_de_reservation"
        )),
        Column("customer_id", Type.TEXT, msg("Who ordered; empty for an anonymous sale."), False,
               CUSTOMERS.columns[0].synonyms[:-1]),
        Column("ordered_at", Type.TIMESTAMP, msg("When it was ordered."), True, _words(
            "date date_commande date_de_commande order_date orderdate date_achat date_d_achat"
            " purchase_date purchased_at invoice_date date_facture date_de_facturation"
            " transaction_date transaction_timestamp date_transaction date_vente sale_date"
            " created_at created paid_at date_ticket jour timestamp horodatage date_time datetime"
            " order_created_at date_heure heure invoicedate created_utc created_date_utc day"
            " date_document date_du_document date_piece date_de_piece date_emission date_d_emission"
            " issue_date booked_on booking_date date_reservation date_de_reservation reserve_le"
            " date_paiement date_de_paiement date_du_paiement payment_date"
        )),
        Column("ordered_on", Type.DATE, msg("The day of the order in the company's time zone."),
               True, derived=True),
        Column("amount", Type.DECIMAL, msg(
            "What was paid, taxes included where the file says so; negative for a return."
        ), True, _words(
            "montant total montant_total total_ttc montant_ttc ttc prix_total total_price"
            " order_total sales_value sales ca chiffre_d_affaires revenue total_paid"
            " total_amount montant_commande net_amount montant_ht total_ht valeur dollar_value"
            " value spend depense order_amount grand_total total_paye montant_paye"
            " net_a_payer ca_ticket somme prix encaisse total_commande order_value"
            " total_collected amount_paid paid_amount amount_incl_tax total_incl_tax"
            " total_incl_vat total_including_tax total_including_vat total_paid_tax_incl"
            " revenu_n revenu_net total_signe total_signed order_total_amount montant_total_ttc"
        )),
        Column("currency", Type.TEXT, msg("ISO 4217 currency."), False, _words(
            "devise currency_code monnaie order_currency code_devise"
        )),
        Column("margin", Type.DECIMAL, msg("Margin of the order, in its currency."), False, _words(
            "marge profit marge_brute gross_margin benefice margin_amount"
        )),
        Column("refunded", Type.DECIMAL, msg(
            "Part of what was paid that was given back: the amount is what is left."
        ), False, _words(
            "rembourse montant_rembourse refunded_amount amount_refunded refund refund_amount"
        )),
        Column("discount", Type.DECIMAL, msg("Discount on the order."), False, _words(
            "remise reduction discount_amount rabais montant_remise cart_discount total_discounts"
        )),
        Column("status", Type.TEXT, msg("Status as the file writes it."), False, _words(
            "statut etat order_status financial_status statut_commande etat_commande current_state"
            " order_state"
        )),
        Column("kind", Type.TEXT, msg(
            "Kind of order: purchase, return (an amount given back), cancelled, or free (its lines came"
            " to nothing)."
        ), derived=True),
        Column("channel", Type.TEXT, msg("Sales channel."), False, _words(
            "canal canal_de_vente source sales_channel canal_vente source_name"
        )),
        Column("store", Type.TEXT, msg("Shop or till."), False, _words(
            "magasin boutique store_id shop point_de_vente magasin_id store_name pdv agence"
        )),
    ),
)

ORDER_LINES = Table(
    "order_lines",
    msg("one row a product in an order"),
    key="line_id",
    clock="ordered_on",
    columns=(
        Column("line_id", Type.TEXT, msg("Identifies the line."), False, _words(
            "id_ligne ligne row_id line num_ligne line_number numero_ligne line_item_id"
        )),
        Column("order_id", Type.TEXT, msg("The order it belongs to."), True,
               ORDERS.columns[0].synonyms),
        Column("customer_id", Type.TEXT, msg("Who ordered."), derived=True),
        Column("ordered_on", Type.DATE, msg("The day of the order."), derived=True),
        Column("kind", Type.TEXT, msg("The kind of its order."), derived=True),
        Column("product_id", Type.TEXT, msg("Identifies the product."), False, _words(
            "produit_id id_produit ref_produit reference_produit reference code_produit sku"
            " stock_code stockcode article code_article ean lineitem_sku item_id upc"
            " product_reference product_code asin"
        )),
        Column("product", Type.TEXT, msg("Name of the product."), False, _words(
            "produit nom_produit product_name designation libelle description article_nom"
            " lineitem_name item item_name libelle_produit nom_de_l_article product_title"
        )),
        Column("category", Type.TEXT, msg("Category of the product."), False, _words(
            "categorie rayon famille product_category department departement_produit gamme univers"
        )),
        Column("quantity", Type.DECIMAL, msg("How many."), False, _words(
            "quantite qte qty nombre nb quantity_sold lineitem_quantity number_of_cds units unites"
            " item_quantity nb_articles product_quantity"
        )),
        Column("unit_price", Type.DECIMAL, msg("Price of one."), False, _words(
            "prix_unitaire pu price unitprice pu_ttc prix_unitaire_ttc lineitem_price pu_ht"
            " prix_unitaire_ht item_price item_cost product_price"
        )),
        Column("amount", Type.DECIMAL, msg("What the line came to; negative when returned."), True,
               _words("montant_ligne total_ligne line_total line_amount sous_total subtotal")),
        Column("margin", Type.DECIMAL, msg("Margin of the line."), False, _words("marge_ligne")),
        Column("upgrade_on", Type.DATE, msg("The day the product is due for an upgrade."), False, _words(
            "upgrade_date upgrade_due a_remplacer_le remplacer_le date_de_remplacement"
            " date_remplacement a_renouveler_le renouveler_le date_de_renouvellement"
            " date_renouvellement fin_de_garantie date_fin_garantie fin_garantie"
            " garantie_jusqu_au warranty_until warranty_end guarantee_until replace_on"
            " replacement_date renew_on"
        )),
    ),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    msg("one row a subscription at one price"),
    key="subscription_id",
    clock=None,
    columns=(
        Column("subscription_id", Type.TEXT, msg("Identifies the subscription."), False, _words(
            "abonnement_id id_abonnement n_abonnement numero_abonnement contrat_id id_contrat numero_contrat num_abonnement"
            " contract_id policy_id numero_police"
        )),
        Column("customer_id", Type.TEXT, msg("Who subscribes."), True,
               CUSTOMERS.columns[0].synonyms),
        Column("plan", Type.TEXT, msg("What is subscribed to."), False, _words(
            "formule offre abonnement plan_name contrat contract type_abonnement forfait product"
        )),
        Column("started_at", Type.DATE, msg("First day."), False, _words(
            "date_debut debut start start_date date_de_debut date_souscription souscrit_le"
            " date_debut_abonnement started subscription_start current_period_start debut_contrat"
            " activated_at date_activation date_d_activation"
        )),
        Column("ended_at", Type.DATE, msg("Day it ended; empty while it runs."), False, _words(
            "date_fin fin end end_date date_de_fin date_resiliation resilie_le canceled_at"
            " cancelled_at ended churn_date date_fin_abonnement subscription_end fin_contrat"
            " cancel_date churned_at"
        )),
        Column("monthly_amount", Type.DECIMAL, msg("Price a month."), False, _words(
            "mrr mensualite prix_mensuel montant_mensuel monthly_charges monthly_price"
            " monthly_fee tarif_mensuel mensuel abonnement_mensuel plan_amount amount montant prix price"
        )),
        Column("currency", Type.TEXT, msg("ISO 4217 currency."), False, _words("devise monnaie")),
        Column("tenure_months", Type.INTEGER, msg("Months since the first day."), False, _words(
            "tenure anciennete anciennete_mois mois_anciennete months"
        )),
        Column("churned", Type.BOOLEAN, msg("Whether the customer left."), False, _words(
            "churn resilie parti attrition exited left is_churned desabonne"
        )),
        Column("reason", Type.TEXT, msg("Why it ended."), False, _words(
            "motif raison motif_resiliation cancellation_reason motif_depart churn_reason"
        )),
    ),
)

SOUNDS = msg("How these words sound, from −1 (negative) to 1 (positive); 0 where they do not tell.")

RESPONSES = Table(
    "responses",
    msg("one row an answer to one question of a survey"),
    key="response_id",
    clock="responded_on",
    columns=(
        Column("response_id", Type.TEXT, msg("Identifies the answer."), False, _words(
            "reponse_id id_reponse n_reponse numero_reponse response comment_id submission_id"
            " response_number respondent_id review_id id_avis id"
        )),
        Column("customer_id", Type.TEXT, msg("Who answered, where known."), False,
               CUSTOMERS.columns[0].synonyms[:-1]),
        Column("responded_on", Type.DATE, msg("Day of the answer."), False, _words(
            "date date_reponse response_date submitted_at answered_at repondu_le date_enquete"
            " horodateur timestamp responded_at completed_at survey_date submit_date date_submitted"
            " date_created review_date review_created date_de_l_avis date_avis soumis_le"
        )),
        Column("question", Type.TEXT, msg("The question: nps, csat, ces, enps, or the file's own name."), False,
               _words("question question_posee intitule_question libelle_question nom_question"
                      " question_name question_text survey_question")),
        Column("score", Type.DECIMAL, msg("The answer, on the scale of its question."), True, _words(
            "note score rating evaluation answer reponse_note nps_score stars review_stars star_rating"
            " etoiles nombre_d_etoiles"
        )),
        Column("comment", Type.TEXT, msg("What was said in the customer's own words."), False, _words(
            "commentaire verbatim explication avis remarque feedback comments raison texte"
            " pourquoi suggestion review_content review_text contenu_de_l_avis texte_de_l_avis"
        ), personal=True),
        Column("text_sentiment", Type.DECIMAL, SOUNDS, derived=True),
    ),
)

QUESTIONS: dict[str, tuple[str, ...]] = {
    "nps": _words(
        "nps recommandation recommendation note_nps nps_score likelihood_to_recommend"
        " recommanderiez_vous recommandez_vous probabilite_de_recommander"
    ),
    "csat": _words("csat satisfaction satisfaction_globale note_satisfaction csat_score"),
    "ces": _words("ces effort customer_effort effort_client ces_score facilite"),
    "enps": _words("enps e_nps nps_salarie nps_employe employee_nps enps_score"),
}
"""Questions that are known by their header: a file may hold several, one a column."""

SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "enps": (0, 10)}
"""The lowest and highest answer to each question that is a metric."""
AFTERWARDS_SCALE = (1, 5)
"""Those of the satisfaction asked after a contact with customer service."""
_FIVE, _ANSWERS_MIN = 5, 30


def seems_of_five(high: int, n: int, least: float | None, most: float | None) -> bool:
    """Whether scores that are all on a scale are rather answers from 1 to 5.

    Of thirty customers somebody is willing to recommend, or finds it easy; and effort was asked
    on five steps, the other way round, before it was on seven. A 0 is no answer from 1 to 5.

    Args:
        high: The highest answer of the scale.
        n: How many scores there are.
        least: The lowest of them.
        most: The highest of them.

    Examples:
        >>> seems_of_five(10, 240, 3, 5), seems_of_five(10, 240, 0, 5), seems_of_five(10, 29, 3, 5)
        (True, False, False)
    """
    if least is None or most is None or n < _ANSWERS_MIN:
        return False
    return high > _FIVE >= most and least >= 1

NO_WORDS = (
    "", "na", "n/a", "nan", "null", "none", "nc", "rien", "néant", "aucun", "-", ".", "did not answer",
    "no comment", "no comments", "pas de commentaire", "sans commentaire",
)  # fmt: skip
"""What programs and people write into a comment that says nothing."""

INTERACTIONS = Table(
    "interactions",
    msg("one row a contact with customer service"),
    key="interaction_id",
    clock="opened_at",
    columns=(
        Column("interaction_id", Type.TEXT, msg("Identifies the contact."), False, _words(
            "ticket_id id_ticket_sav num_dossier dossier case_id case_number id_demande"
            " interaction numero_dossier conversation_id"
        )),
        Column("customer_id", Type.TEXT, msg("Who made contact."), False,
               CUSTOMERS.columns[0].synonyms[:-1]),
        Column("opened_at", Type.TIMESTAMP, msg("When contact was made."), True, _words(
            "ouvert_le date_ouverture opened created_at date_creation date_demande"
            " date_contact date contact_date recu_le created_time conversation_started_at"
        )),
        Column("first_response_at", Type.TIMESTAMP, msg("When it was first answered."), False, _words(
            "premiere_reponse premiere_reponse_le first_response first_reply_at"
            " date_premiere_reponse first_replied_at initial_response_time"
        )),
        Column("resolved_at", Type.TIMESTAMP, msg("When it was settled."), False, _words(
            "resolu_le date_resolution resolved closed_at ferme_le date_cloture cloture_le"
            " solved_at date_fermeture resolved_time closed_time conversation_first_closed_at"
        )),
        Column("channel", Type.TEXT, msg("How contact was made."), False, _words("canal via media")),
        Column("kind", Type.TEXT, msg("Its reason: complaint, question, … as the file writes it."), False, _words(
            "type type_demande nature motif categorie category type_contact ticket_type reason"
        )),
        Column("is_complaint", Type.BOOLEAN, msg("Whether it is a complaint."), False, _words(
            "reclamation plainte complaint litige"
        )),
        Column("status", Type.TEXT, msg("Status as the file writes it."), False, _words("statut etat")),
        Column("satisfaction", Type.DECIMAL, msg("Satisfaction asked afterwards, 1 to 5."), False,
               _words("satisfaction_ticket csat note rating")),
        Column("text", Type.TEXT, msg("What was said."), False, _words(
            "sujet objet subject description message contenu"
        ), personal=True),
        Column("text_sentiment", Type.DECIMAL, SOUNDS, derived=True),
    ),
)

EVENTS = Table(
    "events",
    msg("one row something a customer did on a site or in an app"),
    key="event_id",
    clock="occurred_at",
    columns=(
        Column("event_id", Type.TEXT, msg("Identifies the event."), False, _words("message_id id_evenement")),
        Column("customer_id", Type.TEXT, msg("Who did it."), True, CUSTOMERS.columns[0].synonyms[:-1]),
        Column("occurred_at", Type.TIMESTAMP, msg("When."), True, _words(
            "timestamp date horodatage event_time event_timestamp event_date received_at"
            " date_evenement datetime"
        )),
        Column("event", Type.TEXT, msg("What was done."), True, _words(
            "evenement event_name action event_type type_evenement page"
        )),
        Column("session_id", Type.TEXT, msg("The visit it belongs to."), False, _words(
            "session visite id_session visit_id"
        )),
        Column("channel", Type.TEXT, msg("Site, app or device."), False, _words(
            "platform plateforme device appareil canal"
        )),
    ),
)

PRODUCTS = Table(
    "products",
    msg("one row a product"),
    key="product_id",
    clock=None,
    columns=(
        Column("product_id", Type.TEXT, msg("Identifies the product, as order lines do."), True, (
            *_words("variant_sku code_barre code_barres barcode gtin"),
            *next(c.synonyms for c in ORDER_LINES.columns if c.name == "product_id"),
            "id",
        )),
        Column("product", Type.TEXT, msg("Name of the product."), False, (
            *next(c.synonyms for c in ORDER_LINES.columns if c.name == "product"),
            *_words("nom name titre title nom_du_produit nom_article"),
        )),
        Column("category", Type.TEXT, msg("Category of the product."), False, (
            *next(c.synonyms for c in ORDER_LINES.columns if c.name == "category"),
            *_words("category_id id_categorie categories type_de_produit product_type sous_famille collection type"),
        )),
        Column("stock", Type.DECIMAL, msg("How many are in stock."), False, _words(
            "en_stock in_stock quantite_en_stock stock_quantity quantity_in_stock qty_in_stock"
            " variant_inventory_qty inventory inventory_quantity stock_disponible stock_actuel"
            " quantite_disponible quantity_on_hand on_hand available quantite quantity qte qty"
        )),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CUSTOMERS, ORDERS, ORDER_LINES, SUBSCRIPTIONS, RESPONSES, INTERACTIONS, EVENTS, PRODUCTS,
    )
}  # fmt: skip
"""Every canonical table by name."""

CALLED: Mapping[str, Message] = {
    "customers": msg("customers"), "orders": msg("orders"), "order_lines": msg("order lines"),
    "subscriptions": msg("subscriptions"), "responses": msg("answers to a survey"),
    "interactions": msg("contacts with service"), "events": msg("events"),
    "products": msg("products"),
}  # fmt: skip
"""What people call each of them."""

NOBODY = (
    "comptoir", "au comptoir", "client comptoir", "client au comptoir", "clients comptoir",
    "vente comptoir", "ventes comptoir", "vente au comptoir", "passage", "de passage",
    "client passage", "client de passage", "clients de passage", "divers", "client divers",
    "clients divers", "client anonyme", "client inconnu", "client invité", "invité", "invitée",
    "anonyme", "anonymous", "inconnu", "inconnue", "unknown", "guest", "guest customer",
    "walk-in", "walk in", "walkin", "walk-in customer", "walk in customer", "counter sale",
    "cash sale",
)  # fmt: skip
"""What tills and shops call a customer whom they do not know."""

UNSUBSCRIBED = (
    "unsubscribe", "unsubscribed", "email_unsubscribed", "email_unsubscribe", "opt_out",
    "desabonnement", "désabonnement", "desinscription", "désinscription", "se_desabonner",
    "newsletter_unsubscribed",
)  # fmt: skip
"""What events are called by which somebody declines to be written to."""


def event_key(name: str) -> str:
    """The name of an event without what tools write differently: capitals, blanks, points, lines.

    Examples:
        >>> event_key("Email Delivered"), event_key("emailDelivered"), event_key("email_delivered")
        ('emaildelivered', 'emaildelivered', 'emaildelivered')
    """
    return re.sub(r"[ ._:/-]+", "", name.lower())


_DECLINING = frozenset(event_key(name) for name in UNSUBSCRIBED)


def declines(event: str) -> bool:
    """Whether an event of this name tells that somebody declines to be written to.

    Examples:
        >>> declines("Email Unsubscribed"), declines("Subscribed")
        (True, False)
    """
    return event_key(event) in _DECLINING
