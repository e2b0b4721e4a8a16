"""Headers that can mean two things: what the other columns and the values settle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier
from revoir.language import Message, msg
from revoir.reading.headers import likeness, preference
from revoir.reading.mapping import ColumnMapping
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable
from revoir.tables import TABLES, plain_name

if TYPE_CHECKING:
    import duckdb

_NAMES = frozenset(("name", "nom"))
_BARE_NUMBERS = frozenset(("ref", "reference", "n", "no", "nr", "num", "numero", "number", "id"))
_ORDERS = frozenset(["order", "orders", "commande", "commandes", "invoices", "factures"])
_LINES = frozenset(
    ["line", "lines", "ligne", "lignes", "item", "items", "detail", "details", "payment",
     "payments", "paiements", "customers", "clients", "status", "statuses", "history"]
)  # fmt: skip
"""Words of what tables are called that hold other things of orders."""
_PRODUCTS = ("order_lines.product", "order_lines.quantity", "order_lines.unit_price")
_PEOPLE = ("orders.customer_id", "customers.email", "customers.name", "customers.last_name",
           "customers.phone")  # fmt: skip
_PRICES = frozenset(("prix", "prix_ttc", "prix_ht", "prix_vente", "prix_de_vente", "prix_article",
                     "prix_produit"))  # fmt: skip
_PRICE_OF_ONE = msg("beside a quantity it is the price of one")
_PLAN_OR_NUMBER = frozenset(("abonnement", "contrat", "contract", "subscription"))
_DIGITS_MIN = 0.8
_MANY = 20
_SEVERAL = 3
_SURE = 0.9


def settle(
    kind: str, raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping]
) -> None:
    """Give columns whose header says too little the meaning that the others leave.

    Args:
        kind: The kind of file that the columns are looked at for.
        raw: The table.
        profiles: What its columns look like.
        taken: What each column was taken for by its header; changed in place.
    """
    match kind:
        case "orders":
            _price_of_one(raw, profiles, taken)
            _number_of_order(raw, profiles, taken)
            _reference_of_order(profiles, taken)
            _name_of_product(taken)
        case "subscriptions":
            _plan_or_number(raw, profiles, taken)


def _price_of_one(
    raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping]
) -> None:
    """“Prix” beside a quantity is the price of one, as “price” is."""
    used = {mapping.target for mapping in taken.values()}
    if "order_lines.quantity" not in used or "order_lines.unit_price" in used:
        return
    for column, header in zip(raw.columns, raw.headers, strict=True):
        if plain_name(header) not in _PRICES or profiles[column].numbers < 0.3:
            continue
        if _may_turn(taken.get(column), "orders.amount"):
            taken[column] = ColumnMapping(
                column, header, "order_lines.unit_price", "unit_price", 0.75, _PRICE_OF_ONE
            )
            return


def said_of_amounts(
    profiles: dict[str, Profile], columns: tuple[ColumnMapping, ...]
) -> list[Message]:
    """What is said of a file of sales with several readings of what was paid.

    Args:
        profiles: What its columns look like.
        columns: What they were taken for.
    """
    held = {mapping.target: mapping for mapping in columns}
    if paid := held.get("orders.amount"):
        rivals = _rivals(profiles, columns, paid)
        return [
            msg(
                "Column {header} was taken as what was paid, rather than {others}. If that is"
                " wrong, give the other column the meaning amount.",
                header=paid.header,
                others=rivals,
            )
        ] if rivals else []  # fmt: skip
    price = held.get("order_lines.unit_price")
    if price is None or "order_lines.amount" in held:
        return []
    said = []
    if price.reason == _PRICE_OF_ONE:
        said.append(
            msg(
                "Column {header}: beside a quantity it was taken as the price of one, and"
                " multiplied. If it is what was paid, give it the meaning amount.",
                header=price.header,
            )
        )
    if rivals := _rivals(profiles, columns, price):
        said.append(
            msg(
                "Column {header} was taken as the price, rather than {others}. If that is wrong,"
                " give the other column the meaning unit_price.",
                header=price.header,
                others=rivals,
            )
        )
    return said


def _rivals(
    profiles: dict[str, Profile], columns: tuple[ColumnMapping, ...], chosen: ColumnMapping
) -> list[str]:
    """Headers of columns that nothing was made of, and that could be what another one is."""
    table, _, name = str(chosen.target).partition(".")
    canonical = TABLES[table].column(name)
    if canonical is None or chosen.reason == msg("you said so"):
        return []
    rivals = []
    for mapping in columns:
        header = plain_name(mapping.header)
        like, _ = likeness(header, canonical, str(chosen.target))
        known = like >= 0.9 or (like >= 0.5 and preference(header, name) != 0)
        if mapping.target is None and known and profiles[mapping.column].numbers >= 0.9:
            rivals.append(mapping.header)
    return rivals


def _number_of_order(
    raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping]
) -> None:
    """“Réf.” or “N°” beside who, when and how much numbers the orders."""
    used = {mapping.target for mapping in taken.values()}
    paid = {"orders.amount", "order_lines.amount"} & used
    known = used.intersection(_PEOPLE)
    if "orders.order_id" in used or "orders.ordered_at" not in used or not known:
        return
    if not paid and (not lists_orders(raw) or "order_lines.unit_price" in used):
        return
    products = used.intersection(_PRODUCTS)
    for column, header in zip(raw.columns, raw.headers, strict=True):
        name = plain_name(header)
        held = taken.get(column)
        if name not in _BARE_NUMBERS or not _may_turn(held, "order_lines.product_id"):
            continue
        profile = profiles[column]
        if products and held is None and name in ("ref", "reference"):
            if "order_lines.product_id" not in used:
                taken[column] = ColumnMapping(
                    column, header, "order_lines.product_id", "product_id", 0.75,
                    msg("a reference beside products is theirs"),
                )  # fmt: skip
            return
        if not profile.filled or profile.length > 60 or profile.dates > 0.5:
            continue
        if products:
            # Beside products, what merely counts the rows is no order.
            fits = name not in ("ref", "reference", "id") and profile.unique < 1
        else:
            # The customer's own number would come again.
            fits = profile.unique == 1 if name == "id" else profile.unique > 0.5
        if fits:
            taken[column] = ColumnMapping(
                column, header, "orders.order_id", "order_id", 0.75,
                msg("its values number the orders"),
            )  # fmt: skip
            return


def lists_orders(raw: RawTable) -> bool:
    """Whether a file, sheet or table is called after orders, and not after their lines."""
    name = raw.sheet or raw.file.rpartition("/")[2].partition(".")[0]
    words = set(plain_name(name).split("_"))
    return bool(words & _ORDERS) and not words & _LINES


def _reference_of_order(profiles: dict[str, Profile], taken: dict[str, ColumnMapping]) -> None:
    """“Reference” beside the number of each order is one more of the order, and no product's."""
    held = {mapping.target: column for column, mapping in taken.items()}
    number, column = held.get("orders.order_id"), held.get("order_lines.product_id")
    lines = [target for target in held if target and target.startswith("order_lines.")]
    if number is None or column is None or len(lines) > 1:
        return
    mapping = taken[column]
    once = all(profiles[one].unique == 1 for one in (number, column))
    if once and mapping.confidence < 1 and plain_name(mapping.header) in ("ref", "reference"):
        del taken[column]


