"""Forgetting persons in what has not landed yet: the inbox, and the files of imports."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from revoir_web.consents.erasure import Erased, eraser
from revoir_web.ingest import actions, sql, understanding
from revoir_web.ingest.models import Import, InboxEvent, SetAside, WebhookDelivery

_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\xd0\xcf\x11\xe0", b"SQLite format 3")
_CHUNK = 1 << 22


@eraser("ingest.inbox")
def from_inbox(persons: Erased) -> int:
    """Take messages of theirs out of the inbox."""
    return _messages_of(persons, InboxEvent)


@eraser("ingest.set_aside")
def from_set_aside(persons: Erased) -> int:
    """Take messages of theirs out of those that were set aside."""
    return _messages_of(persons, SetAside)


def _messages_of(persons: Erased, model: type[InboxEvent] | type[SetAside]) -> int:
    theirs = {value for _kind, value in persons.keys}
    gone = []
    for row in model.objects.only("pk", "body").iterator(chunk_size=1000):
        try:
            body = json.loads(row.body)
            text = json.dumps(body, ensure_ascii=False)
        except (ValueError, RecursionError):
            gone.append(row.pk)  # nobody can tell whom it names
            continue
        ids = {str(body.get(name)) for name in ("userId", "anonymousId", "previousId")}
        if ids & theirs or persons.named_in(text):
            gone.append(row.pk)
    for start in range(0, len(gone), 500):
        model.objects.filter(pk__in=gone[start : start + 500]).delete()
    return len(gone)


@eraser("ingest.webhooks")
def from_webhooks(persons: Erased) -> int:
    """Take what other programs were told of them out of what is kept for trying again."""
    rows = WebhookDelivery.objects.order_by().values_list("pk", "body").iterator()
    gone = [pk for pk, body in rows if persons.named_in(_plain(body))]
    for start in range(0, len(gone), 500):
        WebhookDelivery.objects.filter(pk__in=gone[start : start + 500]).delete()
    return len(gone)


def _plain(body: str) -> str:
    """What JSON says, its letters beyond ASCII written out."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body


@eraser("ingest.imports")
def from_imports(persons: Erased) -> int:
    """Take rows of theirs out of quarantine; imports that wait with them are given up."""
    count = 0
    for held in Import.objects.filter(files_removed_at=None):
        if not held.folder.is_dir():
            continue
        if held.state in actions.OPEN and _holds(held, persons):
            actions.forget_files(held)
            actions.give_up(held=held)
            count += 1
            continue
        count += sum(_without(path, persons) for path in held.folder.glob("quarantine/*.csv"))
        count += _understood_without(held, persons)
    return count


def _holds(held: Import, persons: Erased) -> bool:
    """Whether files that were not brought in name one of them, or cannot be looked into."""
    made = list((held.folder / "made").glob("*.parquet"))
    if made:
        return any(_in_table(path, persons) for path in made) or any(
            _in_text(path, persons) for path in held.folder.glob("quarantine/*.csv")
        )
    return any(_in_text(path, persons) for path in held.folder.glob("files/*/*"))


def _in_table(path: Path, persons: Erased) -> bool:
    with closing(sql.connect(path.parent.parent / "spill")) as connection:
        relation = f"read_parquet({sql.text(str(path))})"
        kinds = sql.columns_of(connection, relation)
        texts = [name for name, kind in kinds.items() if kind == "VARCHAR"]
        values = [value.lower() for value in (*persons.values, *(v for _k, v in persons.keys))]
        if not texts or not values:
            return False
        cells = ", ".join(f"lower({sql.name(name)})" for name in texts)
        wanted = ", ".join(sql.text(value) for value in values)
        found = connection.execute(
            f"SELECT count(*) FROM {relation} WHERE list_has_any([{cells}], [{wanted}])"
        ).fetchall()
        return bool(found[0][0])


def _in_text(path: Path, persons: Erased) -> bool:
    encodings = ("utf-8", "latin-1", "utf-16-le")
    with path.open("rb") as file:
        head = file.read(16)
        if head.startswith(_PACKED):
            return True
        file.seek(0)
        rest = b""
        while chunk := file.read(_CHUNK):
            text = (rest + chunk).lower()
            for value in persons.values:
                for encoding in encodings:
                    if value.lower().encode(encoding, "ignore") in text:
                        return True
            rest = chunk[-400:]
    return False


def _without(path: Path, persons: Erased) -> int:
    """Leave the lines out of a file of quarantined rows that name one of them."""
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    kept = [line for place, line in enumerate(lines) if not place or not persons.named_in(line)]
    if len(kept) == len(lines):
        return 0
    path.write_text("".join(kept), encoding="utf-8-sig")
    return len(lines) - len(kept)


def _understood_without(held: Import, persons: Erased) -> int:
    understood = understanding.kept(held)
    if understood is None or not persons.named_in(json.dumps(understood, ensure_ascii=False)):
        return 0
    understood["samples"] = []
    understood["notes"] = []
    for file in understood["files"]:
        file["notes"] = []
        file["quarantine"] = list(_unnamed(file["quarantine"], persons))
    understanding.write_json(held.folder / "understood.json", understood)
    return 1


def _unnamed(rows: Iterable[dict[str, Any]], persons: Erased) -> Iterable[dict[str, Any]]:
    return (row for row in rows if not persons.named_in(json.dumps(row, ensure_ascii=False)))
