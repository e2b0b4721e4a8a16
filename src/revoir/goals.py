"""Goals as they are set: what a metric is to reach, and in how long a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from revoir.errors import UsageError
from revoir.language import Message, msg

OVER: dict[str, Message] = {
    "day": msg("over a day"),
    "week": msg("over a week"),
    "month": msg("over a month"),
    "quarter": msg("over a quarter"),
    "year": msg("over 12 months"),
}
"""The lengths of period that a goal may be for."""


@dataclass(frozen=True)
class Aim:
    """A goal for figures of one length of period.

    Attributes:
        value: What is wanted, in the unit of the metric; of growth, the share by which the figure
            is to exceed that of a year before (0.1 is 10 % more, -0.1 is 10 % less).
        growth: Whether it is growth.
        length: Key of `OVER` (None: the length of the metric's headline figure).
    """

    value: float
    growth: bool = False
    length: str | None = None


Given = float | Aim | Sequence[Aim]
"""What may be said of a metric's goals: a value alone is for the headline figure."""


def aims_of(given: Given) -> tuple[Aim, ...]:
    """The goals that were given for a metric."""
    if isinstance(given, Aim):
        return (given,)
    if isinstance(given, Sequence):
        return tuple(given)
    return (Aim(float(given)),)


def aim_written(text: str, length: str = "") -> Aim:
    """The goal that somebody typed: 0.75, 75%, or +10% for growth in a year.

    Args:
        text: What was typed.
        length: Key of `OVER` ("": the length of the headline figure).

    Raises:
        UsageError: It is none.

    Examples:
        >>> aim_written("75 %"), aim_written("+10%").growth
        (Aim(value=0.75, growth=False, length=None), True)
    """
    plain = "".join(text.split()).replace(",", ".")
    growth = plain[:1] in ("+", "-") and plain.endswith("%")
    if length and length not in OVER:
        raise UsageError(
            msg("There is no period “{name}”.", name=length),
            remedy=msg("Use {names}.", names=list(OVER)),
        )
    value = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    return Aim(value, growth, length or None)
