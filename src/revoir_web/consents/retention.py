"""The clock of how long persons are kept: announced first, erased later, stopped by any contact."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate

from revoir.language import msg
from revoir_web.common.models import Company
from revoir_web.consents.erasure import PART, erase_persons
from revoir_web.consents.models import Consent, Erasure, RetentionRule
from revoir_web.customers.models import Customer, CustomerFigures, Note


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of an earlier month, or its last.

    Examples:
        >>> months_before(dt.date(2024, 3, 31), 1)
        datetime.date(2024, 2, 29)
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def overdue(rule: RetentionRule, today: dt.date) -> QuerySet[CustomerFigures]:
    """Persons whose last contact is longer ago than the rule allows.

    A contact is a purchase, a fact of the lake that computation calls one, a consent, a note, what
    somebody said was one (`kept_on`), or the day on which the person became known.

    Args:
        rule: The rule.
        today: The day that counts.
    """
    said = (
        Consent.objects.filter(customer=OuterRef("pk"))
        .order_by()
        .values("customer")
        .annotate(last=Max("at"))
        .values("last")
    )
    written = (
        Note.objects.filter(customer=OuterRef("pk"))
        .order_by()
        .values("customer")
        .annotate(last=Max("created_at"))
        .values("last")
    )
    rows = CustomerFigures.objects.annotate(
        # What is not known of the beginning is taken as the day the row came in.
        begun=Coalesce(F("customer__created_on"), TruncDate(F("customer__added_at"))),
        last_seen=Coalesce(F("last_contact_on"), F("last_on"), F("begun")),
        said=Subquery(said),
        written=Subquery(written),
    )
    clocks = Q(orders=0) & _silent_since(months_before(today, rule.prospect_months))
    if rule.customer_months:
        clocks |= Q(orders__gt=0) & _silent_since(months_before(today, rule.customer_months))
    return rows.filter(clocks)


def _silent_since(day: dt.date) -> Q:
    """Whether the last contact was before a day."""
    begin = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    return (
        Q(last_seen__lt=day)
        & (Q(said=None) | Q(said__lt=begin))
        & (Q(written=None) | Q(written__lt=begin))
        & (Q(last_on=None) | Q(last_on__lt=day))
        & (Q(customer__kept_on=None) | Q(customer__kept_on__lt=day))
    )


def tick(job: Any = None, *, today: dt.date | None = None) -> dict[str, int]:
    """Announce erasures, take back those that something stopped, and do those whose day has come.

    Args:
        job: Who is told how far it is.
        today: The day that counts (None: today, at the company's place).

    Returns:
        How many were announced, kept and erased.
    """
    today = today or Company.current().today
    rule = RetentionRule.current()
    announced = Customer.objects.filter(erase_on__isnull=False)
    if not rule.enabled:
        return {"announced": 0, "kept": announced.update(erase_on=None), "erased": 0}
    over = overdue(rule, today).values_list("pk", flat=True)
    kept = announced.exclude(pk__in=over).update(erase_on=None)
    fresh = Customer.objects.filter(pk__in=over, erase_on=None, erased_at=None)
    count = fresh.update(erase_on=today + dt.timedelta(days=rule.notice_days))
    erased = 0
    due = Customer.objects.filter(erase_on__lte=today, erased_at=None)
    total = due.count()
    while part := list(due.order_by("pk")[:PART]):
        erased += len(erase_persons(customers=part, reason=Erasure.Reason.RETENTION))
        if job is not None:
            job.progress(erased, total, msg("Erasing persons whose time is over"))
    return {"announced": count, "kept": kept, "erased": erased}
