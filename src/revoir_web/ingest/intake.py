"""Events as Segment's HTTP specification has them: understood, checked, and on the disk before 200.

Requests that come at the same time are written together: whoever holds the pen writes what all
others have handed in, in one transaction, so that one wait for the disk serves them all.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import threading
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from revoir.language import Message, msg
from revoir_web.accounts.models import ApiKey
from revoir_web.accounts.rights import Right
from revoir_web.common import bulk
from revoir_web.ingest.models import InboxEvent
from revoir_web.ingest.visitors import ATTRIBUTES_MAX, left_out

BATCH_BYTES = 500 * 1024
MESSAGE_BYTES = 32 * 1024
DEPTH_MAX = 64
"""How deeply objects and lists of a message may lie in one another."""
ID_MAX = 500
"""Characters of an id; more is a mistake, and no index takes it."""
PENDING_MAX = 20_000
"""Messages that may wait for the disk in one process."""
BACKLOG_MAX = 5_000_000
"""Messages that may wait in the inbox for the lake."""
CALLS = {
    "identify": "identify", "i": "identify", "track": "track", "t": "track", "page": "page",
    "p": "page", "screen": "screen", "s": "screen", "group": "group", "g": "group",
    "alias": "alias", "a": "alias", "batch": "batch", "b": "batch", "import": "batch",
}  # fmt: skip
"""The last word of an address → the call; browsers use the short ones."""
_KINDS = ("identify", "track", "page", "screen", "group", "alias")
_WHY = msg(
    "Kept are numbers, texts and lists of them, at most {n} without a column, and no consent.",
    n=ATTRIBUTES_MAX,
)
_KEY_SECONDS = 30.0
"""How long a key is believed before it is looked up again: an ended one works no longer."""
_BACKLOG_SECONDS = 2.0
_COLUMNS = ("key_id", "kind", "received_at", "sent_at", "body")
Row = tuple[int, str, dt.datetime, str, str]
"""What is kept of a message, in the order of `_COLUMNS`."""


class Refused(Exception):
    """A request, or a message of a batch, that is not taken.

    Args:
        status: The HTTP status.
        code: A word for programs.
        what: What is wrong.
        retry_after: Seconds after which to come again.
    """

    def __init__(
        self, status: int, code: str, what: Message, *, retry_after: int | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.what = what
        self.retry_after = retry_after


def answer(request: HttpRequest, call: str) -> HttpResponse:
    """Answer a call of the events' API.

    Args:
        request: The request; nothing of it has been read.
        call: The last word of its address.

    Returns:
        The answer, open to pages of every site, as browsers ask.
    """
    kind = CALLS.get(call)
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204))
    try:
        if kind is None:
            raise Refused(404, "no_such_call", msg("There is no such call."))
        if request.method != "POST":
            raise Refused(405, "post_only", msg("Send it with POST."))
        body = _object(_read(request))
        key = _key(request, body)
        now = timezone.now()
        if kind == "batch":
            told = _take_batch(body, key, now)
        else:
            told = {"success": True, **_take_one(body, kind, key, now)}
        return _open(_json(told, 200))
    except Refused as refusal:
        return _open(_refusal(request, refusal))


def _take_one(body: dict[str, Any], kind: str, key: int, now: dt.datetime) -> dict[str, Any]:
    body.pop("writeKey", None)
    text = _checked(body, kind)
    keep([(key, kind, now, _sent(body), text)])
    return _unkept(body, kind)


def _unkept(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the answer says of the traits of a message that are not kept."""
    names = left_out(kind, body)
    return {"left_out": names, "why": _WHY.text("en")} if names else {}


def _take_batch(body: dict[str, Any], key: int, now: dt.datetime) -> dict[str, Any]:
    items = body.get("batch")
    if not isinstance(items, list) or not items:
        raise Refused(400, "no_batch", msg("“batch” must be a list of messages."))
    shared = body.get("context")
    sent = _sent(body)
    rows: list[Row] = []
    told: list[dict[str, Any]] = []
    seen: set[str] = set()
    for item in items:
        message = item.get("messageId") if isinstance(item, dict) else None
        entry: dict[str, Any] = {"messageId": message if isinstance(message, str) else None}
        try:
            if not isinstance(item, dict):
                raise Refused(400, "no_object", msg("A message must be an object."))
            kind = item.get("type")
            if kind not in _KINDS:
                raise Refused(400, "no_type", msg("“type” must be one of: {names}.", names=_KINDS))
            if isinstance(shared, dict):
                own = item.get("context")
                item["context"] = {**shared, **(own if isinstance(own, dict) else {})}
            text = _checked(item, str(kind))
            entry["messageId"] = item["messageId"]
            entry["status"] = "duplicate" if item["messageId"] in seen else "accepted"
            if item["messageId"] not in seen:
                seen.add(item["messageId"])
                rows.append((key, str(kind), now, _sent(item) or sent, text))
                entry |= _unkept(item, str(kind))
        except Refused as refusal:
            entry |= {"status": "rejected", "code": refusal.code, "error": refusal.what.text("en")}
        told.append(entry)
    if not rows and all(entry["status"] == "rejected" for entry in told):
        raise Refused(400, told[0]["code"], msg("No message of the batch can be taken: {why}",
                                               why=told[0]["error"]))  # fmt: skip
    keep(rows)
    return {"success": True, "items": told}


