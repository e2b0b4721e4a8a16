"""The inbox, one alert, signals and their settings: who sees, who handles, what stands there."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from revoir.language import written
from revoir.signals.record import MUTED
from revoir_web.alerts import actions, lists, panel, queries
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.words import to_json
from revoir_web.consents import erasure, portability
from revoir_web.consents.models import RetentionRule
from revoir_web.customers import actions as customers
from revoir_web.customers import newcomers
from revoir_web.customers.models import Customer
from revoir_web.insights import digests
from revoir_web.insights.models import DataState, Digest

from .conftest import LEA, NAMES, PAUL, ZOE, day

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
Raised = Callable[..., Alert]


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def rows_of(client: Client, query: str = "") -> list[int]:
    page = client.get(f"/alerts/{query}").content.decode()
    return [int(key) for key in re.findall(r'<th scope="row"><a href="/alerts/(\d+)/"', page)]


# -- The inbox ---------------------------------------------------------------------------------
def test_most_at_stake_first_then_what_was_bought_for(as_role: SignIn, raised: Raised) -> None:
    little, much, unknown = (
        raised(ZOE, bought=10),
        raised(PAUL, bought=900),
        raised(LEA, bought=None),
    )
    client = as_role("advisor")
    assert rows_of(client) == [much.pk, little.pk, unknown.pk]
    Alert.objects.update(stake=0)
    assert rows_of(client) == [much.pk, little.pk, unknown.pk]
    assert rows_of(client, "?sort=raised_on") == [little.pk, much.pk, unknown.pk]


def test_a_reason_stands_with_the_day_on_which_it_held(as_role: SignIn, raised: Raised) -> None:
    alert = raised(ZOE, raised_on=day(3))
    client, held = as_role("advisor"), f"{day(3):%d/%m/%Y}"
    inbox, one = text_of(client, "/alerts/"), text_of(client, f"/alerts/{alert.pk}/")
    assert inbox.index("Donnée le") < inbox.index("Pourquoi, ce jour-là")
    assert f"Pourquoi, au {held}" in one
    assert f"au {held}" in text_of(client, f"/customers/{ZOE}/")


def test_filters_states_and_search(
    as_role: SignIn, raised: Raised, users: dict[str, Any], people: dict[str, Customer]
) -> None:
    today = actions.today()
    mine = raised(ZOE, owner=users["advisor"])
    free = raised(PAUL, signal="unanswered")
    later = raised(LEA, snoozed_until=today + dt.timedelta(days=3))
    woken = raised(LEA, raised_on=day(1), snoozed_until=today)
    closed = raised(PAUL, raised_on=day(2), is_open=False, closed_on=day(9), closed_by="returned")
    client = as_role("advisor")
    assert set(rows_of(client)) == {mine.pk, free.pk, woken.pk}
    assert rows_of(client, "?state=snoozed") == [later.pk]
    assert rows_of(client, "?state=closed") == [closed.pk]
    assert len(rows_of(client, "?state=all")) == 5
    assert rows_of(client, "?owner=me") == [mine.pk]
    assert set(rows_of(client, "?owner=none")) == {free.pk, woken.pk}
    assert rows_of(client, f"?owner={users['advisor'].pk}") == [mine.pk]
    assert rows_of(client, "?owner=x") == rows_of(client, "?signal=nothing") == []
    assert rows_of(client, "?signal=unanswered") == [free.pk]
    customers.index(list(people))
    assert rows_of(client, "?q=Secret") == [mine.pk]


def test_a_list_of_a_hundred_asks_few_questions(
    as_role: SignIn, raised: Raised, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        raised(ZOE, raised_on=day(number))
    client = as_role("manager")
    client.get("/alerts/")
    with django_assert_max_num_queries(20):
        assert len(rows_of(client)) == 50


def test_who_may_not_see_persons_sees_numbers(as_role: SignIn, raised: Raised) -> None:
    alert = raised(note="Zoé Secret a rappelé")
    for path in ("/alerts/", "/alerts/?columns=customer,note", f"/alerts/{alert.pk}/"):
        page = text_of(as_role("analyst"), path)
        assert NAMES[ZOE] not in page
        assert ZOE[-8:] in page
        assert NAMES[ZOE] in text_of(as_role("advisor"), path)
    for role, shown in (("analyst", False), ("manager", True)):
        answer = as_role(role).get("/exports/alerts.csv?columns=customer,why,note")
        told = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
        assert len(told) == 2
        assert (NAMES[ZOE] in str(told)) == shown


def test_empty_pages_say_what_to_do(as_role: SignIn, company: Any) -> None:
    client = as_role("manager")
    for path in ("/alerts/", "/signals/"):
        assert 'href="/imports/new/"' in client.get(path).content.decode()
    DataState.objects.create(pk=DataState.SINGLE, lake_version="1")
    for path in ("/alerts/", "/signals/"):
        assert 'action="/alerts/watch/"' in client.get(path).content.decode()
    # Whoever may not ask for it is not offered the button.
    assert 'action="/alerts/watch/"' not in as_role("analyst").get("/alerts/").content.decode()
    answer = client.post("/alerts/watch/")
    job = Job.objects.get(kind="alerts.watch")
    assert answer.headers["Location"] == f"/jobs/{job.pk}/"
    page = client.get("/alerts/").content.decode()
    assert "hx-trigger" in page
    assert 'action="/alerts/watch/"' not in page


@pytest.mark.usefixtures("states")
def test_an_empty_inbox_leads_to_the_signals(as_role: SignIn) -> None:
    client = as_role("advisor")
    assert 'class="button" href="/signals/"' in client.get("/alerts/").content.decode()
    for state in ("snoozed", "closed"):
        assert 'class="empty"' in client.get(f"/alerts/?state={state}").content.decode()


# -- What people do ----------------------------------------------------------------------------
def test_chosen_alerts_are_handled_together_and_reopened(
    as_role: SignIn, raised: Raised, users: dict[str, Any]
) -> None:
    first, second, other = raised(ZOE), raised(PAUL), raised(LEA)
    chosen = [first.pk, second.pk]
    client = as_role("advisor")

    def do(action: str, **more: Any) -> list[Alert]:
        answer = client.post("/alerts/", {"action": action, "chosen": chosen, **more})
        assert answer.status_code == 302
        assert other == Alert.objects.get(pk=other.pk)
        return list(Alert.objects.filter(pk__in=chosen).order_by("pk"))

    assert [alert.owner for alert in do("take")] == [users["advisor"]] * 2
    given = do("give", owner=users["manager"].pk)
    assert [alert.owner for alert in given] == [users["manager"]] * 2
    assert [alert.owner for alert in do("give", owner="")] == [None, None]
    week = actions.today() + dt.timedelta(days=7)
    assert [alert.snoozed_until for alert in do("snooze-7")] == [week] * 2
    assert rows_of(client) == [other.pk]
    closed = do("close", outcome="kept")
    assert [(alert.outcome, alert.is_open) for alert in closed] == [("kept", False)] * 2
    assert closed[0].outcome_by == users["advisor"]
    assert closed[0].snoozed_until is None
    page = text_of(client, "/alerts/?state=closed&sort=-closed_on")
    # There stood “—” for those that somebody closed.
    assert page.count(written(actions.today(), "fr")) == 2
    opened = do("reopen")
    assert [(alert.outcome, alert.is_open) for alert in opened] == [("", True)] * 2
    assert opened[0].outcome_at is None
    assert set(rows_of(client)) == {*chosen, other.pk}


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "take", "chosen": []},
        {"action": "take", "chosen": ["x", "9" * 30]},
        {"action": "close", "outcome": ""},
        {"action": "close", "outcome": "married"},
        {"action": "dance"},
        {},
    ],
)
def test_what_makes_no_sense_changes_nothing(
    as_role: SignIn, raised: Raised, sent: dict[str, Any]
) -> None:
    alert = raised()
    sent = {"chosen": [alert.pk], **sent}
    assert as_role("advisor").post("/alerts/", sent).status_code == 302
    held = Alert.objects.get(pk=alert.pk)
    assert (held.owner, held.outcome, held.snoozed_until) == (None, "", None)


def test_it_is_given_only_to_those_who_may_handle_it(
    as_role: SignIn, raised: Raised, users: dict[str, Any]
) -> None:
    alert = raised()
    sent = {"action": "give", "chosen": [alert.pk], "owner": users["analyst"].pk}
    as_role("advisor").post("/alerts/", sent)
    assert Alert.objects.get(pk=alert.pk).owner is None
    page = as_role("advisor").get("/alerts/").content.decode()
    assert f'<option value="{users["analyst"].pk}">' not in page


def test_one_alert_tells_why_how_often_such_were_right_and_what_was_done(
    as_role: SignIn, raised: Raised, users: dict[str, Any]
) -> None:
    alert = raised()
    client = as_role("advisor")
    tomorrow = actions.today() + dt.timedelta(days=1)
    sent = {"owner": users["manager"].pk, "snoozed_until": tomorrow.isoformat(), "outcome": "",
            "note": "Rappeler lundi"}  # fmt: skip
    path = f"/alerts/{alert.pk}/"
    assert client.post(path, sent).status_code == 302
    held = Alert.objects.get(pk=alert.pk)
    assert (held.owner, held.snoozed_until) == (users["manager"], tomorrow)
    page = text_of(client, path)
    for words in ("Zoé Secret", "2 réclamations", "Rappeler lundi", "Camille manager s’en occupe"):
        assert words in page
    assert f'href="/customers/{ZOE}/"' in client.get(path).content.decode()
    entry = AuditEntry.objects.get(action="alert.change")
    assert entry.object_id == str(alert.pk)
    assert "Rappeler" not in json.dumps(entry.details)
    assert client.post(path, {**sent, "note": "Rappeler lundi"}).status_code == 302
    assert AuditEntry.objects.filter(action="alert.change").count() == 1


def test_a_day_to_put_it_off_must_come(as_role: SignIn, raised: Raised) -> None:
    alert = raised()
    client = as_role("advisor")
    for days in (0, -1, 400):
        until = actions.today() + dt.timedelta(days=days)
        answer = client.post(f"/alerts/{alert.pk}/", {"snoozed_until": until.isoformat()})
        assert answer.status_code == 200
        assert 'class="notice error"' in answer.content.decode()
    assert client.post(f"/alerts/{alert.pk}/", {"snoozed_until": "hier"}).status_code == 200
    assert Alert.objects.get(pk=alert.pk).snoozed_until is None
    # A day that came meanwhile does not stand in the way of another change.
    Alert.objects.update(snoozed_until=actions.today())
    assert 'value="20' not in client.get(f"/alerts/{alert.pk}/").content.decode()


def test_roles(as_role: SignIn, raised: Raised) -> None:
    alert = raised()
    for role, handles in (
        ("owner", True),
        ("manager", True),
        ("advisor", True),
        ("analyst", False),
    ):
        client = as_role(role)
        page = client.get("/alerts/").content.decode()
        assert ('name="chosen"' in page) == handles
        assert ('id="id_note"' in client.get(f"/alerts/{alert.pk}/").content.decode()) == handles
        answer = client.post("/alerts/", {"action": "take", "chosen": [alert.pk]})
        assert (answer.status_code == 403) == (not handles)
        sets = role in ("owner", "manager")
        page = client.get("/signals/complaints/").content.decode()
        assert ('id="id_period_days"' in page) == sets
        assert (client.post("/signals/complaints/", {}).status_code == 403) == (not sets)


# -- Signals -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "words"), [("fr", "50 % (45 % à 55 %)"), ("en", "50% (45% to 55%)")]
)
def test_signals_with_their_record(
    as_role: SignIn, raised: Raised, users: dict[str, Any], language: str, words: str
) -> None:
    raised(ZOE)
    state = SignalState.objects.get(pk="unanswered")
    state.reason = {"$": "message", "msgid": "It needs {missing}.", "params": {"missing": "x"}}
    state.save()
    users["manager"].language = language
    users["manager"].save()
    client = as_role("manager")
    for path in ("/signals/", "/signals/complaints/"):
        page = text_of(client, path).replace("\xa0", " ")
        assert words in page, page
        assert "40" in page
    assert '/alerts/?signal=complaints"' in client.get("/signals/").content.decode()
    assert client.get("/signals/horoscope/").status_code == 404


def test_alerts_that_all_came_as_early_are_given_no_span(
    as_role: SignIn, states: dict[str, SignalState]
) -> None:
    """“153 (half of them: 153 to 153)”."""
    state = states["complaints"]
    state.record = {**state.record, "lead_days": {"median": 153, "low": 153, "high": 153}}
    state.save()
    page = text_of(as_role("manager"), "/signals/complaints/")
    assert "153" in page
    assert "pour la moitié" not in page


def test_managers_set_a_signal_and_go_back(as_role: SignIn, states: dict[str, SignalState]) -> None:
    client = as_role("manager")
    sent = {"enabled": "yes", "complaints": "3", "period_days": ""}
    assert client.post("/signals/complaints/", sent).status_code == 302
    setting = SignalSetting.objects.get()
    assert (setting.enabled, setting.values) == (True, {"complaints": 3})
    assert Job.objects.filter(kind="alerts.watch").count() == 1
    for wrong in ("0", "101", "2.5", "x", "nan"):
        answer = client.post("/signals/complaints/", {**sent, "complaints": wrong})
        assert answer.status_code == 200
        assert 'class="error"' in answer.content.decode()
    for text, chosen in (("", None), ("no", False)):
        changed = {"complaints": "3", "enabled": text}
        assert client.post("/signals/complaints/", changed).status_code == 302
        assert SignalSetting.objects.get().enabled is chosen
    assert client.post("/signals/complaints/reset/").status_code == 302
    setting.refresh_from_db()
    assert (setting.enabled, setting.values) == (False, {})
    assert AuditEntry.objects.filter(action="signal.set").count() == 4


@pytest.mark.parametrize("language", ["fr", "en"])
def test_who_shows_only_signals_that_tell_nothing_is_counted_above_the_list(
    as_role: SignIn, states: dict[str, SignalState], users: dict[str, Any], language: str
) -> None:
    users["manager"].language = language
    users["manager"].save()
    client = as_role("manager")
    assert 'class="notice"' not in client.get("/alerts/").content.decode()
    for name, showing, alone in (("basket_shrinking", 195, 195), ("purchases_down", 571, 428)):
        state = states[name]
        state.record = {**state.record, "verdict": "nothing", "muted": to_json(MUTED)}
        state.showing, state.showing_alone = showing, alone
        state.save()
    page = text_of(client, "/alerts/")
    labels = queries.labels()
    assert "623" in page
    assert labels["purchases_down"] in page
    assert labels["basket_shrinking"] in page
    assert "623" not in text_of(client, "/alerts/?state=closed")
    told, why = text_of(client, "/signals/"), " ".join(MUTED.text(language).split())
    assert "571" in told
    assert why in told
    for path in ("/signals/purchases_down/", "/signals/complaints/"):
        assert (why in text_of(client, path)) == ("purchases" in path)
    called = client.get("/api/signals/purchases_down").json()
    assert (called["enabled"], called["chosen"], called["showing"]) == (False, None, 571)
    assert called["muted"]


def test_shares_of_a_signal_are_typed_in_percent(
    as_role: SignIn, states: dict[str, SignalState]
) -> None:
    """They were typed as 0.3, beside a page of the company's margin that now says 30."""
    client = as_role("manager")
    [name] = [
        name for name, state in states.items()
        if {"drop", "quiet_days"} <= {one["name"] for one in state.parameters}
    ]  # fmt: skip
    address = f"/signals/{name}/"
    page = client.get(address).content.decode()
    assert 'value="30"' in page
    assert "De 1\xa0% à 100\xa0%\xa0; 30\xa0%" in page
    for wrong in ("0,3", "101"):
        assert client.post(address, {"enabled": "yes", "drop": wrong}).status_code == 200
    assert client.post(address, {"enabled": "yes", "drop": "32,5"}).status_code == 302
    assert SignalSetting.objects.get().values == {"drop": 0.325}
    assert 'value="32,5"' in client.get(address).content.decode()
    called = client.get(f"/api/signals/{name}").json()["parameters"]
    assert {one["name"]: one["value"] for one in called}["drop"] == 0.325


