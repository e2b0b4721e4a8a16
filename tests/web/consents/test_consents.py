"""What customers agreed to: kept line by line, heard everywhere, chosen by themselves."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from revoir.errors import UsageError
from revoir_web.common.models import AuditEntry
from revoir_web.common.rights import Right
from revoir_web.consents import actions, links, queries, retention
from revoir_web.consents.models import Consent, Erasure, Purpose, RetentionRule
from revoir_web.customers import actions as customers
from revoir_web.customers import facts
from revoir_web.customers.models import Customer
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture
def zoe(company: Any) -> Customer:
    [id] = customers.resolve_many(
        [{"customer_id": "C1", "name": "Zoé Lévy", "email": "zoe@example.com", "language": "fr"}],
        source="test",
    )
    customers.index([id])
    return Customer.objects.get(pk=id)


@pytest.fixture
def news(db: None) -> Purpose:
    return Purpose.objects.get(code="news")


def test_the_last_word_counts(zoe: Customer, news: Purpose) -> None:
    def may() -> bool:
        return queries.may_contact(zoe, news, "email")

    assert not may()
    then = timezone.now() - dt.timedelta(days=2)
    actions.record(customer=zoe, purpose=news, channel="email", given=True, source="page")
    assert may()
    # Said before, written down after: it does not take the place of a later word.
    actions.record(customer=zoe, purpose=news, channel="email", given=False, source="page", at=then)
    assert may()
    actions.record(customer=zoe, purpose=news, channel="email", given=False, source="page")
    assert not may()
    assert not queries.may_contact(zoe, "news", "sms"), "there is no telephone number"
    assert queries.may_contact(zoe, "surveys", "email"), "allowed unless she objects"
    assert not queries.may_contact(zoe, "unknown", "email")
    with pytest.raises(UsageError):
        actions.record(customer=zoe, purpose=news, channel="phone", given=True, source="page")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"])
def test_a_day_before_all_days_is_refused(zoe: Customer, at: str) -> None:
    """It was an error of the program, or of every page in another zone."""
    told = {"customer": zoe.pk, "purpose": "news", "channel": "email", "given": True, "proof": "p"}
    answer = Api(Right.EDIT_CUSTOMERS)("post", "/consents", {**told, "at": at})
    assert answer.status_code == 409, answer.content
    assert "1900" in answer.json()["error"]["message"]


def test_a_line_is_never_changed(zoe: Customer, news: Purpose) -> None:
    line = actions.record(customer=zoe, purpose=news, channel="email", given=True, source="page")
    line.given = False
    with pytest.raises(TypeError):
        line.save()
    assert Consent.objects.get().given


def test_a_file_does_not_take_back_a_refusal(zoe: Customer, news: Purpose) -> None:
    told: dict[str, Any] = {"purpose": "news", "channel": "email", "source": "import"}
    assert actions.record_many([(zoe.pk, True, None), ("", True, None)], **told) == 1
    assert actions.record_many([(zoe.pk, True, None)], **told) == 0
    actions.record(customer=zoe, purpose=news, channel="email", given=False, source="preferences")
    last_year = timezone.now() - dt.timedelta(days=365)
    assert actions.record_many([(zoe.pk, True, None)], **told) == 0
    assert actions.record_many([(zoe.pk, True, last_year)], **told) == 0
    assert not queries.may_contact(zoe, news, "email")
    later = timezone.now() + dt.timedelta(seconds=1)
    assert actions.record_many([(zoe.pk, True, later)], **told) == 1


def test_consents_are_facts_of_their_kind(zoe: Customer, news: Purpose) -> None:
    actions.record(customer=zoe, purpose=news, channel="email", given=True, source="page")
    told = {
        name: len(facts.facts([zoe.pk], limit=9, kinds=kinds))
        for name, kinds in {"all": None, "consents": ["consent"], "orders": ["order"]}.items()
    }
    assert told == {"all": 1, "consents": 1, "orders": 0}


def test_a_link_that_was_cut_off_says_so(zoe: Customer, client: Client) -> None:
    """It told a customer to look for the page from the dashboard of the company."""
    path = links.preferences_path(zoe)
    answer = client.get(f"{path[:-4]}/", headers={"accept-language": "en"})
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "Comptoir des Halles" in page
    assert "dashboard" not in page
    assert 'href="/"' not in page


def test_a_customer_chooses_by_the_link(zoe: Customer, client: Client) -> None:
    path = links.preferences_path(zoe)
    page = client.get(path)
    body = page.content.decode()
    assert page.status_code == 200
    assert "Nouveautés et offres" in body
    assert "z…e@example.com" in body
    assert "Lévy" not in body
    assert "zoe@example.com" not in body
    client.post(path, {"news.email": "on", "surveys.email": "on", "service.email": "on"})
    assert queries.may_contact(zoe, "news", "email")
    assert Consent.objects.filter(given=True).count() == 1, "what was allowed anyway is not said"
    line = Consent.objects.filter(given=True).get()
    assert (line.source, bool(line.proof), line.by) == ("preferences", True, None)
    client.post(path, {"stop": "1"})
    assert not any(held.allowed for held in queries.standing(zoe))
    assert client.get("/p/" + "x" * 40 + "/").status_code == 404
    tampered = path.replace(zoe.pk, "0" * 32)
    assert client.get(tampered).status_code == 404


def test_one_click_stops_e_mail(zoe: Customer) -> None:
    # As a mail program does it: no cookie, no token.
    client = Client(enforce_csrf_checks=True)
    path = links.preferences_path(zoe) + "stop/"
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not any(held.allowed for held in queries.standing(zoe) if held.channel == "email")
    assert client.get(path).status_code == 302


def test_an_advisor_writes_down_what_was_said(as_role: SignIn, zoe: Customer) -> None:
    client = as_role("advisor")
    url = reverse("consents:customer", args=[zoe.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"news.email": "on"}).status_code == 200, "without proof it is refused"
    told = {
        "news.email": "on",
        "surveys.email": "on",
        "service.email": "on",
        "proof": "Au téléphone",
    }
    assert client.post(url, told).status_code == 302
    line = Consent.objects.get(given=True)
    assert (line.proof, line.by.role if line.by else None) == ("Au téléphone", "advisor")
    history = client.get(url).content.decode().rpartition("<tbody>")[2]
    assert "<td>Nouveautés et offres</td>" in history, "not “news”, which is for programs"
    page = client.get(reverse("customers:customer", args=[zoe.pk])).content.decode()
    assert "Nouveautés et offres" in page


def test_everything_that_was_said_can_be_read(
    as_role: SignIn, zoe: Customer, news: Purpose
) -> None:
    """The page stopped at fifty lines, and did not say so."""
    for number in range(60):
        actions.record(
            customer=zoe, purpose=news, channel="email", given=bool(number % 2), source="page",
            proof=f"preuve-{number:02}",
        )  # fmt: skip
    client, url = as_role("advisor"), reverse("consents:customer", args=[zoe.pk])
    pages = [client.get(url, {"history.page": n}).content.decode() for n in "12"]
    assert len({proof for page in pages for proof in re.findall(r"preuve-\d\d", page)}) == 60
    assert "history.page=2" in pages[0]


def test_a_page_that_was_opened_before_takes_nothing_back(
    as_role: SignIn, zoe: Customer, news: Purpose, client: Client
) -> None:
    """Whoever wrote down another choice gave a yes anew that the customer had just taken back."""
    actions.record(customer=zoe, purpose=news, channel="email", given=True, source="page")
    url, own = reverse("consents:customer", args=[zoe.pk]), links.preferences_path(zoe)

    def sent(page: str) -> dict[str, str]:
        """What a browser sends of a page where nothing was touched."""
        fields = re.findall(r'<input type="(hidden|checkbox)" name="([a-z.]+)"([^>]*)>', page)
        told = {}
        for kind, name, more in fields:
            if kind == "hidden" and name.startswith("was."):
                told[name] = re.findall(r'value="(\w+)"', more)[0]
            elif kind == "checkbox" and "checked" in more:
                told[name] = "on"
        return told

    advisor = as_role("advisor")
    before = sent(advisor.get(url).content.decode())
    assert before["news.email"] == "on"
    theirs = sent(client.get(own).content.decode())
    client.post(own, {name: text for name, text in theirs.items() if name != "news.email"})
    assert not queries.may_contact(zoe, news, "email")
    Purpose.objects.create(
        code="club", name_fr="c", name_en="c", channels=["email"], basis="interest"
    )
    told = {**before, "news.sms": "on", "proof": "Au téléphone"}
    del told["surveys.email"]
    assert advisor.post(url, told).status_code == 302
    last = Consent.objects.filter(source="page").exclude(purpose=news, channel="email")
    said = {(line.purpose.code, line.channel): line.given for line in last}
    assert said == {("surveys", "email"): False, ("news", "sms"): True}
    assert not queries.may_contact(zoe, news, "email")


def test_the_data_of_a_person_as_a_file(as_role: SignIn, zoe: Customer, news: Purpose) -> None:
    actions.record(customer=zoe, purpose=news, channel="email", given=True, source="page")
    customers.add_note(customer=zoe, text="Préfère <le matin>", actor=None)
    answer = as_role("manager").get(reverse("consents:data", args=[zoe.pk]))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        held = json.loads(file.read("donnees.json"))
        page = file.read("donnees.html").decode()
    assert "zoe@example.com" in str(held["profile"])
    assert held["consents"][0]["given"] is True
    assert "Préfère &lt;le matin&gt;" in page
    assert as_role("advisor").get(reverse("consents:data", args=[zoe.pk])).status_code == 403
    assert AuditEntry.objects.filter(action="customer.data").count() == 1


def test_purposes_and_rule_are_changed_on_a_page(as_role: SignIn) -> None:
    client = as_role("owner")
    new = {"code": "recall", "name_fr": "Rappels", "name_en": "Recalls", "channels": ["email"],
           "basis": "interest", "active": "on"}  # fmt: skip
    assert client.post(reverse("consents:purpose-new"), new).status_code == 302
    held = Purpose.objects.get(code="recall")
    edit = reverse("consents:purpose", args=[held.pk])
    assert client.get(edit).status_code == 200
    assert client.post(edit, {**new, "active": "", "name_fr": "Rappel"}).status_code == 302
    held.refresh_from_db()
    assert (held.active, held.name_fr) == (False, "Rappel")
    url = reverse("consents:purposes")
    assert client.get(url).status_code == 200
    assert client.post(url, {"prospect_months": 0, "notice_days": 30}).status_code == 200
    client.post(url, {"enabled": "on", "prospect_months": 24, "notice_days": 10})
    assert RetentionRule.current().prospect_months == 24


def test_purposes_are_made_and_changed_by_programs() -> None:
    api = Api(Right.MANAGE_COMPANY, Right.SEE_CUSTOMERS)
    new = {"code": "recall", "name_fr": "Rappels", "name_en": "Recalls", "channels": ["email"]}
    made = api("post", "/consents/purposes", new)
    assert made.status_code == 201, made.content
    assert made.json()["basis"] == "consent"
    assert api("post", "/consents/purposes", new).status_code == 422
    assert api("post", "/consents/purposes", {**new, "code": "a b"}).status_code == 422
    assert (
        api("post", "/consents/purposes", {**new, "code": "b", "channels": []}).status_code == 422
    )
    changed = api("patch", "/consents/purposes/recall", {"active": False, "text_fr": "Sécurité"})
    assert changed.status_code == 200, changed.content
    held = Purpose.objects.get(code="recall")
    assert (held.active, held.text_fr, held.channels) == (False, "Sécurité", ["email"])
    assert api("patch", "/consents/purposes/none", {"active": False}).status_code == 404
    assert Api(Right.SEE_CUSTOMERS)("post", "/consents/purposes", new).status_code == 403


def test_the_clock_announces_then_erases(as_role: SignIn, company: Any) -> None:
    today = timezone.localdate()
    rows = [
        {"customer_id": "old", "name": "Ancien Prospect", "joined_at": "2019-01-01"},
        {"customer_id": "buyer", "name": "Cliente Fidèle", "joined_at": "2019-01-01"},
        {"customer_id": "new", "name": "Prospect Récent"},
        {"customer_id": "noted", "name": "Prospect Noté", "joined_at": "2019-01-01"},
    ]
    ids = customers.resolve_many(rows, source="test")
    customers.index_waiting()
    customers.write_figures(
        [{"customer_id": ids[1], "orders": 2, "revenue": 5, "last_on": dt.date(2019, 2, 1)}]
    )
    customers.add_note(customer=Customer.objects.get(pk=ids[3]), text="Appelé", actor=None)
    assert retention.tick(today=today) == {"announced": 1, "kept": 0, "erased": 0}
    held = Customer.objects.get(pk=ids[0])
    assert held.erase_on == today + dt.timedelta(days=30)
    page = as_role("owner").get(reverse("consents:retention"))
    assert "Ancien Prospect" in page.content.decode()
    # A contact stops it, and it begins anew afterwards.
    as_role("owner").post(reverse("consents:keep", args=[held.pk]))
    # Figures that are computed anew know nothing of it, and leave it as it is.
    customers.write_figures(
        [{"customer_id": ids[0], "orders": 0, "last_contact_on": dt.date(2019, 5, 1)}]
    )
    assert retention.tick(today=today) == {"announced": 0, "kept": 0, "erased": 0}
    later = today + dt.timedelta(days=4 * 365)
    assert retention.tick(today=later)["announced"] == 3
    assert retention.tick(today=later + dt.timedelta(days=31))["erased"] == 3
    assert {row.reason for row in Erasure.objects.all()} == {"retention"}
    assert Customer.objects.get(pk=ids[1]).erased_at is None


def test_each_clock_runs_by_itself(company: Any, news: Purpose) -> None:
    """With a longer time for customers, a word of a prospect kept them for as long as those."""
    RetentionRule.objects.create(pk=RetentionRule.SINGLE, prospect_months=36, customer_months=120)
    rows = [
        {"customer_id": name, "name": f"Personne {name}", "joined_at": "2010-01-01"}
        for name in ("asked", "noted", "kept", "lately", "buyer", "gone")
    ]
    ids = customers.resolve_many(rows, source="test")
    customers.index_waiting()
    asked, noted, kept, lately, buyer, gone = (Customer.objects.get(pk=id) for id in ids)
    today = timezone.localdate()
    for customer, years in ((asked, 4), (lately, 1), (buyer, 4)):
        at = timezone.now() - dt.timedelta(days=365 * years)
        actions.record(
            customer=customer, purpose=news, channel="email", given=True, source="page", at=at
        )
    note = customers.add_note(customer=noted, text="Appelé", actor=None)
    four = timezone.now() - dt.timedelta(days=365 * 4)
    type(note).objects.filter(pk=note.pk).update(created_at=four)
    Customer.objects.filter(pk=kept.pk).update(kept_on=four.date())
    customers.write_figures(
        [
            {"customer_id": one.pk, "orders": 1, "revenue": 5, "last_on": dt.date(2011, 2, 1)}
            for one in (buyer, gone)
        ]
    )
    retention.tick(today=today)
    announced = Customer.objects.filter(erase_on__isnull=False)
    assert set(announced) == {asked, noted, kept, gone}


def test_the_day_of_an_erasure_is_the_company_s(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Nouméa the night's job ran on the day before, and erased a day late."""
    company.timezone = "Pacific/Noumea"
    company.save()
    [id] = customers.resolve_many(
        [{"customer_id": "old", "name": "Ancien", "joined_at": "2019-01-01"}], source="test"
    )
    customers.index_waiting()
    at_four = dt.datetime(2026, 3, 9, 17, tzinfo=dt.UTC)  # the tenth there
    monkeypatch.setattr(timezone, "now", lambda: at_four)
    assert retention.tick()["announced"] == 1
    assert Customer.objects.get(pk=id).erase_on == dt.date(2026, 4, 9)


