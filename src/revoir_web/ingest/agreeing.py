"""What files say of consent, kept where consent is kept: with its proof."""

from __future__ import annotations

from pathlib import Path

from revoir.language import msg
from revoir_web.common.models import Company
from revoir_web.consents import actions as consents
from revoir_web.consents import queries
from revoir_web.ingest import people, staging, understanding
from revoir_web.ingest.models import Import

PURPOSE, CHANNEL = "news", "email"
"""What a bare “agreed to be contacted” of a file is taken for."""


def keep(held: Import) -> int:
    """Keep what the customers of an import agreed to.

    Args:
        held: The import, staged.

    Returns:
        How many lines of consent are new.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = held.folder / "final" / staging.CONSENTS
    if not file.is_file():
        return 0
    table = pq.read_table(file)
    pairs = zip(*(column.to_pylist() for column in table.columns), strict=True)
    rows = [(id, given, None) for id, given in pairs]
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