# -- The person --------------------------------------------------------------------------------
def test_the_page_of_the_customer_shows_their_alerts(as_role: SignIn, raised: Raised) -> None:
    alert = raised()
    old = raised(raised_on=day(1), is_open=False, closed_on=day(9), closed_by="returned")
    page = as_role("advisor").get(f"/customers/{ZOE}/").content.decode()
    assert f'href="/alerts/{alert.pk}/"' in page
    assert f'href="/alerts/{old.pk}/"' in page
    assert "/alerts/" not in re.sub(
        r"<nav.*?</nav>",
        "",
        as_role("advisor").get(f"/customers/{PAUL}/").content.decode(),
        flags=re.S,
    )


def test_whoever_is_erased_takes_their_alerts_along(
    raised: Raised, people: dict[str, Customer]
) -> None:
    raised(ZOE, note="de sa part")
    other = raised(PAUL, note="en parle avec Zoé Secret au téléphone")
    erasure.erase_persons(customers=[people[ZOE]], reason="request")
    assert Alert.objects.get() == other
    other.refresh_from_db()
    assert other.note == "en parle avec … au téléphone"


def test_the_file_of_a_person_has_their_alerts(raised: Raised, people: dict[str, Customer]) -> None:
    raised(ZOE, note="Rappeler lundi")
    with zipfile.ZipFile(io.BytesIO(portability.archive(people[ZOE]))) as held:
        told = json.loads(held.read("donnees.json"))
    assert "Rappeler lundi" in json.dumps(told["alerts"], ensure_ascii=False)
    assert "2\N{NO-BREAK SPACE}réclamations" in json.dumps(told["alerts"], ensure_ascii=False)


