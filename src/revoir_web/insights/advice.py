"""What to do with a customer now, by the rules of the core: alerts, predictions and consents.

Alerts are an app above this one: it registers here what it knows of a customer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from revoir.language import Message, in_turn, msg
from revoir.models.because import why
from revoir.signals.next_actions import (
    NEWS,
    SERVICE,
    UNMEASURED,
    Action,
    Advice,
    Known,
    Likely,
    OpenAlert,
    Owned,
    Reach,
    advise,
)
from revoir_web.common import words
from revoir_web.common.models import Company
from revoir_web.consents.models import Channel
from revoir_web.consents.queries import barred_from_contact, ways
from revoir_web.customers.models import Customer
from revoir_web.insights.models import PredictionRun

__all__ = ["UNMEASURED", "Action", "OpenAlert", "Watched", "of_customer", "watched_by"]


@dataclass(frozen=True)
class Watched:
    """What is known of the alerts of a customer.

    Attributes:
        alerts: Those that are to be seen to.
        put_off_until: The day that the first one that was put off comes back.
        handled_on: The day that somebody last closed one with an outcome.
    """

    alerts: tuple[OpenAlert, ...] = ()
    put_off_until: dt.date | None = None
    handled_on: dt.date | None = None


Watch = Callable[[Customer, Company], Watched]
_WATCHES: list[Watch] = []


def watched_by(watch: Watch) -> Watch:
    """Register what knows of alerts; usable as a decorator."""
    if watch not in _WATCHES:
        _WATCHES.append(watch)
    return watch


def of_customer(
    customer: Customer,
    run: PredictionRun | None,
    told: Mapping[str, Any] | None,
    *,
    company: Company | None = None,
) -> Advice:
    """What to do with a customer now.

    Args:
        customer: Whom.
        run: The last run of predictions (None: there is none).
        told: What it says of the customer, as `foresight.of_customer` gives it.
        company: The company (None: it is read).
    """
    company = company or Company.current()
    barred = barred_from_contact(customer)
    if barred is not None:
        return advise(Known(company.today, barred=barred))
    facts: Mapping[str, Any] = run.facts if run is not None else {}
    reach = ways(customer, (SERVICE, NEWS))
    alerts = [watch(customer, company) for watch in _WATCHES]
    names = ("leaves", "worth", "stake", "next_on", "low_on", "high_on", "returns")
    known, leaving = dict(told or {}), facts.get("departures", {})
    if known.get("leaves") is None and known.get("contract_leaves") is not None:
        # Who does not buy, or buys no more, may still have a contract to lose.
        known |= {name: known.get(f"contract_{name}") for name in ("leaves", "worth", "stake")}
        leaving = facts.get("contract_departures", {})
    return advise(
        Known(
            company.today,
            known_on=run.as_of if run is not None else None,
            currency=company.currency or None,
            alerts=tuple(one for held in alerts for one in held.alerts),
            put_off_until=min((one.put_off_until for one in alerts if one.put_off_until),
                              default=None),
            handled_on=max((one.handled_on for one in alerts if one.handled_on), default=None),
            monthly=leaving.get("paid_in") == "subscriptions",
            leaves_mean=leaving.get("mean"),
            **{name: known.get(name) for name in names},
            horizon_days=facts.get("next", {}).get("horizon_days"),
            overdue=bool(known.get("overdue")),
            upgrades=tuple(Owned.of(row) for row in known.get("upgrades", ())),
            likely=tuple(_likely(row, facts) for row in known.get("products", ())),
            nothing=_nothing(run, told and known),
            reach={
                code: Reach(tuple(str(Channel(one).label) for one in held.channels), held.reason)
                for code, held in reach.items()
            },
        )
    )  # fmt: skip


def _likely(row: Mapping[str, Any], facts: Mapping[str, Any]) -> Likely:
    hits, of = facts.get("products", {}).get("hits") or (0, 0)
    return Likely(row["product"] or row["product_id"], why(row), hits, of)


def _nothing(run: PredictionRun | None, told: Mapping[str, Any] | None) -> Message | None:
    """Why nothing is foretold of a customer (None: something is)."""
    if run is None:
        return msg("Nothing is foretold yet: predictions are computed after an import.")
    if told is None and not run.customers:
        return msg("The data are not enough yet to foretell what customers will do.")
    if told is None:
        return msg("Nothing is foretold of them: no purchase yet, or they count as gone.")
    if told["leaves"] is None and told["next_on"] is None:
        reasons = [
            reason
            for kind in ("departures", "next")
            if (reason := words.from_json(run.facts.get(kind, {}).get("reason"))) is not None
        ]
        return in_turn(reasons) if reasons else None
    return None
