"""What other libraries need until they agree with each other; each mend names its end."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any


@cache
def restore_duckdb_names() -> None:
    """Give DuckDB 2.0 back the method names that Ibis 12.0 calls.

    DuckDB 2.0 dropped (connections) or deprecated (relations, with a warning)
    ``fetch_arrow_table`` and ``fetch_record_batch``; Ibis 12.0 still asks for
    a table's columns with the old names. `tests/engines/test_upstream.py` fails once Ibis
    does without, so that this goes.
    """
    import duckdb

    def fetch_arrow_table(result: Any) -> Any:
        with warnings.catch_warnings():
            # "makes an extra copy of the rows": Ibis reads names and types this way, not rows.
            warnings.simplefilter("ignore", UserWarning)
            return result.to_arrow_table()

    def fetch_record_batch(result: Any, rows_per_batch: int = 1_000_000) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return result.to_arrow_reader(rows_per_batch)

    for kind in (duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation):
        for function in (fetch_arrow_table, fetch_record_batch):
            setattr(kind, function.__name__, function)
