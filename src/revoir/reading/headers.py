"""How much a header looks like the names that files give a canonical column."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from revoir.language import Message, msg
from revoir.tables import Column

_LEFT_OUT = frozenset(
    [
        "eur",
        "euro",
        "euros",
        "usd",
        "gbp",
        "chf",
        "utc",
        "de",
        "du",
        "la",
        "le",
        "l",
        "d",
        "des",
        "the",
        "of",
        "en",
        "au",
        "a",
    ]
)
# "Last order" and "total spent" are facts of a customer, not an order.
_SUMMARY = frozenset(
    [
        "last",
        "dernier",
        "derniere",
        "first",
        "premier",
        "premiere",
        "next",
        "prochain",
        "prochaine",
        "lifetime",
        "cumul",
        "cumule",
        "modified",
        "updated",
        "modification",
        "maj",
        "expiration",
    ]
)
NEGATED = frozenset(
    [
        "email_blacklisted",
        "blacklisted",
        "unsubscribed_from_all_email",
        "has_opted_out_of_email",
        "email_opt_out",
        "opted_out",
        "opt_out",
        "optout",
        "desabonne",
        "desinscrit",
        "unsubscribed",
        "do_not_contact",
        "do_not_email",
        "ne_pas_contacter",
        "hasoptedoutofemail",
        "stop_pub",
    ]
)


_TAXES = frozenset(["tax", "taxes", "taxe", "vat", "tva", "gst", "hst", "pst", "qst", "tps", "tvq"])
_BESIDE = frozenset(
    ["shipping", "port", "livraison", "delivery", "expedition", "postage", "freight", "fret", "fee",
     "fees", "frais", "tip", "tips", "pourboire", "handling", "gift", "cadeau", "voucher",
     "redeemed", "commission", "payout", "settlement", "due", "balance", "solde", "reste",
     "discount", "discounts", "remise", "remises", "reduction", "rabais", "refund", "refunds",
     "refunded", "rembourse", "remboursement"]
)  # fmt: skip
"""What is asked for beside the goods, or taken off: an amount of it is not what was paid."""
_OF_DELIVERY = frozenset(
    ["shipping", "shipped", "ship", "delivery", "delivered", "carrier", "livraison", "livre",
     "expedition", "expedie", "envoi", "due", "required", "echeance", "limit", "limite",
     "estimated", "estime", "prevue"]
)  # fmt: skip
"""Words of days on which an order was sent, or is to arrive or to be paid."""
_OF_ONE = frozenset(["unit", "unitaire", "unite", "each"])
_WITH = frozenset(
    ["inc", "incl", "included", "including", "inclus", "incluse", "inclusive", "compris",
     "comprise", "comprises", "after", "apres"]
)  # fmt: skip
_WITHOUT = frozenset(
    ["ex", "excl", "excluded", "excluding", "exclusive", "hors", "sans", "without", "before",
     "avant"]
)  # fmt: skip


_OF_CUSTOMERS = frozenset(
    ["registered", "registration", "inscription", "active", "activity", "visit", "visite", "login",
     "connexion", "birth", "birthday", "naissance", "average", "avg", "aov", "moyen", "moyenne"]
)  # fmt: skip
"""Words of dates and amounts that are a customer's, never an order's."""
_COUNTS = frozenset(
    ["order_count", "orders_count", "total_orders", "number_of_orders", "nb_orders",
     "nb_commandes", "nombre_commandes", "nombre_de_commandes", "total_commandes",
     "nb_achats", "nombre_achats", "nombre_d_achats", "transaction_count", "purchase_count",
     "payment_count", "average_order", "average_order_value", "panier_moyen"]
)  # fmt: skip

_OF_NO_NUMBER = frozenset(
    ["group", "groupe", "type", "amount", "montant", "total", "average", "moyen", "moyenne", "name",
     "nom", "prenom", "count", "nombre", "nb", "note", "notes", "date", "status", "statut", "etat",
     "state", "credit"]
)  # fmt: skip
"""Words of what is said of a customer, an order or a shop, and does not number it."""
_OF_OTHERS = frozenset(
    ["staff", "agent", "employee", "employe", "seller", "vendeur", "salesperson", "commercial",
     "cashier", "caissier", "assignee", "teammate", "conseiller", "device", "location", "webshop",
     "store", "shop", "boutique", "magasin", "product", "produit", "item", "article", "campaign",
     "campagne", "event", "plan", "supplier", "fournisseur", "owner", "ip"]
)  # fmt: skip
"""Words of who or what is not the customer: their names and addresses are no customer's."""
_OF_PAPERS = frozenset(
    ["paiement", "payment", "settlement", "commande", "order", "facture", "invoice", "transaction",
     "client", "customer"]
)  # fmt: skip
"""Words of what has a reference that is no product's."""
_OF_INTERVALS = frozenset(
    ["interval", "intervalle", "billing", "periodicite", "recurrence", "cycle", "facturation"]
)
"""Words of how often something is paid: months of it are not how long a customer has been there."""
_WHOLE_ONLY = frozenset(["title", "titre"])
"""Names that say nothing beside other words: “Payment method title” is nobody's."""
_SENTENCE_MIN = 7
"""From so many words on, a header is a question asked: one word of it names nothing."""


