"""The worker raises an alert once, keeps what people did with it, and closes it by the data."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from revoir.signals.record import MUTED, Record
from revoir_web.alerts import actions, queries
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.alerts.tasks import Together
from revoir_web.common import jobs, schedules, words
from revoir_web.common.models import Company, Job, Schedule
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer
from revoir_web.ingest.models import WebhookDelivery, WebhookEndpoint
from revoir_web.insights import engine, runs

from .conftest import LEA, PAUL, SIGNALS, ZOE, Shop, day

pytestmark = pytest.mark.django_db


def one(customer: str = ZOE, signal: str = "complaints") -> Alert:
    return Alert.objects.get(customer=customer, signal=signal)


def test_an_alert_is_raised_once_and_worded_as_of_its_day(shop: Shop) -> None:
    assert shop.look() == {"raised": 1}
    alert = one()
    assert alert.raised_on == day(55)
    assert alert.is_open
    assert alert.bought_for == Decimal("300.00")
    assert alert.why is not None
    assert alert.why.text("en") == "2 complaints in 30 days."
    assert shop.look() == {}
    shop.buys(PAUL, 61)
    assert shop.look() == {}
    assert one().pk == alert.pk


def test_a_reason_stays_true_however_many_days_pass(shop: Shop) -> None:
    shop.complains(PAUL, 50)
    shop.look()
    alert = one(PAUL, "unanswered")
    # Raised after two days without an answer: it says two, not the ten of today.
    assert alert.raised_on == day(52)
    assert alert.why is not None
    assert "2" in alert.why.text("en")
    shop.complains(PAUL, 60)
    shop.look()
    assert Alert.objects.filter(customer=PAUL, signal="unanswered").count() == 1


def test_it_is_closed_when_the_customer_returns_and_raised_anew_in_another_silence(
    shop: Shop,
) -> None:
    shop.look()
    shop.buys(ZOE, 62)
    assert shop.look() == {"closed": 1}
    alert = one()
    assert (alert.closed_on, alert.closed_by, alert.is_open) == (day(62), "returned", False)
    shop.complains(ZOE, 70, 71, answered=71)
    assert shop.look() == {"raised": 1}
    assert Alert.objects.filter(customer=ZOE, is_open=True).get().raised_on == day(70)


def test_it_is_closed_when_the_customer_counts_as_gone(shop: Shop) -> None:
    shop.look()
    shop.buys(LEA, 140)
    assert shop.look()["closed"] == 1
    # Ninety days after the last purchase.
    assert (one().closed_on, one().closed_by) == (day(130), "left")


def test_what_raised_it_is_over(shop: Shop) -> None:
    batch = shop.complains(PAUL, 50)
    shop.look()
    shop.takes_back(batch)
    shop.complains(PAUL, 50, answered=58)
    shop.look()
    alert = one(PAUL, "unanswered")
    assert (alert.closed_on, alert.closed_by) == (day(58), "over")


def test_what_the_data_no_longer_say_is_withdrawn_and_comes_back(shop: Shop) -> None:
    shop.look()
    first = one()
    batch = shop.complains(PAUL, 56, 57, answered=58)
    assert shop.look() == {"raised": 1}
    actions.handle(alerts=[one(PAUL).pk], fields={"note": "a rappelé"})
    shop.takes_back(batch)
    assert shop.look() == {"closed": 1}
    alert = one(PAUL)
    assert (alert.closed_by, alert.closed_on) == ("withdrawn", day(60))
    shop.complains(PAUL, 56, 57, answered=58)
    assert shop.look() == {"reopened": 1}
    alert = one(PAUL)
    assert (alert.is_open, alert.closed_on, alert.note) == (True, None, "a rappelé")
    assert one().pk == first.pk


def test_an_alert_that_begins_on_another_day_by_newer_data_is_the_same(
    shop: Shop, users: dict[str, Any]
) -> None:
    shop.look()
    actions.handle(alerts=[one().pk], fields={"owner": users["advisor"]})
    shop.complains(ZOE, 49, answered=49)
    assert shop.look() == {"moved": 1}
    alert = one()
    assert (alert.raised_on, alert.owner) == (day(50), users["advisor"])


def test_what_people_closed_is_not_opened_by_looking_again(shop: Shop) -> None:
    shop.look()
    actions.handle(alerts=[one().pk], fields={"outcome": "reached"})
    assert shop.look() == {}
    assert not one().is_open
    shop.buys(ZOE, 62)
    shop.look()
    # What came of it is told beside what was done.
    assert (one().outcome, one().closed_by) == ("reached", "returned")


def test_amounts_follow_the_data(shop: Shop) -> None:
    shop.look()
    shop.buys(ZOE, 10, amount=50)
    assert shop.look() == {"valued": 1}
    assert one().bought_for == Decimal("350.00")


def test_only_what_is_open_now_is_stored_of_years_of_data(shop: Shop) -> None:
    shop.complains(LEA, 21, 22, answered=22)  # she came back on day 40
    shop.look()
    assert not Alert.objects.filter(customer=LEA).exists()


def test_nobody_who_is_unknown_or_erased_is_told_of(shop: Shop) -> None:
    shop.complains("x" * 32, 50, 55, answered=56)
    shop.buys("x" * 32, 0, 20, 40)
    Customer.objects.filter(pk=ZOE).update(erased_at=dt.datetime.now(dt.UTC))
    assert shop.look() == {}
    assert not Alert.objects.exists()


def test_alerts_follow_a_merge_and_its_undoing(shop: Shop, people: dict[str, Customer]) -> None:
    shop.look()
    merge = customers.merge(winner=people[PAUL], loser=people[ZOE])
    assert one(PAUL).raised_on == day(55)
    # The book knows one person now, of whom the same is so.
    shop.look()
    assert Alert.objects.get().customer_id == PAUL
    customers.undo_merge(merge=merge)
    assert one(ZOE).raised_on == day(55)
    shop.look()
    assert Alert.objects.filter(is_open=True).get().customer_id == ZOE


def test_what_both_have_stays_with_each_in_a_merge(shop: Shop, people: dict[str, Customer]) -> None:
    shop.complains(PAUL, 50, 55, answered=56)
    shop.look()
    merge = customers.merge(winner=people[PAUL], loser=people[ZOE])
    assert Alert.objects.filter(customer=PAUL).count() == 1
    shop.look()
    assert Alert.objects.filter(is_open=True).get().customer_id == PAUL
    customers.undo_merge(merge=merge)
    shop.look()
    assert Alert.objects.filter(is_open=True).count() == 2


def test_a_signal_that_is_switched_off_or_set_otherwise(shop: Shop) -> None:
    shop.look()
    state = SignalState.objects.get(pk="complaints")
    setting = actions.set_signal(state=state, fields={"enabled": False}, values={})
    assert shop.look() == {"closed": 1}
    assert one().closed_by == "withdrawn"
    actions.set_signal(state=state, fields={"enabled": True}, values={"complaints": 3})
    setting.refresh_from_db()
    assert setting.values == {"complaints": 3}
    assert shop.look() == {}
    actions.set_signal(state=state, values={"complaints": 2})
    setting.refresh_from_db()
    assert setting.values == {}
    assert shop.look() == {"reopened": 1}


def test_a_signal_that_tells_no_more_than_silence_raises_nothing_by_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly every customer stood in the inbox, about whom nothing was foretold."""
    shop.complains(PAUL, 50, 55, answered=56)
    assert shop.look() == {"raised": 2}
    assert queries.unlisted() is None
    state = SignalState.objects.get(pk="complaints")
    assert (state.showing, state.muted) == (2, None)
    with monkeypatch.context() as patch:
        patch.setattr(Record, "muted", property(lambda record: MUTED))
        assert shop.look() == {"closed": 2}
        assert set(Alert.objects.values_list("closed_by", "is_open")) == {("muted", False)}
        told = queries.signal("complaints")
        assert told is not None
        assert (told.enabled, told.chosen, told.open, told.showing) == (False, None, 0, 2)
        assert told.muted is not None
        assert queries.unlisted() == queries.Unlisted(2, [told.label])
        # Whoever wants its alerts has them, and whoever wants none has none.
        actions.set_signal(state=state, fields={"enabled": True}, values={})
        assert shop.look() == {"reopened": 2}
        assert queries.unlisted() is None
        actions.set_signal(state=state, fields={"enabled": False}, values={})
        assert shop.look() == {"closed": 2}
        assert set(Alert.objects.values_list("closed_by", flat=True)) == {"withdrawn"}
        assert queries.unlisted() is None, "that was somebody's choice"
        actions.set_signal(state=state, fields={"enabled": None}, values={})
        assert shop.look() == {}
    # Once more data show that it tells something, it does so by itself.
    assert shop.look() == {"reopened": 2}


