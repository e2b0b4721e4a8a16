"""Words, figures and dates of pages; these tags are there in every template."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone

from revoir.language import Message, Money, Number, Percent, written
from revoir_web.common import jobs, rights
from revoir_web.common.models import Job
from revoir_web.common.words import from_json, language

register = template.Library()
_Figure = int | float | Decimal


@register.simple_tag
def words(message: Message | dict[str, Any] | str | None) -> str:
    """``{% words message %}``: a core message (or its JSON) in the reader's language."""
    if isinstance(message, dict):
        message = from_json(message)
    return "" if message is None else written(message, language())


@register.filter
def percent(value: _Figure | None, digits: int = 1) -> str:
    """``{{ share|percent }}``: 0.713 is 71.3%."""
    return "—" if value is None else written(Percent(float(value), digits), language())


@register.filter
def money(value: _Figure | None, currency: str | None = None) -> str:
    """``{{ amount|money:"EUR" }}``."""
    return "—" if value is None else written(Money(value, currency), language())


@register.filter
def number(value: _Figure | None, digits: int | None = None) -> str:
    """``{{ count|number }}``, ``{{ score|number:1 }}``."""
    if value is None:
        return "—"
    return written(value if digits is None else Number(float(value), digits), language())


@register.filter
def day(value: dt.date | None) -> str:
    """``{{ date|day }}``: 12/03/2024, 12 Mar 2024."""
    if value is None:
        return "—"
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return written(value, language())


@register.filter
def moment(value: dt.datetime | None) -> str:
    """``{{ instant|moment }}``: 12/03/2024 à 12 h 30, 12 Mar 2024, 12:30."""
    if value is None:
        return "—"
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    if language() == "fr":
        # A time is not broken over two lines.
        return f"{written(local.date(), 'fr')} à {local:%H}\xa0h\xa0{local:%M}"
    return f"{written(local.date(), 'en')}, {local:%H:%M}"


@register.filter
def may(user: Any, right: str) -> bool:
    """``{% if user|may:"edit_goals" %}``."""
    return rights.may(user, rights.Right(right))


@register.filter
def may_start(user: Any, job: Job) -> bool:
    """``{% if user|may_start:job %}``: whether they may have it done again."""
    return jobs.may_start(user, job)


@register.filter
def may_stop(user: Any, job: Job) -> bool:
    """``{% if user|may_stop:job %}``."""
    return jobs.may_stop(user, job)


@register.filter
def invalid(bound: Any) -> Any:
    """A form field drawn with the marks that screen readers need."""
    attributes = {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    named = [f"{bound.auto_id}-help"] if bound.help_text else []
    named += [f"{bound.auto_id}-errors"] if bound.errors else []
    if named:
        attributes["aria-describedby"] = " ".join(named)
    return bound.as_widget(attrs=attributes)


@register.filter
def as_shown(bound: Any) -> Any:
    """What a form field shows, to be sent along with what is typed into it."""
    return bound.as_hidden(only_initial=True)