def count_orders(names: Iterable[str]) -> bool:
    """Whether headers say how many orders somebody made: each row is no order then.

    Args:
        names: The plain headers of a file.
    """
    held = set(names)
    if held & _COUNTS:
        return True
    # “Commandes” alone may well number them.
    of_customers = any(tokens_of(name) & (_SUMMARY | _OF_CUSTOMERS) for name in held)
    return of_customers and bool(held & {"orders", "commandes"})


# Each header is held against every synonym of every column, for each kind of file it may be.
@lru_cache(maxsize=8192)
def tokens_of(name: str) -> frozenset[str]:
    """The words of a header that mean something."""
    return frozenset(name.split("_")) - _LEFT_OUT


_CATEGORIES = frozenset(["category", "categories", "categorie"])
_OF_KINDS = frozenset(
    ["type", "family", "famille", "group", "groupe", "brand", "marque", "line", "gamme", "class",
     "classe", "url", "lien", "image", "weight", "poids", "size", "taille"]
)  # fmt: skip
"""Words of what a product is like, of which its name is none."""
_OF_NO_STOCK = frozenset(
    ["sold", "vendu", "vendue", "vendus", "vendues", "ordered", "commande", "commandee", "low",
     "min", "minimum", "mini", "max", "maximum", "seuil", "alert", "alerte", "management"]
)  # fmt: skip
"""Words of quantities that were sold, or that somebody wants to have."""
_PAID = frozenset(["ttc", "paid", "paye", "payee", "payer", "collected", "encaisse"])
_NET = frozenset(["ht", "net", "nets", "value", "valeur"])
_GROSS = frozenset(["gross", "brut", "bruts"])
_LEFT = frozenset(["resiliation", "resilie", "cancel", "canceled", "cancelled", "churn", "churned"])


def preference(header: str, name: str) -> int:
    """Which of several amounts, or prices, is the one to count: with taxes before without.

    What is left to pay (“net à payer”) may lack what was paid before. A bare “prix” may be that of
    one piece, and gives way to any total; turnover that is gross has no discount taken off, a price
    that is gross has its taxes. A contract ends on the day it was given up rather than when its
    term is over.

    Args:
        header: A plain header.
        name: What canonical column it may be.

    Returns:
        1 for what is best, 0 where the header says nothing, less for what is worse.

    Examples:
        >>> headers = ("total_ttc", "total", "montant_ht", "gross_sales")
        >>> [preference(header, "amount") for header in headers]
        [1, 0, -1, -2]
    """
    tokens = tokens_of(header)
    if name == "category":
        return 1 if tokens & _CATEGORIES else 0
    if name == "product_id":
        # Tickets carry the code of an article, not the number that the shop's database gives it.
        return -1 if header == "id" else 0
    if name == "ended_at":
        return 1 if tokens & _LEFT else 0
    if name not in ("amount", "unit_price") or {"net", "payer"} <= tokens:
        return 0
    if tokens & _WITHOUT:
        return -1
    if tokens & (_PAID | _WITH) or {"grand", "total"} <= tokens:
        return 1
    if header == "prix" or tokens & _NET or _is_subtotal(tokens):
        return -1
    if tokens & _GROSS:
        return 1 if name == "unit_price" else -2
    return 0


