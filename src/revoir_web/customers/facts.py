"""What happened with a customer, and parts of their page: other apps bring both.

Apps below must not import those above: whoever has facts (`insights` has the lake) or something
to show beside a profile (`consents` has consents) registers it here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.http import HttpRequest

from revoir_web.customers import verbatims
from revoir_web.customers.models import Customer


class Provider(Protocol):
    """Facts of customers, newest first.

    Each is a mapping of `at` (moment, UTC), `kind` (order, product, event, response, interaction,
    subscription, …), `title` (a Message or text), `amount`, `currency` and `details`. Free text of
    a person stands in `details["text"]` alone. What customers said of an answer or a contact
    comes there from `verbatims`, by the fact's `id`. Of a product, `details` may hold `product`,
    `quantity` and `upgrade_on`.
    """

    def __call__(
        self, customer_ids: Sequence[str], *, limit: int, before: dt.datetime | None
    ) -> Sequence[Mapping[str, Any]]:
        """The last facts before a moment (None: before now and after)."""


@dataclass(frozen=True)
class Panel:
    """A part of the page of a customer.

    Attributes:
        name: Identifies it.
        template: Draws it, with `panel` (what `context` gave) and `customer`.
        context: Request and customer → what the template needs.
        first: Whether it stands above everything else, also of somebody who was erased.
    """

    name: str
    template: str
    context: Callable[[HttpRequest, Customer], Mapping[str, Any]]
    first: bool = False


_PROVIDERS: list[Provider] = []
_PANELS: dict[str, Panel] = {}
P = TypeVar("P", bound=Provider)


def provide(provider: P) -> P:
    """Register a provider of facts; usable as a decorator."""
    if provider not in _PROVIDERS:
        _PROVIDERS.append(provider)
    return provider


def show(panel: Panel) -> None:
    """Register a part of the page."""
    _PANELS[panel.name] = panel


def panels() -> Sequence[Panel]:
    """Every part, in the order of registration."""
    return list(_PANELS.values())


def facts(
    customer_ids: Sequence[str], *, limit: int, before: dt.datetime | None = None
) -> list[Mapping[str, Any]]:
    """What happened with customers in every channel, newest first.

    Args:
        customer_ids: One customer, with those merged into them.
        limit: How many at most.
        before: Only what happened before (None: all).

    Returns:
        The facts, their moments with a time zone.
    """
    found: list[Mapping[str, Any]] = []
    for provider in _PROVIDERS:
        for fact in provider(customer_ids, limit=limit, before=before):
            found.append({**fact, "at": _moment(fact["at"])})
    found.sort(key=lambda fact: fact["at"], reverse=True)
    return verbatims.beside(found[:limit], customer_ids)


def _moment(at: dt.date | dt.datetime) -> dt.datetime:
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time())
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