def test_who_shows_several_signals_is_counted_once() -> None:
    together = Together()
    some, others = (pa.chunked_array([names]) for names in (["a", "b", "b"], ["b", "c"]))
    assert (together.add(some), together.add(others), together.add(some)) == (2, 1, 0)


def test_where_no_row_has_a_date_each_signal_says_what_it_lacks(
    shop: Shop, company: Company
) -> None:
    """Contracts without dates: the job failed each night, and the page asked to look again."""
    shop.look()
    for batch in {held.batch for held in shop.lake.batches()}:
        shop.takes_back(batch)
    rows = {"subscription_id": ["1"], "customer_id": [ZOE], "status": ["active"]}
    shop.lake.append("subscriptions", pa.table(rows), batch="contracts")
    assert shop.look() == {"closed": 1}
    for state in SignalState.objects.all():
        assert state.as_of is None
        assert state.looked_at is not None
        assert words.from_json(state.reason).text("en") == "No row of the data has a date."
    assert {held.closed_on for held in Alert.objects.all()} == {company.today}


def test_a_setting_that_makes_no_sense_any_more_is_told(shop: Shop) -> None:
    shop.look()
    SignalSetting.objects.create(signal="complaints", values={"complaints": 1000, "gone": 1})
    assert shop.look() == {}
    assert one().is_open
    assert SignalState.objects.get(pk="complaints").reason is not None


