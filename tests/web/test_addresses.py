"""Every address of the application says who may see it, and keeps to it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import (
    IntConverter,
    PathConverter,
    SlugConverter,
    StringConverter,
    UUIDConverter,
)
from django.utils import timezone

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.alerts.models import Alert, SignalState
from revoir_web.common import jobs, navigation
from revoir_web.common.rights import BY_CALL, PUBLIC, SIGNED_IN, declared
from revoir_web.consents.models import Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer, MergeProposal
from revoir_web.ingest import actions as ingest
from revoir_web.ingest import vault
from revoir_web.ingest.models import Source, WebhookDelivery, WebhookEndpoint
from revoir_web.insights import runs
from revoir_web.insights.models import Digest, Goal, SavedSegment
from revoir_web.insights.models import SavedView as InsightView
from revoir_web.messaging.models import Outbox

NO_ONE = "00000000-0000-0000-0000-000000000000"


def addresses() -> Iterator[tuple[str, str, Any]]:
    """Name, path with examples for its parameters, and view of each address."""

    def walk(patterns: Any, names: str, path: str) -> Iterator[tuple[str, str, Any]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{names}{pattern.namespace}:" if pattern.namespace else names
                yield from walk(pattern.url_patterns, inner, path + example(pattern))
            elif isinstance(pattern, URLPattern):
                yield f"{names}{pattern.name}", path + example(pattern), pattern.callback

    yield from walk(get_resolver().url_patterns, "", "/")


def example(pattern: Any) -> str:
    route = str(pattern.pattern)
    samples = {
        IntConverter: "999999",
        UUIDConverter: NO_ONE,
        SlugConverter: "x",
        PathConverter: "x",
        StringConverter: "x",
    }
    for name, converter in pattern.pattern.converters.items():
        sample = samples.get(type(converter), "x")
        for form in (f"<{name}>", *(f"<{kind}:{name}>" for kind in KINDS)):
            route = route.replace(form, sample)
    return route


KINDS = ("int", "uuid", "slug", "path", "str", "hex")
ADDRESSES = list(addresses())
NAMES = [name for name, _path, _view in ADDRESSES]


def test_there_are_addresses() -> None:
    assert {"common:healthz", "accounts:people", "account_login", "common:export"} <= set(NAMES)
    assert len(NAMES) == len(set(NAMES)), "an address has the name of another"


@pytest.mark.parametrize(("name", "path", "view"), ADDRESSES, ids=NAMES)
def test_each_address_declares_its_right(name: str, path: str, view: Any) -> None:
    held = declared(view, name)
    assert held is not None, f"{name} ({path}) declares no right"
    if held not in (PUBLIC, SIGNED_IN, BY_CALL):
        assert set(held) <= set(Right)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "path", "view"), ADDRESSES, ids=NAMES)
def test_each_role_reaches_what_it_may(
    name: str, path: str, view: Any, as_role: Callable[[str], Client]
) -> None:
    held = declared(view, name)
    anonymous = Client().get(path)
    if held == PUBLIC:
        assert anonymous.status_code < 500
        assert "/account/login/?next=" not in anonymous.headers.get("Location", "")
        return
    if held == BY_CALL:  # tests/web/common/test_api.py tries each call with each role
        assert anonymous.status_code in (401, 404)  # 404: the sample is no number of this kind
        return
    # Nothing tells whoever is not signed in whether there is something at this address.
    assert anonymous.status_code in (302, 401), anonymous.status_code
    if anonymous.status_code == 302:
        assert "/account/login/" in anonymous.headers["Location"]
    for role in Role:
        client = as_role(role.value)
        for method in METHODS:
            wanted = declared(view, name, method=method.upper())
            allowed = wanted == SIGNED_IN or set(wanted or ()) <= ROLES[role]
            status = getattr(client, method)(path).status_code
            if allowed:
                assert status != 403, f"{role} may {method} {path}"
                assert status < 500, f"{role}: {method} {path} gives {status}"
            else:
                assert status == 403, f"{role} may not {method} {path}, got {status}"


METHODS = ("get", "post", "put", "delete")


def test_what_is_sent_asks_for_no_less_than_what_is_seen() -> None:
    for name, _path, view in ADDRESSES:
        seen, sent = declared(view, name), declared(view, name, method="POST")
        if seen in (PUBLIC, SIGNED_IN, BY_CALL):
            assert isinstance(sent, str) == isinstance(seen, str) or seen == SIGNED_IN
        else:
            assert set(seen or ()) <= set(sent or ()), name


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("customers:list", Right.EDIT_CUSTOMERS),
        ("alerts:list", Right.EDIT_CUSTOMERS),
        ("insights:goals", Right.EDIT_GOALS),
    ],
)
def test_pages_that_all_see_and_some_change(
    name: str, right: Right, as_role: Callable[[str], Client]
) -> None:
    for role in Role:
        client = as_role(role.value)
        assert client.get(reverse(name)).status_code == 200
        refused = client.post(reverse(name)).status_code == 403
        assert refused == (right not in ROLES[role]), role


def view_of(name: str) -> Any:
    return next(view for known, _path, view in ADDRESSES if known == name)


@pytest.mark.django_db
def test_the_menu_has_each_way_for_those_who_may_go_it(as_role: Callable[[str], Client]) -> None:
    ways = (*navigation.MAIN, *navigation.SETTINGS)
    assert "messaging:messages" in [way.name for way in ways]
    for role in Role:
        page = as_role(role.value).get(reverse("accounts:account")).content.decode()
        for way in ways:
            assert way.right in set(declared(view_of(way.name)) or ()), way.name
            assert (f'href="{reverse(way.name)}"' in page) == (way.right in ROLES[role]), way.name


# -- Things that are there -----------------------------------------------------------------------
@pytest.fixture
def things(users: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What addresses with a number speak of: name of the address → its arguments."""
    owner = users["owner"]
    ids = customers.resolve_many(
        [{"customer_id": f"C{n}", "name": f"Nom {n}", "email": f"c{n}@example.com"} for n in "123"],
        source="test",
    )
    held = Customer.objects.in_bulk(ids)
    one, two, three = (held[id] for id in ids)
    note = customers.add_note(customer=one, text="a appelé", actor=owner)
    change = customers.update_profile(customer=one, fields={"city": "Lyon"}, actor=owner)
    proposal = MergeProposal.objects.create(left=one, right=two, reason="name")
    merge = customers.merge(winner=one, loser=three, actor=owner)
    view = customers.save_view(owner=owner, name="Vue", query="q=x")
    job = jobs.enqueue("insights.report", arguments={"form": "html"}, by=owner.pk)
    held_import = ingest.begin(by=owner)
    upload = ingest.add_file(held=held_import, name="a.csv", content=io.BytesIO(b"a,b\n1,2\n"))
    source = Source.objects.create(name="S", kind="folder", location="drop")
    hook = WebhookEndpoint.objects.create(
        name="W", url="https://example.com/", kinds=["import.landed"], secret=vault.closed("x")
    )
    delivery = WebhookDelivery.objects.create(endpoint=hook, kind="import.landed", body="{}")
    segment = SavedSegment.objects.create(name="Deux", rule="orders >= 2")
    goal = Goal.objects.create(metric="retention", value=0.8)
    digest = Digest.objects.create(name="Lundi", metrics=["retention"], every="week")
    run = runs.keep_predictions(
        number="r1", version="v", settings_hash="h", as_of=dt.date(2026, 1, 1), customers=1,
        began=timezone.now(), facts={}, cards={"departures": {"fr": {}, "en": {}}},
    )  # fmt: skip
    own = InsightView.objects.create(user=owner, name="Vue", path="/metrics/", query="")
    alert = Alert.objects.create(
        customer=one, signal="complaints", raised_on="2026-01-02", reason={}
    )
    SignalState.objects.create(signal="complaints", label={}, meaning={}, family="service")
    message = Outbox.objects.create(key="k", kind="digest", to="x@example.com", subject="Lettre")
    invitation = accounts.invite(
        email="new@example.com", role=Role.ANALYST, language="fr", actor=owner
    )
    key, _text = accounts.create_key(name="K", scopes=[Right.SEE_DASHBOARD], actor=owner)
    purpose = Purpose.objects.get(code="news")
    by_name: dict[str, dict[str, Any]] = {
        "accounts:person": {"id": users["analyst"].pk},
        "accounts:invitation-revoke": {"id": invitation.pk},
        "accounts:key-revoke": {"id": key.pk},
        "consents:purpose": {"id": purpose.pk},
        "customers:view-delete": {"id": view.pk},
        "customers:proposal": {"id": proposal.pk},
        "customers:merge-undo": {"id": merge.pk},
        "customers:undo": {"id": one.pk, "change": change.pk if change else 0},
        "customers:note-delete": {"id": one.pk, "note": note.pk},
        "customers:note-edit": {"id": one.pk, "note": note.pk},
        "ingest:remove-file": {"id": held_import.pk, "file": upload.pk},
        "ingest:preview": {"id": held_import.pk, "place": 0},
        "ingest:quarantine": {"id": held_import.pk, "place": 0},
        "ingest:new-source": {"kind": "folder"},
        "ingest:delivery-again": {"id": delivery.pk},
        "insights:card": {"number": run.number},
        "insights:metric": {"name": "retention"},
        "insights:rows": {"name": "retention"},
        "insights:report-file": {"id": job.pk, "form": "html"},
        "insights:goal-remove": {"id": goal.pk},
        "insights:view-remove": {"id": own.pk},
        "alerts:alert": {"id": alert.pk},
        "alerts:signal": {"name": "complaints"},
        "alerts:signal-reset": {"name": "complaints"},
        "common:export": {"name": "customers", "form": "csv"},
    }
    whole = {
        "common:job": job.pk, "insights:report": job.pk, "customers:": one.pk, "consents:": one.pk,
        "ingest:webhook": hook.pk, "ingest:source": source.pk, "ingest:run-source": source.pk,
        "ingest:host-key": source.pk, "ingest:remove-source": source.pk, "ingest:": held_import.pk,
        "insights:segment": segment.pk, "insights:digest": digest.pk,
        "messaging:message": message.pk,
    }  # fmt: skip
    for name, path, _view in ADDRESSES:
        if path != "/" + name and name not in by_name and _has_number(name):
            begin = next((begin for begin in whole if name.startswith(begin)), None)
            if begin is not None:
                by_name[name] = {"id": whole[begin]}
    return by_name


