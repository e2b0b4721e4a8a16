"""What to do with each customer of a book: every model asked, and the rules followed.

The rules are those of `revoir.signals.next_actions`; here a book's alerts, predictions and owned
products are brought together for them. What a model cannot say (not enough data, no such table)
is left out, and told in `Asked.reasons`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.models.because import why
from revoir.signals.alerts import Alert, Alerts, all_alerts
from revoir.signals.next_actions import (
    NEWS,
    Advice,
    Known,
    Likely,
    OpenAlert,
    Owned,
    Reach,
    advise,
)
from revoir.signals.registry import Case


@dataclass(frozen=True)
class Advised:
    """A customer, and what to do with them.

    Attributes:
        customer_id: Who.
        advice: What to do.
        stake: What is at stake: probability of leaving × what they bought in the last year or, of
            subscribers, twelve times the price a month (None: not known).
    """

    customer_id: Any
    advice: Advice
    stake: float | None = None


@dataclass(frozen=True)
class Asked:
    """What to do with the customers of a book.

    Attributes:
        as_of: The day that is looked from (None: the data have no dates).
        customers: Those for whom there is something to do, most at stake first; if some were asked
            for, all of those.
        there: How many customers were looked at.
        reasons: What could not be said, and why.
    """

    as_of: dt.date | None
    customers: tuple[Advised, ...]
    there: int
    reasons: tuple[Message, ...] = ()


def next_actions(book: Book, customers: Sequence[Any] | None = None) -> Asked:
    """Say what to do with customers now.

    Args:
        book: The company's tables.
        customers: Whom to look at (None: everybody of whom anything is known, and only those are
            given for whom there is something to do).

    Returns:
        The customers with their actions. Consents are known by the column `consent` of customers
        alone: who has none there gets no offer; whoever else contacts them looks first.

    Raises:
        UsageError: A customer is asked for who is not known.
    """
    found = _Gathered(book)
    ids = found.ids
    if customers is not None:
        unknown = [one for one in customers if one not in found.everybody]
        if unknown:
            raise UsageError(
                msg("There is no customer “{name}”.", name=str(unknown[0])),
                remedy=msg("Write the customer as the data do."),
            )
        ids = list(dict.fromkeys(customers))
    told = [Advised(one, advise(found.known(one)), found.stake(one)) for one in ids]
    if customers is None:
        told = [one for one in told if one.advice.acts]
        told.sort(key=lambda one: (-(one.stake or 0.0), str(one.customer_id)))
    return Asked(book.last_day, tuple(told), len(ids), tuple(found.reasons))


class _Gathered:
    """What every model says, by customer."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.reasons: list[Message] = []
        self.monthly = False
        self.alerts: dict[Any, list[OpenAlert]] = {}
        for held in all_alerts(book):
            if held.reason is None:
                self._take(held)
        self.leaving, self.mean = self._leaving()
        self.next, self.horizon_days = self._next()
        self.likely, self.upgrades = self._products()
        self.refusing = self._refusing()

    @property
    def ids(self) -> list[Any]:
        """Everybody of whom anything is known, in order."""
        known = {*self.alerts, *self.leaving, *self.next, *self.likely, *self.upgrades}
        return sorted(known, key=str)

    @property
    def everybody(self) -> set[Any]:
        """Everybody whom the book names."""
        named = set(self.ids)
        if self.book.has("customers", "customer_id"):
            rows = self.book.columns(self.book.table("customers").select("customer_id"))
            named |= set(rows["customer_id"].to_pylist())
        return named

    def stake(self, who: Any) -> float | None:
        """What is at stake with a customer."""
        held: float | None = self.leaving.get(who, {}).get("stake")
        return held

    def known(self, who: Any) -> Known:
        """What the rules look at."""
        leaving, soon = self.leaving.get(who, {}), self.next.get(who, {})
        names = ("next_on", "low_on", "high_on", "returns")
        return Known(
            self.book.last_day,
            currency=self.book.currency,
            alerts=tuple(self.alerts.get(who, ())),
            leaves=leaving.get("probability"),
            leaves_mean=self.mean,
            worth=leaving.get("worth"),
            monthly=self.monthly,
            stake=leaving.get("stake"),
            **{name: soon.get(name) for name in names},
            horizon_days=self.horizon_days,
            overdue=bool(soon.get("overdue")),
            upgrades=tuple(self.upgrades.get(who, ())),
            likely=tuple(self.likely.get(who, ())),
            reach={NEWS: Reach((), _REFUSED)} if who in self.refusing else {},
        )

    def _take(self, held: Alerts) -> None:
        """The open alerts of one signal with its record, worded as of the day they were raised."""
        precision = held.record.precision
        known = precision.value is not None
        record: dict[str, Any] = {}
        if known and precision.low is not None and precision.high is not None:
            record = {
                "alerts": int(precision.denominator or 0), "right": precision.value,
                "low": precision.low, "high": precision.high,
                "as_silent": held.record.as_silent.value,
            }  # fmt: skip
        for alert in held.listed():
            one = OpenAlert(
                held.signal.name, held.signal.label, self._reason(held, alert), alert.raised_on,
                **record,
            )  # fmt: skip
            self.alerts.setdefault(alert.customer_id, []).append(one)

    def _reason(self, held: Alerts, alert: Alert) -> Message:
        case = Case(alert.facts, held.values, alert.raised_on, self.book.currency)
        return held.signal.reason(case)

    def _leaving(self) -> tuple[dict[Any, Mapping[str, Any]], float | None]:
        import pyarrow.compute as pc

        from revoir.models.churn import churn

        try:
            found = churn(self.book)
        except UsageError as error:
            self.reasons.append(error.what)
            return {}, None
        if found.reason is not None:
            self.reasons.append(found.reason)
        rows = found.customers
        self.monthly = found.definition.paid_in == "subscriptions"
        return _by_customer(rows), pc.mean(rows["probability"]).as_py()

    def _next(self) -> tuple[dict[Any, Mapping[str, Any]], int | None]:
        from revoir.models.next_purchase import next_purchases

        if not self.book.has("orders", "customer_id"):
            return {}, None
        found = next_purchases(self.book)
        if found.reason is not None:
            self.reasons.append(found.reason)
        return _by_customer(found.customers), found.horizon_days

    def _products(self) -> tuple[dict[Any, list[Likely]], dict[Any, list[Owned]]]:
        from revoir.models.recommend import recommend
        from revoir.models.upgrades import due_upgrades

        likely: dict[Any, list[Likely]] = {}
        upgrades: dict[Any, list[Owned]] = {}
        if not self.book.has("orders", "customer_id"):
            return likely, upgrades
        found = recommend(self.book, top=1)
        if found.record is None:
            if found.reason is not None:
                self.reasons.append(found.reason)
            return likely, upgrades
        trials = {one.name: (one.hits, one.customers) for one in found.record.trials}
        hits, of = trials.get(found.record.method.name, (0, 0))
        for row in found.products.to_pylist():
            one = Likely(row["product"] or row["product_id"], why(row), hits, of)
            likely.setdefault(row["customer_id"], []).append(one)
        due = due_upgrades(self.book).products.sort_by("due_on")
        for row in due.to_pylist():
            upgrades.setdefault(row["customer_id"], []).append(Owned.of(row))
        return likely, upgrades

    def _refusing(self) -> set[Any]:
        """Who has not agreed to be contacted, by the table of customers."""
        if not self.book.has("customers", "customer_id", "consent"):
            return set()
        held = self.book.table("customers")
        rows = self.book.columns(held.filter(~held.consent).select("customer_id"))
        return set(rows["customer_id"].to_pylist())


_REFUSED = msg("The file of customers says that they have not agreed to offers.")


def _by_customer(rows: Any) -> dict[Any, Mapping[str, Any]]:
    return {row["customer_id"]: row for row in rows.to_pylist()}
