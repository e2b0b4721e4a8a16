"""Charts of how good models are: what they said beside what happened."""

from __future__ import annotations

from typing import Any

import altair as alt

from revoir.language import Number, Percent, msg, written
from revoir.metrics.registry import Unit
from revoir.models.card import Card
from revoir.models.card_tables import calibration_table
from revoir.models.goodness import Goodness
from revoir.models.stays import DAYS, so_long
from revoir.models.survival import Curve, Survival
from revoir.reports import palette
from revoir.reports.canvas import Chart, Spec, finished, on, spread, x_periods, y_axis
from revoir.reports.wording import COLUMN_NAMES

DRAWN_MAX = 4
"""Groups that are drawn, the largest ones; the table has them all."""
_STEPS = 160
"""Points of a curve: more than a screen shows apart."""


def calibration(card: Card, language: str) -> Chart | None:
    """Predicted against observed shares that left, with their intervals and the diagonal.

    Args:
        card: The model card.
        language: Of the words.

    Returns:
        The chart; None where nothing could be tested.
    """
    judged = card.judged.get(card.used or "")
    if judged is None:
        return None
    values = [
        {"x": one.predicted, "y": one.observed, "low": one.low, "high": one.high}
        for one in judged.curve
    ]
    far = min(1.0, max(max(one.high, one.predicted) for one in judged.curve) * 1.05)
    right = msg("dashed: where probabilities are right").text(language)

    def spec(width: int) -> Spec:
        scale = alt.Scale(domain=[0, far], nice=False)
        share: dict[str, Any] = {"format": ".0%", "domain": False, "ticks": False}
        x = alt.X(
            "x:Q",
            scale=scale,
            axis=alt.Axis(
                title=msg("mean probability of leaving").text(language),
                tickCount=max(4, width // 120),
                **share,
            ),
        )
        y = alt.Y(
            "y:Q",
            scale=scale,
            axis=alt.Axis(
                title=msg("share who left").text(language), titleAngle=0, titleAlign="left",
                titleAnchor="start", titleY=-12, titleX=-30, tickCount=5, **share,
            ),
        )  # fmt: skip
        diagonal = on([{"x": 0, "y": 0}, {"x": far, "y": far}])
        end = on([{"x": far, "y": 0.04 * far, "text": right}])
        base = on(values).encode(x=x)
        return finished(
            alt.layer(
                diagonal.mark_line(color=palette.MUTED, strokeDash=[5, 4]).encode(x=x, y=y),
                end.mark_text(align="right", dx=-4, color=palette.MUTED).encode(
                    x=x, y=y, text="text:N"
                ),
                base.mark_rule(color=palette.BLUE_MIDDLE, strokeWidth=2).encode(
                    y=alt.Y("low:Q", scale=scale), y2="high:Q"
                ),
                base.mark_point(filled=True, color=palette.BLUE, size=56, opacity=1).encode(y=y),
            ),
            width - 80,
            min(width - 80, 320),
        )

    sheet = calibration_table(card)
    return Chart(
        "calibration",
        msg("Of customers given about the same probability, how many left (95% intervals)").text(
            language
        ),
        tuple(column.text(language) for column in sheet.columns),
        tuple(tuple(written(value, language) for value in row) for row in sheet.rows),
        spec,
        width=640,
    )


def tracking(fit: Goodness, language: str) -> Chart:
    """Repeat purchases up to each week, as they came and as the model expects them.

    Args:
        fit: The fit of the model; weeks that it was not fitted to lie beyond a line.
        language: Of the words.
    """
    rows = fit.shown
    labels = [written(row.start, language) for row in rows]
    lines = {
        "expected": (msg("expected"), palette.ORANGE, [row.expected_so_far for row in rows]),
        "came": (msg("came"), palette.BLUE, [row.actual_so_far for row in rows]),
    }
    first = next((place for place, row in enumerate(rows) if row.held_out), None)
    until = msg("fitted up to here").text(language)

    def spec(width: int) -> Spec:
        inner, height = width - 130, 230
        # Days are wide: fewer of them are written than periods would be.
        x = x_periods(3 * inner // 4, labels, scale=alt.Scale(type="point"))
        axis = y_axis(Unit.COUNT, msg("repeat purchases up to the week").text(language))
        y = alt.Y("value:Q", axis=axis)
        # Apart by the height of a letter, however near the lines end.
        ends = {name: values[-1] for name, (_, _, values) in lines.items()}
        above = max(ends, key=lambda name: ends[name])
        layers = []
        for name, (word, colour, values) in lines.items():
            data = [
                {"label": label, "value": value}
                for label, value in zip(labels, values, strict=True)
            ]
            dash = [6, 4] if name == "expected" else [1, 0]
            end = on([{**data[-1], "text": word.text(language)}])
            layers += [
                on(data).mark_line(color=colour, strokeWidth=2.5, strokeDash=dash).encode(x=x, y=y),
                end.mark_text(
                    align="left", dx=8, dy=-7 if name == above else 7, color=colour,
                    fontWeight="bold",
                ).encode(x=x, y=y, text="text:N"),
            ]  # fmt: skip
        if first is not None:
            near_end = first > 0.4 * len(rows)
            mark = on([{"label": labels[first], "text": until}])
            layers += [
                mark.mark_rule(color=palette.INK, strokeDash=[5, 4]).encode(x=x),
                mark.mark_text(
                    align="right" if near_end else "left", dx=-6 if near_end else 6,
                    y=height - 8, color=palette.INK,
                ).encode(x=x, text="text:N"),
            ]  # fmt: skip
        return finished(alt.layer(*layers), inner, height)

    columns = (
        msg("Week from"), msg("Expected"), msg("Came"), msg("Expected so far"),
        msg("Came so far"), msg("Held out"),
    )  # fmt: skip
    title = fit.sentence() or msg(
        "Repeat purchases, as they came and as {model} expects them", model=fit.label
    )
    return Chart(
        "tracking",
        title.text(language),
        tuple(column.text(language) for column in columns),
        tuple(
            (
                label,
                written(Number(row.expected, 0), language),
                written(Number(row.actual, 0), language),
                written(Number(row.expected_so_far, 0), language),
                written(Number(row.actual_so_far, 0), language),
                written(row.held_out, language),
            )
            for label, row in zip(labels, rows, strict=True)
        ),
        spec,
        width=760,
    )


def frequencies(fit: Goodness, language: str) -> Chart:
    """Customers by how often they bought again, as they are and as the model expects them.

    Args:
        fit: The fit of the model.
        language: Of the words.
    """
    values: list[dict[str, Any]] = [
        {
            "label": msg("{n} or more", n=row.frequency).text(language)
            if row.or_more
            else written(row.frequency, language),
            "actual": row.actual,
            "expected": row.expected,
        }
        for row in fit.by_frequency
    ]
    labels = [str(value["label"]) for value in values]
    marked = msg("a bar: customers; a line: expected").text(language)

    def spec(width: int) -> Spec:
        x = x_periods(
            width - 80, labels, scale=alt.Scale(type="band", paddingInner=0.35, paddingOuter=0.2)
        )
        axis = y_axis(Unit.COUNT, marked)
        base = on(values).encode(x=x)
        band = (width - 80) / max(len(labels), 1) * 0.8
        return finished(
            alt.layer(
                base.mark_bar(color=palette.BLUE_MIDDLE).encode(y=alt.Y("actual:Q", axis=axis)),
                base.mark_tick(color=palette.ORANGE, thickness=4, width=band, opacity=1).encode(
                    y=alt.Y("expected:Q", axis=axis)
                ),
            ),
            width - 80,
            200,
        )

    columns = (msg("Repeat purchases"), msg("Customers"), msg("Expected"))
    return Chart(
        "frequencies",
        msg("How many bought again so often, and how many {model} expects", model=fit.label).text(
            language
        ),
        tuple(column.text(language) for column in columns),
        tuple(
            (
                str(value["label"]),
                written(Number(value["actual"], 0), language),
                written(Number(value["expected"], 0), language),
            )
            for value in values
        ),
        spec,
        width=640,
    )


def stays(found: Survival, language: str) -> Chart:
    """The share of customers that is still there after each time, by group.

    Args:
        found: The curves; at least one.
        language: Of the words.
    """
    curves = found.curves[:DRAWN_MAX]
    longest = max(curve.watched for curve in curves)
    inks = (palette.BLUE, palette.ORANGE, palette.MUTED, palette.BLUE_MIDDLE)
    counted = msg("days from the first") if found.unit == DAYS else msg("months from the first")
    lines = [_line(curve) for curve in curves]
    ends: list[dict[str, Any]] = [
        {"x": longest, "middle": line[-1]["y"], "text": str(curve.group), "ink": ink}
        for curve, line, ink in zip(curves, lines, inks, strict=False)
    ]
    spread(ends, 0.075, 1.04)

    def spec(width: int) -> Spec:
        inner = width - (130 if found.by else 40)
        x = alt.X(
            "x:Q",
            scale=alt.Scale(domain=[0, longest], nice=False),
            axis=alt.Axis(
                title=counted.text(language), format=",d", tickCount=max(4, inner // 110),
                domain=False, ticks=False, grid=False,
            ),
        )  # fmt: skip
        scale = alt.Scale(domain=[0, 1], nice=False)
        axis = y_axis(Unit.SHARE, msg("still there").text(language))
        y = alt.Y("y:Q", axis=axis, scale=scale)
        layers: list[Any] = []
        for line, ink in zip(lines, inks, strict=False):
            base = on(line).encode(x=x)
            if not found.by:
                band = base.mark_area(interpolate="step-after", color=palette.BLUE_SOFT)
                layers.append(band.encode(y=alt.Y("low:Q", axis=axis, scale=scale), y2="high:Q"))
            drawn = base.mark_line(interpolate="step-after", color=ink, strokeWidth=2.5)
            layers.append(drawn.encode(y=y))
        for end in ends if found.by else []:
            word = on([end]).mark_text(align="left", dx=8, color=end["ink"], fontWeight="bold")
            layers.append(word.encode(x=x, y=alt.Y("middle:Q", scale=scale), text="text:N"))
        return finished(alt.layer(*layers), inner, 260)

    return Chart(
        "stays",
        stays_title(found).text(language),
        (
            msg("Customers").text(language),
            *(so_long(number, found.unit).text(language) for number in found.marks),
        ),
        tuple(
            (
                curve.group or msg("all customers").text(language),
                *(
                    "" if (share := curve.at(number)) is None
                    else written(Percent(share.value, 0), language)
                    for number in found.marks
                ),
            )
            for curve in found.curves
        ),
        spec,
        width=760,
    )  # fmt: skip


def _line(curve: Curve) -> list[dict[str, float]]:
    """Points of a curve, from the first day to that of whoever was watched longest."""
    step = max(1, curve.watched // _STEPS)
    line = []
    for time in [*range(0, curve.watched, step), curve.watched]:
        share = curve.at(time)
        if share is not None:
            line.append({"x": time, "y": share.value, "low": share.low, "high": share.high})
    return line


def stays_title(found: Survival) -> Any:
    """What the curves show: how many are still there after a year, or as long as is known."""
    if found.by:
        return msg(
            "How many customers are still there, by {column}",
            column=COLUMN_NAMES.get(found.by, found.by),
        )
    year = 365 if found.unit == DAYS else 12
    marks = [number for number in found.marks if number <= year] or list(found.marks)
    share = found.curves[0].at(marks[-1]) if marks else None
    if share is None:
        return msg("How many customers are still there")
    return msg(
        "{share} of customers are still there {time} after the first day",
        share=Percent(share.value, 0),
        time=so_long(marks[-1], found.unit),
    )