def _checked(item: dict[str, Any], kind: str) -> str:
    """The text that is kept of a message.

    Raises:
        Refused: It lacks what it cannot do without, or is too large.
    """
    item["type"] = kind
    if kind == "alias":
        _demand(item, "previousId")
        _demand(item, "userId")
    elif _id(item, "userId") is None and _id(item, "anonymousId") is None:
        raise Refused(400, "no_id", msg("“userId” or “anonymousId” is missing."))
    if kind == "group":
        _demand(item, "groupId")
    if kind == "track":
        event = item.get("event")
        if not isinstance(event, str) or not event.strip() or len(event) > ID_MAX:
            raise Refused(400, "no_event", msg("“event” must be the name of what was done."))
    for name in ("traits", "properties", "context"):
        if item.get(name) is not None and not isinstance(item[name], dict):
            raise Refused(400, f"bad_{name}", msg("“{name}” must be an object.", name=name))
    message = item.get("messageId")
    if message is None or message == "":
        item["messageId"] = str(uuid.uuid4())
    elif not isinstance(message, str) or len(message) > ID_MAX:
        raise Refused(
            400, "bad_message_id",
            msg("“messageId” must be a text of at most {n} characters.", n=ID_MAX),
        )  # fmt: skip
    text = _text(item)
    if len(text) > MESSAGE_BYTES:
        plain = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
        if len(plain.encode("utf-8", "surrogatepass")) > MESSAGE_BYTES:
            raise Refused(400, "message_too_large", msg("A message can have 32 KB at most."))
    return text


