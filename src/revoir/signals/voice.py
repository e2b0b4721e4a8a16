"""Signals of what customers say: detractors, low satisfaction, words that sound dissatisfied."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, Number, msg
from revoir.metrics.satisfaction import off_scale, off_scale_afterwards
from revoir.sentiment import NEGATIVE, POSITIVE
from revoir.signals.registry import Parameter, Signal, Values, declare, held
from revoir.signals.spans import NUMBER, numbered, span

ANSWERS = ("responses.customer_id", "responses.responded_on", "responses.question")
AFTERWARDS = ("interactions.customer_id", "interactions.satisfaction")
COMMENTS = ("responses.customer_id", "responses.responded_on", "responses.text_sentiment")
CONTACTS = ("interactions.customer_id", "interactions.text_sentiment")


def _answers(book: Book) -> ir.Table:
    """Answers of known customers: `customer_id`, `day`, `question` and `score` as a float."""
    rows = book.table("responses")
    rows = rows.filter(rows.customer_id.notnull() & rows.score.notnull())
    return rows.select(
        "customer_id", "question", day=rows.responded_on, score=rows.score.cast("float64")
    )


_OF_SATISFACTION = ("csat", "ces")


def _on_scale(book: Book, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of some questions have scores on the scale that they are read on.

    Where some have not, those that nobody was asked do not stand in for them.
    """
    if not held(book, ANSWERS):
        return ()
    kept = tuple(name for name in names if off_scale(book, name) is None)
    if kept == names:
        return names

    def find() -> set[str]:
        questions = book.table("responses").select("question").distinct()
        return {row["question"] for row in book.rows(questions)}

    return tuple(name for name in kept if name in book.once("questions asked", find))


def _afterwards(book: Book) -> bool:
    """Whether the satisfaction asked after a contact is on its scale."""
    return held(book, AFTERWARDS) and off_scale_afterwards(book) is None


def scores_of_five(book: Book, *, recommendation: bool = False) -> ir.Table | None:
    """What customers said of their satisfaction, from 1 to 5.

    Satisfaction (CSAT) and what is asked after a contact are on that scale; effort, on 1 to 7, is
    brought to it, and so is recommendation, on 0 to 10. Scores that are on another scale say
    nothing.

    Args:
        book: The company's tables.
        recommendation: Whether the willingness to recommend (NPS) is one of them.

    Returns:
        `customer_id`, `day` and `score`; None where no question was asked on its scale.
    """
    found = []
    names = (*_OF_SATISFACTION, "nps") if recommendation else _OF_SATISFACTION
    if asked := _on_scale(book, names):
        rows = _answers(book)
        scales = {
            "csat": rows.score,
            "ces": 1 + (rows.score - 1) * (2.0 / 3.0),
            "nps": 1 + rows.score * 0.4,
        }
        score = ibis.cases(*((rows.question == name, scales[name]) for name in asked))
        scored = rows.select("customer_id", "day", score=score)
        found.append(scored.filter(scored.score.notnull()))
    if _afterwards(book):
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
    return reduce(lambda left, right: left.union(right), found) if found else None


def _written(book: Book) -> list[ir.Table]:
    """What customers wrote, where no score says whether they were satisfied.

    Words that do not tell are left out: a plain question neither complains nor makes up for a
    complaint. Nor does the politeness of whoever asks for something at customer service.

    Returns:
        `customer_id`, `day` and `score` (1: it sounds bad, 5: good) of answers and of contacts.
    """
    found = []
    if held(book, COMMENTS):
        rows = book.table("responses")
        if book.has("responses", "score") and (asked := _on_scale(book, _OF_SATISFACTION)):
            scored = rows.question.isin(asked) & rows.score.notnull()
            rows = rows.filter(~scored.fill_null(False))
        told = (rows.text_sentiment <= NEGATIVE) | (rows.text_sentiment >= POSITIVE)
        found.append(rows.filter(told).mutate(day=rows.responded_on))
    if held(book, CONTACTS):
        # A score given once the contact is settled is not known yet on the day that it is opened.
        rows = book.table("interactions")
        told = rows.text_sentiment <= NEGATIVE
        found.append(rows.filter(told).mutate(day=book.day_of(rows.opened_at)))
    return [
        rows.filter(rows.customer_id.notnull()).select(
            "customer_id", "day", score=ibis.ifelse(rows.text_sentiment < 0, 1.0, 5.0)
        )
        for rows in found
    ]


def _low(rows: ir.Table, at_most: float, **facts: ir.Value) -> ir.Table:
    """Days with a low score, until a better one is given on a later day."""
    worst = rows.group_by("customer_id", raised_on=rows.day).aggregate(
        score=rows.score.min(), best=rows.score.max(), **facts
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
        against=lambda book: off_scale(book, "nps"),
        waits=True,
    )
)


def _off_every_scale(book: Book) -> Message | None:
    """Why no score tells of satisfaction, where no words do either."""
    if held(book, COMMENTS) or held(book, CONTACTS) or scores_of_five(book) is not None:
        return None
    reasons = [off_scale(book, name) for name in _OF_SATISFACTION] if held(book, ANSWERS) else []
    reasons += [off_scale_afterwards(book)] if held(book, AFTERWARDS) else []
    return next((reason for reason in reasons if reason is not None), None)


def _negative_sentiment(book: Book, values: Values) -> ir.Table:
    parts = [rows.mutate(written=True) for rows in _written(book)]
    scored = scores_of_five(book)
    if scored is not None:
        parts.insert(0, scored.mutate(written=False))
    rows = reduce(lambda left, right: left.union(right), parts)
    # A score says more surely than words what a day was like.
    day = ibis.window(group_by=["customer_id", "day"])
    rows = rows.mutate(scored=(~rows.written).any().over(day))
    rows = rows.filter(~(rows.written & rows.scored))
    return _low(rows, values["at_most"], written=rows.written.any())


declare(
    Signal(
        "negative_sentiment",
        msg("Dissatisfied"),
        msg(
            "The customer gave a low score for satisfaction or effort, or after a contact with"
            " customer service; or, where no score was given, said what sounds dissatisfied."
        ),
        "voice",
        (ANSWERS, AFTERWARDS, COMMENTS, CONTACTS),
        _negative_sentiment,
        lambda case: (
            msg("What was said sounds dissatisfied.")
            if case["written"]
            else msg("Satisfaction {score} of 5.", score=Number(case["score"], 1))
        ),
        parameters=(
            Parameter(
                "at_most", msg("The highest score that counts, on 1 to 5."), 2, 1, 4, whole=False
            ),
        ),
        against=_off_every_scale,
        waits=True,
    )
)