def _name_of_product(taken: dict[str, ColumnMapping]) -> None:
    """“Name” on lines without a day, which say neither when nor to whom, is the product's."""
    held = {mapping.target: column for column, mapping in taken.items()}
    column = held.get("customers.name")
    others = [target for target in held if target and target.startswith("order_lines.")]
    if column is None or "orders.order_id" not in held or "orders.ordered_at" in held:
        return
    if "order_lines.product" in held or len(others) < 2 or taken[column].confidence == 1:
        return
    if plain_name(taken[column].header) in _NAMES:
        taken[column] = replace(taken[column], target="order_lines.product", name="product")


def _may_turn(held: ColumnMapping | None, target: str) -> bool:
    return held is None or (held.target == target and held.confidence < 1)


def _plan_or_number(
    raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping]
) -> None:
    """“Abonnement” is what is subscribed to where values come again, else the contract's number."""
    if any(mapping.target == "subscriptions.subscription_id" for mapping in taken.values()):
        return
    for column, header in zip(raw.columns, raw.headers, strict=True):
        if plain_name(header) not in _PLAN_OR_NUMBER:
            continue
        held = taken.get(column)
        if not _may_turn(held, "subscriptions.plan"):
            continue
        plan = _other_plan(raw, profiles, taken, but=column)
        if _numbers_rows(profiles[column], short=plan is not None):
            taken[column] = ColumnMapping(
                column, header, "subscriptions.subscription_id", "subscription_id",
                held.confidence if held else _SURE,
                msg("its values are codes, different on each row"),
            )  # fmt: skip
            if plan is not None:
                taken[plan.column] = plan
            return


