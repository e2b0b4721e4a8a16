"""Answers about groups of customers: cohorts, RFM, segments by rule, what-if."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from revoir.errors import UsageError
from revoir.language import Message, Money, Number, Percent, in_days, msg, nmsg
from revoir.periods import Grain
from revoir_web.insights import drawn, files
from revoir_web.insights.questions import answers, day_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from revoir.book import Book
    from revoir.metrics.cohorts import CohortGrid
    from revoir.reports.model import RfmSection, WhatIf

AGES_MAX = 24
MEMBERS_PAGE = 50
COMPARED = ("retention_rate", "repurchase_rate", "revenue_per_customer", "average_order_value")
"""What a segment is compared with everybody by."""


# -- Cohorts -----------------------------------------------------------------------------------
@answers("cohorts")
def cohorts(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A cohort grid under any of its options."""
    from revoir.metrics.cohorts import OPTIONS
    from revoir.metrics.cohorts import cohorts as compute
    from revoir.periods import Grain, grain_named

    _needs_buyers(book)
    options = {name: str(asked.get(name) or known[0]) for name, known in OPTIONS.items()}
    grain = grain_named(str(asked["grain"])) if asked.get("grain") else Grain.MONTH
    grid = compute(
        book,
        grain=grain,
        since=day_of(asked.get("from")),
        until=day_of(asked.get("to")),
        where=asked.get("where") or None,
        **options,
    )
    cells = [
        [
            cohort.period.start.isoformat(),
            cohort.size,
            cell.age,
            cell.complete,
            cell.value,
            float(cell.count),
            float(cell.reference),
        ]
        for cohort in grid.cohorts
        for cell in cohort.cells
    ]
    return drawn.in_each(
        lambda language: _grid(grid, language),
        grain=grain.value,
        options=options,
        cells=cells,
        mean=list(grid.mean),
    )


def _grid(grid: CohortGrid, language: str) -> dict[str, Any]:
    from revoir.reports.view import typeset
    from revoir.reports.wording import age, short

    ages = min(AGES_MAX, max((len(cohort.cells) for cohort in grid.cohorts), default=1) - 1)
    values = sorted(
        cell.value
        for cohort in grid.cohorts
        for cell in cohort.cells[1 : ages + 1]
        if cell.value is not None
    )
    # One odd cohort must not bleach the rest: the strongest colour is the 95th percentile's.
    highest = values[int(0.95 * (len(values) - 1))] if values else 1.0
    rows = []
    for cohort in grid.cohorts:
        cells: list[dict[str, Any]] = []
        for cell in cohort.cells[1 : ages + 1]:
            if cell.value is None:
                cells.append({"text": "", "step": None})
                continue
            share = cell.value / highest if highest else 0
            cells.append(
                {
                    "text": typeset(Percent(cell.value, 0), language),
                    "step": min(int(share * 7), 6),
                    "partial": not cell.complete,
                }
            )
        rows.append(
            {
                "label": typeset(short(cohort.period), language),
                "size": typeset(Number(cohort.size, 0), language),
                "cells": cells,
            }
        )
    mean = [
        {"text": typeset(Percent(value, 0), language) if value is not None else "", "step": None}
        for value in grid.mean[1 : ages + 1]
    ]
    return {
        "title": _cohort_title(grid).text(language),
        "corner": msg("Cohort").text(language),
        "ages": [typeset(age(grid.grain, number), language) for number in range(1, ages + 1)],
        "rows": rows,
        "mean": mean,
        "notes": [note.text(language) for note in grid.notes],
    }


