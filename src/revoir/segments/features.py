"""Figures about a customer that are computed: orders in the last year, first channel, segment.

A figure is named by what it counts, with a window where it can have one:
`orders.last_365_days`, `revenue.last_6_months`, `days_since_last`, `first_channel`, `segment`,
`nps` (the last answer to that question) and `nps_on` (its day).
A window of N days is the N days that end with the book's `as_of`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import msg
from revoir.periods import Grain, shift
from revoir.segments.rfm import rfm
from revoir.tables import TABLES, plain_name
from revoir.visits import visits

SEGMENT_NAMES = ("segment", "rfm", "rfm_segment", "segment_rfm")
"""What the RFM segment of a customer answers to."""

COUNTS = ("orders", "revenue", "returns", "purchase_days", "interactions", "complaints", "events",
          "responses")  # fmt: skip
"""Figures that can have a window, and are 0 for a customer without any."""

_ORDER_FIGURES = ("first_order", "last_order", "days_since_last", "days_since_first", "cohort",
                  "average_order", "monetary")  # fmt: skip
_AMOUNTS = ("revenue", "average_order", "monetary")
_SCORES = ("r", "f", "m", "segment")
FORETOLD = ("leaves", "stake", "clv", "next_on", "health")
"""Figures that a model has computed before: the book holds them or does not."""

_ASKED = ("nps", "csat", "ces")
"""Questions whose last answer is a figure, and its day another."""
_LAST_DAYS = {f"{question}_on": question for question in _ASKED}

_NAMES = {
    "orders": "commandes achats nombre_de_commandes nb_commandes",
    "revenue": "ca chiffre_d_affaires",
    "returns": "retours",
    "purchase_days": "jours_d_achat frequency frequence visits visites",
    "interactions": "contacts",
    "complaints": "reclamations",
    "events": "evenements",
    "responses": "reponses",
    "first_order": "premiere_commande premier_achat first_purchase",
    "last_order": "derniere_commande dernier_achat last_purchase",
    "days_since_last": "jours_depuis_le_dernier_achat jours_depuis_dernier_achat"
    " days_since_last_order days_since_last_purchase",
    "days_since_first": "jours_depuis_le_premier_achat jours_depuis_premier_achat",
    "cohort": "cohorte",
    "average_order": "panier_moyen average_basket aov",
    "monetary": "montant_achete",
    "r": "score_r", "f": "score_f", "m": "score_m",
    "segment": " ".join(SEGMENT_NAMES[1:]),
    "nps": "net_promoter_score", "csat": "satisfaction", "ces": "effort",
    "nps_on": "nps_le", "csat_on": "csat_le", "ces_on": "ces_le",
    "leaves": "risk_of_leaving risque_de_depart",
    "stake": "at_stake en_jeu enjeu",
    "clv": "valeur_vie_client customer_lifetime_value",
    "next_on": "next_purchase prochain_achat",
    "health": "sante",
}  # fmt: skip
_KNOWN = {name: key for key, names in _NAMES.items() for name in (key, *names.split())}

_UNITS = {
    "day": Grain.DAY, "days": Grain.DAY, "jour": Grain.DAY, "jours": Grain.DAY,
    "week": Grain.WEEK, "weeks": Grain.WEEK, "semaine": Grain.WEEK, "semaines": Grain.WEEK,
    "month": Grain.MONTH, "months": Grain.MONTH, "mois": Grain.MONTH,
    "year": Grain.YEAR, "years": Grain.YEAR, "an": Grain.YEAR, "ans": Grain.YEAR,
}  # fmt: skip
_WINDOW = re.compile(
    r"(?:last_(?P<en>\d{1,4})|(?P<fr>\d{1,4})_dernier(?:e?s)?|dernier(?:e?s)?_(?P<after>\d{1,4}))"
    r"_(?P<unit>" + "|".join(sorted(_UNITS, key=len, reverse=True)) + ")"
)


@dataclass(frozen=True)
class Window:
    """The last so many days, weeks, months or years."""

    count: int
    grain: Grain

    def start(self, as_of: dt.date) -> dt.date:
        """Its first day when it ends with `as_of`."""
        try:
            return shift(as_of + dt.timedelta(days=1), self.grain, -self.count)
        except (ValueError, OverflowError):  # before the year 1: everything is later
            return dt.date.min


@dataclass(frozen=True)
class Feature:
    """A figure about a customer.

    Attributes:
        name: What it counts, or `first_` / `last_` and a column of orders.
        window: The days it is restricted to (None: all).
        column: For `first_` and `last_`, the column of orders.
    """

    name: str
    window: Window | None = None
    column: str | None = None

    @property
    def key(self) -> str:
        """Its name with its window, as an identifier."""
        if self.window is None:
            return self.name
        return f"{self.name}_last_{self.window.count}_{self.window.grain.value}s"

    @property
    def changes(self) -> bool:
        """Whether the records say another value of it on another day."""
        return not self.name.startswith(("first_", "cohort")) and self.name not in FORETOLD

    @property
    def counts(self) -> bool:
        """Whether a customer without any has 0 rather than an unknown value."""
        return self.name in COUNTS


def feature_named(book: Book, parts: tuple[str, ...]) -> Feature | None:
    """The figure that a name written by `plain_name` stands for, where the book can compute it.

    Args:
        book: The company's tables.
        parts: The name, cut at its points: ("orders", "last_365_days").

    Returns:
        The figure, or None.
    """
    if not parts or len(parts) > 2:
        return None
    name = _KNOWN.get(parts[0])
    if len(parts) == 2:
        found = _WINDOW.fullmatch(parts[1])
        if name not in COUNTS or found is None or not _computable(book, name):
            return None
        count = int(found["en"] or found["fr"] or found["after"])
        return Feature(name, Window(count, _UNITS[found["unit"]])) if count else None
    if name is not None:
        return Feature(name) if _computable(book, name) else None
    for end in ("first_", "last_"):
        column = parts[0].removeprefix(end)
        if parts[0].startswith(end) and book.has("orders", "customer_id", column):
            return Feature(parts[0], column=column)
    return None


def speaks_of_predictions(rule: str) -> bool:
    """Whether a rule names a figure that a model has foretold."""
    words = re.findall(r"[^\W\d]\w*", rule)
    return any(_KNOWN.get(plain_name(word)) in FORETOLD for word in words)


def feature_names(book: Book) -> list[str]:
    """The figures that a book can compute, as examples for the reader."""
    known = (*COUNTS, *_ORDER_FIGURES, *_SCORES, *_ASKED, *_LAST_DAYS, *FORETOLD)
    names = [name for name in known if _computable(book, name)]
    if book.has("orders", "customer_id"):
        names.append("orders.last_365_days")
        skipped = {"order_id", "customer_id", "ordered_at", "ordered_on", "amount", "kind"}
        names += [f"first_{c}" for c in book.tables["orders"].columns if c not in skipped]
    return names


def feature_table(book: Book, features: Collection[Feature]) -> ir.Table:
    """Compute figures for every customer who has any.

    Args:
        book: The company's tables.
        features: Which figures; one or more.

    Returns:
        `customer_id` and a column named `key` for each figure.
    """
    tables = []
    chosen = list(dict.fromkeys(features))
    of_orders = [f for f in chosen if f.column is None and _source(f.name) == "orders"]
    if of_orders:
        tables.append(_of_orders(book, of_orders))
    scores = [f.name for f in chosen if f.name in _SCORES]
    if scores:
        tables.append(rfm(book).customers.select("customer_id", *scores))
    tables += [_at_one_end(book, f) for f in chosen if f.column is not None]
    for question in _ASKED:
        answered = [f for f in chosen if _LAST_DAYS.get(f.name, f.name) == question]
        if answered:
            tables.append(_last_answers(book, question, answered))
    told = [f.name for f in chosen if f.name in FORETOLD]
    if told and book.predictions is not None:
        tables.append(book.predictions.select("customer_id", *told))
    for source in ("interactions", "events", "responses"):
        counted = [f for f in chosen if _source(f.name) == source]
        if counted:
            tables.append(_counted(book, source, counted))
    return joined(customer_ids(book), tables) if len(tables) > 1 else tables[0]


def customer_ids(book: Book) -> ir.Table:
    """Every customer that the book knows of, one row each, in a column `customer_id`."""
    known = [name for name in book.tables if book.has(name, "customer_id")]
    few = [name for name in known if name not in ("events", "order_lines")]
    tables = [book.table(name).select("customer_id") for name in few or known]
    if not tables:
        tables = [ibis.memtable({"customer_id": []}, schema={"customer_id": "string"})]
    everyone = tables[0] if len(tables) == 1 else ibis.union(*tables)
    known_ids = everyone.filter(everyone.customer_id.notnull())
    return book.cached("customer_ids", known_ids.distinct())


def customer_count(book: Book) -> int:
    """How many customers the book knows of."""
    everyone = customer_ids(book)
    return book.once(
        "customers", lambda: int(book.rows(everyone.aggregate(n=everyone.count()))[0]["n"])
    )


def joined(left: ir.Table, tables: Collection[ir.Table]) -> ir.Table:
    """Put tables of one row a customer beside the first, which says which customers there are."""
    for table in tables:
        right = table.rename(customer__right="customer_id")
        left = left.left_join(right, left.customer_id == right.customer__right).drop(
            "customer__right"
        )
    return left


def _source(name: str) -> str:
    if name == "complaints":
        return "interactions"
    if name in FORETOLD:
        return "predictions"
    if name in _ASKED or name in _LAST_DAYS:
        return "answers"
    return (
        name
        if name in ("interactions", "events", "responses")
        else ("scores" if name in _SCORES else "orders")
    )


def _computable(book: Book, name: str) -> bool:
    match _source(name):
        case "interactions" if name == "complaints":
            return book.has("interactions", "customer_id", "is_complaint")
        case "predictions":
            return book.predictions is not None and name in book.predictions.columns
        case "answers":
            clock = ("responded_on",) if name in _LAST_DAYS else ()
            return book.has("responses", "customer_id", "question", "score", *clock)
        case "scores":
            return book.has("orders", "customer_id")
        case source:
            return book.has(source, "customer_id")


def _of_orders(book: Book, features: list[Feature]) -> ir.Table:
    """Figures of orders, in one scan of purchases and returns of known customers."""
    for feature in features:
        if feature.name in _AMOUNTS and len(book.currencies) > 1:
            raise UsageError(
                msg(
                    "The amounts are in several currencies ({currencies}): “{name}” cannot add"
                    " them up.",
                    currencies=list(book.currencies),
                    name=feature.name,
                ),
                remedy=msg("Count orders or purchase days instead."),
            )
    table = book.table("orders")
    table = table.filter(table.customer_id.notnull() & table.kind.isin(["purchase", "return"]))
    return table.group_by("customer_id").aggregate(
        **{feature.key: _of_one(table, feature, book.as_of) for feature in features}
    )


def _of_one(table: ir.Table, feature: Feature, as_of: dt.date) -> ir.Value:
    bought = table.kind == "purchase"
    day, today = table.ordered_on, ibis.literal(as_of)
    inside = None
    if feature.window is not None:
        inside = day >= ibis.literal(feature.window.start(as_of))
        bought &= inside
    match feature.name:
        case "orders":
            return table.count(where=bought)
        case "revenue":
            sold = table.amount.sum() if inside is None else table.amount.sum(where=inside)
            return sold.fill_null(0)
        case "returns":
            given_back = table.kind == "return"
            return table.count(where=given_back if inside is None else given_back & inside)
        case "purchase_days":
            return day.nunique(where=bought)
        case "first_order":
            return day.min(where=bought)
        case "last_order":
            return day.max(where=bought)
        case "days_since_last":
            return today.delta(day.max(where=bought), unit="day")
        case "days_since_first":
            return today.delta(day.min(where=bought), unit="day")
        case "cohort":
            # DuckDB truncates a day to a moment while Ibis takes it for a day.
            return day.min(where=bought).cast("timestamp").truncate("month").cast("date")
        case "average_order":
            # An order whose amount is missing is in no mean, as in `average_order_value`.
            total = table.amount.sum(where=bought).cast("float64")
            return total / table.amount.count(where=bought).nullif(0)
        case "monetary":
            return table.amount.sum(where=bought)
    raise AssertionError(feature.name)


def _at_one_end(book: Book, feature: Feature) -> ir.Table:
    """What a column of orders says at the first or the last purchase of each customer."""
    column = feature.column or ""
    table = book.table("orders")
    table = table.filter(table.customer_id.notnull() & (table.kind == "purchase"))
    clocks = ["ordered_on", "ordered_at", "order_id"]
    order = [table[clock] for clock in clocks if clock in table.columns]
    if feature.name.startswith("last_"):
        order = [column.desc() for column in order]
    # Equal to the last digit: the value itself decides, so that every engine says the same.
    window = ibis.window(group_by="customer_id", order_by=[*order, table[column]])
    numbered = table.select(
        "customer_id",
        **{feature.key: table[column], "place": ibis.row_number().over(window)},
    )
    return numbered.filter(numbered.place == 0).drop("place")


def _last_answers(book: Book, question: str, features: list[Feature]) -> ir.Table:
    """The last score that each customer gave to a question; of one day, the lowest."""
    table = book.table("responses")
    table = table.filter(
        table.customer_id.notnull() & table.score.notnull() & (table.question == question)
    )
    dated = "responded_on" in table.columns
    order = [table.responded_on.desc(), table.score] if dated else [table.score]
    window = ibis.window(group_by="customer_id", order_by=order)
    columns = {
        f.key: table.responded_on.cast("date")
        if f.name in _LAST_DAYS
        else table.score.cast("float64")
        for f in features
    }
    numbered = table.select("customer_id", **columns, place=ibis.row_number().over(window))
    return numbered.filter(numbered.place == 0).drop("place")


def _counted(book: Book, source: str, features: list[Feature]) -> ir.Table:
    """How many rows of a table a customer has."""
    table = visits(book) if source == "events" else book.table(source)
    table = table.filter(table.customer_id.notnull())
    clock = TABLES[source].clock
    counts = {}
    for feature in features:
        where = ibis.literal(True)
        if feature.name == "complaints":
            where &= table.is_complaint
        if feature.window is not None and clock is not None and clock in table.columns:
            where &= ~book.is_before(table[clock], feature.window.start(book.as_of))
        counts[feature.key] = table.count(where=where)
    return table.group_by("customer_id").aggregate(**counts)
