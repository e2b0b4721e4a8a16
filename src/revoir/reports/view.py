"""What every renderer shows of a figure: one wording for the page, the PDF and the workbook."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from revoir.language import Message, Money, Number, Percent, msg, nmsg, written
from revoir.metrics.registry import Unit
from revoir.reports.figures import Change, Kpi
from revoir.reports.model import Chapter, Report, WhatIf
from revoir.reports.wording import against, apart, in_points, named

COHORTS_EXPLAINED = msg(
    "Each line follows the customers of one first purchase: the share who bought again, by the"
    " time since. An asterisk marks a period that is not over."
)


def not_drawn(longer: int) -> Message | None:
    """How many waits are longer than what is drawn."""
    if not longer:
        return None
    return nmsg(
        "{n} repeat purchase came after more days and is not drawn.",
        "{n} repeat purchases came after more days and are not drawn.",
        longer,
    )


def smaller_groups(others: int) -> Message:
    """How many groups are too small to be drawn."""
    return nmsg("{n} smaller group is not drawn.", "{n} smaller groups are not drawn.", others)


NO_GROUP = msg("No group has enough customers for a rate.")
LIFECYCLE_EXPLAINED = msg(
    "Above zero, the buyers of the period: new ones, those who also bought in the period before"
    " (still here) and those who had skipped it (back). Below, the buyers of the period before who"
    " did not buy (gone silent). Hatched: the period is not over, and nobody can yet be called"
    " silent."
)


_HYPHEN = re.compile(r"(?<![\w.\-])-(?=[£$€¥]?\d)")


def typeset(value: Any, language: str) -> str:
    """Write a value for people to read on a page, with a true minus sign.

    What the company wrote itself (a bare text, such as the name of a file) stays as it is.

    Examples:
        >>> typeset(Number(-12), "en"), typeset("till -3", "en")
        ('−12.0', 'till -3')
    """
    text = written(value, language)
    return text if isinstance(value, str) else _HYPHEN.sub("\N{MINUS SIGN}", text)


def what_if_explained(section: WhatIf, currency: str | None) -> Message:
    """The company's own numbers that the scenarios start from."""
    return nmsg(
        "With your own numbers: {n} customer at the start, {retention} kept ({period}); a customer"
        " who buys spends {spend} in twelve months.",
        "With your own numbers: {n} customers at the start, {retention} kept ({period}); a customer"
        " who buys spends {spend} in twelve months.",
        int(section.at_start),
        retention=Percent(section.retention),
        period=named(section.period),
        spend=Money(section.spend, currency),
    )


def customers_more(count: float) -> Number:
    """A number of customers added; a small one with its decimal, which would else be zero."""
    return Number(count, 0 if count >= 10 else 1, signed=True)


def reason_rows(chapter: Chapter) -> list[tuple[Message | str, int]]:
    """The reasons given most, and the rarer ones together."""
    if chapter.reasons is None:
        return []
    rows: list[tuple[Message | str, int]] = list(chapter.reasons.rows)
    if chapter.reasons.others:
        rows.append((msg("other reasons"), chapter.reasons.others))
    return rows


def asked_table(chapter: Chapter) -> tuple[list[Message | str], list[list[Any]]]:
    """What was answered to each question: headings, then a row of shares by score for each."""
    scores = sorted({score for one in chapter.asked for score, _ in one.counts})
    rows = []
    for one in chapter.asked:
        counts = dict(one.counts)
        shares = [
            Percent(counts[score] / one.answers, 0) if score in counts else "" for score in scores
        ]
        rows.append([one.label, one.answers, Number(one.mean, 1), *shares])
    named: list[Message | str] = [msg("Question"), msg("Answers"), msg("Mean")]
    return [*named, *(str(score) for score in scores)], rows


def gathered(notes: Iterable[Message]) -> list[Message]:
    """Notes that say the same of several columns as one, in the order of the first.

    Examples:
        >>> notes = [msg("Column {header}: day first.", header=name) for name in ("a", "b")]
        >>> [note.text() for note in gathered(notes)]
        ['Column a, b: day first.']
    """
    found: dict[Any, list[Message]] = {}
    for place, note in enumerate(notes):
        rest = {name: str(value) for name, value in note.params.items() if name != "header"}
        alike = "header" in note.params
        found.setdefault((note.msgid, str(rest)) if alike else place, []).append(note)
    return [
        group[0]
        if len(group) == 1
        else _of_all([note.params["header"] for note in group], group[0])
        for group in found.values()
    ]


_OF_SEVERAL = {
    "Column {header}: dates are read with the {order} first, as their values show.": msg(
        "Columns {header}: dates are read with the {order} first, as their values show."
    ),
}
"""What a note of one column says of several."""


def _of_all(headers: list[Any], first: Message) -> Message:
    named = list(dict.fromkeys(headers))
    several = _OF_SEVERAL.get(first.msgid, first) if len(named) > 1 else first
    return replace(first, msgid=several.msgid, params={**first.params, "header": named})


def points_more(points: float) -> Message:
    """A number of percentage points added."""
    return nmsg("{more} point", "{more} points", int(points), more=Number(points, 0, signed=True))


@dataclass(frozen=True)
class ChangeShown:
    """A change in words.

    Attributes:
        text: The change with its sign, and what it is against.
        tone: "better", "worse" or "neutral".
        word: What the tone means, in words.
    """

    text: Message
    tone: str
    word: Message | None


