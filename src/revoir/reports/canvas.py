"""What charts share: their parts, their look, their axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt

from revoir.metrics.registry import Unit
from revoir.reports import palette

Spec = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart ready to be drawn.

    Attributes:
        name: Its name in the page.
        title: What is seen, in words.
        columns: Headers of its data table.
        rows: The data, written in the reader's language.
        spec: Gives the Vega-Lite specification for a width in pixels.
        scrolls: Whether it keeps its width on a narrow screen and is scrolled instead.
        width: The width it is drawn at where there is room.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    spec: Callable[[int], Spec]
    scrolls: bool = False
    width: int = 920


def on(values: Sequence[dict[str, Any]]) -> Any:
    """A layer that draws some rows."""
    return alt.Chart(alt.Data(values=values))  # type: ignore[no-untyped-call]  # Altair is


_CONFIG: Spec = {
    "background": "transparent",
    "font": "Liberation Sans",
    "padding": {"left": 8, "right": 8, "top": 4, "bottom": 2},
    "view": {"stroke": None},
    "axis": {
        "labelColor": palette.MUTED,
        "titleColor": palette.MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": palette.GRID,
        "domainColor": palette.GRID,
        "tickColor": palette.GRID,
        "labelPadding": 4,
    },
    "text": {"fontSize": 12, "color": palette.INK},
}


def finished(chart: Any, width: int, height: int) -> Spec:
    """The specification of layers at a size in pixels, in the look that all charts share."""
    sized = chart.properties(width=width, height=height)
    return {**sized.to_dict(validate=False), "config": _CONFIG}


def y_axis(unit: Unit, title: str, **options: Any) -> alt.Axis:
    """The axis of figures, with its title above it."""
    shape = {Unit.SHARE: ".0%", Unit.MONEY: ",.0f", Unit.COUNT: ",.0f"}.get(unit, ",.1~f")
    return alt.Axis(
        title=title,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="start",
        titleY=-12,
        titleX=-30,
        format=shape,
        tickCount=4,
        tickMinStep=least_step(unit),
        domain=False,
        ticks=False,
        **options,
    )


def least_step(unit: Unit) -> Any:
    """Half a customer is nobody, and shares are labelled in whole per cents: whole ticks."""
    return {Unit.COUNT: 1, Unit.SHARE: 0.01}.get(unit, alt.Undefined)


def x_periods(width: int, labels: Sequence[str], **options: Any) -> alt.X:
    """The axis of the field `label`, with as many labels as there is room for."""
    # A letter is some six pixels wide; the last period always has its label.
    count, letters = len(labels), max(map(len, labels), default=1)
    step = max(1, -(-count * (6 * letters + 8) // width))
    return alt.X(
        "label:N",
        sort=None,
        axis=alt.Axis(
            title=None,
            labelAngle=0,
            ticks=False,
            labelExpr=f"({count} - 1 - indexof(domain('x'), datum.value)) % {step} == 0"
            " ? datum.label : ''",
            labelOverlap=False,
            labelPadding=10,  # clear of the lowest label of the other axis
        ),
        **options,
    )


def spread(labels: list[dict[str, Any]], distance: float, ceiling: float) -> None:
    """Move labels apart so that none covers another or is cut; they keep their order."""
    labels.sort(key=lambda label: label["middle"])
    for lower, upper in pairwise(labels):
        upper["middle"] = max(upper["middle"], lower["middle"] + distance)
    highest = ceiling - distance / 2
    for label in reversed(labels):
        label["middle"] = min(label["middle"], highest)
        highest = label["middle"] - distance
