"""Imports and keys by the API: as the page does, with the same refusals."""

from __future__ import annotations

import csv
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http.multipartparser import MultiPartParser
from django.test import Client

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.rights import Right
from revoir_web.common.models import AuditEntry, Job
from revoir_web.ingest import outside, planning
from revoir_web.ingest.models import Source, WebhookEndpoint
from revoir_web.testing.calls import text_of

from .conftest import lake, work

pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = b"order_id,client,date,montant,email\nA1,C1,2025-01-03,10,a@example.com\nA2,C2,x,5,\n"


class Program:
    """A program with a key."""

    def __init__(self, *scopes: Right) -> None:
        _key, text = accounts.create_key(name="p", scopes=scopes, actor=None)
        self.headers = {"authorization": f"Bearer {text}"}
        self.client = Client()

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        data = "" if body is None else json.dumps(body)
        answer = self.client.generic(
            method, f"/api{path}", data, content_type="application/json", headers=self.headers
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    def upload(self, held: str, name: str, data: bytes, status: int = 200) -> Any:
        answer = self.client.post(
            f"/api/imports/{held}/files", {"file": SimpleUploadedFile(name, data)},
            headers=self.headers,
        )  # fmt: skip
        assert answer.status_code == status, answer.content
        return answer.json()


def test_import_from_beginning_to_undo(company: object) -> None:
    program = Program(Right.IMPORT_DATA)
    held = program.ask("POST", "/imports", status=201)["id"]
    program.ask("POST", f"/imports/{held}/read", {}, status=409)
    told = program.upload(held, "../../ventes.csv", ORDERS)
    assert [file["name"] for file in told["files"]] == ["ventes.csv"]
    assert program.ask("POST", f"/imports/{held}/read", {})["state"] == "reading"
    program.ask("POST", f"/imports/{held}/read", {}, status=409)
    work()
    told = program.ask("GET", f"/imports/{held}")
    assert (told["state"], told["rows_in"], told["rows_quarantined"]) == ("read", 2, 1)
    understood = program.ask("GET", f"/imports/{held}/understood")
    [file] = understood["files"]
    assert file["table"] == "orders"
    assert file["quarantine"][0]["value"] is None, "this key may not see personal values"
    assert "orders.amount" in understood["mapping"]
    program.ask("POST", f"/imports/{held}/undo", status=409)
    assert program.ask("POST", f"/imports/{held}/confirm", {})["state"] == "landing"
    work()
    told = program.ask("GET", f"/imports/{held}")
    assert told["landed"]["orders"] == {"new": 1, "changed": 0, "unchanged": 0}
    program.ask("POST", f"/imports/{held}/undo")
    work()
    assert program.ask("GET", f"/imports/{held}")["state"] == "undone"
    assert lake("SELECT count(*) FROM orders") == [(0,)]
    assert [entry["id"] for entry in program.ask("GET", "/imports")["items"]] == [held]


def test_mapping_that_is_none_is_refused(company: object) -> None:
    program = Program(Right.IMPORT_DATA)
    held = program.ask("POST", "/imports", status=201)["id"]
    program.upload(held, "a.csv", ORDERS)
    for mapping in ("- [", "files: 3", "files:\n- columns: {client: nothing.known}"):
        program.ask("POST", f"/imports/{held}/read", {"mapping": mapping}, status=409)


def test_every_row_set_aside_is_given(company: object) -> None:
    """A program was told of the first 20 rows, and had no way to the others."""
    program = Program(Right.IMPORT_DATA, Right.SEE_PERSONAL)
    held = program.ask("POST", "/imports", status=201)["id"]
    wrong = b"".join(b"B%d,C%d,x,5,b%d@example.com\n" % (n, n, n) for n in range(30))
    program.upload(held, "ventes.csv", ORDERS + wrong)
    path = f"/imports/{held}/quarantine"
    program.ask("GET", f"{path}/0", status=404)
    program.ask("POST", f"/imports/{held}/read", {})
    work()
    [file] = program.ask("GET", f"/imports/{held}/understood")["files"]
    assert (len(file["quarantine"]), file["rows_quarantined"]) == (20, 31)
    answer = program.client.get(f"/api{path}/0", headers=program.headers)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "ventes-quarantine.csv" in answer["Content-Disposition"]
    text = text_of(answer)
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 31
    assert lines[-1]["email"] == "b29@example.com"
    assert AuditEntry.objects.get(action="import.quarantine").details == {"file": 0}
    for place in (1, 10**400):
        program.ask("GET", f"{path}/{place}", status=404)
    masked = Program(Right.IMPORT_DATA)
    masked.ask("GET", f"{path}/0", status=403)


def test_empty_file_is_refused(company: object) -> None:
    program = Program(Right.IMPORT_DATA)
    held = program.ask("POST", "/imports", status=201)["id"]
    assert "error" in program.upload(held, "a.csv", b"", status=409)


def test_nothing_without_the_right(company: object) -> None:
    reader = Program(Right.SEE_CUSTOMERS)
    reader.ask("GET", "/imports", status=403)
    reader.ask("POST", "/imports", status=403)
    reader.ask("GET", f"/imports/{uuid.uuid4()}", status=403)
    reader.ask("POST", "/write-keys", {"name": "x"}, status=403)
    reader.ask("GET", "/webhooks", status=403)
    assert Client().get("/api/imports").status_code == 401
    program = Program(Right.IMPORT_DATA)
    program.ask("GET", f"/imports/{uuid.uuid4()}", status=404)
    program.ask("GET", "/imports?cursor=bm9uZQ", status=400)


def test_write_keys_and_webhooks(company: object) -> None:
    program = Program(Right.MANAGE_KEYS, Right.MANAGE_WEBHOOKS)
    made = program.ask("POST", "/write-keys", {"name": "site"}, status=201)
    body = json.dumps({"userId": "u", "event": "x", "writeKey": made["text"]})
    sent = Client().post("/v1/track", body, content_type="application/json")
    assert sent.status_code == 200
    assert [key["id"] for key in program.ask("GET", "/write-keys")] == [made["id"]]
    program.ask("DELETE", f"/write-keys/{made['id']}", status=204)
    assert program.ask("GET", "/write-keys")[0]["ended"]
    program.ask("DELETE", "/write-keys/99999999999999999999", status=404)
    hook = {"name": "h", "url": "http://169.254.169.254/", "kinds": ["import.landed"]}
    program.ask("POST", "/webhooks", hook, status=409)
    program.ask("POST", "/webhooks", {**hook, "kinds": ["x"]}, status=422)
    good = program.ask("POST", "/webhooks", {**hook, "url": "https://8.8.8.8/h"}, status=201)
    assert good["secret"].startswith("whsec_")
    assert "secret" not in program.ask("GET", "/webhooks")[0]
    program.ask("DELETE", f"/webhooks/{good['id']}", status=204)


def test_a_webhook_is_changed_and_its_deliveries_are_seen(company: object) -> None:
    """A program could add and remove an address, and never see what became of what it was told."""
    program = Program(Right.MANAGE_WEBHOOKS)
    hook = {"name": "h", "url": "https://8.8.8.8/h", "kinds": ["import.landed"]}
    path = f"/webhooks/{program.ask('POST', '/webhooks', hook, status=201)['id']}"
    told = program.ask("PATCH", path, {"name": "i", "kinds": ["source.failed", "import.landed"]})
    assert (told["name"], told["url"]) == ("i", hook["url"])
    assert told["kinds"] == ["import.landed", "source.failed"]
    program.ask("PATCH", path, {"kinds": ["x"]}, status=422)
    program.ask("PATCH", path, {"kinds": []}, status=422)
    program.ask("PATCH", path, {"url": "http://169.254.169.254/"}, status=409)
    assert program.ask("PATCH", path, {}) == told
    assert AuditEntry.objects.filter(action="webhook.change").count() == 1
    # Its name leads nowhere any more: it can be put out of use all the same.
    WebhookEndpoint.objects.update(url="https://nowhere.invalid/")
    assert program.ask("PATCH", path, {"enabled": False})["enabled"] is False
    tried = program.ask("POST", f"{path}/test", {}, status=202)
    assert (tried["kind"], tried["state"], tried["attempts"]) == ("test", "waiting", 0)
    program.ask("POST", f"{path}/test", {}, status=202)
    work()
    first = program.ask("GET", f"{path}/deliveries?limit=1")
    [last] = program.ask("GET", f"{path}/deliveries?limit=1&cursor={first['next']}")["items"]
    assert (last["id"], last["state"], last["attempts"]) == (tried["id"], "failed", 1)
    assert last["error"]
    again = program.ask("POST", f"{path}/deliveries/{tried['id']}/again", {}, status=202)
    assert (again["state"], again["attempts"]) == ("waiting", 0)
    # A second click is no second delivery.
    program.ask("POST", f"{path}/deliveries/{tried['id']}/again", {}, status=202)
    assert Job.objects.filter(kind="ingest.deliver", state="waiting").count() == 1
    other = f"/webhooks/999999/deliveries/{tried['id']}/again"
    program.ask("POST", other, {}, status=404)


def test_a_slow_sender_keeps_nobody_from_writing(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key of its own, a file was taken in while the database was held for it."""
    program = Program(Right.IMPORT_DATA)
    held = program.ask("POST", "/imports", {}, status=201)
    seen: list[bool] = []
    parse = MultiPartParser.parse

    def slowly(self: MultiPartParser) -> Any:
        seen.append(connection.in_atomic_block)
        return parse(self)

    monkeypatch.setattr(MultiPartParser, "parse", slowly)
    answer = program.client.post(
        f"/api/imports/{held['id']}/files",
        {"file": SimpleUploadedFile("a.csv", ORDERS)},
        headers={**program.headers, "Idempotency-Key": "k"},
    )
    assert answer.status_code == 200, answer.content
    assert seen == [False]


def test_nobody_waits_while_a_name_is_looked_up(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite was held for as long as the name of a webhook's host took to be found."""
    held: list[bool] = []

    def looked_up(host: str, port: int) -> str:
        held.append(connection.in_atomic_block)
        return "93.184.216.34"

    monkeypatch.setattr(outside, "checked", looked_up)
    program = Program(Right.MANAGE_WEBHOOKS)
    told = {"name": "h", "url": "https://hook.example.com/", "kinds": ["import.landed"]}
    made = program.ask("POST", "/webhooks", told, status=201)
    program.ask("PATCH", f"/webhooks/{made['id']}", {"url": "https://hook.example.com/b"})
    assert held == [False, False]


def test_sources_are_listed_and_asked(company: object, tmp_path: Path) -> None:
    """Only a person could have a source asked, or see why it could not be."""
    (tmp_path / "drop").mkdir()
    held = planning.save_source(
        source=Source(kind="folder"),
        fields={"name": "caisse", "location": str(tmp_path / "drop"), "password": "secret"},
    )
    other = planning.save_source(
        source=Source(kind="folder"), fields={"name": "b", "location": str(tmp_path / "gone")}
    )
    program = Program(Right.MANAGE_SOURCES)
    first = program.ask("GET", "/sources?limit=1")
    second = program.ask("GET", f"/sources?limit=1&cursor={first['next']}")
    assert [row["name"] for row in first["items"] + second["items"]] == ["caisse", "b"]
    assert second["next"] is None
    assert "secret" not in str(first)
    assert held.secret not in str(first)
    (tmp_path / "drop" / "ventes.csv").write_bytes(ORDERS)
    job = program.ask("POST", f"/sources/{held.pk}/run", {}, status=202)
    assert (job["kind"], job["state"]) == ("ingest.fetch", "waiting")
    assert program.ask("GET", f"/sources/{held.pk}")["job"] == job["id"]
    # Two that ask at once would find, and import, the same files.
    assert program.ask("POST", f"/sources/{held.pk}/run", {}, status=202)["id"] == job["id"]
    program.ask("POST", f"/sources/{other.pk}/run", {}, status=202)
    work()
    told = program.ask("GET", f"/sources/{held.pk}")
    assert (told["job"], told["error"], told["last_found"]) == (None, None, 1)
    assert len(told["imports"]) == 1
    assert program.ask("GET", f"/sources/{other.pk}")["error"]
    assert AuditEntry.objects.filter(action="source.run").count() == 3
    program.ask("POST", f"/sources/{2**70}/run", {}, status=422)
    program.ask("GET", "/sources/999999", status=404)


def test_pages_without_the_right(as_role: Any, company: object) -> None:
    for path in ("/imports/", "/imports/new/", "/sources/", "/webhooks/"):
        assert as_role("analyst").get(path).status_code == 403
        assert as_role("advisor").get(path).status_code == 403
    assert as_role("manager").get("/webhooks/").status_code == 403
    assert as_role("manager").get("/sources/").status_code == 200


def test_a_key_is_of_one_file(company: object) -> None:
    """Another file of the same size was taken for the first one sent again, and never kept."""
    program = Program(Right.IMPORT_DATA)
    held = program.ask("POST", "/imports", status=201)["id"]

    def sent(name: str, data: bytes) -> Any:
        return program.client.post(
            f"/api/imports/{held}/files",
            {"file": SimpleUploadedFile(name, data)},
            headers={**program.headers, "Idempotency-Key": "one"},
        )

    assert sent("a.csv", ORDERS).status_code == 200
    again = sent("a.csv", ORDERS)
    assert (again.status_code, again["Idempotent-Replay"]) == (200, "true")
    for name, data in (("a.csv", ORDERS.replace(b"10", b"20")), ("b.csv", ORDERS)):
        other = sent(name, data)
        assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_used")
    [file] = program.ask("GET", f"/imports/{held}")["files"]
    assert file["size"] == len(ORDERS)