def _has_number(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:
        return True
    return False


OPEN = ("accounts:accept", "consents:preferences", "consents:stop", "ingest:call", "mfa", "account")
"""Addresses whose argument is a signed text; they are open to anybody."""
NUMBERED = [
    (name, view)
    for name, path, view in ADDRESSES
    if any(sample in path for sample in ("999999", NO_ONE, "/x/", "/x.x"))
    and not name.startswith(OPEN)
    and declared(view, name) not in (PUBLIC, BY_CALL)
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "view"), NUMBERED, ids=[name for name, _view in NUMBERED])
def test_each_role_does_what_it_may_to_what_is_there(
    name: str, view: Any, as_role: Callable[[str], Client], things: dict[str, dict[str, Any]]
) -> None:
    """With nothing in the form: whoever may is told what is missing, and never an error of ours."""
    assert name in things, f"{name} is not tried with anything that is there"
    path = reverse(name, kwargs=things[name])
    # Those who may come last: what they do may take the thing away.
    roles = sorted(Role, key=lambda role: len(ROLES[role]))
    for method in ("get", "post"):
        wanted = declared(view, name, method=method.upper())
        for role in roles:
            allowed = wanted == SIGNED_IN or set(wanted or ()) <= ROLES[role]
            status = getattr(as_role(role.value), method)(path).status_code
            if not allowed:
                assert status == 403, f"{role} may not {method} {path}, got {status}"
                continue
            assert status < 500, f"{role}: {method} {path} gives {status}"
            if name not in OWN:
                assert status != 403, f"{role} may {method} {path}"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", sorted(jobs.handlers()))
