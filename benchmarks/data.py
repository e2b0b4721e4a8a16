"""The files that are measured on, made once: `python -m benchmarks.data KIND COUNT` prints one."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def folder() -> Path:
    """Where the files lie: `REVOIR_BENCHMARK_DATA`, by default `data` beside this file."""
    return Path(os.environ.get("REVOIR_BENCHMARK_DATA") or Path(__file__).resolve().parent / "data")


def make(kind: str, count: int) -> Path:
    """Make a file, where it is not there yet.

    Args:
        kind: "orders" (Parquet), "csv" or "xlsx".
        count: Customers of "orders"; rows of the others.

    Returns:
        The file. It holds the same rows on every machine.
    """
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
    # A customer orders 3.4 times; half as many customers as rows is more than enough.
    source = make("orders", max(count // 2, 10))
    path = folder() / f"orders-{count}-{version}.{kind}"
    if not path.exists():
        draft = path.with_name(f"draft-{path.name}")
        {"csv": _csv, "xlsx": _xlsx}[kind](source, draft, count)
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