def test_the_record_of_erasures_and_the_rule_are_told(as_role: SignIn, zoe: Customer) -> None:
    """Who was erased, who will be and by which rule stood on pages alone."""
    client = as_role("owner")
    due = timezone.localdate() + dt.timedelta(days=3)
    others = customers.resolve_many([{"customer_id": f"D{n}"} for n in range(2)], source="test")
    Customer.objects.filter(pk__in=others).update(erase_on=due)
    first = client.get("/api/erasures/announced?limit=1").json()
    second = client.get(f"/api/erasures/announced?limit=1&cursor={first['next']}").json()
    assert first["items"] + second["items"] == [
        {"customer": id, "erase_on": due.isoformat()} for id in sorted(others)
    ]
    Erasure.objects.create(customer_id="x" * 32, reason="retention", rows={"notes": 2})
    Erasure.objects.create(customer_id="y" * 32, reason="request")
    first = client.get("/api/erasures?limit=1").json()
    second = client.get(f"/api/erasures?limit=1&cursor={first['next']}").json()
    assert [row["reason"] for row in first["items"] + second["items"]] == ["request", "retention"]
    assert second["items"][0]["rows"] == {"notes": 2}
    assert as_role("manager").get("/api/erasures").status_code == 403

    def patch(**changes: Any) -> Any:
        return client.patch("/api/retention-rule", changes, content_type="application/json")

    rule = client.get("/api/retention-rule").json()
    assert (rule["enabled"], rule["prospect_months"], rule["customer_months"]) == (True, 36, None)
    told = patch(customer_months=60, alert_months=None).json()
    assert told == {**rule, "customer_months": 60, "alert_months": None}
    assert not Customer.objects.filter(erase_on__isnull=False).exists()
    assert patch(enabled=False).json() == {**told, "enabled": False}
    for wrong in ({"notice_days": 0}, {"notice_days": None}, {"enabled": None}):
        assert patch(**wrong).status_code == 422, wrong
    assert RetentionRule.current().enabled is False
    assert RetentionRule.current().notice_days == rule["notice_days"]


