"""What files say of consent, kept where consent is kept: with its proof."""

from __future__ import annotations

from revoir.language import msg
from revoir_web.common.models import Company
from revoir_web.consents import actions as consents
from revoir_web.ingest import people, understanding
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

    rows: list[tuple[str, bool, None]] = []
    for path in sorted((held.folder / "final").glob("customers.*.parquet")):
        schema = pq.read_schema(path)
        if "consent" not in schema.names or not pa.types.is_boolean(schema.field("consent").type):
            continue
        table = pq.read_table(path, columns=["customer_id", "consent"])
        pairs = zip(*(column.to_pylist() for column in table.columns), strict=True)
        rows += [(id, given, None) for id, given in pairs if given is not None]
    if not rows:
        return 0
    return consents.record_many(
        rows, purpose=PURPOSE, channel=CHANNEL, source=people.source_of(held), proof=_proof(held)
    )


def _proof(held: Import) -> str:
    """The file and the column that say so."""
    language = Company.current().language
    for file in (understanding.kept(held) or {"files": []})["files"]:
        for column in file["columns"]:
            if column["target"] == "customers.consent":
                told = msg("{file}, column “{column}”", file=file["file"], column=column["header"])
                return told.text(language)[:500]
    return held.title
