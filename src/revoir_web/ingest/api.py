"""Imports, keys that write events, and webhooks, for programs."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, cast

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, File, Query, Schema
from ninja.files import UploadedFile

from revoir_web.accounts import actions as accounts
from revoir_web.accounts.models import ApiKey, User
from revoir_web.common.api import Page, Paging, Refused, check_may, paged
from revoir_web.common.rights import Right, may
from revoir_web.common.words import from_json, language
from revoir_web.ingest import (
    actions,
    api_events,  # noqa: F401 (its calls are on the router too)
    exports,
    understanding,
    webhooks,
)
from revoir_web.ingest.api_sources import router  # the calls of sources are on it
from revoir_web.ingest.models import Import, WebhookDelivery, WebhookEndpoint

_RIGHTS = [Right.IMPORT_DATA]


class FileOut(Schema):
    """A file of an import."""

    id: uuid.UUID
    name: str
    size: int
    sha256: str


class UndoneOut(Schema):
    """What became of the customers that an import brought."""

    customers: int = Field(description="How many are gone.")
    profiles: int = Field(0, description="How many customers' profiles are what they were before.")
    stay: dict[str, int] = Field(
        description="Why others stay → how many: facts, notes, changes, merges, consents, others."
    )


class ImportOut(Schema):
    """An import: uploading → reading → read → landing → landed, or failed, cancelled, undone."""

    id: uuid.UUID
    state: str
    origin: str
    created_at: dt.datetime
    landed_at: dt.datetime | None
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    landed: dict[str, dict[str, int]] | None = Field(
        None,
        description="By table, how many rows were new, changed, unchanged, and how many"
        " orders were numbered by their day since their numbers start again (restarted).",
    )
    undone: UndoneOut | None = None
    error: str | None
    files: list[FileOut]


class ColumnOut(Schema):
    """What a column was taken for."""

    header: str
    target: str | None
    name: str | None
    confidence: float
    reason: str
    format: str | None


class QuarantinedOut(Schema):
    """A row that was not accepted; its value is null for keys without the scope see_personal."""

    line: int
    column: str | None
    value: str | None
    reason: str
    remedy: str


class FileUnderstood(Schema):
    """What became of one file or sheet: rows in = accepted + quarantined + duplicate."""

    file: str
    sheet: str | None
    table: str | None
    confidence: float
    why: str
    rows_in: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    rows_unread: int = Field(0, description="Rows of a file that was not recognised.")
    columns: list[ColumnOut]
    quarantine: list[QuarantinedOut] = Field(
        description="The first 20 rows; all of them: /api/imports/{id}/quarantine/{place}, where"
        " place is that of this file in the list, from 0."
    )


class Understood(Schema):
    """What was understood of an import."""

    files: list[FileUnderstood]
    mapping: str = Field(description="As a mapping file; change it and read again.")


class ReadIn(Schema):
    """How files are to be read."""

    mapping: str | None = Field(
        None, max_length=200_000, description="A mapping file (null: what is known already)."
    )


class ConfirmIn(Schema):
    """How an import is to be brought in."""

    again: bool = Field(False, description="Also when the same file was imported before.")


class WriteKeyIn(Schema):
    """A key that writes events."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]*\S[^\x00]*$")


class WriteKeyOut(Schema):
    """A key that writes events; its text is told once."""

    id: int
    name: str
    prefix: str
    ended: bool
    last_used_at: dt.datetime | None


class WriteKeyMade(WriteKeyOut):
    """A key, this once with its text."""

    text: str


class WebhookIn(Schema):
    """An address that is told what happens."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]*\S[^\x00]*$")
    url: str = Field(min_length=8, max_length=1000, pattern=r"^https?://[^\x00\s]+$")
    kinds: list[str] = Field(min_length=1, max_length=20)


class WebhookPatch(Schema):
    """What to change; what is left out, or null, stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=100, pattern=r"^[^\x00]*\S[^\x00]*$")
    url: str | None = Field(None, min_length=8, max_length=1000, pattern=r"^https?://[^\x00\s]+$")
    kinds: list[str] | None = Field(None, min_length=1, max_length=20)
    enabled: bool | None = Field(None, description="Whether it is told anything.")


