"""Who is to be answered: customers whose last score says that they are not happy."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.reports.answers import Detractors
from revoir.reports.figures import Kpi
from revoir.segments.rules import customers_matching, matching_count
from revoir.tables import NO_WORDS


def detractors(book: Book, nps: Kpi | None) -> Detractors | None:
    """Whose last score is 6 or less, given since the figure's period began.

    Args:
        book: The company's tables.
        nps: The Net Promoter Score (None: nobody was asked).

    Returns:
        They and their words, with the rule that lists them: whoever scored higher since is not
        among them. None where the figure has no score so low.
    """
    if nps is None or not nps.parts.get("detractors") or nps.point is None:
        return None
    answers = book.table("responses")
    chosen = answers.filter((answers.question == "nps") & (answers.score <= 6))
    period, rule = nps.point.period, "nps <= 6"
    if period is not None and "responded_on" in answers.columns:
        chosen = chosen.filter(chosen.responded_on >= period.start)
        rule += f" and nps_on >= {period.start}"
    named = book.has("responses", "customer_id")
    sums = {"unnamed": chosen.customer_id.isnull().sum()} if named else {}
    row = book.rows(chosen.aggregate(n=chosen.count(), **sums))[0]
    if not named or row["unnamed"]:
        return Detractors(None, _comments(book, chosen))
    those = chosen.semi_join(customers_matching(book, rule), "customer_id")
    return Detractors(matching_count(book, rule), _comments(book, those), rule)


def _comments(book: Book, answers: ir.Table) -> int:
    """How many answers say something in words."""
    if not book.has("responses", "comment"):
        return 0
    said = answers.comment.notnull() & answers.comment.strip().lower().notin(NO_WORDS)
    return int(book.rows(answers.aggregate(n=said.sum()))[0]["n"] or 0)
