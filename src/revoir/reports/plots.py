"""Charts of how good models are: probabilities beside what happened."""

from __future__ import annotations

from typing import Any

import altair as alt

from revoir.language import msg, written
from revoir.models.card import Card
from revoir.models.card_tables import calibration_table
from revoir.reports import palette
from revoir.reports.charts import Chart, Spec, finished, on


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