@dataclass(frozen=True)
class Headline:
    """A headline figure as it is shown.

    Attributes:
        address: Its address in the JSON report.
        kpi: The figure.
        value: The figure written, or None.
        period: What it covers.
        changes: Against the period before and the year before.
        goal: The goal, and whether it is met.
        benchmarks: The published figures with their sources.
        parts: What a rate is made of.
        small: The interval and the count.
    """

    address: str
    kpi: Kpi
    value: Any
    period: Message | None
    changes: tuple[ChangeShown, ...]
    goal: tuple[Message, str] | None
    benchmarks: tuple[tuple[Message, Message, str], ...]
    parts: Message | None
    small: Message | None


def headlines(report: Report) -> list[Headline]:
    """The headline figures of a report, ready to be shown."""
    return [headline(address, kpi) for address, kpi in report.headline]


def headline(address: str, kpi: Kpi) -> Headline:
    """A headline figure, ready to be shown."""
    changes = [
        change_shown(kpi, change)
        for change in (kpi.previous, kpi.year_before)
        if change is not None
    ]
    point = kpi.point
    return Headline(
        address=address,
        kpi=kpi,
        value=kpi.shown(),
        period=named(point.period) if point is not None and point.period else None,
        changes=tuple(changes),
        goal=_goal(kpi),
        benchmarks=tuple(
            (
                msg(
                    "Published for {scope}: {figure}",
                    scope=benchmark.scope(),
                    figure=benchmark.shown(),
                ),
                benchmark.source(),
                benchmark.url,
            )
            for benchmark in kpi.benchmarks
        ),
        parts=_parts(kpi),
        small=_small(kpi),
    )


def change_shown(kpi: Kpi, change: Change) -> ChangeShown:
    """A change with its sign, its base and what it means."""
    text = msg(
        "{change} {against} ({base})",
        change=_size(kpi, change),
        against=against(change.against),
        base=kpi.shown(change.base),
    )
    if not change.difference or not kpi.can_be_judged(change):
        return ChangeShown(text, "neutral", None)
    if kpi.may_be_chance(change):
        return ChangeShown(text, "neutral", msg("no clear difference"))
    # What differs from the month before may be the season: the year before says more.
    seasonal = change is not kpi.year_before and (kpi.adds_up or kpi.year_before is not None)
    if seasonal or kpi.better == "neither":
        return ChangeShown(text, "neutral", None)
    if (change.difference > 0) == (kpi.better == "higher"):
        return ChangeShown(text, "better", msg("better"))
    return ChangeShown(text, "worse", msg("worse"))


def _size(kpi: Kpi, change: Change) -> Any:
    if kpi.unit is Unit.SHARE:
        return in_points(change.value, change.base, signed=True)
    if kpi.unit is Unit.POINTS:
        return in_points(change.value, change.base, of=1, signed=True)
    if change.share is not None:
        sign = "+" if change.share > 0 else ""
        digits = 0 if abs(change.share) >= 0.1 else 1
        return msg("{sign}{share}", sign=sign, share=Percent(change.share, digits))
    digits = {Unit.COUNT: 0, Unit.MONEY: 2}.get(kpi.unit, 1)
    return Number(apart(change.value, change.base, digits), digits, signed=True)


def _goal(kpi: Kpi) -> tuple[Message, str] | None:
    if kpi.goal is None:
        return None if kpi.goal_apart is None else (kpi.goal_apart, "neutral")
    value = kpi.goal_shown()
    if kpi.goal.met and kpi.within_error:
        return msg("Goal {value}: met, within the margin of error", value=value), "neutral"
    if kpi.goal.met:
        return msg("Goal {value}: met", value=value), "better"
    if kpi.within_error and kpi.better == "lower":
        return msg("Goal {value}: above, but within the margin of error", value=value), "neutral"
    if kpi.within_error:
        return msg("Goal {value}: below, but within the margin of error", value=value), "neutral"
    return msg("Goal {value}: not met", value=value), "worse"


def _parts(kpi: Kpi) -> Message | None:
    """What a rate is made of, where its name does not say so."""
    parts = kpi.parts
    if kpi.value is None:
        return None
    if kpi.metric == "retention_rate" and parts.get("start"):
        counts = {name: int(parts.get(name, 0)) for name in ("kept", "lost", "new", "returned")}
        if not counts["new"] + counts["returned"]:
            return msg("kept: {kept}, lost: {lost}", **counts)
        return msg("kept: {kept}, lost: {lost}, won: {new}, won back: {returned}", **counts)
    if kpi.metric == "nps" and kpi.n and "promoters" in parts:
        return msg(
            "{promoters} gave 9 or 10, {detractors} gave 6 or less",
            promoters=Percent(parts["promoters"] / kpi.n),
            detractors=Percent(parts["detractors"] / kpi.n),
        )
    return None


def _small(kpi: Kpi) -> Message | None:
    point = kpi.point
    if point is None or kpi.value is None:
        return None
    if point.low is not None and point.high is not None:
        low, high = kpi.shown(point.low), kpi.shown(point.high)
        if kpi.n:
            return msg(
                "95% interval {low} to {high}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n}",
                low=low,
                high=high,
                n=int(kpi.n),
            )
        return msg("95% interval {low} to {high}", low=low, high=high)
    return None
