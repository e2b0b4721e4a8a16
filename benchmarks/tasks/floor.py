"""The floor: what DuckDB alone takes, without a check, for the barest form of the same question."""

import duckdb
import pyarrow
import pyarrow.compute as pc


def versions():
    return {"duckdb": duckdb.__version__, "pyarrow": pyarrow.__version__}


def group_by(path):
    """One bare `group by customer_id`, its answer in memory as Arrow."""
    with duckdb.connect() as connection:
        table = connection.sql(
            "select customer_id, count(*) n, min(ordered_at), max(ordered_at), sum(amount) amount"
            " from read_parquet($path) group by customer_id",
            params={"path": path},
        ).to_arrow_table()
    return lambda: {"customers": table.num_rows, "amount": _sum(table, "amount")}


def read_csv(path):
    with duckdb.connect() as connection:
        connection.execute("create table orders as from read_csv($path)", {"path": path})
        found = connection.execute("select count(*), sum(amount) from orders").fetchone()
    return lambda: {"rows": found[0], "amount": float(found[1])}


def _sum(table, column):
    return float(pc.sum(table[column]).as_py())