class DeliveryOut(Schema):
    """Something told, or to be told, to an address: waiting → delivered, or failed."""

    id: uuid.UUID
    kind: str
    state: str
    attempts: int
    status: int | None = Field(description="The HTTP status that it answered last.")
    error: str | None = Field(description="Why the last attempt failed.")
    created_at: dt.datetime
    tried_at: dt.datetime | None
    next_at: dt.datetime | None


class WebhookOut(Schema):
    """An address that is told what happens."""

    id: int
    name: str
    url: str
    kinds: list[str]
    enabled: bool


class WebhookMade(WebhookOut):
    """An address, this once with the secret that deliveries are signed with."""

    secret: str


@router.serve("GET", "/imports", rights=_RIGHTS, gives=Page[ImportOut], summary="List imports")
def list_imports(request: HttpRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Imports, the last first."""
    rows, following = paged(
        Import.objects.prefetch_related("uploads"),
        limit=asked.limit, cursor=asked.cursor, by="created_at", down=True,
    )  # fmt: skip
    return {"items": [_told(held) for held in rows], "next": following}


@router.serve(
    "POST", "/imports", rights=_RIGHTS, gives=ImportOut, status=201, summary="Begin an import"
)
def begin_import(request: HttpRequest) -> dict[str, Any]:
    """An import without files; upload them next, then have them read, then confirm."""
    return _told(actions.begin(origin=Import.Origin.API, by=request.user))


@router.serve("GET", "/imports/{uuid:id}", rights=_RIGHTS, gives=ImportOut, summary="Get an import")
def get_import(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """Where an import stands; ask again while it is reading, landing or undoing."""
    return _told(actions.settle(_import(id)))


@router.serve(
    "POST", "/imports/{uuid:id}/files", rights=_RIGHTS, gives=ImportOut, summary="Upload a file"
)
def upload(request: HttpRequest, id: uuid.UUID, file: File[UploadedFile]) -> dict[str, Any]:
    """One file, as multipart/form-data; call it again for the next one."""
    held = _import(id)
    actions.add_file(held=held, name=file.name or "", content=cast(Any, file.file or file))
    return _told(_import(id))


@router.serve(
    "POST", "/imports/{uuid:id}/read", rights=_RIGHTS, gives=ImportOut, summary="Read the files"
)
def read_import(request: HttpRequest, id: uuid.UUID, body: ReadIn) -> dict[str, Any]:
    """Have the files read; nothing is brought in yet."""
    if body.mapping is not None:
        understanding.load(body.mapping)
    actions.read(held=_import(id), mapping=body.mapping, by=request.user)
    return _told(_import(id))


@router.serve(
    "GET", "/imports/{uuid:id}/understood", rights=_RIGHTS, gives=Understood,
    summary="Get what was understood",
)  # fmt: skip
def get_understood(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """File by file: the table, the columns with their meanings, and the first rows set aside."""
    told = understanding.kept(_import(id))
    if told is None:
        raise Http404
    lang = language()
    personal = may(request.user, Right.SEE_PERSONAL)

    def text(held: dict[str, Any]) -> str:
        message = from_json(held)
        return message.text(lang) if message else ""

    files = [
        {
            **file,
            "why": text(file["why"]),
            "columns": [{**column, "reason": text(column["reason"])} for column in file["columns"]],
            "quarantine": [
                {
                    **row,
                    "value": row["value"] if personal else None,
                    "reason": text(row["reason"]),
                    "remedy": text(row["remedy"]),
                }
                for row in file["quarantine"]
            ],
        }
        for file in told["files"]
    ]
    return {"files": files, "mapping": told["mapping"]}


@router.serve(
    "GET", "/imports/{uuid:id}/quarantine/{int:place}",
    rights=[Right.IMPORT_DATA, Right.SEE_PERSONAL], gives=None,
    summary="Get the rows set aside as a file",
)  # fmt: skip
def get_quarantine(request: HttpRequest, id: uuid.UUID, place: int) -> HttpResponseBase:
    """All rows of a file that were not accepted, as CSV: correct them there, and import that."""
    return exports.quarantine_file(_import(id), place)


@router.serve(
    "POST", "/imports/{uuid:id}/confirm", rights=_RIGHTS, gives=ImportOut, summary="Bring it in"
)
def confirm_import(request: HttpRequest, id: uuid.UUID, body: ConfirmIn) -> dict[str, Any]:
    """Have what was read brought into the figures."""
    actions.confirm(held=_import(id), by=request.user, again=body.again)
    return _told(_import(id))


@router.serve(
    "POST", "/imports/{uuid:id}/cancel", rights=_RIGHTS, gives=ImportOut, summary="Give it up"
)
def cancel_import(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """Give an import up before it was brought in; its files are removed."""
    actions.cancel(held=_import(id), by=request.user)
    return _told(_import(id))


@router.serve("POST", "/imports/{uuid:id}/undo", rights=_RIGHTS, gives=ImportOut, summary="Undo it")
def undo_import(request: HttpRequest, id: uuid.UUID) -> dict[str, Any]:
    """Take an import out of the figures; what it had replaced comes back."""
    actions.undo(held=_import(id), by=request.user)
    return _told(_import(id))


@router.serve(
    "GET", "/write-keys", rights=[Right.MANAGE_KEYS], gives=list[WriteKeyOut],
    summary="List keys that write events",
)  # fmt: skip
def list_write_keys(request: HttpRequest) -> list[dict[str, Any]]:
    """Keys with which sites and apps send events."""
    return [_key(key) for key in ApiKey.objects.all() if Right.SEND_EVENTS in key.rights]


@router.serve(
    "POST", "/write-keys", rights=[Right.MANAGE_KEYS], gives=WriteKeyMade, status=201,
    summary="Make a key that writes events",
)  # fmt: skip
def make_write_key(request: HttpRequest, body: WriteKeyIn) -> dict[str, Any]:
    """The text of the key is in this answer alone."""
    actor = request.user if isinstance(request.user, User) else None
    key, text = accounts.create_key(name=body.name, scopes=[Right.SEND_EVENTS], actor=actor)
    return {**_key(key), "text": text}


@router.serve(
    "DELETE", "/write-keys/{int:id}", rights=[Right.MANAGE_KEYS], gives=None, status=204,
    summary="End a key that writes events",
)  # fmt: skip
def end_write_key(request: HttpRequest, id: int) -> None:
    """It writes nothing after half a minute at most."""
    key = get_object_or_404(ApiKey, pk=_row(id))
    if Right.SEND_EVENTS not in key.rights:
        raise Http404
    actor = request.user if isinstance(request.user, User) else None
    accounts.revoke_key(key=key, actor=actor)


@router.serve(
    "GET", "/webhooks", rights=[Right.MANAGE_WEBHOOKS], gives=list[WebhookOut],
    summary="List webhooks",
)  # fmt: skip
def list_webhooks(request: HttpRequest) -> list[WebhookEndpoint]:
    """Addresses that are told what happens."""
    return list(WebhookEndpoint.objects.all())


@router.serve(
    "POST", "/webhooks", rights=[Right.MANAGE_WEBHOOKS], gives=WebhookMade, status=201,
    summary="Add a webhook",
)  # fmt: skip
def make_webhook(request: HttpRequest, body: WebhookIn) -> dict[str, Any]:
    """The secret that deliveries are signed with is in this answer alone."""
    endpoint, secret = webhooks.create(
        name=body.name, url=body.url, kinds=_kinds(request, body.kinds), by=request.user
    )
    told = WebhookOut.from_orm(endpoint).dict()
    return {**told, "secret": secret}


@router.serve(
    "DELETE", "/webhooks/{int:id}", rights=[Right.MANAGE_WEBHOOKS], gives=None, status=204,
    summary="Remove a webhook",
)  # fmt: skip
def remove_webhook(request: HttpRequest, id: int) -> None:
    """It is told nothing any more."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=_row(id))
    webhooks.remove(endpoint=endpoint, by=request.user)


@router.serve(
    "PATCH", "/webhooks/{int:id}", rights=[Right.MANAGE_WEBHOOKS], gives=WebhookOut,
    summary="Change a webhook",
)  # fmt: skip
def change_webhook(request: HttpRequest, id: int, body: WebhookPatch) -> WebhookEndpoint:
    """Another name or address, told of other things, out of use or in use again."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=_row(id))
    fields = body.dict(exclude_none=True)
    if "kinds" in fields:
        fields["kinds"] = _kinds(request, fields["kinds"])
    webhooks.change(endpoint=endpoint, fields=fields, by=request.user)
    return endpoint


@router.serve(
    "GET", "/webhooks/{int:id}/deliveries", rights=[Right.MANAGE_WEBHOOKS],
    gives=Page[DeliveryOut], summary="List what a webhook was told",
)  # fmt: skip
def list_deliveries(request: HttpRequest, id: int, asked: Query[Paging]) -> dict[str, Any]:
    """What was told, or is to be, and what the address answered; the last first."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=_row(id))
    rows, following = paged(
        endpoint.deliveries.all(),
        limit=asked.limit, cursor=asked.cursor, by="created_at", down=True,
    )  # fmt: skip
    return {"items": [_delivery(held) for held in rows], "next": following}


@router.serve(
    "POST", "/webhooks/{int:id}/test", rights=[Right.MANAGE_WEBHOOKS], gives=DeliveryOut,
    status=202, summary="Try a webhook out",
)  # fmt: skip
def test_webhook(request: HttpRequest, id: int) -> dict[str, Any]:
    """Send an address something to try it out; its outcome stands among the deliveries."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=_row(id))
    return _delivery(webhooks.test(endpoint=endpoint))


@router.serve(
    "POST", "/webhooks/{int:id}/deliveries/{uuid:delivery}/again",
    rights=[Right.MANAGE_WEBHOOKS], gives=DeliveryOut, status=202,
    summary="Tell a webhook again",
)  # fmt: skip
def again_webhook(request: HttpRequest, id: int, delivery: uuid.UUID) -> dict[str, Any]:
    """Try a delivery again that was given up."""
    held = get_object_or_404(WebhookDelivery, pk=delivery, endpoint=_row(id))
    webhooks.again(delivery=held)
    return _delivery(held)


def _kinds(request: HttpRequest, wanted: list[str]) -> list[str]:
    """What an address is to be told of, if there is all of it and the caller may know it."""
    if set(wanted) & set(webhooks.OF_PERSONS):
        check_may(request.user, Right.SEE_CUSTOMERS)
    if unknown := sorted(set(wanted) - set(webhooks.KINDS)):
        raise Refused(
            422, "unknown_kind", _("Nothing is called %(kind)s.") % {"kind": unknown[0][:64]},
            _("Use: %(kinds)s.") % {"kinds": ", ".join(webhooks.KINDS)},
        )  # fmt: skip
    return [kind for kind in webhooks.KINDS if kind in wanted]


def _delivery(held: WebhookDelivery) -> dict[str, Any]:
    fields = ("id", "kind", "state", "attempts", "status", "created_at", "tried_at", "next_at")
    return {
        **{name: getattr(held, name) for name in fields},
        "error": held.failure.text(language()) if held.failure else None,
    }


def _row(id: int) -> int:
    """An id that a database can look for."""
    if id >= 2**63:
        raise Http404
    return id


def _import(id: uuid.UUID) -> Import:
    return get_object_or_404(Import, pk=id)


def _told(held: Import) -> dict[str, Any]:
    return {
        "id": held.pk,
        "state": held.state,
        "origin": held.origin,
        "created_at": held.created_at,
        "landed_at": held.landed_at,
        "rows_in": held.rows_in,
        "rows_accepted": held.rows_accepted,
        "rows_quarantined": held.rows_quarantined,
        "rows_duplicate": held.rows_duplicate,
        "landed": held.landed,
        "undone": held.undone if held.state == Import.State.UNDONE else None,
        "error": held.failure.text(language()) if held.failure else None,
        "files": list(held.uploads.all()),
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "ended": not key.good,
        "last_used_at": key.last_used_at,
    }
