"""Features of answers to surveys: the last score of each question, and what was said of late."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Number, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    Family,
    Feature,
    Known,
    Moments,
    days_since,
    sum_named,
)

SCORES = {
    "nps": msg("Last recommendation, 0 to 10"),
    "csat": msg("Last satisfaction, 1 to 5"),
    "ces": msg("Last ease, 1 to 7"),
}
"""The questions that are asked of customers, and what their last score is called."""


def _answer_sums(book: Book, moments: Moments) -> ir.Table:
    rows = moments.known(book.table("responses"), "responded_on")
    rows = rows.filter(rows.customer_id.notnull() & rows.score.notnull())
    asked = rows.question if "question" in rows.columns else ibis.literal("nps")
    rows = rows.mutate(asked=asked)
    # Of several answers to one question on the last day the lowest counts: a warning is not missed.
    latest = rows.group_by(*KEYS, "asked").mutate(last_day=rows.responded_on.max())
    is_last = latest.responded_on == latest.last_day
    sums: dict[str, ir.Value] = {
        "last_answer": latest.responded_on.max(),
        "answer_days": latest.responded_on.nunique(),
    }
    for name in SCORES:
        sums[f"last_{name}"] = latest.score.min(where=is_last & (latest.asked == name))
    return latest.group_by(KEYS).aggregate(**sums)


def _last_score(name: str, label: Message) -> Feature:
    def says(known: Known) -> Message | None:
        score = known[f"last_{name}"]
        if score is None:
            return None
        shown = Number(score, 0 if float(score).is_integer() else 1)
        if name == "nps":
            return msg("recommended you with {score} of 10", score=shown)
        if name == "csat":
            return msg("rated their satisfaction {score} of 5", score=shown)
        return msg("rated the ease {score} of 7", score=shown)

    return Feature(
        f"last_{name}",
        label,
        Unit.SCORE,
        "answers",
        "responses",
        lambda table, moments: table[f"last_{name}"].cast("float64"),
        msg("good answers"),
        msg("bad answers"),
        says,
        reach_days=90,
    )


ANSWERS = Family(
    "responses",
    ("customer_id", "responded_on", "score"),
    _answer_sums,
    (
        *(_last_score(name, label) for name, label in SCORES.items()),
        Feature(
            "days_since_answer",
            msg("Days since the last answer"),
            Unit.DAYS,
            "answers",
            "responses",
            lambda table, moments: days_since(table, table.last_answer),
            msg("the last answer is long ago"),
            msg("an answer not long ago"),
            lambda known: (
                None
                if known["days_since_answer"] is None
                else nmsg(
                    "last answered a survey {n} day ago",
                    "last answered a survey {n} days ago",
                    known.count("days_since_answer"),
                )
            ),
            reach_days=90,
        ),
        Feature(
            "answer_days",
            msg("Surveys answered"),
            Unit.COUNT,
            "answers",
            "responses",
            sum_named("answer_days"),
            msg("answers surveys"),
            msg("does not answer surveys"),
            lambda known: nmsg(
                "answered {n} survey", "answered {n} surveys", known.count("answer_days")
            ),
            reach_days=90,
            absent=0.0,
        ),
    ),
)
