"""What happened with a customer, and parts of their page: other apps bring both.

Apps below must not import those above: whoever has facts (`insights` has the lake) or something
to show beside a profile (`consents` has consents) registers it here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Mapping, Sequence
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
    comes there from `verbatims`, by the fact's `id`.
    """

    def __call__(
        self,
        customer_ids: Sequence[str],
        *,
        limit: int,
        before: dt.datetime | None,
        kinds: Container[str] | None,
    ) -> Sequence[Mapping[str, Any]]:
        """The last facts of some kinds (None: of all) before a moment (None: of any time)."""


@dataclass(frozen=True)
class Owned:
    """A product that a customer has.

    Attributes:
        product: What it is called.
        quantity: How many, less those that came back.
        since: The day on which it was bought last.
        due: The day on which an upgrade is due (None: not known).
    """

    product: str
    quantity: float
    since: dt.date
    due: dt.date | None


class Owning(Protocol):
    """What customers own, that bought last first."""

    def __call__(self, customer_ids: Sequence[str]) -> Sequence[Owned]:
        """What one customer owns, who may have several ids."""


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
_OWNING: list[Owning] = []
_PANELS: dict[str, Panel] = {}
P = TypeVar("P", bound=Provider)


def provide(provider: P) -> P:
    """Register a provider of facts; usable as a decorator."""
    if provider not in _PROVIDERS:
        _PROVIDERS.append(provider)
    return provider


def provide_owned(provider: Owning) -> None:
    """Register who knows what customers own."""
    if provider not in _OWNING:
        _OWNING.append(provider)


def owned(customer_ids: Sequence[str]) -> list[Owned]:
    """What a customer owns, that bought last first.

    Args:
        customer_ids: One customer, with those merged into them.
    """
    return [held for provider in _OWNING for held in provider(customer_ids)]


def show(panel: Panel) -> None:
    """Register a part of the page."""
    _PANELS[panel.name] = panel


def panels() -> Sequence[Panel]:
    """Every part, in the order of registration."""
    return list(_PANELS.values())


def facts(
    customer_ids: Sequence[str],
    *,
    limit: int,
    before: dt.datetime | None = None,
    kinds: Container[str] | None = None,
) -> list[Mapping[str, Any]]:
    """What happened with customers in every channel, newest first, what has no day at the end.

    Args:
        customer_ids: One customer, with those merged into them.
        limit: How many at most.
        before: Only what happened before (None: all).
        kinds: Only facts of these kinds (None: all).

    Returns:
        The facts, their moments (`at`) with a time zone; None where the data do not say when.
    """
    found: list[Mapping[str, Any]] = []
    for provider in _PROVIDERS:
        for fact in provider(customer_ids, limit=limit, before=before, kinds=kinds):
            found.append({**fact, "at": aware(fact["at"])})
    found.sort(key=moment_of, reverse=True)
    return verbatims.beside(found[:limit], customer_ids)


def moment_of(fact: Mapping[str, Any]) -> dt.datetime:
    """By which facts are ordered: when it was, or the beginning of time where nobody knows."""
    at: dt.datetime | None = fact["at"]
    return _BEGINNING if at is None else at


_BEGINNING = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


def aware(at: dt.date | dt.datetime | None) -> dt.datetime | None:
    """A day or a moment as one with a time zone; None where there is none."""
    if at is None:
        return None
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time())
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