def test_months_before_keeps_within_the_month() -> None:
    assert retention.months_before(dt.date(2024, 1, 31), 2) == dt.date(2023, 11, 30)
    assert retention.months_before(dt.date(2024, 5, 5), 36) == dt.date(2021, 5, 5)


# -- What customers read of it -------------------------------------------------------------------
def test_the_page_of_preferences_says_what_data_is_used_for_and_how_long_it_is_kept(
    zoe: Customer, client: Client
) -> None:
    path = links.preferences_path(zoe)
    assert "Ces estimations peuvent se tromper" in client.get(path).content.decode()
    client.cookies["language"] = "en"
    Customer.objects.update(language="en")
    page = client.get(path).content.decode()
    assert "Calculations estimate whether and when you will come back" in page
    assert "your data is erased 36 months and 30 days after your last contact" in page
    assert "it is kept until you ask to be erased" in page
    actions.change_rule(fields={"prospect_months": 12, "customer_months": 1, "notice_days": 1})
    page = client.get(path).content.decode()
    assert "your data is erased 12 months and 1 day after your last contact" in page
    assert "it is erased 1 month and 1 day after your last contact" in page
    actions.change_rule(fields={"enabled": False})
    page = client.get(path).content.decode()
    assert "No time limit is set" in page
    assert "12 months" not in page


def test_the_company_writes_the_notice(zoe: Customer, client: Client, as_role: SignIn) -> None:
    owner, address = as_role("owner"), reverse("consents:notice")
    shown = owner.get(address).content.decode()
    assert "Ces estimations peuvent se tromper" in shown
    assert as_role("advisor").get(address).status_code == 403
    owner.post(address, {"text_fr": "Rien que <vos> achats.", "text_en": "Your purchases."})
    page = client.get(links.preferences_path(zoe)).content.decode()
    assert "Rien que &lt;vos&gt; achats." in page
    assert "Ces estimations" not in page
    assert (
        "Rien que &lt;vos&gt; achats." in owner.get(reverse("consents:purposes")).content.decode()
    )
    told = owner.get("/api/consents/notice").json()
    assert told == {"text_fr": "Rien que <vos> achats.", "text_en": "Your purchases."}
    changed = owner.patch("/api/consents/notice", {"text_en": "What you buy."}, "application/json")
    assert changed.json()["text_en"] == "What you buy."
    assert changed.json()["text_fr"] == told["text_fr"]
    assert AuditEntry.objects.filter(action="notice.change").count() == 2
    assert as_role("advisor").get("/api/consents/notice").status_code == 403
