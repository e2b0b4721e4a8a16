"""Who the customers of files are: from what a file calls them to the lake's numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from revoir.language import nmsg
from revoir_web.common import jobs
from revoir_web.customers import merging
from revoir_web.customers.actions import resolve_many
from revoir_web.customers.resolving import spellings
from revoir_web.customers.text import email_of, external_of, phone_of
from revoir_web.ingest.models import Import

if TYPE_CHECKING:
    import pyarrow as pa

PART = 50_000
"""Customers looked up at a time: so much is in memory, and so often it can be stopped."""
CODE = "customer_id"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+\d{8,15}")


def kind_of(key: str) -> str:
    """What a file that numbers nobody knows a customer by, as the canonical tables name it.

    Examples:
        >>> kind_of("C-12"), kind_of("ana@example.com"), kind_of("+33612345678")
        ('customer_id', 'email', 'phone')
    """
    if _EMAIL.fullmatch(key):
        return "email"
    return "phone" if _PHONE.fullmatch(key) else CODE


def source_of(held: Import) -> str:
    """What customers say of where they are from."""
    return f"import:{held.id.hex}"


def _as_kept(kind: str, key: str) -> tuple[str, str | None]:
    """The kind and value of the identifier that a key is, as the database has it."""
    if kind == CODE:
        return "external", external_of(key)
    return kind, email_of(key) if kind == "email" else phone_of(key)


def resolve(people: pa.Table, held: Import, job: jobs.Running) -> pa.Table:
    """Find the customers of an import, make those who are new, and bring the others up to date.

    Args:
        people: One row a customer: `key`, what the file calls them, and columns of the canonical
            table of customers.
        held: The import.
        job: Told how far it is.

    Returns:
        `key` and `customer_id`, which is empty for those who asked to be forgotten; of those who
        were merged, the one from before.
    """
    import pyarrow as pa

    found: list[str] = []
    spelt = spellings(key for key in people.column("key").to_pylist() if kind_of(key) == CODE)
    for start in range(0, people.num_rows, PART):
        job.progress(
            start, people.num_rows,
            nmsg("Looking up {n} customer…", "Looking up {n} customers…", people.num_rows),
        )  # fmt: skip
        part = people.slice(start, PART)
        keys = part.column("key").to_pylist()
        kinds = [kind_of(key) for key in keys]
        rows = part.drop_columns(["key"])
        for kind in (CODE, "email", "phone"):
            own = [
                spelt.get(key, key) if held_kind == kind else None
                for key, held_kind in zip(keys, kinds, strict=True)
            ]
            if kind in rows.column_names:
                given = rows.column(kind).to_pylist()
                own = [mine or theirs for mine, theirs in zip(own, given, strict=True)]
                rows = rows.drop_columns([kind])
            if any(own):
                rows = rows.append_column(kind, pa.array(own, pa.string()))
        ids = resolve_many(rows, source=source_of(held), undoable=True)
        merged = merging.before(ids)
        # The lake tells who was merged from who stays, so that the merge can be undone.
        found += (
            merged.get(_as_kept(kind, spelt.get(key, key)), id) if merged else id
            for key, kind, id in zip(keys, kinds, ids, strict=True)
        )
    numbers = pa.array([number or None for number in found], pa.string())
    return pa.table({"key": people.column("key"), "customer_id": numbers})
