"""One chart, one specification: Vega-Lite for the page, the PDF and, later, the application.

A chart carries its title (what is seen), its data as a table, and its specification at any
width. Labels are worded here, in the reader's language, so that every renderer shows the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from revoir.language import Message, Percent, msg, nmsg, written
from revoir.metrics.registry import Unit
from revoir.reports import palette
from revoir.reports.canvas import (
    Chart,
    Spec,
    finished,
    least_step,
    on,
    spread,
    x_periods,
    y_axis,
)
from revoir.reports.figures import Kpi, Point, quantity
from revoir.reports.model import Breakdown, CohortSection, GapsSection, LifecycleSection, RfmSection
from revoir.reports.wording import age, short


def trend(kpi: Kpi, title: Message, language: str) -> Chart:
    """A metric over time with its interval as a band.

    A period under way stands in the table alone: its rate falls until its last day, and would
    look like a recovery.
    """
    values = [
        {
            "label": written(short(point.period), language),
            "value": point.value,
            "low": point.low,
            "high": point.high,
            "text": written(quantity(point.value, kpi.unit, kpi.currency), language),
        }
        for point in kpi.series
        if point.value is not None and point.complete
    ]
    unit = written(axis_title(kpi), language)

    def spec(width: int) -> Spec:
        labels = [str(value["label"]) for value in values]
        x = x_periods(width - 80, labels, scale=alt.Scale(type="point", padding=0.3))
        bounds = alt.Scale(zero=False, nice=True)
        y = alt.Y("value:Q", axis=y_axis(kpi.unit, unit), scale=bounds)
        base = on(values).encode(x=x)
        layers = [
            base.mark_area(color=palette.BLUE_SOFT, opacity=1).encode(
                y=alt.Y("low:Q", axis=y_axis(kpi.unit, unit), scale=bounds), y2="high:Q"
            ),
            base.mark_line(color=palette.BLUE, strokeWidth=2.5).encode(y=y),
            base.mark_point(filled=True, size=44, opacity=1, color=palette.BLUE).encode(y=y),
            on(values[-1:])
            .mark_text(fontWeight="bold", color=palette.BLUE, dx=8, align="left")
            .encode(x=x, y=y, text="text:N"),
        ]
        return finished(alt.layer(*layers), width - 80, 210 if width > 500 else 150)

    return Chart(
        "trend",
        written(title, language),
        _words(language, msg("Period"), kpi.label, msg("From"), msg("To"), msg("Complete")),
        tuple(_row(point, kpi, language) for point in kpi.series),
        spec,
        width=760,
    )


def _row(point: Point, kpi: Kpi, language: str) -> tuple[str, ...]:
    figures = (point.value, point.low, point.high)
    return (
        written(short(point.period), language),
        *(written(quantity(figure, kpi.unit, kpi.currency), language) for figure in figures),
        written(point.complete, language),
    )


def axis_title(kpi: Kpi) -> Message:
    """What an axis says of its unit."""
    match kpi.unit:
        case Unit.SHARE:
            return msg("share, in %")
        case Unit.MONEY:
            return msg("{currency}", currency=kpi.currency or msg("amount"))
        case Unit.POINTS:
            return msg("points")
        case Unit.DAYS:
            return msg("days")
    return kpi.label


def _words(language: str, *messages: Message) -> tuple[str, ...]:
    return tuple(message.text(language) for message in messages)


def has_line(kpi: Kpi) -> bool:
    """Whether a figure has enough complete periods for a small line of them."""
    return sum(point.value is not None and point.complete for point in kpi.series) >= 3


def sparkline(kpi: Kpi) -> Spec:
    """A small line of the last periods, without axes; its figures stand beside it."""
    values = [
        {"index": index, "value": point.value}
        for index, point in enumerate(kpi.series)
        if point.value is not None and point.complete
    ]
    x = alt.X("index:Q", axis=None, scale=alt.Scale(domain=[0, max(len(kpi.series) - 1, 1)]))
    y = alt.Y("value:Q", axis=None, scale=alt.Scale(zero=False))
    line = on(values).mark_line(color=palette.BLUE, strokeWidth=1.5)
    last = on(values[-1:]).mark_point(filled=True, color=palette.BLUE, size=28, opacity=1)
    return finished(alt.layer(line.encode(x=x, y=y), last.encode(x=x, y=y)), 132, 26)


def cohorts(section: CohortSection, language: str, ages_max: int = 12) -> Chart:
    """The cohort grid: months down, age across, the share in the cell, the size at the left."""
    rows = section.rows[-24:]
    ages = min(ages_max, max((len(row.cells) for row in rows), default=1) - 1)
    top = sorted(cell for row in rows for cell in row.cells[1 : ages + 1] if cell is not None)
    # The strongest colour stands for the 95th percentile: one odd cohort must not bleach the rest.
    highest = top[int(0.95 * (len(top) - 1))] if top else 1.0
    steps = len(palette.HEAT)
    values = []
    for row in rows:
        name = written(short(row.period), language)
        for index in range(1, ages + 1):
            cell = row.cells[index] if index < len(row.cells) else None
            if cell is None:
                continue
            step = min(int(cell / highest * steps), steps - 1) if highest else 0
            values.append(
                {
                    "cohort": name,
                    "age": written(age(section.grain, index), language),
                    "fill": palette.HEAT[step],
                    "ink": palette.HEAT_INK[step],
                    "text": written(Percent(cell, 0), language)
                    + ("" if row.complete[index] else "*"),
                }
            )
    names = [written(short(row.period), language) for row in rows]
    sizes = [
        {"cohort": name, "text": written(row.size, language)}
        for name, row in zip(names, rows, strict=True)
    ]
    heads = [written(age(section.grain, index), language) for index in range(1, ages + 1)]

    def spec(width: int) -> Spec:
        y = alt.Y(
            "cohort:N",
            sort=names,
            axis=alt.Axis(title=None, ticks=False, domain=False, labelColor=palette.INK, offset=58),
        )
        x = alt.X(
            "age:N",
            sort=heads,
            axis=alt.Axis(title=None, orient="top", labelAngle=0, ticks=False, domain=False),
        )
        base = on(values).encode(x=x, y=y)
        size = on(sizes).encode(y=y)
        layers = [
            base.mark_rect(stroke=palette.SURFACE, strokeWidth=2).encode(
                fill=alt.Fill("fill:N", scale=None)
            ),
            base.mark_text(fontSize=12).encode(text="text:N", color=alt.Color("ink:N", scale=None)),
            size.mark_text(align="right", x=-8, color=palette.MUTED).encode(text="text:N"),
            on([{"text": msg("customers").text(language)}])
            .mark_text(align="right", x=-8, y=-11, color=palette.MUTED)
            .encode(text="text:N"),
        ]
        return finished(alt.layer(*layers), max(width - 160, 46 * ages), 25 * len(rows))

    columns = (*_words(language, msg("Cohort"), msg("Customers")), *heads)
    table = tuple(
        (
            name,
            written(row.size, language),
            *(
                "" if cell is None else written(Percent(cell), language)
                for cell in (*row.cells[1 : ages + 1], *[None] * (ages + 1 - len(row.cells)))
            ),
        )
        for name, row in zip(names, rows, strict=True)
    )
    return Chart(
        "cohorts", written(section.title, language), columns, table, spec, scrolls=True, width=760
    )


def _whole(low: float, high: float) -> dict[str, Any]:
    """The ticks of an axis of a few: Vega would draw halves, and write them as wholes."""
    return {"values": list(range(int(low), int(high) + 1))} if high - low <= 4 else {}


def lifecycle(section: LifecycleSection, language: str) -> Chart:
    """Customers who bought, above zero, and those who fell silent, below."""
    kinds = (
        ("returning", msg("still here"), palette.BLUE, palette.HATCH_BLUE, 1),
        ("resurrected", msg("back"), palette.BLUE_MIDDLE, palette.HATCH_MIDDLE, 1),
        ("new", msg("new"), palette.BLUE_SOFT, palette.HATCH_SOFT, 1),
        ("dormant", msg("gone silent"), palette.ORANGE, palette.HATCH_ORANGE, -1),
    )
    rows = section.rows[-24:]
    names = [written(short(row.period), language) for row in rows]
    last_over = next((row for row in reversed(rows) if row.complete), None)
    values: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for row in rows:
        base = 0
        for key, label, colour, hatch, sign in kinds:
            if sign < 0 and not row.complete:
                continue  # nobody is silent before the period is over
            count = getattr(row, key)
            start = base if sign > 0 else 0
            values.append(
                {
                    "label": written(short(row.period), language),
                    "from": start,
                    "to": start + sign * count,
                    "fill": colour if row.complete else hatch,
                }
            )
            if row is (rows[-1] if sign > 0 else last_over):
                ends.append(
                    {
                        "label": written(short(row.period), language),
                        "middle": start + sign * count / 2,
                        "text": label.text(language),
                        "ink": palette.ORANGE if sign < 0 else palette.INK,
                    }
                )
            base += count if sign > 0 else 0

    ceiling = max((row.new + row.returning + row.resurrected for row in rows), default=1) or 1
    floor = max((row.dormant for row in rows if row.complete), default=0)
    spread(ends, (ceiling + floor) / 210 * 16, ceiling)

    def spec(width: int) -> Spec:
        x = x_periods(width - 130, names, scale=alt.Scale(type="band", paddingInner=0.25))
        y = alt.Y(
            "from:Q",
            axis=y_axis(Unit.COUNT, msg("customers").text(language), **_whole(-floor, ceiling)),
        )
        bars = (
            on(values).mark_bar().encode(x=x, y=y, y2="to:Q", fill=alt.Fill("fill:N", scale=None))
        )
        labels = (
            on(ends)
            .mark_text(align="left", x=width - 122)
            .encode(y=alt.Y("middle:Q"), text="text:N", color=alt.Color("ink:N", scale=None))
        )
        zero = on([{"zero": 0}]).mark_rule(color=palette.MUTED)
        return finished(alt.layer(bars, zero.encode(y="zero:Q"), labels), width - 130, 230)

    return Chart(
        "lifecycle",
        written(section.title, language),
        (
            *_words(language, msg("Period")),
            *(label.text(language) for _, label, *_ in kinds),
            msg("Complete").text(language),
        ),
        tuple(
            (
                written(short(row.period), language),
                *(
                    written(getattr(row, key) if row.complete or sign > 0 else None, language)
                    for key, _, _, _, sign in kinds
                ),
                written(row.complete, language),
            )
            for row in section.rows
        ),
        spec,
    )


def gaps(section: GapsSection, language: str) -> Chart:
    """How many came back after how many days, and where the activity window ends."""
    window = section.window_days
    bands = [
        {
            "from": first,
            "to": end,
            "count": count,
            "zero": 0,
            "inside": not window or end <= window + 1,
        }
        for first, end, count in section.counts
    ]
    last = section.counts[-1][1] if section.counts else 1
    highest = max((count for *_, count in section.counts), default=1)
    again = msg("repeat purchases").text(language)

    def spec(width: int) -> Spec:
        bars = (
            on(bands)
            .mark_rect(stroke=palette.SURFACE, strokeWidth=1)
            .encode(
                x=alt.X(
                    "from:Q",
                    scale=alt.Scale(domain=[0, last], nice=False),
                    axis=alt.Axis(
                        title=msg("days between two purchases").text(language),
                        grid=False,
                        tickCount=max(4, width // 90),
                        format=",.0f",
                    ),
                ),
                x2="to:Q",
                y=alt.Y("count:Q", axis=y_axis(Unit.COUNT, again, **_whole(0, highest))),
                y2="zero:Q",
                fill=alt.condition(
                    "datum.inside", alt.value(palette.BLUE), alt.value(palette.ORANGE)
                ),
            )
        )
        layers = [bars]
        if window is not None and window <= last:
            near_end = window > 0.6 * last
            text = nmsg("window: {n} day", "window: {n} days", window).text(language)
            mark = on([{"window": window, "text": text}])
            layers += [
                mark.mark_rule(color=palette.INK, strokeDash=[5, 4]).encode(x="window:Q"),
                mark.mark_text(
                    align="right" if near_end else "left",
                    dx=2 if near_end else -2,
                    y=-8,
                    color=palette.INK,
                ).encode(x="window:Q", text="text:N"),
            ]
        return finished(alt.layer(*layers), width - 70, 180)

    return Chart(
        "gaps",
        written(section.title, language),
        _words(language, msg("Days"), msg("Repeat purchases")),
        tuple(
            (
                f"{written(first, language)}–{written(end - 1, language)}"
                if end - 1 > first
                else written(first, language),
                written(count, language),
            )
            for first, end, count in section.counts
        ),
        spec,
    )


def _rounded(share: float, language: str) -> str:
    """A share without decimals; a few are not nobody."""
    if 0 < share < 0.005:
        return f"<\N{NO-BREAK SPACE}{written(Percent(0.01, 0), language)}"
    return written(Percent(share, 0), language)


def rfm_map(section: RfmSection, language: str) -> Chart:
    """Customers by recency score, across, and frequency score, upwards."""
    total = sum(section.cells.values()) or 1
    highest = max(section.cells.values(), default=1)
    steps = len(palette.HEAT)
    values = []
    for (recency, frequency), count in section.cells.items():
        step = min(int(count / highest * steps), steps - 1)
        values.append(
            {
                "recency": recency,
                "frequency": frequency,
                "fill": palette.HEAT[step],
                "ink": palette.HEAT_INK[step],
                "count": written(count, language),
                "share": _rounded(count / total, language),
            }
        )
    scores = list(range(1, section.bins + 1))

    def spec(width: int) -> Spec:
        axis: dict[str, Any] = {"ticks": False, "domain": False, "labelAngle": 0, "grid": False}
        x = alt.X(
            "recency:O",
            sort=scores,
            axis=alt.Axis(title=msg("recency score (5: bought lately) →").text(language), **axis),
        )
        y = alt.Y(
            "frequency:O",
            sort=scores[::-1],
            axis=alt.Axis(title=msg("frequency score (5: often) →").text(language), **axis),
        )
        base = on(values).encode(x=x, y=y)
        ink = alt.Color("ink:N", scale=None)
        return finished(
            alt.layer(
                base.mark_rect(stroke=palette.SURFACE, strokeWidth=2).encode(
                    fill=alt.Fill("fill:N", scale=None)
                ),
                base.mark_text(dy=-7, fontWeight="bold").encode(text="count:N", color=ink),
                base.mark_text(dy=9, fontSize=11).encode(text="share:N", color=ink),
            ),
            width - 60,
            230,
        )

    return Chart(
        "rfm",
        written(section.title, language),
        _words(language, msg("Recency"), msg("Frequency"), msg("Customers")),
        tuple(
            (written(recency, language), written(frequency, language), written(count, language))
            for (recency, frequency), count in sorted(section.cells.items(), reverse=True)
        ),
        spec,
        width=540,
    )


def breakdown(section: Breakdown, language: str) -> Chart:
    """A metric by group, as points with their intervals."""
    values: list[dict[str, Any]] = [
        {
            "group": written(row.group, language),
            "value": row.value,
            "low": row.low,
            "high": row.high,
            "text": written(quantity(row.value, section.unit, section.currency), language),
        }
        for row in section.rows
        if row.value is not None
    ]
    groups: Sequence[str] = [value["group"] for value in values]

    def spec(width: int) -> Spec:
        y = alt.Y(
            "group:N",
            sort=groups,
            axis=alt.Axis(
                title=None, ticks=False, domain=False, labelColor=palette.INK, labelLimit=170
            ),
        )
        x = alt.X(
            "value:Q",
            scale=alt.Scale(zero=False, nice=True),
            axis=alt.Axis(
                title=None,
                format=".0%" if section.unit is Unit.SHARE else ",.0f",
                tickCount=max(3, width // 120),
                tickMinStep=least_step(section.unit),
                domain=False,
                ticks=False,
            ),
        )
        base = on(values).encode(y=y)
        inner = width - 270 if width > 500 else width - 190
        return finished(
            alt.layer(
                base.mark_rule(color=palette.BLUE_SOFT, strokeWidth=7).encode(
                    x="low:Q", x2="high:Q"
                ),
                base.mark_point(filled=True, color=palette.BLUE, size=70, opacity=1).encode(x=x),
                base.mark_text(align="left", x=inner + 8).encode(text="text:N"),
            ),
            inner,
            26 * len(values),
        )

    return Chart(
        f"by-{section.column}",
        written(section.title, language),
        _words(
            language,
            msg("Group"),
            section.label,
            msg("From"),
            msg("To"),
            section.of or msg("Customers"),
        ),
        tuple(
            (
                written(row.group, language),
                *(
                    written(quantity(figure, section.unit, section.currency), language)
                    for figure in (row.value, row.low, row.high)
                ),
                written(row.customers, language),
            )
            for row in section.rows
        ),
        spec,
    )
