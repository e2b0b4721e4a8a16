"""Satisfaction: what customers and employees answer when they are asked."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg, nmsg
from revoir.metrics import scope
from revoir.metrics.evaluate import Facts, Ratio, declare_ratio, mean_of, share_of
from revoir.metrics.registry import Question, Unit
from revoir.tables import AFTERWARDS_SCALE, NO_WORDS, SCALES, seems_of_five


def _answers(book: Book, question: Question, name: str) -> ir.Table:
    table = scope.facts(book, "responses", question)
    table = table.filter((table.question == name) & table.score.notnull())
    return table.mutate(score=table.score.cast("float64"))


def _facts(name: str) -> Facts:
    return Facts(
        f"{name} answers", partial(_answers, name=name), "responded_on", needs=("responses",)
    )


def off_scale(book: Book, name: str) -> Message | None:
    """Why the scores of a question cannot be read on its scale, as they are on another one.

    All answers to the question are looked at: a month may hold none that tells by chance.

    Args:
        book: The company's tables, with survey answers.
        name: One of the questions of `SCALES`.

    Returns:
        None where they can.
    """

    def look() -> Message | None:
        answers = book.table("responses").filter(lambda t: t.question == name)
        return _beyond(book, answers.score, *SCALES[name])

    return book.once(f"scale of {name}", look)


def off_scale_afterwards(book: Book) -> Message | None:
    """The same of the satisfaction that is asked after a contact with customer service."""

    def look() -> Message | None:
        return _beyond(book, book.table("interactions").satisfaction, *AFTERWARDS_SCALE)

    return book.once("scale of interactions", look)


def _beyond(book: Book, scores: ir.NumericColumn, low: int, high: int) -> Message | None:
    score = scores.cast("float64")
    outside = ((score < low) | (score > high)).sum()
    row = book.rows(
        scores.as_table().aggregate(
            n=outside, answers=score.count(), least=score.min(), most=score.max()
        )
    )[0]
    if seems_of_five(high, row["answers"], row["least"], row["most"]):
        return msg(
            "None of the {n} answers is above {most} on the scale from {low} to {high}, so they"
            " look like answers from 1 to 5: bring the scores to that scale before you import them,"
            " or give the question another name.",
            n=row["answers"],
            low=low,
            high=high,
            most=row["most"],
        )
    if not row["n"]:
        return None
    return nmsg(
        "{n} score lies outside the scale from {low} to {high} (they go from {least} to"
        " {most}): bring the scores to that scale before you import them, or give the question"
        " another name.",
        "{n} scores lie outside the scale from {low} to {high} (they go from {least} to"
        " {most}): bring the scores to that scale before you import them, or give the question"
        " another name.",
        int(row["n"]),
        low=low,
        high=high,
        least=row["least"],
        most=row["most"],
    )


def _on_scale(ratio: Ratio, name: str) -> Ratio:
    return replace(ratio, against=partial(off_scale, name=name))


declare_satisfaction = partial(declare_ratio, family="satisfaction")


def _promoters(t: ir.Table) -> ir.NumericScalar:
    return (t.score >= 9).sum()


def _detractors(t: ir.Table) -> ir.NumericScalar:
    return (t.score <= 6).sum()


def _declare_nps(name: str, label: Message, formula: Message, **more: Any) -> None:
    ratio = Ratio(
        _facts(name),
        lambda t: _promoters(t) - _detractors(t),
        lambda t: t.count(),
        interval="nps",
        parts={
            "promoters": _promoters,
            "passives": lambda t: ((t.score > 6) & (t.score < 9)).sum(),
            "detractors": _detractors,
        },
    )
    declare_satisfaction(
        name,
        _on_scale(ratio, name),
        label,
        formula,
        Unit.POINTS,
        "higher",
        source="Reichheld, Harvard Business Review, December 2003",
        **more,
    )


_declare_nps(
    "nps",
    msg("Net Promoter Score (NPS)"),
    msg("% of answers 9–10 − % of answers 0–6, from −100 to 100; who did not answer is left out."),
    aliases=("net_promoter_score", "recommandation"),
    goal=70.0,
    benchmarks=("nps",),
)
_declare_nps(
    "enps",
    msg("Employee NPS (eNPS)"),
    msg("The Net Promoter Score of employees: would they recommend working here?"),
    aliases=("employee_nps", "nps_salaries"),
)
declare_satisfaction(
    "csat",
    _on_scale(share_of(_facts("csat"), lambda t: (t.score >= 4).sum()), "csat"),
    msg("Customer satisfaction (CSAT)"),
    msg("Answers 4 and 5 on a scale of five ÷ answers."),
    Unit.SHARE,
    "higher",
    aliases=("satisfaction", "customer_satisfaction", "taux_de_satisfaction"),
    benchmarks=("csat",),
)
declare_satisfaction(
    "ces",
    _on_scale(mean_of(_facts("ces"), "score", floor=1.0, ceiling=7.0), "ces"),
    msg("Customer effort score (CES)"),
    msg("Mean answer on a scale of seven to “it was made easy for me”: 7 is the least effort."),
    Unit.SCORE,
    "higher",
    aliases=("customer_effort_score", "effort"),
    source="Dixon, Freeman & Toman, Harvard Business Review, July 2010 (wording of version 2.0)",
)


def _all_answers(book: Book, question: Question) -> ir.Table:
    return scope.facts(book, "responses", question)


_ALL = Facts("responses", _all_answers, "responded_on", needs=("responses",))

declare_satisfaction(
    "responses",
    Ratio(_ALL, lambda t: t.score.notnull().sum()),
    msg("Answers"),
    msg("Answers with a score, all questions together."),
    Unit.COUNT,
    "higher",
    aliases=("reponses", "answers"),
)


def _asked_for_words(book: Book, question: Question) -> ir.Table:
    """Answers to the questions that customers comment on, and whether they did.

    A questionnaire of three scores has one box for words: its other questions cannot have any.
    """
    table = scope.facts(book, "responses", question)
    said = table.comment.notnull() & table.comment.strip().lower().notin(NO_WORDS)
    table = table.mutate(said=said)
    return table.filter(table.said.max().over(ibis.window(group_by=table.question)))


declare_satisfaction(
    "comment_rate",
    share_of(
        Facts("responses asked for words", _asked_for_words, "responded_on", needs=("responses",)),
        lambda t: t.said.sum(),
    ),
    msg("Answers with a comment"),
    msg("Answers in the customer's own words ÷ answers to the questions that have some."),
    Unit.SHARE,
    "higher",
    needs=("responses.comment",),
    aliases=("taux_de_commentaires",),
)
