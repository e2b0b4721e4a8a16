"""Published figures of the sector to compare with, each with its source and year.

The shipped file is ``benchmarks.csv``: a published figure a row. Its column `fits` names the
metric of the registry that is defined the same way; a figure whose definition, population or
period differs from ours is carried without it, and is never set beside a company's figure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from revoir.errors import InputError, Where
from revoir.language import LANGUAGES, ByLanguage, Message, Money, Number, Percent, locale_of, msg
from revoir.sectors import SECTORS

_SHIPPED = Path(__file__).with_name("benchmarks.csv")
_ANY_PERIOD = ("survey", "order")


@dataclass(frozen=True)
class Benchmark:
    """A published figure.

    Attributes:
        metric: The metric as its publisher names it.
        fits: The metric of the registry with the same definition ("" where none has).
        sector: Key of `SECTORS`, or "all"; a company's own figures may use any name.
        detail: Which part of the sector, by language.
        low: Lower end, in the unit of the metric (None: “at most `high`”).
        high: Upper end; equal to `low` for a single figure (None: “at least `low`”).
        unit: share, points, index, ratio, or an ISO 4217 currency.
        period: What it was measured over: year, month, survey, order, …; "" where not said.
        geography: ISO 3166 codes with blanks between, "world", or "" where not said.
        year: The year of the data, "" where not said.
        publisher: Who made the figure.
        via: Who reports it, where that is another.
        url: Where it can be read.
        grade: A, the study's own page; B, a page that names it; own, the company's own.
    """

    metric: str
    fits: str
    sector: str
    detail: tuple[tuple[str, str], ...]
    low: float | None
    high: float | None
    unit: str
    period: str
    geography: str
    year: str
    publisher: str
    via: str
    url: str
    grade: str

    def shown(self) -> Message:
        """The figure alone: “71 %”, “15 % to 20 %”, “at least 10 %”."""
        low, high = self._written(self.low), self._written(self.high)
        if low is None:
            return msg("at most {high}", high=high)
        if high is None:
            return msg("at least {low}", low=low)
        if self.low == self.high:
            return msg("{figure}", figure=low)
        return msg("{low} to {high}", low=low, high=high)

    def source(self) -> Message:
        """Who published it, when and where: “Bain & Company, La Tribune, France, 2017”."""
        parts: list[Any] = [self.publisher, self.via]
        if self.geography:
            parts.append(places(self.geography))
        parts.append(self.year or msg("year not stated"))
        return msg("{parts}", parts=[part for part in parts if part])

    def scope(self) -> Message:
        """What the figure covers: the part of the sector, else the sector."""
        details = dict(self.detail)
        if details.get("en"):
            return msg("{name}", name=ByLanguage(details))
        known = SECTORS.get(self.sector)
        return known[0] if known else msg("{name}", name=self.sector)

    def _written(self, value: float | None) -> Any:
        if value is None:
            return None
        if self.unit == "share":
            return Percent(value, 1 if round(value * 100, 6) % 1 else 0)
        if len(self.unit) == 3 and self.unit.isupper():
            return Money(value, self.unit, 0 if value == int(value) else 2)
        return Number(value, 0 if value == int(value) else 1)


def places(codes: str) -> ByLanguage:
    """Name the countries of ISO codes.

    Examples:
        >>> places("US CA").texts["en"], places("world").texts["fr"]
        ('United States, Canada', 'monde')
    """
    from babel import Locale

    if codes in ("", "world"):
        world = msg("world")
        return ByLanguage({name: world.text(name) if codes else "" for name in LANGUAGES})
    territories = {name: Locale.parse(locale_of(name)).territories for name in LANGUAGES}
    return ByLanguage(
        {
            name: ", ".join(known.get(code, code) for code in codes.split())
            for name, known in territories.items()
        }
    )


def fitting(
    metric: str,
    *,
    sector: str | None,
    length: str | None = None,
    currency: str | None = None,
    own: Iterable[Benchmark] = (),
) -> list[Benchmark]:
    """The figures that may stand beside a company's figure, the best first.

    Args:
        metric: Name of a metric of the registry.
        sector: Key of `SECTORS` (None: only the company's own figures are used).
        length: The length of the period the figure covers: year, quarter, month, …
        currency: ISO 4217 currency of an amount.
        own: Figures that the company gave; they come first.

    Returns:
        Those with the same definition, period and sector; newest first. Often none.

    Examples:
        >>> fitting("churn_rate", sector="insurance", length="month")
        []
        >>> fitting("churn_rate", sector="telecom", length="month")[0].high
        0.0123
    """
    given = [row for row in own if row.fits == metric and row.period in ("", length)]
    shipped = [
        row
        for row in (published() if sector else ())
        if row.fits == metric
        and row.sector == sector
        and (row.period in _ANY_PERIOD or row.period == length)
        and (row.unit in ("share", "points", "ratio") or row.unit == currency)
    ]
    # A whole sector before a part of it, then the newest, then the original study.
    shipped.sort(key=lambda row: row.grade)
    shipped.sort(key=lambda row: row.year, reverse=True)
    shipped.sort(key=lambda row: bool(dict(row.detail).get("en")))
    return given + shipped


@cache
def published() -> tuple[Benchmark, ...]:
    """Every figure that ships with the package."""
    with _SHIPPED.open(encoding="utf-8", newline="") as file:
        return tuple(_benchmark(row) for row in csv.DictReader(file))


def own_figures(path: Path) -> list[Benchmark]:
    """Read a company's own figures to compare with.

    Args:
        path: A YAML file: a list of mappings with `metric` (a metric's name) and `value`, or
            `low` and `high`, in the metric's unit (0.7 is 70 %), and where known `period`
            (year, quarter, month), `publisher`, `year` and `url`.

    Returns:
        The figures.

    Raises:
        InputError: The file cannot be read so.
    """
    import yaml

    where = Where(file=path.name)
    remedy = msg("Write a list of entries with “metric” and “value”, such as 0.7 for 70 %.")
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise InputError(
            msg("The file of benchmarks cannot be read."), where=where, remedy=remedy
        ) from None
    if not isinstance(rows, Sequence) or not all(isinstance(row, dict) for row in rows):
        raise InputError(msg("The file of benchmarks is not a list."), where=where, remedy=remedy)
    try:
        return [_own(row) for row in rows]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            msg("An entry of the benchmarks has no metric or no value."), where=where, remedy=remedy
        ) from None


def _own(row: dict[str, Any]) -> Benchmark:
    low, high = row.get("low", row.get("value")), row.get("high", row.get("value"))
    if low is None and high is None:
        raise ValueError("no value")
    return Benchmark(
        metric=str(row["metric"]),
        fits=str(row["metric"]),
        sector=str(row.get("sector", "")),
        detail=(),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        unit=str(row.get("unit", "points" if row["metric"] == "nps" else "share")),
        period=str(row.get("period", "")),
        geography=str(row.get("geography", "")),
        year=str(row.get("year", "")),
        publisher=str(row.get("publisher", "")),
        via="",
        url=str(row.get("url", "")),
        grade="own",
    )


def _benchmark(row: dict[str, str]) -> Benchmark:
    return Benchmark(
        metric=row["metric"],
        fits=row["fits"],
        sector=row["sector"],
        detail=(("en", row["detail_en"]), ("fr", row["detail_fr"])),
        low=float(row["low"]) if row["low"] else None,
        high=float(row["high"]) if row["high"] else None,
        unit=row["unit"],
        period=row["period"],
        geography=row["geography"],
        year=row["year"],
        publisher=row["publisher"],
        via=row["via"],
        url=row["url"],
        grade=row["grade"],
    )