def _cohort_title(grid: CohortGrid) -> Any:
    """What the grid shows at the first age that it has a mean of."""
    known = [
        (number, value) for number, value in enumerate(grid.mean) if number and value is not None
    ]
    if not known:
        return msg("There is no complete cohort to compare yet.")
    number, value = known[min(2, len(known) - 1)]
    later = _SPANS[grid.grain](number)
    if grid.options["measure"] != "customers":
        return msg(
            "{share} of what cohorts first brought comes in again {later} later, on average",
            share=Percent(value, 0),
            later=later,
        )
    if grid.options["share_of"] == "previous":
        return msg(
            "{share} of those there a period before are still there after {later}, on average",
            share=Percent(value, 0),
            later=later,
        )
    if grid.options["presence"] == "on_or_after":
        return msg(
            "{share} of customers buy {later} later or after that, on average",
            share=Percent(value, 0),
            later=later,
        )
    return msg(
        "{share} of customers buy again {later} later, on average",
        share=Percent(value, 0),
        later=later,
    )


_SPANS: dict[Grain, Callable[[int], Message]] = {
    Grain.DAY: in_days,
    Grain.WEEK: lambda n: nmsg("{n} week", "{n} weeks", n),
    Grain.MONTH: lambda n: nmsg("{n} month", "{n} months", n),
    Grain.QUARTER: lambda n: nmsg("{n} quarter", "{n} quarters", n),
    Grain.YEAR: lambda n: nmsg("{n} year", "{n} years", n),
}


