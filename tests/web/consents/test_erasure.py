"""Erasing persons leaves no identifier anywhere, and no statistic changed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Job, Replay
from revoir_web.consents import actions, erasure, ledger
from revoir_web.consents.models import Consent, Erasure, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer, ErasedIdentifier, SavedView

SignIn = Callable[[str], Client]
HUNDRED = 100


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every place of the installation and what stands in it."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                yield model._meta.label, repr(row).encode()
    for path in folder.rglob("*"):
        # What the rows of a database hold was read above; its own files change when it sees fit.
        own = "sqlite" in path.name or "postgres" in path.relative_to(folder).parts
        if path.is_file() and not own and path.name != "secret.key":
            yield str(path), path.read_bytes()


def person(n: int) -> dict[str, Any]:
    return {
        "customer_id": f"KUNDE-{n:05d}",
        "first_name": f"Prénom{n:05d}",
        "last_name": f"Nomdefamille{n:05d}",
        "email": f"quelquun{n:05d}@example.com",
        "phone": f"06 98 {n // 100:02d} {n % 100:02d} 11",
        "street": f"{n:05d} impasse des Témoins",
        "postcode": "75011",
        "remark": f"secret-{n:05d}",
    }


def named(n: int) -> list[str]:
    """Texts that must not be found afterwards."""
    return [
        f"KUNDE-{n:05d}", f"prénom{n:05d}", f"prenom{n:05d}", f"nomdefamille{n:05d}",
        f"quelquun{n:05d}", f"+336 98{n:04d}11".replace(" ", ""), f"{n:05d} impasse des témoins",
        f"secret-{n:05d}",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_hundred_persons_are_gone_everywhere(
    as_role: SignIn, users: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    count = HUNDRED + 20
    ids = customers.resolve_many([person(n) for n in range(count)], source="test")
    customers.index_waiting()
    figures = [
        {"customer_id": id, "orders": n % 5, "revenue": n, "last_on": dt.date(2026, 1, 1)}
        for n, id in enumerate(ids)
    ]
    customers.write_figures(figures)
    # A tenth has a second entry, merged; all have traces in every place that keeps some.
    doubles = customers.resolve_many(
        [
            {"customer_id": f"KUNDE-{n:05d}-bis", "email": f"quelquun{n:05d}@example.com"}
            for n in range(10)
        ],
        source="test",
    )
    customers.index_waiting()
    customers.propose_merges()
    held = Customer.objects.in_bulk(ids + doubles)
    for n, double in enumerate(doubles):
        customers.merge(winner=held[ids[n]], loser=held[double])
    owner = as_role("owner")
    news = Purpose.objects.get(code="news")
    for n, id in enumerate(ids[:30]):
        customer = Customer.objects.get(pk=id)
        customers.add_note(customer=customer, text=f"Prénom{n:05d} a appelé", actor=users["owner"])
        customers.update_profile(
            customer=customer,
            fields={"address": f"{n:05d} impasse des Témoins bis"},
            actor=users["owner"],
        )
        actions.record(
            customer=customer, purpose=news, channel="email", given=True, source="page",
            proof=f"courriel de quelquun{n:05d}@example.com",
        )  # fmt: skip
        SavedView.objects.create(
            name=f"Vue {n}", query=f"q=quelquun{n:05d}%40example.com", owner=users["owner"]
        )
        owner.get(reverse("customers:customer", args=[id]))
        owner.get(reverse("customers:list"), {"q": f"nomdefamille{n:05d}"})
        owner.get(f"/api/customers/{id}")
        owner.post(
            "/api/customers", json.dumps({"external_id": f"KUNDE-{n:05d}"}),
            content_type="application/json", headers={"Idempotency-Key": f"k{n}"},
        )  # fmt: skip
    assert Replay.objects.count() == 30
    job = jobs.enqueue("customers.index", arguments={"who": "quelquun00003@example.com"})
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    list(owner.get(reverse("common:export", args=["customers", "csv"])).streaming_content)  # type: ignore[attr-defined]

    before = {id: held[id] for id in ids[HUNDRED:]}
    gone = list(Customer.objects.filter(pk__in=ids[:HUNDRED]))
    records = actions.erase_persons(
        customers=gone, reason=Erasure.Reason.REQUEST, actor=users["owner"]
    )
    assert len(records) == HUNDRED

    folder = Path(settings.DATA)
    logs = (caplog.text + "".join(capfd.readouterr())).encode()
    found = []
    texts = [(text.encode(), n) for n in range(HUNDRED) for text in named(n)]
    texts += [(json.dumps(text.decode()).strip('"').encode(), n) for text, n in texts]
    for place, held_bytes in [*everything(folder), ("log", logs)]:
        low = held_bytes.decode("utf-8", "replace").lower().encode()
        found += [(place, text, n) for text, n in texts if text.lower() in low]
    assert not found, found[:5]

    # The others are as they were, and whoever was erased is still counted.
    assert Customer.objects.count() == count + 10
    for id, other in before.items():
        assert Customer.objects.get(pk=id).email == other.email
    assert Customer.objects.filter(erased_at__isnull=False).count() == HUNDRED + 10
    assert not Consent.objects.exists()
    assert AuditEntry.objects.filter(action="customer.erase").count() == HUNDRED

    # A file that brings them again brings nobody.
    again = customers.resolve_many([person(n) for n in range(count)], source="test")
    assert again == [""] * HUNDRED + ids[HUNDRED:]
    assert customers.resolve_many([{"phone": "0698000511"}], source="test") == [""]
    assert ErasedIdentifier.objects.count() == 3 * HUNDRED + 10

    # The ledger brings a restored backup to the same state.
    assert ledger.path().stat().st_mode & 0o077 == 0
    Customer.objects.filter(pk=ids[0]).update(erased_at=None, name="Revenu De Copie")
    ErasedIdentifier.objects.all().delete()
    assert erasure.erase_again() == 1
    assert Customer.objects.get(pk=ids[0]).name == ""
    assert ErasedIdentifier.objects.count() == 3 * HUNDRED + 10
    ledger.path().unlink()


@pytest.mark.django_db
def test_it_takes_a_typed_word_and_the_right(as_role: SignIn, company: Any) -> None:
    [id] = customers.resolve_many([person(1)], source="test")
    url = reverse("consents:erase", args=[id])
    assert as_role("manager").post(url, {"confirm": "EFFACER"}).status_code == 403
    owner = as_role("owner")
    assert owner.get(url).status_code == 200
    assert owner.post(url, {"confirm": "oui"}).status_code == 422
    page = owner.post(url, {"confirm": owner.get(url).context["word"]}, follow=True)
    assert page.status_code == 200
    assert "Nomdefamille" not in page.content.decode()
    assert owner.get(reverse("consents:data", args=[id])).status_code == 404
    assert owner.get(url).status_code == 404
    ledger.path().unlink()


@pytest.mark.django_db
def test_an_eraser_that_fails_leaves_everything(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(found: erasure.Erased) -> int:
        raise OSError("disk")

    monkeypatch.setitem(erasure._ERASERS, "test.broken", broken)
    [id] = customers.resolve_many([person(1)], source="test")
    customer = Customer.objects.get(pk=id)
    with pytest.raises(OSError, match="disk"):
        actions.erase_persons(customers=[customer], reason="request")
    customer.refresh_from_db()
    assert customer.email
    assert not ErasedIdentifier.objects.exists()
    assert not ledger.path().exists()


@pytest.mark.django_db
def test_an_eraser_is_given_what_to_look_for(company: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[erasure.Erased] = []
    monkeypatch.setitem(erasure._ERASERS, "test.seen", lambda found: seen.append(found) or 2)
    [id] = customers.resolve_many([person(7)], source="test")
    [record] = actions.erase_persons(customers=[Customer.objects.get(pk=id)], reason="request")
    [found] = seen
    assert found.ids == [id]
    assert ("external", "KUNDE-00007") in found.keys
    assert found.named_in("tél. 06.98.00.07.11, merci")
    assert found.named_in("PRÉNOM00007 NOMDEFAMILLE00007")
    assert not found.named_in("une autre personne, 06 98 00 08 11")
    assert record.rows["test.seen"] == 2
    ledger.path().unlink()
