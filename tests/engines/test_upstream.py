"""Workarounds live as long as what they work around."""

from __future__ import annotations

import subprocess
import sys


def test_ibis_still_calls_names_that_duckdb_dropped() -> None:
    """Once this fails, `revoir.engines.upstream.restore_duckdb_names` can go."""
    code = "import ibis; print(ibis.duckdb.connect().list_tables())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "fetch_arrow_table" in done.stderr
