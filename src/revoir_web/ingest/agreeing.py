"""What files and events say of consent, kept where consent is kept: with its proof."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.language import msg
from revoir.tables import declines
from revoir_web.common.models import Company
from revoir_web.consents import actions as consents
from revoir_web.consents import queries
from revoir_web.customers.queries import aliases
from revoir_web.ingest import people, staging, understanding
from revoir_web.ingest.models import Import

if TYPE_CHECKING:
    import pyarrow as pa

PURPOSE, CHANNEL = "news", "email"
"""What a bare “agreed to be contacted” of a file is taken for."""


def keep(held: Import) -> int:
    """Keep what the customers of an import agreed to, and that they declined.

    Args:
        held: The import, staged.

    Returns:
        How many lines of consent are new.
    """
    return _keep_stated(held) + hear(_events_of(held))


def hear(events: Iterable[pa.Table | pa.RecordBatch]) -> int:
    """Keep that customers declined to be written to, as events tell it.

    That somebody agrees is taken from no event: whoever has the key of a site, which its pages
    show, could say so of anybody.

    Args:
        events: Rows of the lake's events, each time with some more of them.

    Returns:
        How many lines of consent are new.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    last: dict[str, dict[str, dt.datetime]] = defaultdict(dict)
    for part in events:
        names = [name for name in pc.unique(part["event"]).to_pylist() if declines(name or "")]
        if not names:
            continue
        told = part.filter(pc.is_in(part["event"], pa.array(names, pa.string())))
        columns = [told[name].to_pylist() for name in ("event", "customer_id", "occurred_at")]
        for event, customer, moment in zip(*columns, strict=True):
            if customer and moment:
                at = moment.replace(tzinfo=dt.UTC)
                last[event][customer] = max(at, last[event].get(customer, at))
    language = Company.current().language if last else ""
    return sum(
        consents.record_many(
            [(customer, False, at) for customer, at in told.items()],
            purpose=PURPOSE, channel=CHANNEL, source=consents.EVENTS,
            proof=msg("event “{event}”", event=event).text(language),
        )
        for event, told in last.items()
    )  # fmt: skip


def _events_of(held: Import) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for path in sorted((held.folder / "final").glob("events.*.parquet")):
        with pq.ParquetFile(path) as file:
            if "event" in file.schema_arrow.names:  # not of rows that are there as they are
                yield from file.iter_batches(columns=["customer_id", "event", "occurred_at"])


def _keep_stated(held: Import) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = held.folder / "final" / staging.CONSENTS
    if not file.is_file():
        return 0
    table = pq.read_table(file)
    merged = aliases()
    said: dict[str, bool] = {}
    for number, given in zip(*(column.to_pylist() for column in table.columns), strict=True):
        # Of customers who were found to be one, the no of either counts.
        id = merged.get(number, number)
        said[id] = given and said.get(id, True)
    rows = [(id, given, None) for id, given in said.items()]
    # Kept with the import: what was known already is no line of its own, and yet it was said.
    agreed = [id for id, given, _ in rows if given]
    path = _agreed(held)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"customer_id": pa.array(agreed, pa.string())}), path)
    return consents.record_many(
        rows, purpose=PURPOSE, channel=CHANNEL, source=people.source_of(held), proof=_proof(held)
    )


def take_back(held: Import) -> int:
    """Take back the yeses of an import, but those that others told too: they are theirs.

    Args:
        held: The import, on its way out.

    Returns:
        How many lines went.
    """
    import pyarrow.parquet as pq

    source = people.source_of(held)
    others = Import.objects.filter(landed_at__isnull=False).exclude(pk=held.pk)
    if not queries.is_proof(source):
        # Most imports tell no yes, or none that is new: what the others told is not read.
        others = others.none()
    for other in others.order_by("-landed_at"):
        path = _agreed(other)
        if path.is_file() and other.landed_at:
            consents.hand_over(
                pq.read_table(path).column(0).to_pylist(), source=source,
                to=people.source_of(other), proof=_proof(other), at=other.landed_at,
            )  # fmt: skip
    # From here on it vouches for nothing itself.
    _agreed(held).unlink(missing_ok=True)
    return consents.take_back(source=source)


def _agreed(held: Import) -> Path:
    """Who agreed, by their numbers here; kept as long as the import can be undone."""
    return held.folder.parent / "agreed" / f"{held.id.hex}.parquet"


def _proof(held: Import) -> str:
    """The file and the column that say so."""
    language = Company.current().language
    for file in (understanding.kept(held) or {"files": []})["files"]:
        for column in file["columns"]:
            if column["target"] == "customers.consent":
                told = msg("{file}, column “{column}”", file=file["file"], column=column["header"])
                return told.text(language)[:500]
    return held.title
