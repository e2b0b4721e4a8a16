"""Rules over customers and over rows of the canonical tables, compiled to Ibis.

The language is that of `revoir.segments.syntax`. What its names stand for, and how it counts:

- **Names.** A column of the table asked about, by its name; then one of customers; then a figure
  of `revoir.segments.features`; then what files call a column (`ville` for `city`).
  `orders.channel` says which table, `features.segment` the figure where a file has such a column.
- **Unknown values.** A comparison with an unknown value is not met, `!=`, `not in` and
  `not contains` included; `is unknown` asks for it. `not (…)` holds for all the others, those
  without a value included: a rule and its negation share everybody out between them.
- **Text.** `=` and `in` compare letter for letter; `contains`, `starts with` and `ends with`
  ignore case and accents. A number may stand for text as it is written: `postcode = 01000`.
- **Times.** A column of times is compared by its day in the company's time zone.
- **Other tables.** A rule about orders may speak of their customers (`city = "Tours"`), and of
  their lines: met when one line of the order meets all that is said of lines between two `or`.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import msg
from revoir.segments.features import (
    SEGMENT_NAMES,
    Feature,
    customer_ids,
    feature_table,
    joined,
)
from revoir.segments.names import segment_named
from revoir.segments.references import (
    EVERYWHERE,
    Reference,
    columns_there_are,
    reference,
    references,
)
from revoir.segments.syntax import (
    All,
    Comparison,
    Either,
    Known,
    Literal,
    Name,
    Node,
    Not,
    Rule,
    Truth,
    atoms,
    fault,
    parse,
)
from revoir.tables import plain_name

__all__ = [
    "SEGMENT_NAMES",
    "Dimension",
    "Rule",
    "condition",
    "customers_matching",
    "dimension",
    "features_of",
    "parse",
    "split",
    "tables_of",
]


Resolve = Callable[[Name], ir.Column]


@dataclass(frozen=True)
class Dimension:
    """A column that figures are broken down by.

    Attributes:
        table: The table whose rows it splits; "customers" also for computed figures.
        column: The column there, or in what `customers` gives.
        feature: The figure, where it is computed.
    """

    table: str
    column: str
    feature: Feature | None = None

    def customers(self, book: Book) -> ir.Table:
        """Its value for each customer, for a dimension of customers.

        Args:
            book: The company's tables; the figure is as of the book's `as_of`.

        Returns:
            `customer_id` and the column `column`.
        """
        if self.feature is not None:
            return feature_table(book, [self.feature])
        table = book.table("customers")
        if self.column == "customer_id":
            return table.select("customer_id", customer_id_value=table.customer_id)
        return table.select("customer_id", self.column)


def customers_matching(book: Book, rule: str | Rule) -> ir.Table:
    """The customers who meet a rule.

    Args:
        book: The company's tables; figures are as of the book's `as_of`.
        rule: The rule.

    Returns:
        One row a customer, in a column `customer_id`. Customers without an order are among them
        where they meet it.

    Raises:
        UsageError: The rule cannot be read, or speaks of what customers do not have.
    """
    rule = _read(rule)
    found = references(book, rule, ("customers",), {})
    return _customers(book, rule.root, rule.text, found)


def matching_count(book: Book, rule: str) -> int:
    """How many customers meet a rule: counted once, for whatever shows it of one book."""

    def count() -> int:
        matching = customers_matching(book, rule)
        return int(book.rows(matching.aggregate(n=matching.count()))[0]["n"])

    return book.once(f"customers of {rule}", count)


def condition(
    rule: str | Rule,
    table: ir.Table | str,
    book: Book,
    *,
    name: str | None = None,
    seen: Book | None = None,
) -> ir.BooleanValue:
    """A rule as a condition on the rows of a canonical table, for `filter`.

    Args:
        rule: The rule.
        table: The table, or its name; it may be filtered already or carry further columns.
        book: The company's tables, for what the rule says of customers and lines.
        name: Which canonical table it is (None: found by its columns).
        seen: The book as of the day that figures of customers are read at (None: `book`).

    Returns:
        True or false for each row, never null.

    Raises:
        UsageError: The rule cannot be read, or speaks of what the rows do not have.
    """
    rule = _read(rule)
    if isinstance(table, str):
        name, table = table, book.table(table)
    name = name or _kind_of(table)
    found = references(book, rule, _scope(book, name), {name: tuple(table.columns)})
    return _Rows(book, seen or book, rule.text, table, name, found).condition(rule.root)


def features_of(rule: str | Rule, book: Book) -> list[Feature]:
    """The figures of customers that a rule speaks of.

    Args:
        rule: The rule.
        book: The company's tables.

    Raises:
        UsageError: The rule cannot be read, or names what the book does not have.
    """
    found = references(book, _read(rule), EVERYWHERE, {})
    return [known.feature for known in found.values() if known.feature is not None]


def holds_one(rule: str | Rule, book: Book, table: str, column: str) -> bool:
    """Whether the rows of a table that meet a rule all have one value of a column.

    Args:
        rule: The rule.
        book: The company's tables.
        table: The table.
        column: Its column, which the rule may call by any of its names.

    Returns:
        Whether the rule as a whole, or a part that `and` joins, sets it equal to a single value.
    """
    rule = _read(rule)
    found = references(book, rule, (table, *EVERYWHERE), {})
    nodes = rule.root.nodes if isinstance(rule.root, All) else (rule.root,)
    return any(
        isinstance(node, Comparison)
        and (found[node.name].table, found[node.name].column) == (table, column)
        and node.operator in ("=", "in")
        and len(node.values) == 1
        for node in nodes
    )


def tables_of(rule: str | Rule, book: Book) -> set[str]:
    """The canonical tables that the columns of a rule are in; computed figures are of customers.

    Args:
        rule: The rule.
        book: The company's tables.

    Returns:
        Names of tables.

    Raises:
        UsageError: The rule cannot be read, or names what the book does not have.
    """
    rule = _read(rule)
    found = references(book, rule, EVERYWHERE, {})
    return {"customers" if known.of_customer else known.table for known in found.values()}


def columns_of(rule: str | Rule, book: Book, table: str) -> set[str]:
    """The columns of a canonical table that a rule speaks of.

    Args:
        rule: The rule.
        book: The company's tables.
        table: The table.
    """
    found = references(book, _read(rule), EVERYWHERE, {})
    return {known.column for known in found.values() if known.table == table}


def split(rule: str | Rule, book: Book) -> dict[str, Rule]:
    """Cut a rule into the parts that `and` joins, by the table each is about.

    A part that speaks of customers and of facts is about the facts; one that speaks of orders
    and of their lines is about the lines.

    Args:
        rule: The rule.
        book: The company's tables.

    Returns:
        A rule by the name of its table; a row that counts meets them all.

    Raises:
        UsageError: The rule cannot be read, names what the book does not have, or joins unrelated
            tables by `or`.
    """
    rule = _read(rule)
    found = references(book, rule, EVERYWHERE, {})
    nodes = rule.root.nodes if isinstance(rule.root, All) else (rule.root,)
    parts: dict[str, list[Node]] = {}
    for node in nodes:
        tables = {found[atom.name].table for atom in atoms(node)} - {"customers", "features"}
        finest = tables - {"orders"} if "order_lines" in tables else tables
        if len(finest) > 1:
            first = next(atoms(node))
            raise fault(
                rule.text,
                first.span,
                msg("“or” cannot join columns of: {tables}.", tables=sorted(tables)),
                msg("Ask for one after the other."),
            )
        parts.setdefault(next(iter(finest), "customers"), []).append(node)
    return {
        table: Rule(rule.text, some[0] if len(some) == 1 else All(tuple(some)))
        for table, some in parts.items()
    }


def dimension(book: Book, name: str, *, prefer: str | None = None) -> Dimension:
    """The column that a name given to `--by` stands for.

    Args:
        book: The company's tables.
        name: The name, case and accents ignored; `segment` is the RFM segment, `cohort` the first
            month, `first_channel` what the first order says.
        prefer: The table whose columns go before all others (None: customers).

    Returns:
        Where the column is.

    Raises:
        UsageError: There is no such column; the message lists those there are.
    """
    parts = tuple(plain_name(part) for part in name.split("."))
    tables = EVERYWHERE if prefer is None else (prefer, *(t for t in EVERYWHERE if t != prefer))
    found = reference(book, parts, tables, {}) or reference(book, (plain_name(name),), tables, {})
    if found is None:
        raise UsageError(
            msg("There is no column “{name}” to break down by.", name=name[:100]),
            remedy=columns_there_are(book, plain_name(name[:100]), tables),
        )
    if found.feature is not None:
        return Dimension("customers", found.feature.key, found.feature)
    if found.table == "customers" and found.column == "customer_id":
        return Dimension("customers", "customer_id_value")
    return Dimension(found.table, found.column)


def _read(rule: str | Rule) -> Rule:
    return parse(rule) if isinstance(rule, str) else rule


def _scope(book: Book, name: str) -> tuple[str, ...]:
    """The tables whose columns a rule about rows may use, its own first."""
    related = {
        "customers": (),
        "orders": ("customers", "order_lines"),
        "order_lines": ("orders", "customers"),
    }.get(name, ("customers",))
    if not book.has("orders", "order_id") or not book.has("order_lines", "order_id"):
        related = ("customers",) if name != "customers" else ()
    return (name, *related)


def _kind_of(table: ir.Table) -> str:
    """Which canonical table has these columns."""
    columns = set(table.columns)
    for name, marks in (
        ("order_lines", {"line_id", "product_id", "product", "quantity", "unit_price"}),
        ("interactions", {"opened_at", "interaction_id"}),
        ("responses", {"responded_on", "score"}),
        ("subscriptions", {"subscription_id", "monthly_amount", "tenure_months"}),
        ("events", {"event", "event_id"}),
        ("orders", {"ordered_on", "ordered_at", "amount"}),
    ):
        if columns & marks:
            return name
    return "customers"


def _customers(book: Book, node: Node, text: str, found: dict[Name, Reference]) -> ir.Table:
    """The customers who meet a tree whose names are all of customers."""
    used = [found[atom.name] for atom in atoms(node)]
    features = [known.feature for known in used if known.feature is not None]
    tables = []
    wanted = {known.column for known in used if known.table == "customers"} - {"customer_id"}
    if wanted:
        own = book.table("customers")
        tables.append(own.select("customer_id", **{f"own_{c}": own[c] for c in sorted(wanted)}))
    if features:
        tables.append(feature_table(book, features))
    frame = joined(customer_ids(book), tables)

    def column(name: Name) -> ir.Column:
        known = found[name]
        if known.feature is not None:
            value = frame[known.column]
            return value.fill_null(0) if known.feature.counts else value
        return frame.customer_id if known.column == "customer_id" else frame[f"own_{known.column}"]

    meets = _tree(node, lambda atom: _atom(book, atom, column(atom.name), found[atom.name], text))
    return frame.filter(meets).select("customer_id")


@dataclass(frozen=True)
class _Rows:
    """Compiles a rule to a condition on rows; what it says of other tables becomes `in (select …)`.

    Comparisons with columns of one other table that `and` joins are asked of one and the same
    customer, order or line.
    """

    book: Book
    seen: Book
    text: str
    table: ir.Table
    name: str
    found: dict[Name, Reference]

    def condition(self, node: Node) -> ir.BooleanValue:
        match node:
            case Not():
                return ~self.condition(node.node)
            case All():
                together: dict[str, list[Node]] = {}
                alone = []
                for child in node.nodes:
                    place = self._place(child)
                    if place in (None, "here"):
                        alone.append(self.condition(child))
                    else:
                        together.setdefault(str(place), []).append(child)
                sets = [self._among(All(tuple(nodes)), place) for place, nodes in together.items()]
                return _balanced(op.and_, [*alone, *sets])
            case Either():
                place = self._place(node)
                if place in (None, "here"):
                    return _balanced(op.or_, [self.condition(child) for child in node.nodes])
                return self._among(node, str(place))
            case Known(known=False) if self._where(node.name) != "here":
                return ~self._among(Known(node.name, True, node.span), self._where(node.name))
            case _:
                place = self._where(node.name)
                if place != "here":
                    return self._among(node, place)
                known = self.found[node.name]
                return _atom(self.book, node, self.table[known.column], known, self.text)

    def _where(self, name: Name) -> str:
        known = self.found[name]
        if known.table == self.name:
            return "here"
        return "customers" if known.of_customer else known.table

    def _place(self, node: Node) -> str | None:
        """The one table that a tree speaks of; None for several, or where negation matters."""
        match node:
            case Not() | Known(known=False):
                return None
            case All() | Either():
                places = {self._place(child) for child in node.nodes}
                return places.pop() if len(places) == 1 else None
            case _:
                return self._where(node.name)

    def _among(self, node: Node, place: str) -> ir.BooleanValue:
        """Whether the row's customer, order, or one of its lines meets a tree."""
        if place == "customers":
            if "customer_id" not in self.table.columns:
                return ibis.literal(False)
            ids = _customers(self.seen, node, self.text, self.found).customer_id
            key = self.table.customer_id
        else:
            other = self.book.table(place)
            rows = other.filter(
                _tree(
                    node,
                    lambda atom: _atom(
                        self.book,
                        atom,
                        other[self.found[atom.name].column],
                        self.found[atom.name],
                        self.text,
                    ),
                )
                & other.order_id.notnull()
            )
            ids, key = rows.order_id, self.table.order_id
        return key.notnull() & key.isin(ids)