@answers("lifecycle")
def lifecycle(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """New, returning, resurrected and dormant customers; how long customers wait."""
    from revoir.metrics.activity import activity
    from revoir.periods import grain_named
    from revoir.reports import charts, sections
    from revoir.reports.frame import frame_of
    from revoir.reports.view import LIFECYCLE_EXPLAINED

    _needs_buyers(book)
    book = book.with_settings(activity=activity(book))
    frame = frame_of(book, grain_named(str(asked["grain"])) if asked.get("grain") else None)
    if frame is None:
        raise UsageError(
            msg("There are too few days in the data: they do not cover one whole period.")
        )
    life, gaps = sections.lifecycle_section(book, frame), sections.gaps_section(book)

    def words(language: str) -> dict[str, Any]:
        return {
            "explained": LIFECYCLE_EXPLAINED.text(language),
            "lifecycle": drawn.chart(charts.lifecycle(life, language), language, "life")
            if life
            else None,
            "gaps": drawn.chart(charts.gaps(gaps, language), language, "gaps") if gaps else None,
            "gaps_reason": gaps.reason.text(language) if gaps and gaps.reason else None,
        }

    return drawn.in_each(words)


# -- RFM ---------------------------------------------------------------------------------------
@answers("rfm")
def rfm(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The segments, their cut-offs, and who moved since an earlier day."""
    from revoir.periods import add_months
    from revoir.reports import sections
    from revoir.reports.headline import Maker
    from revoir.segments.rfm import movement
    from revoir.segments.rfm import rfm as score

    _needs_buyers(book)
    found = score(book)
    if found.reason is not None:
        raise UsageError(found.reason)
    currency = Maker(book, None).currency
    section = sections.rfm_section(found, currency)
    assert section is not None
    before = day_of(asked.get("before")) or add_months(book.as_of, -3)
    reason, moves = None, []
    if before < book.span[0]:
        reason = msg("There is nothing before {first}, when the data begin.", first=book.span[0])
    else:
        compared = movement(book, before)
        reason = compared.reason
        moves = [(move.before, move.after, move.customers) for move in compared.counts()]
    return drawn.in_each(
        lambda language: {
            **_rfm(section, language, currency),
            "before": drawn.texts([before], language)[0],
            "as_of": drawn.texts([book.as_of], language)[0],
            "movement_reason": reason.text(language) if reason else None,
            "moves": _moves(moves, language),
        },
        before=before.isoformat(),
        segments=[
            {
                "segment": row.key,
                "customers": row.customers,
                "share": row.share,
                "revenue": None if row.revenue is None else float(row.revenue),
            }
            for row in section.segments
        ],
        moves=moves,
    )


def _rfm(section: RfmSection, language: str, currency: str | None) -> dict[str, Any]:
    from revoir.reports import charts
    from revoir.reports.view import typeset

    def text(value: Any) -> str:
        return typeset(value, language)

    return {
        "map": drawn.chart(charts.rfm_map(section, language), language, "rfm"),
        "cutoffs": drawn.texts(section.cutoffs, language),
        "note": section.note.text(language) if section.note else None,
        "segments": [
            {
                "key": row.key,
                "label": text(row.label),
                "advice": text(row.advice),
                "customers": text(Number(row.customers, 0)),
                "share": text(Percent(row.share)),
                "revenue": "—" if row.revenue is None else text(Money(row.revenue, currency, 0)),
                "revenue_share": "—"
                if row.revenue_share is None
                else text(Percent(row.revenue_share)),
                "days": _whole(row.days_since_last, language),
                "frequency": _whole(row.frequency, language),
            }
            for row in section.segments
        ],
    }


def _whole(value: float | None, language: str) -> str:
    return "—" if value is None else drawn.texts([Number(value, 0)], language)[0]


def _moves(moves: list[tuple[str | None, str, int]], language: str) -> dict[str, Any]:
    """From which segment (down) to which (across), in customers."""
    from revoir.segments.names import SEGMENTS

    counts = {(before, after): count for before, after, count in moves}
    highest = max((n for (b, a), n in counts.items() if b != a), default=1)
    order = list(SEGMENTS)
    rows = []
    for before in [*order, None]:
        total = sum(count for (was, _), count in counts.items() if was == before)
        if not total:
            continue
        cells = []
        for after in order:
            count = counts.get((before, after), 0)
            stays = before == after
            step = None if stays or not count else min(int(count / highest * 7), 6)
            cells.append({"text": _whole(count, language) if count else "", "step": step})
        label = SEGMENTS[before].label if before else msg("not yet a customer")
        rows.append(
            {"label": label.text(language), "size": _whole(total, language), "cells": cells}
        )
    return {
        "title": msg("From which segment (down) customers went to which (across)").text(language),
        "corner": msg("Before").text(language),
        "ages": [SEGMENTS[key].label.text(language) for key in order],
        "rows": rows,
    }


# -- Segments by rule --------------------------------------------------------------------------
@answers("segment")
def segment(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """How many customers meet a rule."""
    from revoir.segments.features import customer_count
    from revoir.segments.rules import matching_count

    count, total = matching_count(book, str(asked.get("rule", ""))), customer_count(book)
    share = count / total if total else None
    return drawn.in_each(
        lambda language: {
            "count": _whole(count, language),
            "share": "—" if share is None else drawn.texts([Percent(share)], language)[0],
        },
        count=count,
        total=total,
        share=share,
    )


@answers("comparison")
def comparison(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a segment beside those of everybody, over the last twelve months."""
    from revoir.metrics.activity import activity
    from revoir.metrics.evaluate import lacking
    from revoir.metrics.registry import measure, metric_named
    from revoir.reports.figures import quantity
    from revoir.reports.frame import frame_of
    from revoir.reports.headline import Maker
    from revoir.reports.view import typeset

    book = book.with_settings(activity=activity(book))
    frame = frame_of(book)
    if frame is None:
        raise UsageError(
            msg("There are too few days in the data: they do not cover one whole period.")
        )
    currency = Maker(book, frame).currency
    rule = str(asked.get("rule", ""))
    found = []
    for name in COMPARED:
        metric = metric_named(name)
        if lacking(book, metric) is not None:
            continue
        start, end = frame.stay.start, frame.stay.end
        of_rule = measure(book, name, start=start, end=end, where=rule).figures
        of_all = measure(book, name, start=start, end=end).figures
        found.append((metric, of_rule[0] if of_rule else None, of_all[0] if of_all else None))

    def words(language: str) -> dict[str, Any]:
        from revoir.reports.wording import named

        def shown(metric: Any, figure: Any) -> str:
            if figure is None or figure.value is None:
                return "—"
            return typeset(quantity(figure.value, metric.unit, currency), language)

        return {
            "period": named(frame.stay).text(language),
            "rows": [
                [metric.label.text(language), shown(metric, own), shown(metric, every)]
                for metric, own, every in found
            ],
            "names": [metric.name for metric, _, _ in found],
        }

    return drawn.in_each(words)


@answers("members")
def members(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The customers who meet a rule, a page at a time."""
    from revoir.segments.rules import matching_count

    first = max(0, int(asked.get("page", 1)) - 1) * MEMBERS_PAGE
    found = book.rows(_members(book, asked).limit(MEMBERS_PAGE, offset=first))
    rows = [
        {
            "id": row["customer_id"],
            "last": row["last_day"].isoformat() if row["last_day"] else None,
            "days": row["days"],
            "amount": None if row["amount"] is None else float(row["amount"]),
        }
        for row in found
    ]
    count = matching_count(book, str(asked.get("rule", "")))
    return drawn.in_each(
        lambda language: {},
        count=count, rows=rows, first=first,
        currency=book.currency, mixed=len(book.currencies) > 1,
    )  # fmt: skip


@answers("members-file")
def members_file(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """All customers who meet a rule, in a file of the data folder."""
    number, total = files.write_rows(book, _members(book, asked))
    return drawn.in_each(lambda language: {}, file=number, total=total)


def _members(book: Book, asked: Mapping[str, Any]) -> ir.Table:
    """The customers who meet a rule with what they bought, those who bought for most first.

    Amounts in several currencies cannot be added up: `amount` is null, and those who bought on most
    days stand first.
    """
    import ibis

    from revoir.segments.rules import customers_matching

    matching = customers_matching(book, str(asked.get("rule", "")))
    if not book.has("orders", "customer_id"):
        nothing = {"last_day": "date", "days": "int64", "amount": "float64"}
        bare = {name: ibis.null().cast(kind) for name, kind in nothing.items()}
        return matching.select("customer_id", **bare).order_by("customer_id")
    last = book.purchases.filter(book.purchases.next_day.isnull())
    amount = ibis.null("float64") if len(book.currencies) > 1 else last.amount_so_far
    known = last.select(
        bought__id=last.customer_id, last_day=last.day, days=last.nth, amount=amount
    )
    joined = matching.left_join(known, matching.customer_id == known.bought__id)
    most = (column.desc(nulls_first=False) for column in (joined.amount, joined.days))
    joined = joined.order_by(*most, joined.customer_id)
    return joined.select("customer_id", "last_day", "days", "amount")


# -- What if -----------------------------------------------------------------------------------
@answers("what-if")
def what_if(book: Book, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers that scenarios start from."""
    from revoir.metrics.value import DAYS_A_YEAR
    from revoir.reports.view import what_if_explained
    from revoir_web.insights.figures import GROUPS_OF_DASHBOARD, groupings, report_of

    # The one of the dashboard, which is made already.
    report = report_of(book, None, groupings(book)[:GROUPS_OF_DASHBOARD])
    base = report.what_if
    if base is None:
        raise UsageError(report.missing.get("what_if", msg("There is not enough data.")))
    return drawn.in_each(
        lambda language: {
            "explained": what_if_explained(base, report.currency).text(language),
            "formula": base.formula.text(language),
            "notes": [base.notes[0].text(language)],
            "claims": _claims(base, language),
        },
        at_start=base.at_start,
        retention=base.retention,
        revenue=base.revenue,
        spend=base.spend,
        margin=base.margin,
        acquisition_cost=base.acquisition_cost,
        years=base.period.days / DAYS_A_YEAR,
        currency=report.currency,
    )


def _claims(base: WhatIf, language: str) -> list[dict[str, Any]]:
    return [
        {
            "claim": claim.claim.text(language),
            "source": claim.source,
            "url": claim.url,
            "criticism": claim.criticism.text(language),
            "critic": claim.critic,
            "critic_url": claim.critic_url,
        }
        for claim in base.claims
    ]


def _needs_buyers(book: Book) -> None:
    if not book.has("orders", "customer_id"):
        raise UsageError(
            msg("The data hold no orders of known customers."),
            remedy=msg("Import orders with their customer, date and amount."),
        )
