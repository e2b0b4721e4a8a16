"""Erasing persons leaves no identifier anywhere, and no statistic changed."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow.parquet as pq
import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from revoir.language import msg
from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Job, Replay
from revoir_web.consents import actions, erasure, ledger
from revoir_web.consents.models import Consent, Erasure, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer, ErasedIdentifier, SavedView, Verbatim
from revoir_web.ingest import actions as ingest
from revoir_web.ingest import outside, vault, webhooks
from revoir_web.ingest.models import Import, InboxEvent, WebhookDelivery, WebhookEndpoint
from revoir_web.messaging import actions as messages
from revoir_web.messaging.models import Outbox

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
            if path.suffix == ".parquet":
                yield str(path), repr(pq.read_table(path).to_pylist()).encode()
                yield str(path), repr(statistics(path)).encode()


def statistics(path: Path) -> list[Any]:
    """What a file of the lake says of itself: the least and the greatest of each column."""
    held = pq.ParquetFile(path).metadata
    columns = [
        held.row_group(group).column(place)
        for group in range(held.num_row_groups)
        for place in range(held.num_columns)
    ]
    found = [column.statistics for column in columns if column.statistics is not None]
    return [(one.min, one.max) for one in found if one.has_min_max] + [held.metadata]


def sums() -> dict[str, list[tuple[Any, ...]]]:
    """Every statistic of the lake that tells one customer from another, but not who they are."""
    from revoir_web.ingest.lake import lake

    queries = {
        "orders": "SELECT count(*), sum(amount), count(DISTINCT customer_id) FROM orders",
        "each": "SELECT n, count(*) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id)"
        " GROUP BY n ORDER BY n",
        "answers": "SELECT count(*), avg(score), count(comment), count(DISTINCT customer_id)"
        " FROM responses",
        "contacts": "SELECT count(*), count(text), count(DISTINCT customer_id) FROM interactions",
        "events": "SELECT count(*), count(DISTINCT customer_id), min(event) FROM events",
        "customers": "SELECT count(*), count(DISTINCT customer_id), count(city) FROM customers",
    }
    with closing(duckdb.connect()) as connection:
        backend: Any = ibis.duckdb.from_connection(connection)
        for name, table in lake().tables(backend).items():
            connection.execute(f"CREATE TABLE {name} AS {backend.compile(table)}")
        return {name: connection.execute(text).fetchall() for name, text in queries.items()}


def bring_in(rows: list[dict[str, Any]], name: str, *, land: bool = True) -> Import:
    """Import a file as the page does."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    held = ingest.begin()
    ingest.add_file(held=held, name=name, content=io.BytesIO(text.getvalue().encode()))
    ingest.read(held=held)
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Import.State.READ, held.failure
    if land:
        ingest.confirm(held=held, again=True)
        jobs.run_waiting()
        held.refresh_from_db()
        assert held.state == Import.State.LANDED, held.failure
    return held


def seed_the_lake(count: int) -> None:
    """Files of every kind, and events, that name everybody in every way."""
    people = range(count)
    clients = [{**person(n), "city": f"Ville {n % 7}"} for n in people]
    orders = [
        {"order_id": f"O{n}-{k}", "client_id": f"KUNDE-{n:05d}", "date": f"2026-01-{k + 1:02d}",
         "montant": f"{n + k}.00", "email": person(n)["email"],
         "nom": f"Prénom{n:05d} Nomdefamille{n:05d}",
         "remarque": f"À livrer chez Mme Nomdefamille{n:05d} svp"}
        for n in people for k in range(1 + n % 3)
    ]  # fmt: skip
    # A row that is set aside names somebody too.
    orders.append({**orders[0], "order_id": "OX", "date": "32/13/2026"})
    answers = [
        {"reponse_id": f"R{n}", "client_id": f"KUNDE-{n:05d}", "date_reponse": "2026-02-01",
         "nps": n % 11, "commentaire": f"Demandez à Prénom{n:05d} Nomdefamille{n:05d}"}
        for n in people
    ]  # fmt: skip
    contacts = [
        {"ticket_id": f"T{n}", "client_id": f"KUNDE-{n:05d}", "ouvert_le": "2026-02-02 10:00",
         "canal": "email", "type": "question",
         "description": f"Bonjour, Nomdefamille{n:05d} à l’appareil"
         + (f", 06 98 {n // 100:02d} {n % 100:02d} 11" if n % 3 else "")}
        for n in people
    ]  # fmt: skip
    for name, rows in (
        ("clients.csv", clients), ("commandes.csv", orders), ("nps.csv", answers),
        ("sav.csv", contacts),
    ):  # fmt: skip
        bring_in(rows, name)
    bring_in([{**row, "montant": "1.00"} for row in orders[:-1]], "attend.csv", land=False)
    send_events(count)
    jobs.enqueue("ingest.drain")
    jobs.run_waiting()
    assert not InboxEvent.objects.exists()
    send_events(count)
    assert InboxEvent.objects.count() == 3 * count


def send_events(count: int) -> None:
    _key, text = accounts.create_key(name="site", scopes=[Right.SEND_EVENTS], actor=None)
    head = {"authorization": "Basic " + base64.b64encode(f"{text}:".encode()).decode()}
    calls: list[dict[str, Any]] = []
    for n in range(count):
        who = {"userId": f"KUNDE-{n:05d}"}
        said = person(n)
        traits = {"email": said["email"], "firstName": said["first_name"], "phone": said["phone"]}
        searched = {
            "q": f"nomdefamille{n:05d}", "firstName": said["first_name"], "mail": said["email"],
            "message": f"Je suis {said['first_name']} {said['last_name']}", "rank": n,
        }  # fmt: skip
        calls += [
            {"type": "identify", **who, "traits": traits},
            {"type": "page", **who, "name": "Compte", "properties": {"path": f"/c/KUNDE-{n:05d}"}},
            {"type": "track", **who, "event": "Search", "properties": searched},
        ]
    for begin in range(0, len(calls), 100):
        body = json.dumps({"batch": calls[begin : begin + 100]})
        sent = Client().post("/v1/batch", body, content_type="application/json", headers=head)
        assert sent.status_code == 200, sent.content


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


