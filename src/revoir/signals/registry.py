"""The registry: a signal is declared once, and every interface comes from the declaration.

A signal says on which days something began that foretells a departure. What becomes of it (the
alert that lasts until the customer returns, and the record of how often it was right) is the same
for all signals: see `revoir.signals.alerts` and `revoir.signals.record`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import Message, Money, msg
from revoir.tables import plain_name

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revoir.book import Book

Values = Mapping[str, float]
"""What the parameters of a signal are set to, by name."""

FAMILIES = ("purchases", "service", "voice", "visits", "subscriptions")
"""The families in the order of the catalogue."""


@dataclass(frozen=True)
class Parameter:
    """A number that a signal depends on.

    Attributes:
        name: Its name; the unit comes last.
        meaning: What it says, in words.
        default: Its value where nobody sets another.
        low: The least that makes sense.
        high: The most that makes sense.
        whole: Whether it is a whole number.
        share: Whether it is a share, which people type in percent.
    """

    name: str
    meaning: Message
    default: float
    low: float
    high: float
    whole: bool = True
    share: bool = False

    def checked(self, value: float, signal: str) -> float:
        """The value, if it makes sense.

        Raises:
            UsageError: It does not.
        """
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise UsageError(
                msg(
                    "{name} of the signal “{signal}” cannot be {value}.",
                    name=self.name,
                    signal=signal,
                    value=value,
                ),
                remedy=msg(
                    "Give a whole number from {low} to {high}.", low=self.low, high=self.high
                )
                if self.whole
                else msg("Give a number from {low} to {high}.", low=self.low, high=self.high),
            )
        return int(value) if self.whole else float(value)

    def _range(self) -> Message:
        if self.whole:
            return msg("Give a whole number from {low} to {high}.", low=self.low, high=self.high)
        return msg("Give a number from {low} to {high}.", low=self.low, high=self.high)


@dataclass(frozen=True)
class Case:
    """What is known of one alert, to be put into words.

    Attributes:
        facts: What the signal saw on the day that it was raised, by name.
        values: The parameters.
        as_of: The day that is spoken on.
        currency: Of the amounts (None: not known).
    """

    facts: Mapping[str, Any]
    values: Values
    as_of: dt.date
    currency: str | None = None

    def __getitem__(self, name: str) -> Any:
        """A fact."""
        return self.facts[name]

    def days_since(self, name: str) -> int:
        """Days from a fact that is a day until now."""
        days: int = (self.as_of - self.facts[name]).days
        return days

    def money(self, name: str) -> Money:
        """A fact that is an amount."""
        return Money(self.facts[name], self.currency)


@dataclass(frozen=True, eq=False)  # declared once: a signal equals itself alone
class Signal:
    """The declaration of a signal.

    Attributes:
        name: Its name in every interface.
        label: What people call it.
        meaning: What it tells of and why that matters.
        family: The group it is listed with.
        needs: What it cannot do without: one of these sets of tables (or ``table.column``);
            ``refusals`` are those of the book, which are no table.
        raised: Gives the days that it was raised on, one row a customer and day, with all that the
            book holds: `customer_id`, `raised_on`, and facts, never null, that depend on these two
            and on nothing that happened after `raised_on`. Of several days in one silence of a
            customer the first counts. `over_on` may say when what raised it is no longer so. Where
            there is one row at most between two purchase days, `act`, `next_act` and `nth` may say
            which: the day of the one before, of the one after, and the number of the former.
        reason: Words an alert.
        parameters: What it depends on.
        uses: Tables that it looks at where they are there.
        reach_days: How many days before an alert it looks at.
        against: Why it cannot be raised with a book that has the tables (None: it can).
        no_past: Why its past cannot be told (None: it can).
        waits: Whether what it tells of waits for an answer, which is due whatever it foretells.
    """

    name: str
    label: Message
    meaning: Message
    family: str
    needs: tuple[tuple[str, ...], ...]
    raised: Callable[[Book, Values], ir.Table] = field(repr=False)
    reason: Callable[[Case], Message] = field(repr=False)
    parameters: tuple[Parameter, ...] = ()
    uses: tuple[str, ...] = ()
    reach_days: Callable[[Values], float] = field(default=lambda values: 0, repr=False)
    against: Callable[[Book], Message | None] = field(default=lambda book: None, repr=False)
    no_past: Message | None = None
    waits: bool = False


_SIGNALS: dict[str, Signal] = {}


def declare(signal: Signal) -> Signal:
    """Add a signal to the registry."""
    if signal.name in _SIGNALS:
        raise ValueError(f"signal {signal.name!r} is declared twice")
    _SIGNALS[signal.name] = signal
    return signal


def signals() -> Sequence[Signal]:
    """Every signal, by family, in the order of declaration."""
    _load()
    return tuple(sorted(_SIGNALS.values(), key=lambda signal: FAMILIES.index(signal.family)))


def signal_named(name: str) -> Signal:
    """The signal that answers to a name: its own, or its label in either language.

    Raises:
        UsageError: None does; the message names the nearest.
    """
    import difflib

    _load()
    wanted = plain_name(name)
    names: dict[str, Signal] = {}
    for signal in _SIGNALS.values():
        labels = (plain_name(signal.label.text("en")), plain_name(signal.label.text("fr")))
        for known in (signal.name, *labels):
            names.setdefault(known, signal)
    if wanted in names:
        return names[wanted]
    near = sorted({names[n].name for n in difflib.get_close_matches(wanted, names, n=3)})
    raise UsageError(
        msg("There is no signal “{name}”.", name=name),
        remedy=msg("Did you mean {near}?", near=near)
        if near
        else msg("It can be one of: {names}.", names=list(_SIGNALS)),
    )


def values_of(signal: Signal, given: Mapping[str, float] | None = None) -> Values:
    """The parameters of a signal: what was given, and the defaults for the others.

    Args:
        signal: The signal.
        given: Parameters by name.

    Returns:
        All of them by name.

    Raises:
        UsageError: There is no such parameter, or its value makes no sense.
    """
    given = given or {}
    known = {parameter.name: parameter for parameter in signal.parameters}
    for name in given:
        if name not in known:
            raise UsageError(
                msg(
                    "The signal “{signal}” has no parameter “{name}”.",
                    signal=signal.name,
                    name=name,
                ),
                remedy=msg("It can be one of: {names}.", names=list(known))
                if known
                else msg("It has none."),
            )
    return {
        name: parameter.checked(given.get(name, parameter.default), signal.name)
        for name, parameter in known.items()
    }


def offered(book: Book) -> Sequence[Signal]:
    """The signals whose tables a book holds."""
    return tuple(signal for signal in signals() if lacking(book, signal) is None)


def held(book: Book, needs: Sequence[str]) -> bool:
    """Whether a book holds all of these tables (or ``table.column``)."""
    return not _absent(book, needs)


def _absent(book: Book, needs: Sequence[str]) -> list[str]:
    found = []
    for need in needs:
        table, _, column = need.partition(".")
        there = book.has(table, *([column] if column else []))
        if not (there or (need == "refusals" and book.refusals is not None)):
            found.append(need)
    return found


NEEDS: dict[str, Message] = {
    "orders": msg("orders"),
    "orders.customer_id": msg("orders with their customer"),
    "interactions": msg("contacts with customer service"),
    "interactions.customer_id": msg("contacts with their customer"),
    "interactions.is_complaint": msg("which contacts are complaints"),
    "interactions.kind": msg("the kind of each contact"),
    "interactions.first_response_at": msg("when contacts were first answered"),
    "interactions.satisfaction": msg("the satisfaction asked after a contact"),
    "responses": msg("survey answers"),
    "responses.customer_id": msg("survey answers with their customer"),
    "responses.responded_on": msg("the day of survey answers"),
    "responses.question": msg("the question of survey answers"),
    "responses.text_sentiment": msg("the comments of survey answers"),
    "interactions.text_sentiment": msg("what was said at contacts"),
    "events": msg("visits"),
    "refusals": msg("refusals that were noted"),
    "subscriptions": msg("subscriptions"),
    "subscriptions.started_at": msg("subscriptions with their first day"),
    "subscriptions.ended_at": msg("the day that subscriptions end"),
    "subscriptions.monthly_amount": msg("the price of subscriptions"),
}
"""What signals need, in words."""


def lacking(book: Book, signal: Signal) -> Message | None:
    """What a book lacks for a signal (None: nothing)."""
    ways = [_absent(book, needs) for needs in signal.needs]
    if not all(ways):
        return signal.against(book)
    # The way that is nearest, unless several are as near: then the first one. Of a table that is
    # not there at all, no column is named.
    missing = min(ways, key=len)
    known = dict.fromkeys(
        need if book.has(need.partition(".")[0]) else need.partition(".")[0] for need in missing
    )
    return msg("It needs {missing}.", missing=[NEEDS[need] for need in known])


def _load() -> None:
    """Import the families; each declares its signals when imported."""
    from revoir.signals import families  # noqa: F401 (declares them)