def test_undoing_an_import_takes_alerts_along_unless_somebody_saw_to_them(
    company: Any, states: dict[str, SignalState], raised: Raised, users: dict[str, Any]
) -> None:
    ids = customers.resolve_many([{"customer_id": "A"}, {"customer_id": "B"}], source="import:1")
    for id in ids:
        newcomers.Newcomer.objects.get_or_create(customer_id=id, source="import:1")
        raised(id)
    actions.handle(
        alerts=[Alert.objects.get(customer=ids[1]).pk], fields={"owner": users["advisor"]}
    )
    why = newcomers.take_back(source="import:1", facts=[], fence=lambda: None, went=lambda n: None)
    assert list(Alert.objects.values_list("customer", flat=True)) == [ids[1]]
    assert why["alerts"] == 1


def test_a_digest_says_how_many_alerts_there_are(raised: Raised, users: dict[str, Any]) -> None:
    assert panel.in_digest(users["advisor"]) is None
    for customer in (ZOE, PAUL, LEA):
        raised(customer, owner=users["advisor"] if customer == ZOE else None)
    told = panel.in_digest(users["advisor"])
    assert told is not None
    assert [sentence.split()[0] for sentence in told["sentences"]] == ["3", "1"]
    digest = Digest(name="Lundi", metrics=[], every="week")
    letter = digests.letter(digest, users["advisor"])
    assert told["sentences"][1] in letter.text
    assert told["sentences"][1] in letter.html
    other = digests.letter(digest, users["analyst"])
    assert told["sentences"][0] in other.text
    assert told["sentences"][1] not in other.text