def _nobody(*given: Any, **named: Any) -> Any:
    raise outside.Unreachable(msg("There is nobody."))


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with its lake, searched through afterwards."""
    settings.DATA = tmp_path / "data"
    settings.LAKE = str(settings.DATA / "lake")
    settings.DATA.mkdir()
    # Figures name nobody and take their time; they have tests of their own.
    monkeypatch.setattr(ingest, "AFTERWARDS", ("customers.index",))
    monkeypatch.setattr(outside, "ask", _nobody)
    return tmp_path / "data"


@pytest.mark.django_db(transaction=True)
def test_a_hundred_persons_are_gone_everywhere(
    own_folder: Path,
    as_role: SignIn,
    users: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    count = HUNDRED + 20
    hook = WebhookEndpoint.objects.create(
        name="W", url="https://example.com/", kinds=list(webhooks.KINDS), secret=vault.closed("x")
    )
    seed_the_lake(count)
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
        owner.get(reverse("consents:data", args=[id]))
        messages.send(
            to=f"quelquun{n:05d}@example.com", subject=f"Bonjour Prénom{n:05d} Nomdefamille{n:05d}",
            text=f"{n:05d} impasse des Témoins", key=f"letter:{n}",
        )  # fmt: skip
        # Programs are told of no person by us; what they may be told of one day is found too.
        webhooks.tell("import.landed", {"import": "x", "by": f"quelquun{n:05d}@example.com"})
        owner.post(
            "/api/customers", json.dumps({"external_id": f"KUNDE-{n:05d}"}),
            content_type="application/json", headers={"Idempotency-Key": f"k{n}"},
        )  # fmt: skip
    assert Replay.objects.count() == 30
    job = jobs.enqueue("customers.index", arguments={"who": "quelquun00003@example.com"})
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    list(owner.get(reverse("common:export", args=["customers", "csv"])).streaming_content)  # type: ignore[attr-defined]

    jobs.run_waiting()
    assert Outbox.objects.count() == 30
    assert Verbatim.objects.count() == 2 * count
    assert WebhookDelivery.objects.filter(endpoint=hook).count() > 30
    figures_before = sums()
    assert figures_before["events"][0][1] == count

    before = {id: held[id] for id in ids[HUNDRED:]}
    gone = list(Customer.objects.filter(pk__in=ids[:HUNDRED]))
    records = actions.erase_persons(
        customers=gone, reason=Erasure.Reason.REQUEST, actor=users["owner"]
    )
    assert len(records) == HUNDRED

    assert sums() == figures_before
    folder = own_folder
    logs = (caplog.text + "".join(capfd.readouterr())).encode()
    found = []
    texts = [(text.encode(), n) for n in range(HUNDRED) for text in named(n)]
    texts += [(json.dumps(text.decode()).strip('"').encode(), n) for text, n in texts]
    for place, held_bytes in [*everything(folder), ("log", logs)]:
        low = held_bytes.decode("utf-8", "replace").lower().encode()
        found += [(place, text, n) for text, n in texts if text.lower() in low]
    assert not found, Counter((Path(place).suffix, text[:9]) for place, text, _n in found)

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


@pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="PostgreSQL keeps the bytes of deleted rows until it vacuums (docs/how-to/consent.md)",
)
@pytest.mark.django_db(transaction=True)
def test_the_files_of_the_database_hold_nothing_either(company: Any) -> None:
    """Freed pages and the log kept e-mail addresses of persons whose rows were empty."""
    ids = customers.resolve_many([person(n) for n in range(300)], source="test")
    customers.index_waiting()
    gone = Customer.objects.filter(pk__in=ids[:HUNDRED])
    actions.erase_persons(customers=gone, reason=Erasure.Reason.REQUEST)
    Job.objects.filter(kind=erasure.SCRUB).update(not_before=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    jobs.run_waiting()
    assert Job.objects.get(kind=erasure.SCRUB).result == {"emptied": True}
    connection.close()
    path = Path(connection.settings_dict["NAME"])
    # Read by another process: whoever closes a file drops all locks that their process has on it,
    # so that the next one to leave takes away the log from under a thread that is still connected.
    parts = path.parent.glob(f"{path.name}*")
    held = subprocess.run(["cat", *parts], capture_output=True, check=True).stdout
    assert b"quelquun00200@example.com" in held
    for n in range(HUNDRED):
        assert f"quelquun{n:05d}@example.com".encode() not in held, n


@pytest.mark.skipif(
    connection.vendor != "sqlite",
    reason="SQLite alone has a log that is ours to empty; on PostgreSQL `empty_log` does nothing",
)
@pytest.mark.django_db(transaction=True)
def test_emptying_the_log_keeps_nobody_waiting_for_whoever_reads(
    company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that reads for long kept everybody else from writing for twenty seconds."""
    monkeypatch.setattr(erasure, "_PAUSES", (0, 0.01))
    path = connection.settings_dict["NAME"]
    customers.resolve_many([person(1)], source="test")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM customers_customer").fetchone()
        customers.resolve_many([person(2)], source="test")
        begun = time.monotonic()
        assert not erasure.empty_log()
        assert time.monotonic() - begun < 10
        reader.execute("COMMIT")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone()[0] == 20_000
    assert erasure.empty_log()
    assert Path(f"{path}-wal").stat().st_size == 0


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
