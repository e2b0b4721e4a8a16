"""What calls of the API take and give: problems, pages of rows, strict JSON."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from django import forms
from django.db.models import DateTimeField, Model, QuerySet
from django.forms.models import model_to_dict
from django.http import JsonResponse
from django.utils.translation import gettext as _
from ninja import Field, Schema

PAGE_MAX = 200


# -- What is answered --------------------------------------------------------------------------
class Place(Schema):
    """Where in the call something is wrong."""

    where: list[str]
    message: str


class Fault(Schema):
    """What is wrong, and the way out."""

    code: str
    message: str
    remedy: str | None = None
    places: list[Place] = Field(default_factory=list)


class Problem(Schema):
    """The answer of every call that fails."""

    error: Fault


Item = TypeVar("Item")
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""The number of a row in an address: what the database can hold."""
TimeOfDay = Annotated[
    str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", examples=["08:00"])
]
"""A time in the company's time zone, as text: what OpenAPI calls a time has a zone of its own."""


class Page(Schema, Generic[Item]):
    """Some of the rows, and where the next ones are."""

    items: list[Item]
    next: str | None = None
    """Give it as `cursor` for the rows that follow (null: there are none)."""


class Paging(Schema):
    """Which rows: take it as ``paging: Query[Paging]``."""

    limit: int = Field(50, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(None, max_length=400, description="What the call before gave.")


def problem(
    status: int, code: str, message: str, remedy: str | None = None, places: Any = ()
) -> JsonResponse:
    """The answer of a call that fails.

    Args:
        status: HTTP status.
        code: What programs compare; it never changes.
        message: What happened, in the caller's language.
        remedy: The way out.
        places: Where in the call, each with `where` and `message`.
    """
    fault = {"code": code, "message": message, "remedy": remedy, "places": list(places)}
    return JsonResponse({"error": fault}, status=status)


class Refused(Exception):
    """A call that is not done: becomes `problem` with the same values."""

    def __init__(self, status: int, code: str, message: str, remedy: str | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy


# -- Reading -------------------------------------------------------------------------------------
def strict_json(body: bytes) -> Any:
    """Read JSON that every reader would take for the same.

    Args:
        body: UTF-8.

    Returns:
        Plain values.

    Raises:
        Refused: It is not such JSON.

    Examples:
        >>> strict_json(b'{"a": [1]}')
        {'a': [1]}
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name stands twice")
        return found

    def no_constant(name: str) -> Any:
        raise ValueError(name)

    try:
        held = json.loads(body.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
        if b"\\u" in body or b"\\U" in body:
            text = json.dumps(held, ensure_ascii=False)
            text.encode("utf-8")
            if "\\u0000" in text:
                raise ValueError("NUL")
    except (ValueError, RecursionError) as error:
        raise Refused(
            400,
            "not_json",
            _("The body is not JSON that can be read in one way only."),
            _(
                "Send UTF-8 JSON in which no name stands twice in an object, without NaN, NUL"
                " and halves of characters."
            ),
        ) from error
    return held


def changed_by(
    form: type[forms.ModelForm[Any]], row: Model, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields that a call changes in a row, checked by the form of its page.

    Args:
        form: The form.
        row: As it is; it is changed too, and not to be saved.
        changes: Names and values.

    Returns:
        The names that were given, with the values that the form makes of them.

    Raises:
        Refused: The form does not take a value, or has no such field for this row.
    """
    told = {**model_to_dict(row, fields=form.base_fields), **changes}
    # The form takes what its page shows: percentages of fractions.
    typed = {
        name: form.base_fields[name].prepare_value(value) if name in form.base_fields else value
        for name, value in told.items()
    }
    held = form(typed, instance=row)
    for name in changes:
        if name not in held.fields:
            raise Refused(
                422, "invalid", _("%(name)s: this one has no such value.") % {"name": name}
            )
    if not held.is_valid():
        name, faults = next(iter(held.errors.items()))
        raise Refused(422, "invalid", f"{name}: {faults[0]}")
    return {name: held.cleaned_data[name] for name in changes}


# -- Pages of rows -----------------------------------------------------------------------------
def paged(
    rows: QuerySet[Any], *, limit: int, cursor: str | None, by: str = "pk", down: bool = False
) -> tuple[list[Any], str | None]:
    """Some rows, and the cursor of the next ones, as quick at the end as at the beginning.

    Args:
        rows: All that are asked for, in any order.
        limit: How many at most.
        cursor: What the call before gave as `next` (None: from the beginning).
        by: A field without equal values, and with an index.
        down: From the greatest to the least.

    Returns:
        The rows, and the next cursor.

    Raises:
        Refused: The cursor is none of ours.
    """
    if cursor:
        after = read_cursor(cursor)
        if by != "pk" and isinstance(rows.model._meta.get_field(by), DateTimeField):
            after = moment_of(after)
        try:
            rows = rows.filter(**{f"{by}__{'lt' if down else 'gt'}": after})
        except (ValueError, TypeError) as error:
            raise bad_cursor() from error
    found = list(rows.order_by(f"-{by}" if down else by)[: limit + 1])
    more = len(found) > limit
    return found[:limit], write_cursor(getattr(found[limit - 1], by)) if more else None


def write_cursor(value: Any) -> str:
    """A value as the text of a cursor."""
    text = json.dumps(value if isinstance(value, int) else str(value))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Any:
    """The value of a cursor.

    Raises:
        Refused: It is none of ours.
    """
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise bad_cursor() from error
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if not whole and (not isinstance(value, str) or len(value) > 200 or "\x00" in value):
        raise bad_cursor()
    return value


def moment_of(value: Any) -> dt.datetime:
    """The moment that a cursor tells, in UTC.

    Raises:
        Refused: It is none, or has no time zone.
    """
    try:
        at = dt.datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            raise bad_cursor()
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error


def bad_cursor() -> Refused:
    """What a call answers to a cursor that is none of ours."""
    return Refused(
        400,
        "bad_cursor",
        _("This cursor was not given by this call."),
        _("Begin again without a cursor."),
    )
