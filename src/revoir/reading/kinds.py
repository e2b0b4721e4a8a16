"""How much the columns of a file speak for each canonical table."""

from __future__ import annotations

from collections.abc import Sequence

from revoir.reading.headers import count_orders, likeness, tokens_of
from revoir.reading.mapping import ColumnMapping
from revoir.reading.profile import Profile
from revoir.tables import ORDERS, plain_name

# How much a column speaks for its table; those left out count 0.5.
_WEIGHTS = {
    "orders.amount": 3.0, "orders.ordered_at": 3.0, "orders.order_id": 2.0,
    "orders.customer_id": 1.0, "orders.refunded": 1.0, "orders.status": 1.0,
    "order_lines.product": 1.5, "order_lines.product_id": 1.5, "order_lines.quantity": 1.5,
    "order_lines.unit_price": 2.0, "order_lines.amount": 3.0,
    "subscriptions.subscription_id": 2.5, "subscriptions.customer_id": 1.0,
    "subscriptions.plan": 1.5, "subscriptions.started_at": 2.5, "subscriptions.ended_at": 2.5,
    "subscriptions.monthly_amount": 2.0, "subscriptions.tenure_months": 3.0,
    "subscriptions.churned": 4.0,
    "responses.score": 3.0, "responses.comment": 2.0, "responses.responded_on": 1.0,
    "responses.response_id": 1.0, "responses.question": 5.0,
    "interactions.interaction_id": 3.0, "interactions.opened_at": 2.0,
    "interactions.first_response_at": 4.0, "interactions.resolved_at": 3.0,
    "interactions.is_complaint": 3.0, "interactions.kind": 1.0, "interactions.text": 1.0,
    "events.event": 4.0, "events.occurred_at": 2.0, "events.session_id": 2.0,
    "events.customer_id": 1.0,
    "products.product_id": 2.0, "products.product": 1.5, "products.category": 1.5,
    "products.stock": 2.0,
    "customers.customer_id": 1.0, "customers.email": 2.0, "customers.name": 1.5,
    "customers.first_name": 1.5, "customers.last_name": 1.5, "customers.phone": 1.5,
    "customers.birth_date": 2.0, "customers.joined_at": 1.5, "customers.consent": 1.5,
    "customers.gender": 1.0, "customers.age": 1.0, "customers.city": 1.0,
    "customers.postcode": 1.0, "customers.street": 1.0, "customers.company": 1.0,
}  # fmt: skip

PAID = {"orders.amount", "order_lines.amount", "order_lines.unit_price"}
"""Columns of a file of sales any of which says what was paid."""
_PEOPLE = {"orders.customer_id", "customers.email", "customers.name", "customers.last_name"}
CONTACT = ("interaction_id", "first_response_at", "resolved_at", "is_complaint")
_OF_PRODUCTS = frozenset(
    ["product", "products", "produit", "produits", "article", "articles", "item", "items", "sku",
     "ean", "upc", "gtin", "asin", "barcode", "stock", "inventory", "variant", "brand", "marque",
     "rayon", "fournisseur", "supplier", "vendor"]
)  # fmt: skip
"""Words in the headers of a list of products; a name and a category may be those of anything."""
_OF_ORDERS = frozenset(["order", "orders", "commande", "commandes", "invoice", "facture"])
_EACH_ONCE = 0.9
_LINE = ("product", "product_id", "quantity", "unit_price", "amount", "line_id")
_OF_A_ROW = frozenset(["created", "creation", "added", "ajout", "updated"])