def test_each_role_starts_and_stops_the_jobs_that_are_its_own(
    kind: str, as_role: Callable[[str], Client], users: dict[str, Any]
) -> None:
    """Whoever saw the list of jobs stopped erasures and began imports again."""
    right = jobs.handlers()[kind].right
    for role in Role:
        client, seen = as_role(role.value), Right.SEE_JOBS in ROLES[role]
        allowed = seen and right in ROLES[role]
        job = jobs.enqueue(kind)
        stop, again = (reverse(f"common:job-{act}", args=[job.pk]) for act in ("cancel", "retry"))
        page = reverse("common:job", args=[job.pk])
        assert (f'action="{stop}"' in client.get(page).content.decode()) == allowed, role
        assert client.post(stop).status_code == (302 if allowed else 403 if seen else 404), role
        job.refresh_from_db()
        assert job.state == ("cancelled" if allowed else "waiting"), role
        jobs.cancel(job)
        assert (f'action="{again}"' in client.get(page).content.decode()) == allowed, role
        assert client.post(again).status_code == (302 if allowed else 403), role
        job.refresh_from_db()
        assert job.state == ("waiting" if allowed else "cancelled"), role
        own = jobs.enqueue(kind, by=users[role.value].pk)
        stop = reverse("common:job-cancel", args=[own.pk])
        page = reverse("common:job", args=[own.pk])
        assert f'action="{stop}"' in client.get(page).content.decode(), role
        assert client.post(stop).status_code == 302, role


OWN = ("customers:note-delete", "customers:note-edit", "common:export")
"""Where rights say who may, and then the thing itself: another's note, a list of another right."""
