"""Every signal of the catalogue on a generated shop: what is stored is what the core says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import revoir
from revoir.datasets.shop import shop
from revoir.signals import all_alerts, signals
from revoir.store import Lake
from revoir_web.alerts import queries
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common import jobs
from revoir_web.common.models import Company
from revoir_web.customers.models import Customer
from revoir_web.insights import engine

pytestmark = pytest.mark.django_db


def test_the_alerts_of_a_shop_are_those_of_the_core(
    tmp_path: Path, settings: Any, company: Company
) -> None:
    shop(5, customers=400).write(tmp_path / "files", "en")
    read = revoir.read(tmp_path / "files", settings=revoir.Settings(currency="EUR"))
    lake = Lake.create(tmp_path / "lake")
    for name, table in read.tables.items():
        lake.append(name, table.to_pyarrow(), batch=f"shop-{name}")
    settings.LAKE = str(tmp_path / "lake")
    engine.forget()
    with engine.using() as book:
        found = {alerts.signal.name: alerts for alerts in all_alerts(book)}
        listed = {name: alerts.listed() for name, alerts in found.items()}
    ids = {str(alert.customer_id) for rows in listed.values() for alert in rows}
    Customer.objects.bulk_create(Customer(pk=id) for id in sorted(ids))
    job = jobs.enqueue("alerts.watch")
    jobs.run_waiting()
    job.refresh_from_db()
    assert job.state == "done", job.error
    assert {state.signal for state in SignalState.objects.all()} == {one.name for one in signals()}
    assert sum(len(rows) for rows in listed.values()) > 50
    muted = {name for name, alerts in found.items() if alerts.record.muted is not None}
    assert muted
    assert any(listed[name] for name in listed if name not in muted)
    together = {str(alert.customer_id) for name in muted for alert in listed[name]}
    unlisted = queries.unlisted()
    assert (unlisted.customers if unlisted else 0) == len(together) > 0
    assert not Alert.objects.filter(signal__in=muted).exists()
    for name in muted:
        assert SignalState.objects.get(pk=name).showing == len(listed[name])
        SignalSetting.objects.create(signal=name, enabled=True)
    jobs.enqueue("alerts.watch")
    jobs.run_waiting()
    for name, rows in listed.items():
        stored = {row.customer_id: row for row in Alert.objects.filter(signal=name)}
        assert {str(alert.customer_id): alert.raised_on for alert in rows} == {
            key: row.raised_on for key, row in stored.items()
        }, name
        record = SignalState.objects.get(pk=name).record
        assert record["right"] == found[name].record.right
        json.dumps(record)
        for row in stored.values():
            assert row.why is not None
            for language in ("fr", "en"):
                assert "{" not in row.why.text(language)
    for state in SignalState.objects.exclude(signal__in=listed):
        assert state.reason is not None
    engine.forget()
