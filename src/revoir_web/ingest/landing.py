"""Rows of an import into the lake, each once, whatever is killed; and out of it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.tables import CALLED
from revoir_web.common.locks import only_one
from revoir_web.customers import newcomers, profiles, verbatims
from revoir_web.customers.models import Verbatim
from revoir_web.ingest import agreeing, refunds, sql, staging, standing
from revoir_web.ingest.lake import INBOX, LOCK, lake, queried
from revoir_web.ingest.models import Import
from revoir_web.ingest.people import source_of

if TYPE_CHECKING:
    from revoir.store import Lake


PARTS = ("new", "changed", "again")
WORDS_OF = {"responses": Verbatim.Kind.RESPONSE, "interactions": Verbatim.Kind.INTERACTION}


def batch_of(held: Import, part: str) -> str:
    """What the lake calls the rows of an import.

    Args:
        held: The import.
        part: "new", "changed" or "again": rows that were added, rows in the place of others, and
            rows that were there as they are.
    """
    return f"{held.batch}-{part}"


def land(
    held: Import,
    *,
    batch: str,
    resolve: staging.Resolve,
    progress: Callable[[Message], None],
    fence: Callable[[], None],
    finish: Callable[[dict[str, dict[str, int]]], None],
) -> dict[str, dict[str, int]]:
    """Write the rows of an import into the lake.

    Args:
        held: The import, read and confirmed.
        batch: What the lake calls the rows that this attempt writes: no other has called any so.
        resolve: Finds or makes the customers.
        progress: Told what is being done.
        fence: Raises, within a transaction, where this attempt counts no more.
        finish: Told, by table, how many rows were new, changed and unchanged; from then on the
            import is in the lake.

    Returns:
        What `finish` was told.
    """
    import pyarrow.parquet as pq

    progress(msg("Waiting for another import…"))
    with only_one(LOCK):
        _begin(held, batch, fence)
        staged = staging.prepare(held, resolve, progress)
        store = lake()
        for table in staged:
            for part in PARTS:
                path = held.folder / "final" / f"{table}.{part}.parquet"
                if not path.is_file():
                    continue
                progress(msg("Writing {table}…", table=CALLED[table]))
                rows = pq.read_table(path)
                if part == "again":
                    store.say_again(table, rows.column(0), batch=batch_of(held, part))
                    continue
                if "customer_id" in rows.column_names:
                    # One customer's page reads the groups of rows that hold them, not the file.
                    rows = rows.sort_by("customer_id")
                write = store.upsert if part == "changed" else store.append
                write(table, rows, batch=batch_of(held, part))
        sales = held.folder / "final" / refunds.SALES
        if sales.is_file():
            store.upsert("orders", pq.read_table(sales), batch=f"{batch}-sales", amend=True)
        _keep_words(held, progress, fence)
        landed = {table: counts.told() for table, counts in staged.items()}
        # Who is next at the lake takes out what is not finished.
        finish(landed)
    return landed


def _begin(held: Import, batch: str, fence: Callable[[], None]) -> None:
    """Take out what broken landings have left, and keep how the rows of this one are called."""
    _held(fence)
    sweep()
    with transaction.atomic():
        fence()
        held.batch = batch
        held.save(update_fields=["batch"])


def _held(fence: Callable[[], None]) -> None:
    """Go no further if the job was lost while waiting: whoever has it now may have been here."""
    with transaction.atomic():
        fence()


def sweep() -> None:
    """Take out what landings have left that were stopped, killed or failed; ask for `LOCK` first.

    Otherwise a row of theirs that another import brings too would count as unchanged there, and
    be in nobody's name once the broken landing is taken out. Their customers stay for now: they
    may be tried again.
    """
    for held in Import.objects.filter(landed_at=None).exclude(batch=""):
        _facts_out(held)
        # Nobody will come back to this one.
        Import.objects.filter(pk=held.pk, state=Import.State.CANCELLED).update(batch="")


def _facts_out(held: Import) -> dict[str, int]:
    """Take the rows of an import out of the lake, and what it said beside them."""
    found: dict[str, int] = {}
    store = lake()
    _hand_words_over(held, store)
    if held.batch:
        batches = [batch_of(held, part) for part in PARTS]
        standing.take_lines_off(store, batches[0], batches)
        refunds.put_back(store, batches)
    for part in PARTS if held.batch else ():
        try:
            removed = store.undo(batch_of(held, part))
        except UsageError:
            continue  # it had no such rows
        for table, count in removed.items():
            found[table] = found.get(table, 0) + count
    if held.batch:
        standing.bring_returns_back(store, batches[0])
    verbatims.forget(source_of(held))
    agreeing.take_back(held)
    return found


def _hand_words_over(held: Import, store: Lake) -> None:
    """Leave what was said again to those who said it so: their rows stay when this import goes."""
    others = {
        batch_of(other, "again"): other
        for other in Import.objects.exclude(pk=held.pk).exclude(batch="").only("batch")
    }
    for table, kind in WORDS_OF.items():
        for part in PARTS if held.batch else ():
            heirs = store.repeated(table, batch=batch_of(held, part))
            for batch in set(heirs.values()) & set(others):
                rows = [key for key, heir in heirs.items() if heir == batch]
                verbatims.hand_over(
                    rows, kind=kind, source=source_of(held), to=source_of(others[batch])
                )


def _keep_words(
    held: Import, progress: Callable[[Message], None], fence: Callable[[], None]
) -> None:
    """Keep what customers said beside them: comments of answers, texts of contacts."""
    import pyarrow.parquet as pq

    for table, kind in WORDS_OF.items():
        path = held.folder / "final" / f"{table}{staging.WORDS}"
        if not path.is_file():
            continue
        progress(msg("Writing {table}…", table=CALLED[table]))
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=verbatims.PART * 10):
                rows = zip(*(column.to_pylist() for column in part.columns), strict=True)
                verbatims.keep(rows, kind=kind, source=source_of(held), fence=fence)


def take_out(
    held: Import, *, progress: Callable[[Message], None], fence: Callable[[], None]
) -> dict[str, int]:
    """Take an import out: its rows, what customers said in it, and whom it alone brought.

    Rows that it replaced come back. The import keeps how many customers went, and why others stay.

    Args:
        held: The import.
        progress: Told what is being done.
        fence: Raises, within a transaction, where this attempt counts no more.

    Returns:
        By table, how many rows were taken out or brought back.
    """
    # Nothing that comes in meanwhile may speak of customers who are just going.
    with only_one(INBOX), only_one(LOCK):
        progress(msg("Taking the rows out…"))
        _held(fence)
        found = _facts_out(held)
        progress(msg("Looking for customers that nothing else speaks of…"))
        _take_customers_back(held, source_of(held), fence)
        with transaction.atomic():
            fence()
            held.batch = ""
            held.save(update_fields=["batch"])
            # What never was in the lake was not undone, and may yet come.
            Import.objects.filter(pk=held.pk, landed_at=None).update(undone=None)
    return found


def _take_customers_back(held: Import, source: str, fence: Callable[[], None]) -> None:
    def went(count: int, what: str = "customers") -> None:
        before = Import.objects.values_list("undone", flat=True).get(pk=held.pk) or {}
        told = {"customers": 0} | before | {"stay": {}}
        Import.objects.filter(pk=held.pk).update(undone=told | {what: told.get(what, 0) + count})

    went(0)
    stay = newcomers.take_back(
        source=source, facts=_in_the_lake(newcomers.of(source)), fence=fence, went=went
    )
    others = Import.objects.exclude(pk=held.pk)
    if held.landed_at is not None:
        others = others.exclude(landed_at__lt=held.landed_at)
    later = [source_of(other) for other in others.only("pk")]
    newcomers.take_numbers_back(source=source, later=later, fence=fence)
    profiles.take_back(source=source, fence=fence, went=lambda count: went(count, "profiles"))
    told = Import.objects.values_list("undone", flat=True).get(pk=held.pk)
    Import.objects.filter(pk=held.pk).update(undone={**told, "stay": stay})


def _in_the_lake(ids: list[str]) -> set[str]:
    """Those of some customers of whom the lake knows anything."""
    import pyarrow as pa

    found: set[str] = set()
    if not ids:
        return found
    with queried() as (connection, tables):
        connection.register("wanted", pa.table({"id": ids}))
        for table in tables.values():
            if "customer_id" in sql.columns_of(connection, f"{table} AS l"):
                rows = connection.execute(
                    f"SELECT DISTINCT customer_id FROM {table} AS l"
                    " WHERE customer_id IN (SELECT id FROM wanted)"
                ).fetchall()
                found.update(row[0] for row in rows)
    return found


def look_after(*, days_kept: int = 7) -> dict[str, Any]:
    """Put small files of the lake together, and remove those that nobody reads any more."""
    import datetime as dt

    with only_one(LOCK):
        sweep()
    store = lake()
    done = store.compact()
    return {"tables": len(done), "files": store.vacuum(dt.timedelta(days=days_kept))}
