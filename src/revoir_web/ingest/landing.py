"""Rows of an import into the lake, each once, whatever is killed; and out of it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir_web.common.locks import only_one
from revoir_web.customers import verbatims
from revoir_web.customers.models import Verbatim
from revoir_web.ingest import staging
from revoir_web.ingest.lake import LOCK, lake
from revoir_web.ingest.models import Import
from revoir_web.ingest.people import source_of


def batch_of(held: Import, part: str) -> str:
    """What the lake calls the rows of an import.

    Args:
        held: The import.
        part: "new" or "changed": rows that were added, and rows in the place of others.
    """
    return f"import-{held.id.hex}-{part}"


def land(
    held: Import,
    *,
    again: bool,
    resolve: staging.Resolve,
    progress: Callable[[Message], None],
    fence: Callable[[], None],
) -> dict[str, dict[str, int]]:
    """Write the rows of an import into the lake.

    Args:
        held: The import, read and confirmed.
        again: Whether an earlier attempt may have written some of it.
        resolve: Finds or makes the customers.
        progress: Told what is being done.
        fence: Raises, within a transaction, where this attempt counts no more.

    Returns:
        By table, how many rows were new, changed and unchanged.
    """
    import pyarrow.parquet as pq

    progress(msg("Waiting for another import…"))
    with only_one(LOCK):
        staged = staging.prepare(held, resolve, progress)
        store = lake()
        for table in staged:
            for part in ("new", "changed"):
                path = held.folder / "final" / f"{table}.{part}.parquet"
                if not path.is_file():
                    continue
                progress(msg("Writing {table}…", table=table))
                rows = pq.read_table(path)
                batch = batch_of(held, part)
                # After a death another import may have brought some of these keys meanwhile.
                if part == "changed" or again:
                    store.upsert(table, rows, batch=batch)
                else:
                    store.append(table, rows, batch=batch)
        _keep_words(held, progress, fence)
    return {table: vars(counts) for table, counts in staged.items()}


def _keep_words(
    held: Import, progress: Callable[[Message], None], fence: Callable[[], None]
) -> None:
    """Keep what customers said beside them: comments of answers, texts of contacts."""
    import pyarrow.parquet as pq

    kinds = {
        "responses": Verbatim.Kind.RESPONSE,
        "interactions": Verbatim.Kind.INTERACTION,
    }
    for table, kind in kinds.items():
        path = held.folder / "final" / f"{table}{staging.WORDS}"
        if not path.is_file():
            continue
        progress(msg("Writing {table}…", table=table))
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(batch_size=verbatims.PART * 10):
                rows = zip(*(column.to_pylist() for column in part.columns), strict=True)
                verbatims.keep(rows, kind=kind, source=source_of(held), fence=fence)


def take_out(held: Import) -> dict[str, int]:
    """Take the rows of an import out of the lake, and bring back those that it replaced.

    Returns:
        By table, how many rows were taken out or brought back.
    """
    found: dict[str, int] = {}
    with only_one(LOCK):
        store = lake()
        for part in ("changed", "new"):
            try:
                removed = store.undo(batch_of(held, part))
            except UsageError:
                continue  # it had no such rows
            for table, count in removed.items():
                found[table] = found.get(table, 0) + count
        verbatims.forget(source_of(held))
    return found


def look_after(*, days_kept: int = 7) -> dict[str, Any]:
    """Put small files of the lake together, and remove those that nobody reads any more."""
    import datetime as dt

    store = lake()
    done = store.compact()
    return {"tables": len(done), "files": store.vacuum(dt.timedelta(days=days_kept))}
