"""The kinds of questions that can be asked of the book, each with what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import msg

if TYPE_CHECKING:
    from revoir.book import Book

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
    from revoir_web.insights import behind, figures, groups  # noqa: F401 (they register)

    if kind not in ANSWERS:
        raise UsageError(msg("There is no question “{kind}”.", kind=kind))
    return ANSWERS[kind](book, parameters)