def evidence(kind: str, columns: tuple[ColumnMapping, ...], profiles: dict[str, Profile]) -> float:
    """How much the columns speak for a table; 0 where something it needs is not there."""
    held = {mapping.target: mapping for mapping in columns if mapping.target}
    names = set(held)
    match kind:
        case "orders" if _may_be_products(columns, profiles):
            enough = False
        case "orders":
            enough = "orders.ordered_at" in names and bool(PAID & names)
            if enough and "orders.order_id" not in names and _PEOPLE & names:
                enough = not count_orders(plain_name(column.header) for column in columns)
        case "subscriptions":
            told = {"started_at", "ended_at", "tenure_months", "churned"}
            enough = bool({"subscriptions.customer_id", "customers.email"} & names) and any(
                f"subscriptions.{name}" in names for name in told
            )
        case "responses":
            asked = [m for n, m in held.items() if n.startswith("responses.question:")]
            score = held.get("responses.score")
            # A column “Note” without a single cell may be of remarks as well.
            scored = score is not None and (_answered(score, profiles) or score.confidence == 1)
            enough = scored or any(
                m.confidence > 0.9 or "responses.comment" in names for m in asked
            )
        case "interactions":
            kind_of = held.get("interactions.kind")
            enough = "interactions.opened_at" in names and (
                any(f"interactions.{name}" in names for name in CONTACT)
                # “Type de client” is not why somebody called.
                or (kind_of is not None and kind_of.confidence >= 0.9)
            )
        case "events":
            enough = {"events.event", "events.occurred_at"} <= names and bool(
                {"events.customer_id", "customers.email"} & names
            )
        case "products":
            enough = _are_products(columns, profiles)
        case _:
            enough = _are_people(held, profiles) and not number_orders(columns, profiles)
    if not enough:
        return 0.0
    total = 0.0
    for name, mapping in held.items():
        key = "responses.question" if name.startswith("responses.question:") else name
        weight = _WEIGHTS.get(key, 0.5)
        if kind != "customers" and name.startswith("customers."):
            weight *= 0.1
        total += weight * mapping.confidence
    # A contact sheet shares most of its columns with the one-file exports of a shop.
    return total * (0.35 if kind == "customers" else 1.0) + (0.01 if kind == "customers" else 0)


def _answered(score: ColumnMapping, profiles: dict[str, Profile]) -> bool:
    profile = profiles[score.column]
    return bool(profile.filled or not profile.rows)


def _are_products(columns: tuple[ColumnMapping, ...], profiles: dict[str, Profile]) -> bool:
    """Whether each row is a product, and none what somebody bought of it."""
    held = {mapping.target: mapping for mapping in columns if mapping.target}
    key = held.get("products.product_id") or held.get("products.product")
    if key is None or len(held) < 2 or profiles[key.column].unique < _EACH_ONCE:
        return False
    names = [plain_name(mapping.header) for mapping in columns if mapping.header]
    told = {"products.product", "products.category", "products.stock"} <= held.keys()
    if not told and not any(tokens_of(name) & _OF_PRODUCTS for name in names):
        return False
    number, whose = ORDERS.columns[0], ORDERS.columns[1]
    return not any(
        likeness(name, number, "orders.order_id")[0] >= 0.9
        or likeness(name, whose, "orders.customer_id")[0] >= 0.9
        or profiles[mapping.column].emails >= 0.5
        for mapping in columns
        if mapping is not key and (name := plain_name(mapping.header))
    )


def number_orders(columns: tuple[ColumnMapping, ...], profiles: dict[str, Profile]) -> bool:
    """Whether each row has the number of an order: it is one, even where no row says its total."""
    return any(
        likeness(name, ORDERS.columns[0], "orders.order_id")[0] >= 0.95
        and tokens_of(name) & _OF_ORDERS
        and profiles[mapping.column].unique == 1
        for mapping in columns
        if mapping.header and (name := plain_name(mapping.header))
    )


def _may_be_products(columns: tuple[ColumnMapping, ...], profiles: dict[str, Profile]) -> bool:
    """Whether what looks like sales is a list of products, with their prices and first days.

    Each product stands there once, nothing is ordered or bought by anybody, and the only day is
    that of the row itself.
    """
    held = {mapping.target: mapping for mapping in columns if mapping.target}
    key, day = held.get("order_lines.product_id"), held.get("orders.ordered_at")
    return (
        key is not None
        and day is not None
        and profiles[key.column].unique == 1
        and bool(tokens_of(plain_name(day.header)) & _OF_A_ROW)
        and not held.keys() & {"orders.order_id", "orders.customer_id", "customers.email"}
    )


def _are_people(held: dict[str, ColumnMapping], profiles: dict[str, Profile]) -> bool:
    personal = {"email", "phone", "last_name", "name"}
    if any(f"customers.{name}" in held for name in personal):
        return True
    key = held.get("customers.customer_id")
    if key is None or (plain_name(key.header) == "id" and len(held) < 2):
        return False
    profile = profiles[key.column]
    return not profile.filled or profile.unique >= 0.5


def are_lines(columns: Sequence[ColumnMapping]) -> bool:
    """Whether a table that nothing is known of has lines of numbered orders, without a date."""
    held = {column.target for column in columns}
    told = any(f"order_lines.{name}" in held for name in _LINE)
    return "orders.order_id" in held and told and "orders.ordered_at" not in held


def are_orders(columns: Sequence[ColumnMapping]) -> bool:
    """Whether a table that nothing is known of has numbered orders and their days, and no total."""
    held = {column.target for column in columns}
    return {"orders.order_id", "orders.ordered_at"} <= held and not PAID & held
