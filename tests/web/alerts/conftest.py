"""A small shop in a lake whose alerts are known by hand, and alerts that are there without one."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from revoir.store import Lake
from revoir_web.alerts import actions, watching
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.common import jobs
from revoir_web.common.models import Company
from revoir_web.customers.models import Customer
from revoir_web.insights import engine, facts, watch
from revoir_web.insights.models import DataState

FIRST = dt.date(2026, 1, 1)
ZOE, PAUL, LEA = "z" * 32, "p" * 32, "l" * 32
NAMES = {ZOE: "Zoé Secret", PAUL: "Paul Caché", LEA: "Léa Discrète"}
SIGNALS = ("complaints", "unanswered")


def day(number: int) -> dt.date:
    """A day by its number, 0 being the first."""
    return FIRST + dt.timedelta(days=number)


@dataclass
class Shop:
    """A lake that tests write to; `look` lets the worker look at it."""

    lake: Lake
    batches: Iterator[int] = field(default_factory=itertools.count)

    def buys(self, customer: str, *days: int, amount: int = 100) -> str:
        """Orders of a customer; the name of the batch is given back."""
        name = f"orders-{next(self.batches)}"
        rows = {
            "order_id": [f"{name}-{customer[:1]}-{number}" for number in days],
            "customer_id": [customer] * len(days),
            "ordered_on": pa.array([day(number) for number in days], pa.date32()),
            "amount": pa.array([Decimal(amount)] * len(days), pa.decimal128(18, 4)),
            "kind": ["purchase"] * len(days),
            "currency": ["EUR"] * len(days),
        }
        self.lake.append("orders", pa.table(rows), batch=name)
        return name

    def complains(self, customer: str, *days: int, answered: int | None = None) -> str:
        """Complaints of a customer, answered on a day (None: never)."""
        name = f"contacts-{next(self.batches)}"
        at = [dt.datetime.combine(day(number), dt.time(12)) for number in days]
        answer = dt.datetime.combine(day(answered), dt.time(12)) if answered is not None else None
        moment = pa.timestamp("us")
        rows = {
            "interaction_id": [f"{name}-{number}" for number in days],
            "customer_id": [customer] * len(days),
            "opened_at": pa.array(at, moment),
            "first_response_at": pa.array([answer] * len(days), moment),
            "is_complaint": [True] * len(days),
        }
        self.lake.append("interactions", pa.table(rows), batch=name)
        return name

    def takes_back(self, batch: str) -> None:
        """Undo a batch."""
        self.lake.undo(batch)

    def look(self) -> dict[str, Any]:
        """What the worker does, and what it says that it did."""
        job = actions.watch_soon()
        jobs.run_waiting()
        job.refresh_from_db()
        assert job.state == "done", job.error
        return dict(job.result or {})


@pytest.fixture
def two_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the signals whose alerts are known by hand, so that looking takes no time."""
    every = watch.declared()
    known = [told for told in every if told["name"] in SIGNALS]
    monkeypatch.setattr(watch, "declared", lambda: known)


@pytest.fixture
def people(company: Company) -> dict[str, Customer]:
    """Three customers."""
    return {
        id: Customer.objects.create(pk=id, name=name, name_key=name.lower())
        for id, name in NAMES.items()
    }


@pytest.fixture
def shop(
    settings: Any,
    tmp_path: Path,
    company: Company,
    people: dict[str, Customer],
    two_signals: None,
) -> Iterator[Shop]:
    """Three customers who bought on three days; Zoé complained twice, on the last days."""
    folder = tmp_path / "lake"
    settings.LAKE = str(folder)
    settings.DATA = tmp_path
    company.activity_window_days = 90
    company.save()
    engine.forget()
    facts.forget()
    held = Shop(Lake.create(folder))
    for customer in (ZOE, PAUL, LEA):
        held.buys(customer, 0, 20, 40)
    held.complains(ZOE, 50, 55, answered=56)
    held.buys(LEA, 60)
    yield held
    engine.forget()
    facts.forget()


RECORD: dict[str, Any] = {
    "horizon_days": 90,
    "from": "2024-01-01",
    "to": "2025-12-01",
    "alerts": 400,
    "right": 200,
    "pending": 12,
    "precision": {"value": 0.5, "numerator": 200, "denominator": 400, "low": 0.45, "high": 0.55},
    "recall": {"value": 0.2, "numerator": 200, "denominator": 1000, "low": 0.18, "high": 0.22},
    "everybody": {"value": 0.1, "numerator": 1, "denominator": 10, "low": 0.09, "high": 0.11},
    "as_silent": {"value": 0.3, "numerator": 3, "denominator": 10, "low": 0.29, "high": 0.31},
    "alike": {"value": 0.31, "numerator": 3, "denominator": 10, "low": 0.29, "high": 0.33},
    "false_per_week": {"value": 2.0, "numerator": 200, "denominator": 100, "low": 1, "high": 3},
    "verdict": "more",
    "lead_days": {"median": 40, "low": 20, "high": 60},
    "sentence": {"$": "message", "msgid": "Not enough data.", "params": {}},
    "reason": None,
}


@pytest.fixture
def states(company: Company) -> dict[str, SignalState]:
    """The signals as the worker stores them, with a record."""
    from django.utils import timezone

    DataState.objects.create(pk=DataState.SINGLE, lake_version="1", refreshed_at=timezone.now())
    made = {}
    for place, told in enumerate(watch.declared()):
        fields = {name: told[name] for name in ("label", "meaning", "family", "parameters")}
        made[told["name"]] = SignalState.objects.create(
            signal=told["name"],
            place=place,
            **fields,
            record=RECORD,
            as_of=day(60),
            looked_at=timezone.now(),
        )
    return made


@pytest.fixture
def raised(people: dict[str, Customer], states: dict[str, SignalState]) -> Callable[..., Alert]:
    """An alert that is there: ``raised(ZOE, bought=300)``."""
    from revoir.language import in_days, nmsg
    from revoir_web.common import words

    def make(
        customer: str = ZOE, signal: str = "complaints", bought: int | None = 300, **more: Any
    ) -> Alert:
        reason = words.plain(
            nmsg("{n} complaint in {days}.", "{n} complaints in {days}.", 2, days=in_days(30))
        )
        amount, stake = watching._worth(bought, 0.5)
        fields: dict[str, Any] = {"raised_on": day(55), "reason": reason, **more}
        return Alert.objects.create(
            customer_id=customer, signal=signal, bought_for=amount, stake=stake, **fields
        )

    return make
