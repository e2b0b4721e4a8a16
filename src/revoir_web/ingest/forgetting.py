"""Forgetting persons in what has not landed yet, and where they are named in what has."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.db import transaction

from revoir_web.consents.erasure import eraser, mask
from revoir_web.consents.traces import TELLING, Erased, Texts, delete, leaves, plain
from revoir_web.customers.models import Customer
from revoir_web.customers.naming import is_named, names_of
from revoir_web.ingest import actions, called, inbox, sql, understanding
from revoir_web.ingest.lake import lake
from revoir_web.ingest.models import (
    Import,
    InboxEvent,
    KnownMapping,
    SetAside,
    SourceFile,
    Upload,
    WebhookDelivery,
)
from revoir_web.ingest.webhooks import ERASED

_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"\xd0\xcf\x11\xe0", b"SQLite format 3")
_CHUNK = 1 << 22
_OVERLAP = 1000
"""Letters of a piece of a file that are read with the next: no name is as long."""


def _in_message(persons: Erased, texts: Sequence[str]) -> bool:
    """Whether a message is of one of them, or names one.

    What other systems call them is compared as a whole: `user-1` is not in `user-12`.
    """
    try:
        body = json.loads(texts[0])
    except (ValueError, RecursionError):
        return True  # nobody can tell whom it names
    theirs = {value for _kind, value in persons.keys}
    if theirs & {str(body.get(name)) for name in _OF}:
        return True
    for name, value in leaves(body):
        if isinstance(value, str) and value in persons.numbers:
            # A number without a letter is any number, but where it is somebody's.
            telling = len(value) >= TELLING and not value.isdecimal()
            if telling or name.replace("_", "").lower() in _WHO:
                return True
    return persons.named_in(json.dumps(body, ensure_ascii=False), numbers=False)


def _in_delivery(persons: Erased, texts: Sequence[str]) -> bool:
    """Whether a delivery names one of them, or tells by their number of anything but erasure."""
    if f'"type": "{ERASED}"' in texts[0]:
        return persons.named_in(texts[0], numbers=False)
    return persons.speaks_of(texts[0])


_OF = ("userId", "anonymousId", "previousId")
_WHO = frozenset(["userid", "anonymousid", "previousid", "customerid", "clientid", "deviceid"])
_MESSAGES = Texts(InboxEvent, ("body",), named=_in_message)
_SET_ASIDE = Texts(SetAside, ("body",), named=_in_message)
_TOLD = Texts(WebhookDelivery, ("body",), moments=("created_at",), named=_in_delivery)


@eraser("ingest.inbox", look=lambda found: found.look(_MESSAGES))
def from_inbox(persons: Erased) -> int:
    """Take messages of theirs out of the inbox."""
    return delete(InboxEvent.objects.all(), persons.rows(_MESSAGES))


@eraser("ingest.set_aside", look=lambda found: found.look(_SET_ASIDE))
def from_set_aside(persons: Erased) -> int:
    """Take messages of theirs out of those that were set aside."""
    return delete(SetAside.objects.all(), persons.rows(_SET_ASIDE))


@eraser("ingest.webhooks", look=lambda found: found.look(_TOLD))
def from_webhooks(persons: Erased) -> int:
    """Take what other programs were told of them out of what is kept for trying again."""
    return delete(WebhookDelivery.objects.all(), persons.rows(_TOLD))


def _look_into_lake(persons: Erased) -> None:
    from_lake(persons)


@eraser("ingest.lake", look=_look_into_lake)
def from_lake(persons: Erased) -> int:
    """Take out of the lake what names one of them: it came before their name was known.

    The lake is no part of the transaction. It goes first: where the rest then fails, it has lost
    words, and no figure is another.
    """
    return persons.once("ingest.lake", lambda: _mend_lake(persons))


def _mend_lake(persons: Erased) -> int:
    from revoir.store import is_lake

    if not is_lake(settings.LAKE):
        return 0
    rows = Customer.objects.filter(pk__in=persons.ids).values_list("pk", "merged_into_id")
    whole = {id: into or id for id, into in rows}
    theirs: dict[str, list[str]] = {}
    for id, names in names_of(persons.ids).items():
        theirs.setdefault(whole[id], []).extend(names)

    def mended(customer: str, column: str, words: str) -> str | None:
        if column not in ("page", "properties"):
            # What a file tells of a row may be a word that many share, and one of them bears.
            return None if persons.named_in(words) else words
        names = theirs.get(whole[customer], [])
        return _discreet(words, names) if is_named(unquote_plus(words), names) else words

    return sum(lake().mend(persons.ids, mended).values())


def _discreet(words: str, names: Sequence[str]) -> str | None:
    """What an event tells in words that name its customer, without what names them."""
    try:
        told = json.loads(words)
    except ValueError:
        return None
    return inbox.discreet(told, names) if isinstance(told, dict) else None


def _look_into_files(persons: Erased) -> None:
    for held in _with_files():
        if held.state in actions.OPEN:
            _holds(held, persons)
        else:
            _quarantined(held, persons)


def _with_files() -> Iterator[Import]:
    for held in Import.objects.filter(files_removed_at=None):
        if held.folder.is_dir():
            yield held


@eraser("ingest.imports", look=_look_into_files)
def from_imports(persons: Erased) -> int:
    """Take rows of theirs out of quarantine; imports that wait with them are given up."""
    count = 0
    for held in _with_files():
        if held.state in actions.OPEN and _holds(held, persons):
            actions.forget_files(held)
            actions.give_up(held=held)
            count += 1
            continue
        count += sum(_without(path, persons) for path in _quarantined(held, persons))
        count += _understood_without(held, persons)
    return count


def _holds(held: Import, persons: Erased) -> bool:
    """Whether files that were not brought in name one of them, or cannot be looked into."""
    made = list((held.folder / "made").glob("*.parquet"))
    if made:
        return any(_looked_into(path, persons, _in_table) for path in made) or bool(
            _quarantined(held, persons)
        )
    files = held.folder.glob("files/*/*")
    return any(_looked_into(path, persons, _in_text) for path in files)


def _quarantined(held: Import, persons: Erased) -> list[Path]:
    """The files of rows set aside that name one of them."""
    files = held.folder.glob("quarantine/*.csv")
    return [path for path in files if _looked_into(path, persons, _in_text)]


def _looked_into(path: Path, persons: Erased, look: Callable[[Path, Erased], bool]) -> bool:
    """Whether a file names one of them; one that is as it was is not read again."""
    state = path.stat()
    key = (str(path), state.st_mtime_ns, state.st_size)
    return persons.once(key, lambda: look(path, persons))


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
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_PACKED):
        return True
    wide = b"\0" in head or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if wide and any(_reads(path, persons, name, "replace") for name in ("utf-16-le", "utf-16-be")):
        return True
    try:
        return _reads(path, persons, "utf-8", "strict")
    except UnicodeDecodeError:
        return _reads(path, persons, "latin-1", "strict")


def _reads(path: Path, persons: Erased, encoding: str, errors: str) -> bool:
    """Whether a file that is read in an encoding names one of them."""
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        text, cut = "", False
        while True:
            chunk = file.read(_CHUNK)
            text += chunk
            size = len(text.casefold())
            for begin, end in persons.places(text):
                # What touches an end of the piece may go on beyond it: the one before has decided,
                # or the next one does.
                if (begin or not cut) and (end < size or not chunk):
                    return True
            if not chunk:
                return False
            cut = len(text) > _OVERLAP
            text = text[-_OVERLAP:]


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
    if understood is None:
        return 0
    told = json.dumps(understood, ensure_ascii=False)
    if not persons.named_in(told) and not persons.in_file_name(told):
        return 0
    understood["samples"] = []
    understood["notes"] = []
    understood["mapping"] = persons.without_in_file_name(understood["mapping"])
    for file in understood["files"]:
        file["file"] = persons.without_in_file_name(file["file"])
        file["notes"] = []
        file["quarantine"] = list(_unnamed(file["quarantine"], persons))
    understanding.write_json(held.folder / "understood.json", understood)
    return 1


def _unnamed(rows: Iterable[dict[str, Any]], persons: Erased) -> Iterable[dict[str, Any]]:
    return (row for row in rows if not persons.named_in(json.dumps(row, ensure_ascii=False)))


# -- Names of files ----------------------------------------------------------------------------
def _in_file_names(persons: Erased, texts: Sequence[str]) -> bool:
    return any(persons.in_file_name(plain(text)) for text in texts)


_UPLOADS = Texts(Upload, ("name",), named=_in_file_names)
_TITLES = Texts(Import, ("title",), named=_in_file_names)
_SAID = Texts(Import, ("mapping",), named=_in_file_names)
_FAULTS = Texts(Import, ("error",), named=_in_file_names)
_REMEMBERED = Texts(KnownMapping, ("mapping",), named=_in_file_names)
_FETCHED = Texts(SourceFile, ("name",), named=_in_file_names)


@eraser("ingest.names")
def from_file_names(persons: Erased) -> int:
    """Put an ellipsis where files and what tells of them are called after one of them."""
    uploads = Upload.objects.select_related("held").filter(pk__in=persons.rows(_UPLOADS))
    for upload in uploads:
        before = upload.path
        upload.name = persons.without_in_file_name(upload.name)
        upload.save(update_fields=["name", "updated_at"])
        if before.is_file():
            transaction.on_commit(partial(before.rename, upload.path))
    count = len(uploads)
    for texts in (_TITLES, _SAID, _REMEMBERED):
        count += mask(texts, persons, persons.without_in_file_name)
    for held in Import.objects.filter(pk__in=persons.rows(_FAULTS)):
        error = persons.without_in_file_name(json.dumps(held.error, ensure_ascii=False))
        Import.objects.filter(pk=held.pk).update(error=json.loads(error))
    for file in SourceFile.objects.filter(pk__in=persons.rows(_FETCHED)):
        # By its hash it is known to be fetched: otherwise it would come again, by its name.
        called.remember(persons.in_name_of_file(file.name))
        SourceFile.objects.filter(pk=file.pk).update(name=called.hash_of(file.name))
        count += 1
    return count