def _other_plan(
    raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping], *, but: str
) -> ColumnMapping | None:
    """Another column that names what is subscribed to."""
    canonical = next(c for c in TABLES["subscriptions"].columns if c.name == "plan")
    for column, header in zip(raw.columns, raw.headers, strict=True):
        if column == but:
            continue
        if column in taken:
            if taken[column].target == "subscriptions.plan":
                return taken[column]
            continue
        like, reason = likeness(plain_name(header), canonical, "subscriptions.plan")
        if like >= _SURE and max(profiles[column].numbers, profiles[column].dates) < _DIGITS_MIN:
            return ColumnMapping(column, header, "subscriptions.plan", "plan", like, reason)
    return None


def _numbers_rows(profile: Profile, *, short: bool) -> bool:
    """Whether values are codes of rows; where a plan stands beside, short ones are, too."""
    if profile.unique < 1 or profile.distinct < _SEVERAL:
        return False
    with_digits = sum(any(sign.isdigit() for sign in cell) for cell in profile.cells)
    share = with_digits / len(profile.cells) if profile.cells else profile.integers
    return profile.distinct >= _MANY or (share >= _DIGITS_MIN and (short or profile.length >= 3))


def answers_or_people(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    columns: tuple[ColumnMapping, ...],
    notes: list[Message],
) -> tuple[ColumnMapping, ...]:
    """Settle whether a bare “id” in a survey numbers the answers or the customers.

    Args:
        connection: The connection that holds the rows.
        raw: The table.
        columns: What its columns mean.
        notes: Told what was decided.

    Returns:
        The columns; the “id” is the customer's where it comes again on different rows.
    """
    found = {mapping.target: mapping for mapping in columns}
    held = found.get("responses.response_id")
    if held is None or held.confidence == 1 or plain_name(held.header) != "id":
        return columns
    if "responses.customer_id" in found:
        return columns
    row = connection.execute(
        f"SELECT count(DISTINCT {identifier(held.column)}),"
        f" count(DISTINCT hash({', '.join(map(identifier, raw.columns))}))"
        f" FROM {raw.relation} WHERE {identifier(held.column)} IS NOT NULL"
    ).fetchall()[0]
    if row[0] >= row[1]:
        notes.append(
            msg(
                "Column {header}: no value comes again, so it was taken as the number of the"
                " answer. If it is the customer's, give it the meaning customer_id.",
                header=held.header,
            )
        )
        return columns
    notes.append(
        msg(
            "Column {header}: its values come again with other answers, so it was taken as the"
            " number of the customer.",
            header=held.header,
        )
    )
    turned = replace(
        held, target="responses.customer_id", name="customer_id",
        reason=msg("its values are codes that come back"),
    )  # fmt: skip
    return tuple(turned if mapping is held else mapping for mapping in columns)
