"""What columns can mean, as people choose it on the page, and what they chose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from revoir.tables import QUESTIONS, TABLES, Column
from revoir_web.common.words import language

if TYPE_CHECKING:
    from revoir.reading.mapping import FileMapping

_BESIDE = {
    "orders": ("orders", "order_lines", "customers"), "customers": ("customers",),
    "products": ("products",),
}  # fmt: skip
ATTRIBUTE, IGNORE = "attribute", "ignore"


@dataclass(frozen=True)
class Choice:
    """A column of a file, with what it was taken for and may be.

    Attributes:
        place: Its place in the file, from 0.
        header: Its header.
        chosen: What it is taken for: ``table.column``, `ATTRIBUTE` or `IGNORE`.
        format: Its convention.
        column: What `understanding.file_told` says of it.
        examples: Its first cells.
    """

    place: int
    header: str
    chosen: str
    format: str
    column: dict[str, Any]
    examples: list[str]


def table_label(table: str | None) -> str:
    """What people call a canonical table."""
    return {
        None: _("Not recognised"), "customers": _("Customers"), "orders": _("Orders"),
        "order_lines": _("Order lines"), "subscriptions": _("Subscriptions"),
        "responses": _("Survey answers"), "interactions": _("Contacts with service"),
        "events": _("Events"), "products": _("Products"),
    }[table]  # fmt: skip


def table_choices() -> list[tuple[str, str]]:
    """What a file can be."""
    kinds = ("customers", "subscriptions", "responses", "interactions", "events", "products")
    found = [("", _("Find out")), ("orders", _("Orders or their lines"))]
    return [*found, *((kind, table_label(kind)) for kind in kinds)]


def format_choices() -> list[tuple[str, str]]:
    """How the cells of a column can be written."""
    return [
        ("", _("Find out")), ("day_first", _("Day first: 31/12/2025")),
        ("month_first", _("Month first: 12/31/2025")), ("comma", _("Decimal comma: 12,50")),
        ("point", _("Decimal point: 12.50")), ("inverted", _("Yes means no")),
    ]  # fmt: skip


def format_label(form: str | None) -> str:
    """How the cells of a column are written."""
    return {
        "day_first": _("day first"), "month_first": _("month first"), "comma": _("decimal comma"),
        "point": _("decimal point"), "inverted": _("yes means no"), "utc": "UTC",
    }.get(form or "", "")  # fmt: skip


def target_label(target: str | None) -> str:
    """What a column of a canonical table holds, in a few words."""
    table, _dot, name = (target or "").partition(".")
    if name.startswith("question:"):
        return _("Answer: %(question)s") % {"question": name.partition(":")[2].upper()}
    column = TABLES[table].column(name) if table in TABLES else None
    return _short(column) if column else ""


def _short(column: Column) -> str:
    """What it holds, without what is said behind it to be exact: a list has little room."""
    return re.split(r"\s*[,;:]", column.meaning.text(language()).rstrip("."), maxsplit=1)[0]


def target_choices(table: str | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a column of a file can mean, by table.

    Args:
        table: What the file is (None: not known).
    """
    kind = "orders" if table == "order_lines" else table
    held = _BESIDE.get(
        kind or "", (kind, "customers") if kind else ("orders", "order_lines", "customers")
    )
    groups = []
    for name in held:
        known = TABLES[str(name)]
        columns = [
            (f"{known.name}.{column.name}", _short(column))
            for column in known.columns
            if not column.derived and not (known.name != held[0] and column.name == "customer_id")
        ]
        if known.name == "responses":
            columns += [
                (f"responses.question:{key}", target_label(f"responses.question:{key}"))
                for key in QUESTIONS
            ]
        groups.append((table_label(known.name), columns))
    other = [(ATTRIBUTE, _("Keep it to break figures down")), (IGNORE, _("Do not read it"))]
    return [*groups, (_("Other"), other)]


def choices(file: dict[str, Any], examples: Mapping[str, list[str]]) -> list[Choice]:
    """The columns of a file, as they stand."""
    found = []
    for place, column in enumerate(file["columns"]):
        header = column["header"] or column["column"]
        found.append(
            Choice(
                place, header, column["target"] or (ATTRIBUTE if column["name"] else IGNORE),
                column["format"] or "", column, list(examples.get(header, ())),
            )
        )  # fmt: skip
    return found


def chosen(file: dict[str, Any], place: int, data: Mapping[str, str]) -> FileMapping:
    """What the user said of one file.

    Args:
        file: What `understanding.file_told` says of it.
        place: Its place among the files.
        data: The form: ``table-0``, ``is-0-3``, ``format-0-3``.

    Returns:
        The entry of a mapping.
    """
    from revoir.reading.mapping import FileMapping, Said

    formats = {value for value, _label in format_choices()}
    columns = {}
    for number, column in enumerate(file["columns"]):
        header = column["header"] or column["column"]
        held = column["target"] or (ATTRIBUTE if column["name"] else IGNORE)
        target = data.get(f"is-{place}-{number}", held)
        form = data.get(f"format-{place}-{number}", column["format"] or "")
        if not _known(target):
            target = held
        columns[header] = Said(target, form if form and form in formats else None)
    table = data.get(f"table-{place}") or None
    return FileMapping(columns, table if table in TABLES else None, file["file"], file["sheet"])


def _known(target: str) -> bool:
    if target in (ATTRIBUTE, IGNORE):
        return True
    table, _dot, name = target.partition(".")
    return table in TABLES and (
        name.startswith("question:") or TABLES[table].column(name) is not None
    )


def dumped(entries: Iterable[FileMapping]) -> str:
    """Entries as the text of a mapping file."""
    from revoir.reading import Mapping as Said
    from revoir.reading import mapping as mappings

    return mappings.dump(Said(tuple(entries)))