def is_aside(name: str) -> bool:
    """Whether a header says that a number is not what was paid, or a day not that of the order.

    Args:
        name: A plain header.

    Examples:
        >>> [is_aside(name) for name in ("freight", "shipped_date", "employee_id", "valeur")]
        [True, True, True, False]
    """
    tokens = tokens_of(name)
    return bool(tokens & _OF_DELIVERY) or _part_of_amount(tokens) or name.endswith("_id")


def _is_subtotal(tokens: frozenset[str]) -> bool:
    return "subtotal" in tokens or {"sous", "total"} <= tokens


def _part_of_amount(tokens: frozenset[str]) -> bool:
    """Whether a header says of an amount that it is only tax, shipping, a price of one, …."""
    if tokens & _OF_ONE:
        return True
    if tokens & (_WITH | _WITHOUT):
        # “Total including shipping” is an amount, “total shipping tax incl.” none.
        return bool(tokens & _BESIDE and tokens & _TAXES)
    return bool(tokens & (_TAXES | _BESIDE))


def likeness(name: str, column: Column, target: str) -> tuple[float, Message]:
    """How much a header looks like the names of a canonical column, and why."""
    usual = msg("its header is a usual name for it")
    if not name:
        return 0.0, usual
    if name == column.name:
        return 1.0, usual
    synonyms: Iterable[str] = column.synonyms
    if name in column.synonyms:
        return 0.95, usual
    if column.name == "consent" and name in NEGATED:
        return 0.95, usual
    tokens = tokens_of(name)
    if not tokens:
        return 0.0, usual
    if column.name == "amount" and _part_of_amount(tokens):
        return 0.0, usual
    if target == "products.stock" and tokens & _OF_NO_STOCK:
        return 0.0, usual
    if column.name == "product" and tokens & (_CATEGORIES | _OF_KINDS):
        return 0.0, usual
    best, like = 0.0, ""
    if target != "order_lines.amount":  # any amount resembles the bare name
        synonyms = (column.name, *synonyms)
    for synonym in synonyms:
        wanted = tokens_of(synonym)
        if not wanted:
            continue
        if wanted == tokens:
            score = 0.9
        elif wanted < tokens and _may_be_part(wanted, tokens, column.name, target):
            score = 0.72 if len(wanted) > 1 else 0.55
        else:
            continue
        if score > best:
            best, like = score, synonym
    if target == "orders.ordered_at" and tokens & _OF_DELIVERY and best < 0.9:
        return 0.0, usual
    own = target in ("orders.ordered_at", "orders.amount") and tokens & _OF_CUSTOMERS
    named = column.name in ("first_name", "last_name")
    if (own or (tokens & _SUMMARY and not named)) and best < 0.9:
        best *= 0.3
    return best, msg("its header resembles “{name}”", name=like)


def _may_be_part(wanted: frozenset[str], tokens: frozenset[str], name: str, target: str) -> bool:
    """Whether some words of a header can name a column, seeing the others."""
    if len(wanted) == 1 and (
        len(next(iter(wanted))) < 4 or wanted <= _WHOLE_ONLY or len(tokens) >= _SENTENCE_MIN
    ):
        return False
    others = tokens - wanted
    if name == "product_id" and others & _OF_PAPERS:
        return False
    if name == "tenure_months" and others & _OF_INTERVALS:
        return False
    if (name == "store" or name.endswith("_id")) and others & _OF_NO_NUMBER:
        return False
    return not (target.startswith("customers.") and others & _OF_OTHERS)
