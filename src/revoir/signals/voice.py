"""Signals of what customers say when they are asked: detractors, and low satisfaction."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Number, msg
from revoir.signals.registry import Parameter, Signal, Values, declare, held
from revoir.signals.spans import NUMBER, numbered, span

ANSWERS = ("responses.customer_id", "responses.responded_on", "responses.question")
AFTERWARDS = ("interactions.customer_id", "interactions.satisfaction")


def _answers(book: Book) -> ir.Table:
    """Answers of known customers: `customer_id`, `day`, `question` and `score` as a float."""
    rows = book.table("responses")
    rows = rows.filter(rows.customer_id.notnull() & rows.score.notnull())
    return rows.select(
        "customer_id", "question", day=rows.responded_on, score=rows.score.cast("float64")
    )


def scores_of_five(book: Book, *, recommendation: bool = False) -> ir.Table:
    """What customers said of their satisfaction, from 1 to 5.

    Satisfaction (CSAT) and what is asked after a contact are on that scale; effort, on 1 to 7, is
    brought to it, and so is recommendation, on 0 to 10.

    Args:
        book: The company's tables.
        recommendation: Whether the willingness to recommend (NPS) is one of them.

    Returns:
        `customer_id`, `day` and `score`.
    """
    found = []
    if held(book, ANSWERS):
        rows = _answers(book)
        scales = [
            (rows.question == "csat", rows.score),
            (rows.question == "ces", 1 + (rows.score - 1) * (2.0 / 3.0)),
        ]
        if recommendation:
            scales.append((rows.question == "nps", 1 + rows.score * 0.4))
        score = ibis.cases(*scales)
        scored = rows.select("customer_id", "day", score=score)
        found.append(scored.filter(scored.score.notnull()))
    if held(book, AFTERWARDS):
        asked = book.table("interactions")
        asked = asked.filter(asked.customer_id.notnull() & asked.satisfaction.notnull())
        # It is asked once the contact is settled, and known from then on.
        moment = asked.opened_at
        if "resolved_at" in asked.columns:
            moment = asked.resolved_at.coalesce(moment)
        found.append(
            asked.select(
                "customer_id", day=book.day_of(moment), score=asked.satisfaction.cast("float64")
            )
        )
    return reduce(lambda left, right: left.union(right), found)


def _low(rows: ir.Table, at_most: float) -> ir.Table:
    """Days with a low score, until a better one is given on a later day."""
    worst = rows.group_by("customer_id", raised_on=rows.day).aggregate(
        score=rows.score.min(), best=rows.score.max()
    )
    placed = numbered(worst, "raised_on")
    better = ibis.ifelse(placed.best > at_most, placed.raised_on, ibis.null("date"))
    marked = placed.mutate(better_on=better)
    marked = marked.mutate(over_on=marked.better_on.min().over(span(1, None)))
    return marked.filter(marked.score <= at_most).drop("best", "better_on", NUMBER)


def _detractor(book: Book, values: Values) -> ir.Table:
    rows = _answers(book)
    return _low(rows.filter(rows.question == "nps"), values["at_most"])


declare(
    Signal(
        "detractor",
        msg("Would not recommend"),
        msg("The customer answered the question of recommendation with a low score."),
        "voice",
        (ANSWERS,),
        _detractor,
        lambda case: msg(
            "Gave {score} of 10 when asked whether they would recommend us.",
            score=Number(case["score"], 0),
        ),
        parameters=(
            Parameter("at_most", msg("The highest score that counts, on 0 to 10."), 6, 0, 8),
        ),
        waits=True,
    )
)


def _negative_sentiment(book: Book, values: Values) -> ir.Table:
    return _low(scores_of_five(book), values["at_most"])


declare(
    Signal(
        "negative_sentiment",
        msg("Dissatisfied"),
        msg(
            "The customer gave a low score for satisfaction or effort, or after a contact with"
            " customer service. Scores alone are read; what customers write is not yet."
        ),
        "voice",
        (ANSWERS, AFTERWARDS),
        _negative_sentiment,
        lambda case: msg("Satisfaction {score} of 5.", score=Number(case["score"], 1)),
        parameters=(
            Parameter(
                "at_most", msg("The highest score that counts, on 1 to 5."), 2, 1, 4, whole=False
            ),
        ),
        waits=True,
    )
)