def _tree(node: Node, atom: Callable[[Any], ir.BooleanValue]) -> ir.BooleanValue:
    match node:
        case Not():
            return ~_tree(node.node, atom)
        case All():
            return _balanced(op.and_, [_tree(child, atom) for child in node.nodes])
        case Either():
            return _balanced(op.or_, [_tree(child, atom) for child in node.nodes])
        case _:
            return atom(node)


def _balanced(
    join: Callable[[Any, Any], ir.BooleanValue], parts: Sequence[ir.BooleanValue]
) -> ir.BooleanValue:
    """Join many conditions as a tree of little depth: SQL is written by recursion."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return join(_balanced(join, parts[:middle]), _balanced(join, parts[middle:]))


def _atom(
    book: Book, atom: Comparison | Known | Truth, column: ir.Column, known: Reference, text: str
) -> ir.BooleanValue:
    """One comparison as a condition that is never null."""
    from revoir.segments.comparisons import compared

    match atom:
        case Known():
            return column.notnull() if atom.known else column.isnull()
        case Truth():
            if not column.type().is_boolean():
                raise fault(
                    text,
                    atom.span,
                    msg("“{name}” is not a column of yes and no.", name=atom.name.raw[:60]),
                    msg("Compare it with a value, or write “is known”."),
                )
            return column.notnull() & column
    values = atom.values
    if known.feature is not None and known.feature.name == "segment":
        values = tuple(_segment(value, text) for value in values)
    months = known.feature is not None and known.feature.name == "cohort"
    return column.notnull() & compared(
        atom, column, values, text, day_of=book.day_of, months=months
    )


def _segment(value: Literal, text: str) -> Literal:
    """A segment's key for whatever it was called."""
    try:
        return Literal("text", segment_named(value.raw).key, value.raw, value.span)
    except UsageError as error:
        raise fault(text, value.span, error.what, error.remedy) from None
