"""The lake: what writing to it and opening it take, beside the Parquet file that it is filled from.

A lake is filled before the clock starts, in a folder that goes with the process.
"""

import atexit
import shutil
import tempfile
from pathlib import Path

import deltalake
import duckdb
import pyarrow as pa
import pyarrow.compute

import revoir
from revoir import engines
from revoir.store import Lake
from worker import phase

_FEW = 1_000
_REPLACED = 10_000


def versions():
    return {
        "revoir": revoir.__version__,
        "deltalake": deltalake.__version__,
        "duckdb": duckdb.__version__,
    }


def _rows(path):
    """The orders of the file, in canonical columns."""
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        return connection.sql(
            "select cast(row_number() over () as varchar) order_id,"
            " cast(customer_id as varchar) customer_id, ordered_at,"
            " cast(ordered_at as date) ordered_on, cast(amount as decimal(18, 4)) amount,"
            " 'purchase' kind from read_parquet($path)",
            params={"path": path},
        ).to_arrow_table()


def _fill(path):
    """The rows, and a lake that holds them."""
    folder = tempfile.mkdtemp(prefix="revoir-lake-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lake, rows = Lake.create(Path(folder) / "lake"), _rows(path)
    with phase("append all"):
        lake.append("orders", rows, batch="all")
    return lake, rows


def append_all(path):
    """Every order in one batch."""
    return _told(*_fill(path))


def append_few(path):
    """A thousand orders more."""
    lake, rows = _fill(path)
    with phase("append 1,000"):
        lake.append("orders", rows.slice(0, _FEW), batch="few")
    lake.undo("few")
    return _told(lake, rows)


def upsert(path):
    """Ten thousand orders, from all over the table, in place of themselves."""
    lake, rows = _fill(path)
    step = max(rows.num_rows // _REPLACED, 1)
    chosen = rows.take(pa.array(range(0, rows.num_rows, step)))
    with phase("upsert 10,000"):
        lake.upsert("orders", chosen, batch="replaced")
    return _told(lake, rows)


def open_and_group(path):
    """Open the lake and ask the bare question of the floor."""
    lake, _ = _fill(path)
    with phase("open and group"):
        book = revoir.open(lake.place.url)
        orders = book.table("orders")
        found = book.backend.con.sql(
            book.backend.compile(
                orders.group_by("customer_id").aggregate(
                    n=orders.count(),
                    first=orders.ordered_at.min(),
                    last=orders.ordered_at.max(),
                    amount=orders.amount.sum(),
                )
            )
        ).to_arrow_table()
    return lambda: {
        "customers": found.num_rows,
        "amount": float(pa.compute.sum(found["amount"]).as_py()),
    }


def plain_group(path):
    """The same question on the same rows in a plain Parquet file."""
    import pyarrow.parquet

    folder = tempfile.mkdtemp(prefix="revoir-lake-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    plain = str(Path(folder) / "orders.parquet")
    pyarrow.parquet.write_table(_rows(path), plain)
    with phase("plain Parquet"):
        found = (
            engines.memory()
            .con.sql(
                "select customer_id, count(*), min(ordered_at), max(ordered_at), sum(amount) amount"
                " from read_parquet($path) group by customer_id",
                params={"path": plain},
            )
            .to_arrow_table()
        )
    return lambda: {
        "customers": found.num_rows,
        "amount": float(pa.compute.sum(found["amount"]).as_py()),
    }


def _told(lake, rows):
    def tell():
        book = revoir.open(lake.place.url)
        orders = book.table("orders")
        figures = orders.aggregate(rows=orders.count(), amount=orders.amount.sum())
        (found,) = book.rows(figures)
        assert found["rows"] == rows.num_rows
        return {"amount": float(found["amount"])}

    return tell
