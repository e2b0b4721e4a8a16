"""The kinds of questions that can be asked of the book, each with what answers it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import msg

if TYPE_CHECKING:
    from revoir.book import Book
    from revoir.metrics.registry import Question
    from revoir.periods import Grain

Answer = Callable[["Book", Mapping[str, Any]], dict[str, Any]]
"""From the book and the parameters to the result by language (`drawn.in_each`)."""

ANSWERS: dict[str, Answer] = {}


def answers(kind: str) -> Callable[[Answer], Answer]:
    """Register what answers a kind of question."""

    def keep(answer: Answer) -> Answer:
        ANSWERS[kind] = answer
        return answer

    return keep


def answer(kind: str, book: Book, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a question.

    Raises:
        UsageError: There is no such kind, or the question is not well put.
    """
    # They register.
    from revoir_web.insights import behind, figures, groups, products, stays  # noqa: F401

    if kind not in ANSWERS:
        raise UsageError(msg("There is no question “{kind}”.", kind=kind))
    return ANSWERS[kind](book, parameters)


def question_of(asked: Mapping[str, Any]) -> Question:
    """The parameters of an address as a question.

    Raises:
        UsageError: A day or a grain is none.
    """
    from revoir.metrics.registry import Question
    from revoir.periods import grain_named

    grain: Grain | None = grain_named(str(asked["grain"])) if asked.get("grain") else None
    start, end = day_of(asked.get("from")), day_of(asked.get("to"))
    if start and end and end <= start:
        raise UsageError(
            msg("The last day is not after the first."),
            remedy=msg("Choose a day after {first}.", first=start),
        )
    by = tuple(asked.get("by") or ())
    question = Question(start, end, grain, by, asked.get("where") or None)
    question.check_days()
    return question


def day_of(text: Any) -> dt.date | None:
    """A day of an address.

    Raises:
        UsageError: It is none.
    """
    if not text:
        return None
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        raise UsageError(
            msg("“{text}” is not a date.", text=str(text)),
            remedy=msg("Write year-month-day, such as 2024-03-31."),
        ) from None
