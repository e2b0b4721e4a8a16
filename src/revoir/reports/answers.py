"""The first screen: three questions, answered from the figures, and three things to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from revoir.language import Message, Money, Percent, in_days, msg, nmsg
from revoir.reports.figures import Kpi
from revoir.reports.insights import MANY, gone_silent, of_breakdown, of_leavers
from revoir.reports.leavers import REGULAR_DAYS
from revoir.reports.model import (
    Action,
    Answer,
    Breakdown,
    Leavers,
    Reasons,
    RfmSection,
    SegmentRow,
)
from revoir.reports.wording import during, in_points

KEEPING = msg("Am I keeping my customers?")
LEAVING = msg("Who is leaving, and why?")
MONDAY = msg("What do I do on Monday morning?")

ACTIONS_MAX = 3

WIDE = 0.2
"""An interval as wide as this is said with the rate."""

FEW = 0.02
"""What concerns a smaller share of the active customers comes after what concerns more."""


@dataclass(frozen=True)
class Detractors:
    """Who scored 6 or less.

    Attributes:
        customers: How many customers they are (None: answers do not name them all).
        comments: How many of their answers say something in words.
        rule: Who they are, as a rule of segments (None: answers do not name them all).
    """

    customers: int | None = None
    comments: int = 0
    rule: str | None = None


def keeping(kpis: Mapping[str, Kpi], missing: Message | None = None) -> Answer:
    """Answer “Am I keeping my customers?”.

    Args:
        kpis: The headline figures.
        missing: Why there is no retention rate.
    """
    kpi = kpis.get("retention")
    if kpi is None or kpi.point is None or kpi.value is None or kpi.point.numerator is None:
        known = kpi.reason if kpi is not None else missing
        reason = known or msg("The data do not say.")
        sentences = [msg("There is not enough data to tell. {reason}", reason=reason)]
        nps = kpis.get("nps")
        if nps is not None and nps.value is not None:
            sentences.append(
                nmsg(
                    "What customers say they would do: the Net Promoter Score is {value} ({n}"
                    " answer).",
                    "What customers say they would do: the Net Promoter Score is {value} ({n}"
                    " answers).",
                    int(nps.n or 0),
                    value=nps.shown(),
                )
            )
        return Answer(KEEPING, "unknown", tuple(sentences), ("headline.retention",))
    point = kpi.point
    when = during(point.period) if point.period else msg("over the period of the file")
    sentences = [
        msg(
            "You kept {share} of your customers {when}: {kept} of {start}.",
            share=Percent(kpi.value),
            when=when,
            kept=int(point.numerator or 0),
            start=int(point.denominator or 0),
        )
    ]
    sentences += _of_few(kpi)
    sentences += _compared(kpi)
    sentences += _against_goal(kpi)
    return Answer(KEEPING, _verdict(kpi), tuple(sentences), ("headline.retention",))


def _verdict(kpi: Kpi) -> str:
    change = kpi.year_before or kpi.previous
    if change is None or change.clear is None:
        if kpi.goal is None or kpi.within_error:
            return "unknown"
        return "better" if kpi.goal.met else "worse"
    if not change.clear:
        return "steady"
    return "better" if change.difference > 0 else "worse"


def _of_few(kpi: Kpi) -> list[Message]:
    """How little a rate of few customers says."""
    point = kpi.point
    if point is None or point.low is None or point.high is None or point.high - point.low < WIDE:
        return []
    return [
        nmsg(
            "With {n} customer, chance alone could put it anywhere between {low} and {high}.",
            "With {n} customers, chance alone could put it anywhere between {low} and {high}.",
            int(point.denominator or 0),
            low=Percent(point.low, 0),
            high=Percent(point.high, 0),
        )
    ]


def _compared(kpi: Kpi) -> list[Message]:
    change = kpi.year_before or kpi.previous
    if change is None:
        return []
    before, base = during(change.against), Percent(change.base)
    if not change.clear:
        return [
            msg(
                "That is not clearly different from {base} {before}: the difference may be chance.",
                base=base,
                before=before,
            )
        ]
    template = (
        msg("That is {points} more than {before} ({base}).")
        if change.difference > 0
        else msg("That is {points} less than {before} ({base}).")
    )
    return [
        Message(
            template.msgid,
            {"points": in_points(change.value, change.base), "before": before, "base": base},
        )
    ]


def _against_goal(kpi: Kpi) -> list[Message]:
    if kpi.goal is None or kpi.value is None:
        return []
    goal = kpi.goal_shown()
    if kpi.goal.met and kpi.within_error:
        return [msg("The goal of {goal} is met, within the margin of error.", goal=goal)]
    if kpi.goal.met:
        return [msg("The goal of {goal} is met.", goal=goal)]
    if kpi.within_error:
        return [msg("You are below the goal of {goal}, but within the margin of error.", goal=goal)]
    missing = in_points(kpi.goal.value, kpi.value)
    return [msg("The goal of {goal} is {points} away.", goal=goal, points=missing)]


def leaving(
    kpis: Mapping[str, Kpi],
    left: Leavers | None,
    reasons: Reasons | None,
    breakdowns: Iterable[Breakdown] = (),
) -> Answer:
    """Answer “Who is leaving, and why?”.

    Args:
        kpis: The headline figures.
        left: Who left.
        reasons: Why customers left (None: the data do not say).
        breakdowns: The retention rate by group, told where purchases do not say who left.
    """
    sentences: list[Message] = []
    figures: list[str] = []
    if left is not None and left.lost and left.purchases_alone:
        sentences += _lost_sentences(left)
        figures += ["leavers.once", "leavers.again"]
    else:
        lost = kpis.get("retention")
        if lost is not None and lost.parts.get("lost") and lost.point is not None:
            when = during(lost.point.period) if lost.point.period else msg("in the file's period")
            sentences.append(_lost_of(int(lost.parts["lost"]), lost.point.denominator, when))
            figures.append("headline.retention")
        if left is not None:
            sentences += [insight.text for insight in of_leavers(left)]
            figures += ["leavers.once", "leavers.again"]
        for breakdown in breakdowns:
            sentences += [insight.text for insight in of_breakdown(breakdown)]
            figures.append(f"breakdowns.{breakdown.column}")
    if not sentences and left is not None and left.present and not left.lost:
        sentences.append(
            nmsg(
                "Nobody left {when}: {n} customer was active and still is.",
                "Nobody left {when}: all {n} active customers still are.",
                left.present,
                when=during(left.period),
            )
        )
        return Answer(LEAVING, "fact", tuple(sentences), ("leavers.once", "leavers.again"))
    if reasons is not None:
        top, count = reasons.rows[0]
        sentences.append(
            nmsg(
                "The reason given most, in all of the data, is “{reason}”: {n} departure of"
                " {total} that have one.",
                "The reason given most, in all of the data, is “{reason}”: {n} departures of"
                " {total} that have one.",
                count,
                reason=top,
                total=reasons.total,
            )
        )
        figures.append("reasons")
    elif sentences:
        sentences.append(
            msg("Your data do not say why they left: ask those who leave, in one question.")
        )
    if not sentences:
        return Answer(LEAVING, "unknown", (msg("Your data do not tell who leaves."),))
    return Answer(LEAVING, "fact", tuple(sentences), tuple(figures))


def _lost_of(lost: int, present: float | None, when: Message) -> Message:
    """How many were lost, and of how many where that is known."""
    if not present:
        return nmsg(
            "You lost {n} customer {when}.", "You lost {n} customers {when}.", lost, when=when
        )
    return nmsg(
        "You lost {n} customer of {present} {when}.",
        "You lost {n} customers of {present} {when}.",
        lost,
        when=when,
        present=int(present),
    )


def _lost_sentences(left: Leavers) -> list[Message]:
    share = left.once.lost / left.lost
    sentences = [_lost_of(left.lost, left.present, during(left.period))]
    if share < MANY and left.once.present:
        sentences.append(
            msg("{share} of them had bought several times.", share=Percent(1 - share, 0))
        )
    elif left.once_leave_more and left.once.rate is not None and left.again.rate is not None:
        sentences.append(
            msg(
                "{share} of them had bought only once: {once} of those customers left, against"
                " {again} of the customers who had come back.",
                share=Percent(share, 0),
                once=Percent(left.once.rate, 0),
                again=Percent(left.again.rate, 0),
            )
        )
    elif left.once.lost:
        sentences.append(msg("{share} of them had bought only once.", share=Percent(share, 0)))
    return sentences


def actions_of(
    left: Leavers | None,
    rfm: RfmSection | None,
    kpis: Mapping[str, Kpi],
    currency: str | None,
    *,
    anonymous_share: float | None,
    reasons: Reasons | None = None,
    stops: dt.date | None = None,
    detractors: Detractors | None = None,
    window_days: int | None = None,
) -> tuple[Action, ...]:
    """Three things to do; what concerns hardly anybody comes last.

    Args:
        left: Who left.
        rfm: The segments.
        kpis: The headline figures.
        currency: ISO 4217 currency of amounts.
        anonymous_share: The share of sales without a customer.
        reasons: Why customers left (None: the data do not say).
        stops: The last day of data that end long before the report (None: they do not).
        detractors: Who scored 6 or less (None: the data hold no answers).
        window_days: How long a purchase keeps a customer active.
    """
    rows = {row.key: row for row in rfm.segments} if rfm is not None else {}
    nps = kpis.get("nps")
    found = [
        action
        for action in (
            _catch(left, currency),
            _second_purchase(left),
            _call_detractors(nps, detractors or Detractors())
            if nps is not None
            and nps.parts.get("detractors")
            and (detractors is None or detractors.customers != 0)
            else None,
            _win_back(rows, currency, window_days) if stops is None else None,
            _remind(rows, currency, window_days) if stops is None else None,
            _thank(rows),
        )
        if action is not None
    ]
    found.sort(key=lambda action: _concerns_few(action, left))
    if stops is not None:
        found.insert(0, _refresh(stops))
    if anonymous_share is not None and anonymous_share >= 0.2:
        found.insert(1, _name_the_till(anonymous_share))
    if reasons is not None:
        found.append(_mend(reasons))
    elif _lost(kpis.get("retention"), left):
        found.append(
            Action(
                title=msg("Ask those who leave why, in one question."),
                why=msg(
                    "Your data say who leaves, but not why: without reasons, nobody can mend the"
                    " cause."
                ),
                customers=left.lost if left is not None else None,
                stake=None,
                segment=None,
                figures=("headline.retention",),
            )
        )
    return tuple(found[:ACTIONS_MAX])


def _concerns_few(action: Action, left: Leavers | None) -> bool:
    """Whether hardly any of the active customers are concerned."""
    if action.customers is None or left is None:
        return False
    return action.customers < FEW * left.present


def _lost(retention: Kpi | None, left: Leavers | None) -> bool:
    """Whether the data say that anybody left."""
    if left is not None and left.lost:
        return True
    point = retention.point if retention is not None else None
    if point is None or point.value is None or point.numerator is None:
        return False
    return (point.denominator or 0) > point.numerator


def _catch(left: Leavers | None, currency: str | None) -> Action | None:
    if left is None or not left.late or left.late_after_days >= left.window_days:
        return None
    return Action(
        title=nmsg(
            "Call {n} regular customer who has been silent for {days} or more.",
            "Call or write to {n} regular customers who have been silent for {days} or more.",
            left.late,
            days=in_days(left.late_after_days),
        ),
        why=msg(
            "Three repeat purchases in four come sooner, and after {window} days these customers"
            " count as lost.",
            window=left.window_days,
        )
        if left.late_amount is None
        else msg(
            "Three repeat purchases in four come sooner, and after {window} days these customers"
            " count as lost. They have bought for {stake} so far.",
            window=left.window_days,
            stake=Money(round(left.late_amount), currency, 0),
        ),
        customers=left.late,
        stake=left.late_amount,
        segment=None,
        figures=("leavers.late", "gaps.third_quartile"),
        rule=f"purchase_days >= {REGULAR_DAYS} and "
        + _silent_for(left.late_after_days, left.window_days),
    )


def _second_purchase(left: Leavers | None) -> Action | None:
    if left is None or not left.due:
        return None
    return Action(
        title=nmsg(
            "Propose a second purchase to the {n} customer who bought once, {days} ago or more.",
            "Propose a second purchase to the {n} customers who bought once, {days} ago or more.",
            left.due,
            days=in_days(left.due_after_days),
        ),
        why=nmsg(
            "Half of those who come back do so within {n} day: these customers are still yours,"
            " but late.",
            "Half of those who come back do so within {n} days: these customers are still yours,"
            " but late.",
            left.due_after_days,
        ),
        customers=left.due,
        stake=None,
        segment=None,
        figures=("leavers.due", "gaps.median"),
        rule="purchase_days = 1 and " + _silent_for(left.due_after_days, left.window_days),
    )


def _silent_for(days: int, window_days: int) -> str:
    """The rule of who bought nothing for some days, and is not lost yet."""
    return f"days_since_last between {days} and {window_days - 1}"


def _silent(row: SegmentRow, days_since_last: float, currency: str | None) -> Message:
    """What a segment that stopped buying brought, where it can be added up, and since when."""
    days = round(days_since_last)
    if row.revenue is None:
        return nmsg(
            "Half of them have not bought for {n} day or more.",
            "Half of them have not bought for {n} days or more.",
            days,
        )
    return nmsg(
        "They brought {stake} so far; half of them have not bought for {n} day or more.",
        "They brought {stake} so far; half of them have not bought for {n} days or more.",
        days,
        stake=Money(round(row.revenue), currency, 0),
    )


def _win_back(
    rows: Mapping[str, SegmentRow], currency: str | None, window_days: int | None
) -> Action | None:
    row = rows.get("cannot_lose_them")
    if row is None or row.days_since_last is None or not gone_silent(row, window_days):
        return None
    return Action(
        title=nmsg(
            "Call {n} very good customer who has gone silent.",
            "Call {n} very good customers who have gone silent.",
            row.customers,
        ),
        why=_silent(row, row.days_since_last, currency),
        customers=row.customers,
        stake=row.revenue,
        segment=row.key,
        figures=("rfm.cannot_lose_them",),
    )


def _remind(
    rows: Mapping[str, SegmentRow], currency: str | None, window_days: int | None
) -> Action | None:
    row = rows.get("at_risk")
    if row is None or row.days_since_last is None or not gone_silent(row, window_days):
        return None
    return Action(
        title=nmsg(
            "Write by name to {n} customer at risk, with a reason to come back.",
            "Write by name to {n} customers at risk, with a reason to come back.",
            row.customers,
        ),
        why=_silent(row, row.days_since_last, currency),
        customers=row.customers,
        stake=row.revenue,
        segment=row.key,
        figures=("rfm.at_risk",),
    )


def _thank(rows: Mapping[str, SegmentRow]) -> Action | None:
    row = rows.get("champions")
    if row is None or not row.customers:
        return None
    return Action(
        title=nmsg(
            "Thank your {n} best customer and ask for a recommendation.",
            "Thank your {n} best customers and ask them to recommend you.",
            row.customers,
        ),
        why=msg("They are {share} of your customers.", share=Percent(row.share, 0))
        if row.revenue_share is None
        else msg(
            "They are {share} of your customers and brought {revenue} of what customers ever"
            " bought.",
            share=Percent(row.share, 0),
            revenue=Percent(row.revenue_share, 0),
        ),
        customers=row.customers,
        stake=row.revenue,
        segment=row.key,
        figures=("rfm.champions",),
    )


def _call_detractors(nps: Kpi, detractors: Detractors) -> Action:
    customers = detractors.customers
    if customers is not None:
        title = nmsg(
            "Answer the {n} customer who scored 6 or less.",
            "Answer the {n} customers who scored 6 or less.",
            customers,
        )
    else:
        title = nmsg(
            "Follow up {n} answer with a score of 6 or less.",
            "Follow up {n} answers with a score of 6 or less.",
            int(nps.parts["detractors"]),
        )
    return Action(
        title=title,
        why=nmsg(
            "{n} of these answers says why in words; an answer from you may keep the customer.",
            "{n} of these answers say why in words; an answer from you may keep the customer.",
            detractors.comments,
        )
        if detractors.comments
        else msg("An answer from you may keep the customer."),
        customers=customers,
        stake=None,
        segment=None,
        figures=("headline.nps",),
        rule=detractors.rule,
    )


def _refresh(last: dt.date) -> Action:
    return Action(
        title=msg("Make the report again with the orders made since {last}.", last=last),
        why=msg("Without them, nobody can tell who still buys."),
        customers=None,
        stake=None,
        segment=None,
        figures=("quality",),
    )


def _mend(reasons: Reasons) -> Action:
    top, count = reasons.rows[0]
    return Action(
        title=msg("Work on the reason given most by those who leave: “{reason}”.", reason=top),
        why=nmsg(
            "{n} departure of {total} with a reason names it ({share}).",
            "{n} departures of {total} with a reason name it ({share}).",
            count,
            total=reasons.total,
            share=Percent(count / reasons.total, 0),
        ),
        customers=count,
        stake=None,
        segment=None,
        figures=("reasons",),
    )


def _name_the_till(share: float) -> Action:
    if share == 1:
        return Action(
            title=msg("Tell which column of your file names the customer."),
            why=msg(
                "No purchase that was read says who bought. If a column does, give it the meaning"
                " customer_id; if none does, ask for a name or a card at the till."
            ),
            customers=None,
            stake=None,
            segment=None,
            figures=("quality",),
        )
    return Action(
        title=msg("Ask for a name or a card at the till."),
        why=msg(
            "{share} of your sales are anonymous: nobody can tell whether those customers come"
            " back.",
            share=Percent(share, 0),
        ),
        customers=None,
        stake=None,
        segment=None,
        figures=("quality",),
    )
