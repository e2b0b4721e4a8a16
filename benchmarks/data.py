"""The files that are measured on, made once: `python -m benchmarks.data KIND COUNT` prints one."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def folder() -> Path:
    """Where the files lie: `REVOIR_BENCHMARK_DATA`, by default `data` beside this file."""
    return Path(os.environ.get("REVOIR_BENCHMARK_DATA") or Path(__file__).resolve().parent / "data")


KINDS = ("orders", "lines", "csv", "xlsx")
"""Files of an invented world."""
REAL = {
    "online_retail": "online_retail/online_retail.parquet",
    "completejourney": "completejourney/transactions_sample.csv.gz",
}
"""Files of real shops, in the folder that `REVOIR_REFERENCE_DATA` names."""


def reference() -> Path:
    """The folder of real data, by default `../shared/data` seen from the project."""
    beside = Path(__file__).resolve().parents[1] / "../shared/data"
    return Path(os.environ.get("REVOIR_REFERENCE_DATA") or beside).resolve()


def make(kind: str, count: int) -> Path:
    """Make a file, where it is not there yet.

    Args:
        kind: One of `KINDS` or of `REAL`.
        count: Customers of "orders" and "lines"; rows of "csv" and "xlsx"; of no matter otherwise.

    Returns:
        The file. It holds the same rows on every machine.
    """
    if kind in REAL:
        return _bought(kind)
    from revoir.datasets.btyd import BgNbd, write_orders

    world = BgNbd()
    version = hashlib.sha256(repr(world).encode()).hexdigest()[:8]
    if kind == "orders":
        path = folder() / f"orders-{count}-{version}.parquet"
        if not path.exists():
            draft = path.with_suffix(".draft")
            write_orders(draft, count, world)
            draft.rename(path)
        return path
    if kind == "lines":
        path = folder() / f"lines-{count}-{version}.parquet"
        if not path.exists():
            draft = path.with_suffix(".draft")
            _lines(make("orders", count), draft)
            draft.rename(path)
        return path
    # A customer orders 3.4 times; half as many customers as rows is more than enough.
    source = make("orders", max(count // 2, 10))
    path = folder() / f"orders-{count}-{version}.{kind}"
    if not path.exists():
        draft = path.with_name(f"draft-{path.name}")
        {"csv": _csv, "xlsx": _xlsx}[kind](source, draft, count)
        draft.rename(path)
    return path


def _lines(source: Path, path: Path) -> None:
    """One to four lines an order: most of the customer's own taste, of which there are forty."""
    import duckdb

    taste = "(hash(customer_id) % 40) * 50 + floor(50 * pow((hash(n, k, 1) % 100000) / 1e5, 2))"
    any_product = "floor(2000 * pow((hash(n, k, 2) % 100000) / 1e5, 3))"
    target = str(path).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(
            "copy (with orders as"
            " (select row_number() over (order by ordered_at, customer_id) as n, *"
            " from read_parquet($source)),"
            " lines as (select *, unnest(range(1 + (hash(n) % 4)::int)) as k from orders)"
            " select n as order_id, customer_id, ordered_at, ordered_at::date as ordered_on,"
            " 'purchase' as kind, 'P' || lpad((case when hash(n, k) % 10 < 6"
            f" then {taste} else {any_product} end)::int::varchar, 4, '0') as product_id,"
            f" 1.0::double as quantity, 10.0::double as amount from lines) to '{target}'"
            " (format parquet)",
            {"source": str(source)},
        )


def _bought(kind: str) -> Path:
    """The products that customers of a real shop bought, and when, in numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from revoir.book import read
    from revoir.models.assortment import assortment

    path = folder() / f"{kind}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sold = assortment(read(reference() / REAL[kind]))
        assert sold is not None
        kept = ~sold.services[sold.product]
        columns = {name: getattr(sold, name)[kept] for name in ("customer", "product", "day")}
        draft = path.with_suffix(".draft")
        pq.write_table(pa.table(columns), draft)
        draft.rename(path)
    return path


def _rows(count: int) -> str:
    return (
        "select row_number() over () as order_id, customer_id,"
        " date_trunc('second', ordered_at) as ordered_at, amount"
        f" from read_parquet($source) limit {int(count)}"
    )


def _csv(source: Path, path: Path, count: int) -> None:
    import duckdb

    target = str(path).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy ({_rows(count)}) to '{target}' (format csv, header)", {"source": str(source)}
        )


def _xlsx(source: Path, path: Path, count: int) -> None:
    import duckdb
    import xlsxwriter

    with duckdb.connect() as connection:
        result = connection.execute(_rows(count), {"source": str(source)})
        names = [column[0] for column in result.description]
        rows = result.fetchall()
    with xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "default_date_format": "dd/mm/yyyy hh:mm:ss"}
    ) as book:
        sheet = book.add_worksheet("Commandes")
        for number, row in enumerate([names, *rows]):
            sheet.write_row(number, 0, row)


if __name__ == "__main__":
    print(make(sys.argv[1], int(sys.argv[2])))