def _text(item: dict[str, Any]) -> str:
    too_deep = Refused(400, "too_deep", msg("The JSON is nested too deeply."))
    try:
        text = json.dumps(item, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise too_deep from None
    except ValueError:  # such as 1e999, which is read as infinite
        raise Refused(400, "bad_json", msg("The body is no JSON.")) from None
    # Hardly any message has so many brackets at all: the others are not looked through.
    if text.count("{") + text.count("[") > DEPTH_MAX and _depth(item) > DEPTH_MAX:
        raise too_deep
    return text


def _depth(item: dict[str, Any]) -> int:
    """How deeply objects and lists lie in one another."""
    depth = 0
    level: list[Any] = [item]
    while level:
        depth += 1
        inner = (held.values() if isinstance(held, dict) else held for held in level)
        level = [one for held in inner for one in held if isinstance(one, dict | list)]
    return depth


def _id(item: dict[str, Any], name: str) -> str | None:
    held = item.get(name)
    if held is None or held == "" or isinstance(held, bool):
        return None
    if not isinstance(held, str | int | float):
        raise Refused(400, "bad_id", msg("“{name}” must be a text.", name=name))
    text = str(held)
    if len(text) > ID_MAX:
        raise Refused(
            400, "bad_id", msg("“{name}” can have {n} characters at most.", name=name, n=ID_MAX)
        )
    item[name] = text
    return text


def _demand(item: dict[str, Any], name: str) -> None:
    if _id(item, name) is None:
        raise Refused(400, "no_id", msg("“{name}” is missing.", name=name))


def _sent(item: dict[str, Any]) -> str:
    sent = item.get("sentAt")
    good = isinstance(sent, str) and len(sent) <= 64 and sent.isascii() and sent.isprintable()
    return str(sent) if good else ""


def _read(request: HttpRequest) -> bytes:
    """The body, unpacked, and never more of it than may come."""
    too_large = Refused(400, "too_large", msg("A request can have 500 KB at most."))
    if int(request.META.get("CONTENT_LENGTH") or 0) > BATCH_BYTES:
        raise too_large
    data: bytes = request.read(BATCH_BYTES + 1)
    if request.headers.get("Content-Encoding", "").lower() == "gzip" or data[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(31)
        try:
            data = unpacker.decompress(data, BATCH_BYTES + 1)
        except zlib.error:
            raise Refused(400, "bad_gzip", msg("The body is no sound gzip.")) from None
        if not unpacker.eof and len(data) <= BATCH_BYTES:
            raise Refused(400, "bad_gzip", msg("The body is no sound gzip."))
    if len(data) > BATCH_BYTES:
        raise too_large
    return data


class _Twice(ValueError):
    """A key comes twice in one object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Twice
    return made


def _constant(text: str) -> Any:
    raise ValueError(text)


def _object(data: bytes) -> dict[str, Any]:
    try:
        held = json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except _Twice:
        raise Refused(400, "key_twice", msg("A key comes twice in one object.")) from None
    except RecursionError:
        raise Refused(400, "too_deep", msg("The JSON is nested too deeply.")) from None
    except ValueError:
        raise Refused(400, "bad_json", msg("The body is no JSON.")) from None
    if not isinstance(held, dict):
        raise Refused(400, "no_object", msg("The body must be an object."))
    return held


# -- Who writes ----------------------------------------------------------------------------------
_known_keys: dict[bytes, tuple[int, float]] = {}


def _key(request: HttpRequest, body: dict[str, Any]) -> int:
    """The id of the key that a request shows: by basic authentication, or in its body."""
    text = _shown(request) or body.get("writeKey")
    if not isinstance(text, str) or not text or len(text) > 200:
        raise Refused(401, "no_key", msg("The write key is missing."))
    mark = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    now = time.monotonic()
    found = _known_keys.get(mark)
    if found and found[1] > now:
        return found[0]
    key = ApiKey.found(text)
    if key is None or Right.SEND_EVENTS not in key.rights:
        _known_keys.pop(mark, None)
        raise Refused(401, "bad_key", msg("The write key is unknown, ended, or not for events."))
    key.used()
    if len(_known_keys) > 1000:
        _known_keys.clear()
    _known_keys[mark] = (key.pk, now + _KEY_SECONDS)
    return key.pk


def forget_keys() -> None:
    """Look every key up again at its next use."""
    _known_keys.clear()


def _shown(request: HttpRequest) -> str | None:
    scheme, _, rest = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(rest.strip())
    if scheme.lower() != "basic":
        return None
    try:
        return str(base64.b64decode(rest), "utf-8", "replace").partition(":")[0]
    except (binascii.Error, ValueError):
        return None


# -- On the disk before the answer -------------------------------------------------------------
@dataclass
class _Handed:
    """What one request wants to have written."""

    rows: Sequence[Row]
    done: bool = False
    error: BaseException | None = None


@dataclass
class _Pen:
    """Whoever holds it writes for all."""

    holding: threading.Lock = field(default_factory=threading.Lock)
    queue: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Handed] = field(default_factory=list)
    count: int = 0
    backlog: tuple[int, float] = (0, 0.0)


_pen = _Pen()


def keep(rows: Sequence[Row]) -> None:
    """Write messages into the inbox; they are on the disk when this returns.

    Args:
        rows: The messages.

    Raises:
        Refused: There is more to write than the disk takes, or it cannot be written to now.
    """
    if not rows:
        return
    mine = _Handed(rows)
    with _pen.queue:
        if _pen.count + len(rows) > PENDING_MAX:
            raise _overload(1)
        _pen.waiting.append(mine)
        _pen.count += len(rows)
    with _pen.holding:
        if not mine.done:
            _write_all()
    if isinstance(mine.error, Refused):
        raise mine.error
    if mine.error is not None:
        raise Refused(
            503, "unavailable", msg("The message cannot be kept now."), retry_after=5
        ) from mine.error


def _write_all() -> None:
    with _pen.queue:
        handed, _pen.waiting = _pen.waiting, []
        _pen.count = 0
    # Until they are on the disk they are not, whatever ends this: a worker told to stop, too.
    error: BaseException | None = RuntimeError("not written")
    try:
        if _backlog() > BACKLOG_MAX:
            raise _overload(60)
        with transaction.atomic():
            adapt = connection.ops.adapt_datetimefield_value
            rows = [
                (key, kind, adapt(received), sent, body)
                for one in handed
                for key, kind, received, sent, body in one.rows
            ]
            bulk.insert(InboxEvent, _COLUMNS, rows)
        error = None
    except OperationalError as fault:
        locked = "locked" in str(fault) or "timeout" in str(fault)
        error = _overload(2) if locked else fault
    except Exception as fault:
        error = fault
    finally:
        for one in handed:
            one.done, one.error = True, error


def _backlog() -> int:
    """About how many messages wait for the lake; looked up now and then."""
    count, until = _pen.backlog
    now = time.monotonic()
    if now >= until:
        ids = InboxEvent.objects.order_by("pk").values_list("pk", flat=True)
        first, last = ids.first(), ids.last()
        count = last - first if first is not None and last is not None else 0
        _pen.backlog = (count, now + _BACKLOG_SECONDS)
    return count


def _overload(seconds: int) -> Refused:
    return Refused(
        429, "overload", msg("More comes than can be kept now: send it again later."),
        retry_after=seconds,
    )  # fmt: skip


# -- The answer ------------------------------------------------------------------------------
def _json(told: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(json.dumps(told), status=status, content_type="application/json")


def _refusal(request: HttpRequest, refusal: Refused) -> HttpResponse:
    wanted = request.META.get("HTTP_ACCEPT_LANGUAGE", "").strip().lower()
    text = refusal.what.text("fr" if wanted.startswith("fr") else "en")
    error = {"code": refusal.code, "message": text}
    # Libraries of Segment look for `code` and `message`; the other calls of ours for `error`.
    response = _json({"success": False, **error, "error": error}, refusal.status)
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        response["WWW-Authenticate"] = 'Basic realm="events"'
    if refusal.status == 405:
        response["Allow"] = "POST, OPTIONS"
    return response


def _open(response: HttpResponse) -> HttpResponse:
    """Let pages of every site send events, as Segment does: the key says where they belong."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Content-Encoding"
    response["Access-Control-Max-Age"] = "86400"
    return response
