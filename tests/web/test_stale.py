"""Two pages open on the same thing: the one saved last takes nothing back of the other."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.db.models import Model
from django.test import Client

from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common.models import Company
from revoir_web.consents.models import Purpose, RetentionRule
from revoir_web.customers.models import Customer
from revoir_web.ingest import webhooks
from revoir_web.ingest.models import Source, WebhookEndpoint
from revoir_web.insights.forms import DigestForm
from revoir_web.insights.models import Digest, SavedSegment

pytestmark = pytest.mark.django_db

Sent = dict[str, list[str]]
_PARAMETER = {
    "name": "complaints", "meaning": {"id": "Complaints"}, "default": 2, "low": 1, "high": 20,
    "whole": True,
}  # fmt: skip


class _Forms(HTMLParser):
    """What a browser would send of each form of a page, as it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Sent] = [{}]
        self._select = self._area = ""
        self._first = True
        self.feed(page)

    @property
    def sent(self) -> Sent:
        """What the form that was begun last sends."""
        return self.forms[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        name = held.get("name") or ""
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and name:
            kind = held.get("type")
            if kind not in ("checkbox", "radio") or "checked" in held:
                self.sent.setdefault(name, []).append(held.get("value") or "")
        elif tag == "select":
            self._select, self._first = name, True
        elif tag == "option" and self._select:
            if self._first or "selected" in held:
                self.sent[self._select] = [held.get("value") or ""]
            self._first = False
        elif tag == "textarea":
            self._area = name
            self.sent[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area][0] += data.removeprefix("\n")


def _form(page: str, name: str) -> Sent:
    return next(sent for sent in _Forms(page).forms if name in sent)


def _company() -> Model:
    return Company.current()


def _rule() -> Model:
    return RetentionRule.objects.create(pk=RetentionRule.SINGLE, customer_months=60)


def _customer() -> Model:
    return Customer.objects.create(pk="c1", name="Zoé Petit", city="Lyon", phone="+33123456789")


def _purpose() -> Model:
    return Purpose.objects.create(
        code="letter", name_fr="Lettre", name_en="Letter", text_fr="Une lettre.\nDeux.",
        text_en="A letter.", channels=["email"],
    )  # fmt: skip


def _source() -> Model:
    return Source.objects.create(
        kind="url", name="Caisse", location="https://127.0.0.1/a.csv", every="day", at="04:30"
    )


def _webhook() -> Model:
    return WebhookEndpoint.objects.create(
        name="Caisse", url="https://example.com/", kinds=["import.landed"]
    )


def _segment() -> Model:
    return SavedSegment.objects.create(name="Tous", rule="orders >= 1", description="Un.\nDeux.")


def _digest() -> Model:
    from revoir_web.accounts.models import User

    held = Digest.objects.create(name="Lundi", metrics=["revenue"], every="week", at="08:00")
    held.recipients.set(User.objects.filter(role="manager"))
    return held


def _alert() -> Model:
    SignalState.objects.create(
        signal="complaints", label={}, meaning={}, family="service", parameters=[_PARAMETER]
    )
    customer = Customer.objects.create(pk="c1", name="Zoé Petit")
    return Alert.objects.create(
        signal="complaints", customer=customer, reason={}, raised_on="2024-01-01"
    )


PAGES: list[tuple[Callable[[], Model], str, tuple[str, str], tuple[str, str]]] = [
    (_company, "/company/", ("margin", "40"), ("name", "Halles")),
    (_company, "/company/", ("acquisition_cost", "12.50"), ("margin", "40")),
    (_rule, "/consents/", ("customer_months", ""), ("notice_days", "15")),
    (_customer, "/customers/c1/edit/", ("phone", ""), ("city", "Paris")),
    (_customer, "/customers/c1/edit/", ("birth_date", "1980-02-01"), ("city", "Paris")),
    (_purpose, "/consents/purposes/{pk}/", ("name_en", "Mail"), ("name_fr", "Courrier")),
    (_source, "/sources/{pk}/", ("every", "hour"), ("at", "05:00")),
    (_webhook, "/webhooks/{pk}/", ("name", "Magasin"), ("url", "https://example.com/b")),
    (_segment, "/segments/{pk}/edit/", ("rule", "orders >= 2"), ("name", "Fidèles")),
    (_digest, "/digests/{pk}/", ("at", "09:15"), ("name", "Mardi")),
    (_alert, "/alerts/{pk}/", ("note", "Appelée."), ("outcome", "kept")),
]


@pytest.mark.parametrize(("make", "address", "other", "own"), PAGES)
def test_a_page_that_is_out_of_date_takes_nothing_back(
    make: Callable[[], Model],
    address: str,
    other: tuple[str, str],
    own: tuple[str, str],
    as_role: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Forms save every field: the second of two people undid what the first had changed."""
    monkeypatch.setattr(webhooks, "check", lambda url: None)
    monkeypatch.setattr(DigestForm.base_fields["metrics"], "choices", [("revenue", "Revenue")])
    client = as_role("owner")
    address = address.format(pk=make().pk)
    pages = [_form(client.get(address).text, name) for name, _value in (other, own)]
    for page, (name, value) in zip(pages, (other, own), strict=True):
        answer = client.post(address, {**page, name: [value]})
        assert answer.status_code == 302, answer.text
    shown = _form(client.get(address).text, own[0])
    for name, value in (other, own):
        assert shown[name] == [value]


def test_a_signal_that_two_people_set(as_role: Callable[[str], Client]) -> None:
    client = as_role("owner")
    SignalState.objects.create(
        signal="complaints", label={}, meaning={}, family="service", parameters=[_PARAMETER]
    )
    page = _form(client.get("/signals/complaints/").text, "complaints")
    client.post("/signals/complaints/", {**page, "complaints": "3"})
    page["enabled"] = "no"
    client.post("/signals/complaints/", page)
    setting = SignalSetting.objects.get()
    assert (setting.enabled, setting.values) == (False, {"complaints": 3})


def test_who_does_not_say_what_was_shown_changes_all(as_role: Callable[[str], Client]) -> None:
    """As programs did that fill the form without having read it."""
    _rule()
    as_role("owner").post(
        "/consents/", {"enabled": "on", "prospect_months": "12", "notice_days": "20"}
    )
    held = RetentionRule.current()
    assert (held.prospect_months, held.customer_months, held.notice_days) == (12, None, 20)