def test_each_signal_says_how_often_it_was_right_or_why_it_cannot(shop: Shop) -> None:
    shop.look()
    state = SignalState.objects.get(pk="complaints")
    assert state.as_of == day(60)
    assert state.record["precision"]["value"] is None
    assert state.record["sentence"]["$"] == "message"
    assert [held["name"] for held in state.parameters] == ["complaints", "period_days"]
    Company.objects.update(activity_window_days=10)
    shop.look()
    assert SignalState.objects.get(pk="complaints").record["horizon_days"] == 10


@pytest.mark.usefixtures("shop")
def test_signals_of_an_earlier_program_go(shop: Shop, raised: Any) -> None:
    raised(PAUL, signal="horoscope")
    SignalState.objects.create(signal="horoscope", label={}, meaning={}, family="x")
    shop.look()
    assert one(PAUL, "horoscope").closed_by == "withdrawn"
    assert not SignalState.objects.filter(pk="horoscope").exists()


def test_it_is_looked_after_a_refresh_that_found_something_and_once_a_day(shop: Shop) -> None:
    assert Job.objects.filter(kind="alerts.watch").count() == 0
    runs.refreshed()
    runs.refreshed()
    assert Job.objects.filter(kind="alerts.watch", state="waiting").count() == 1
    schedules.ensure()
    assert Schedule.objects.get(name="alerts.watch").every == "day"


def test_two_workers_do_not_raise_the_same(shop: Shop) -> None:
    from django.utils import timezone

    other = jobs.enqueue("alerts.watch")
    Job.objects.filter(pk=other.pk).update(
        state="running", lease_until=timezone.now() + dt.timedelta(minutes=1)
    )
    assert shop.look() == {}
    assert not Alert.objects.exists()
    later = Job.objects.get(kind="alerts.watch", state="waiting")
    assert later.not_before > timezone.now()


def test_without_data_nothing_is_done(company: Company, settings: Any, tmp_path: Any) -> None:
    settings.LAKE = str(tmp_path / "none")
    engine.forget()
    job = jobs.enqueue("alerts.watch")
    jobs.run_waiting()
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {})


def test_where_everything_was_undone_no_alert_stays(
    shop: Shop, raised: Any, settings: Any, tmp_path: Any
) -> None:
    raised(PAUL)
    settings.LAKE = str(tmp_path / "none")
    engine.forget()
    jobs.enqueue("alerts.watch")
    jobs.run_waiting()
    assert not Alert.objects.filter(closed_on=None).exists()
    assert not SignalState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_signals_that_nobody_switched_off_follow_their_record_from_now_on() -> None:
    after = MigrationExecutor(connection).loader.graph.leaf_nodes("alerts")
    moment = timezone.now()
    try:
        MigrationExecutor(connection).migrate([("alerts", "0001_initial")])
        with connection.cursor() as cursor:
            for name, enabled in (("overdue", True), ("complaints", False)):
                cursor.execute(
                    "INSERT INTO alerts_signalsetting"
                    ' (signal, enabled, "values", created_at, updated_at)'
                    " VALUES (%s, %s, '{}', %s, %s)",
                    [name, enabled, moment, moment],
                )
    finally:
        MigrationExecutor(connection).migrate(after)
    found = dict(SignalSetting.objects.values_list("signal", "enabled"))
    assert found == {"overdue": None, "complaints": False}


def test_programs_are_told_how_many_alerts_a_signal_raised(shop: Shop) -> None:
    """Whoever works elsewhere had to ask for alerts again and again."""
    WebhookEndpoint.objects.create(
        name="Caisse", url="https://example.com/", secret="", kinds=["alerts.raised"]
    )
    raised = shop.look()["raised"]
    told = [json.loads(row.body)["data"] for row in WebhookDelivery.objects.all()]
    assert sum(row["raised"] for row in told) == raised > 0
    assert {row["signal"] for row in told} <= set(SIGNALS)
    WebhookDelivery.objects.all().delete()
    shop.look()
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("outcome", ["", "lost"])
def test_programs_are_told_of_alerts_that_open_again(shop: Shop, outcome: str) -> None:
    """What was closed by data that were taken back, and is there again, was told to nobody."""
    WebhookEndpoint.objects.create(
        name="Caisse", url="https://example.com/", secret="", kinds=["alerts.raised"]
    )
    shop.look()
    batch = shop.complains(PAUL, 56, 57, answered=58)
    shop.look()
    signal = one(PAUL).signal
    if outcome:
        actions.handle(alerts=[one(PAUL).pk], fields={"outcome": outcome})
    shop.takes_back(batch)
    shop.look()
    WebhookDelivery.objects.all().delete()
    shop.complains(PAUL, 56, 57, answered=58)
    shop.look()
    told = [json.loads(row.body)["data"] for row in WebhookDelivery.objects.all()]
    again = [{"signal": signal, "raised": 0, "reopened": 1}]
    assert told == ([] if outcome else again), "who closed one themselves is not asked again"