def test_the_list_is_registered_as_an_export() -> None:
    from revoir_web.common import exports

    assert exports.registered()["alerts"].make is lists.alerts_file


# -- The trail, and the end --------------------------------------------------------------------
@pytest.mark.parametrize(("role", "lines"), [("advisor", 1), ("analyst", 0)])
def test_going_through_names_is_on_the_trail(
    as_role: SignIn, raised: Raised, role: str, lines: int
) -> None:
    from django.core.cache import caches

    caches["process"].clear()
    raised(ZOE)
    client = as_role(role)
    client.get("/alerts/?signal=complaints")
    client.get("/alerts/?state=closed")
    trail = AuditEntry.objects.filter(action="customers.list")
    assert trail.count() == lines
    for entry in trail:
        assert entry.details == {"page": "alerts:list", "filters": ["signal"]}


@pytest.mark.parametrize(
    ("months", "left"), [(12, {"young", "handled", "waits", "open"}), (None, 5)]
)
def test_alerts_that_closed_long_ago_are_forgotten(
    raised: Raised, months: int | None, left: Any
) -> None:
    today = actions.today()
    RetentionRule.objects.update_or_create(pk=1, defaults={"alert_months": months})
    old, young = today - dt.timedelta(days=370), today - dt.timedelta(days=300)
    closed: dict[str, Any] = {"is_open": False, "closed_by": "returned"}
    made = {
        "gone": raised(ZOE, raised_on=day(1), closed_on=old, **closed),
        "young": raised(ZOE, raised_on=day(2), closed_on=young, **closed),
        "handled": raised(
            ZOE, raised_on=day(3), closed_on=old, outcome="kept", outcome_at=timezone.now(),
            **closed,
        ),
        # Only a person closed it: as long as the data do not, nobody is asked again.
        "waits": raised(
            ZOE, raised_on=day(4), is_open=False, outcome="kept",
            outcome_at=timezone.now() - dt.timedelta(days=370),
        ),
        "open": raised(ZOE, raised_on=day(5)),
    }  # fmt: skip
    job = jobs.enqueue("alerts.tidy")
    jobs.run_waiting()
    job.refresh_from_db()
    there = {name for name, one in made.items() if Alert.objects.filter(pk=one.pk).exists()}
    assert (there if months else len(there)) == left
    assert job.result == {"alerts": 5 - len(there)}


def test_every_closed_alert_of_a_customer_can_be_reached(as_role: SignIn, raised: Raised) -> None:
    """The page stopped at five, and did not say so."""
    for number in range(12):
        raised(ZOE, raised_on=day(number), closed_on=day(number), closed_by="over", is_open=False)
    client = as_role("advisor")
    pages = [client.get(f"/customers/{ZOE}/?closed.page={n}").content.decode() for n in "123"]
    found = [re.findall(r'<dt><a href="/alerts/(\d+)/"', page) for page in pages]
    assert [len(some) for some in found] == [5, 5, 2]
    assert len({key for some in found for key in some}) == 12
    assert "<details open>" in pages[1]
