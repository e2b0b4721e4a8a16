"""What a metric answers: rows of figures, each with what it was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from revoir.language import Message
from revoir.periods import Period

if TYPE_CHECKING:
    from revoir.metrics.registry import Metric


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        period: What it covers (None: a state without dates).
        complete: Whether the data cover the period to its last day.
        value: The figure in the unit of its metric (None: not enough data).
        numerator: What was counted or summed.
        denominator: What it was divided by.
        low: Lower end of the 95 % interval, where one can be given.
        high: Upper end.
        by: Values of the columns the figure is broken down by.
        parts: What the figure is made of, by name (retention: kept, lost, new, returned, …).
        reason: Why there is no value.
        note: What the reader must know to read the value rightly.
    """

    period: Period | None
    complete: bool
    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    low: float | None = None
    high: float | None = None
    by: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: Message | None = None
    note: Message | None = None


@dataclass(frozen=True)
class Result:
    """The answer to one question: a metric, over periods, by columns.

    Attributes:
        metric: The metric.
        figures: Its figures, by period, then by the columns of `by`.
        by: The columns they are broken down by.
        notes: What holds for all of them (the activity rule, the currency, …).
    """

    metric: Metric
    figures: tuple[Figure, ...]
    by: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def notes_of_some(self) -> tuple[Message, ...]:
        """What holds for some of the figures with a value, and not for the others."""
        valued = [figure.note for figure in self.figures if figure.value is not None]
        notes: list[Message] = []
        for note in valued:
            if note is not None and note not in notes and valued.count(note) < len(valued):
                notes.append(note)
        return tuple(notes)

    def records(self, language: str = "en") -> list[dict[str, Any]]:
        """The rows as plain values, ready for JSON or CSV.

        Args:
            language: Of `reason` and `note`.

        Returns:
            One mapping a figure with `metric`, `period_start`, `period_end` (ISO dates, the end
            is not part of the period), `complete`, `value`, `numerator`, `denominator`, `low`,
            `high`, the columns of `by`, `parts` where there are any, and `reason` where `value`
            is None.
        """
        records = []
        is_count = self.metric.unit.value == "count"
        for figure in self.figures:
            record: dict[str, Any] = {
                "metric": self.metric.name,
                "period_start": figure.period.start.isoformat() if figure.period else None,
                "period_end": figure.period.end.isoformat() if figure.period else None,
                "complete": figure.complete,
                "value": counted(figure.value) if is_count else figure.value,
                "numerator": counted(figure.numerator),
                "denominator": counted(figure.denominator),
                "low": figure.low,
                "high": figure.high,
            }
            record.update(figure.by)
            if figure.parts:
                record["parts"] = {name: counted(part) for name, part in figure.parts.items()}
            if figure.reason:
                record["reason"] = figure.reason.text(language)
            if figure.note:
                record["note"] = figure.note.text(language)
            records.append(record)
        return records


def counted(value: float | None) -> float | None:
    """A number that counts something, without the decimals that it does not have.

    Examples:
        >>> counted(700.0), counted(12.5), counted(None)
        (700, 12.5, None)
    """
    if value is None or not float(value).is_integer():
        return value
    return int(value)
