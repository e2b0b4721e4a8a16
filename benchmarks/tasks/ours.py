"""Ours: `…_in_place` on the tables where they are, as the peers do; the others read and check."""

import json
from importlib import import_module

import duckdb
import ibis
import pyarrow.compute as pc

import revoir
from revoir import engines
from revoir.metrics.cohorts import cohorts
from revoir.metrics.summary import customer_summary
from revoir.reports.build import build
from revoir.reports.plain import to_json
from revoir.segments.rfm import rfm
from worker import phase

# What is imported when first used is not part of the time either.
engines.memory().disconnect()
for name in ("assemble", "sheets", "sources", "structured", "text"):
    import_module(f"revoir.reading.{name}")
import_module("revoir.metrics.families")
import_module("pandas")  # by PyArrow, whenever it is given Python objects


def versions():
    return {"revoir": revoir.__version__, "ibis": ibis.__version__, "duckdb": duckdb.__version__}


def _in_place(path):
    """The book of a warehouse whose `orders` are that file."""
    backend = engines.memory()
    backend.raw_sql(f"create view orders as from read_parquet('{path}')")
    return revoir.Book(engines.open_tables(backend))


def _checked(path):
    with phase("read and check"):
        return revoir.read(path)


def summary_in_place(path):
    return _summary(_in_place(path))


def summary(path):
    return _summary(_checked(path))


def _summary(book):
    with phase("answer"):
        found = _arrow(book, customer_summary(book))
    return lambda: (
        {"customers": found.num_rows}
        | {name: _sum(found, name) for name in ("frequency", "recency", "T", "monetary_value")}
    )


def cohorts_in_place(path):
    return _cohorts(_in_place(path))


def cohorts_checked(path):
    return _cohorts(_checked(path))


def _cohorts(book):
    with phase("answer"):
        grid = cohorts(book)

    def tell():
        rows = [
            (cohort.size, {cell.age: cell.count for cell in cohort.cells})
            for cohort in grid.cohorts
        ]
        with_next = [(size, cells[1]) for size, cells in rows if 1 in cells]
        return {
            "customers": float(sum(size for size, _ in rows)),
            "cells": float(sum(sum(cells.values()) for _, cells in rows)),
            "share_at_1": sum(next_ for _, next_ in with_next) / sum(size for size, _ in with_next),
            "cohorts": len(rows),
        }

    return tell


def rfm_in_place(path):
    return _rfm(_in_place(path))


def rfm_checked(path):
    return _rfm(_checked(path))


def _rfm(book):
    with phase("answer"):
        scores = rfm(book)
        found = _arrow(book, scores.customers)
    return lambda: (
        {"customers": found.num_rows}
        | {name: _sum(found, name) for name in ("days_since_last", "frequency", "monetary")}
    )


def report_in_place(path):
    return _report(_in_place(path))


def report_checked(path):
    return _report(_checked(path))


def _report(book):
    with phase("answer"):
        text = to_json(build(book))

    def tell():
        segments = json.loads(text)["rfm"]["segments"]
        return {"customers": sum(row["customers"] for row in segments)}

    return tell


def read_csv(path):
    return _read(path)


def read_xlsx(path):
    return _read(path)


def _read(path):
    book = revoir.read(path)
    orders = book.tables["orders"]
    row = book.rows(orders.aggregate(n=orders.count(), amount=orders.amount.sum()))[0]
    return lambda: {"rows": row["n"], "amount": float(row["amount"])}


def _arrow(book, expression):
    """The rows in memory as Arrow, as the floor holds its own."""
    return book.backend.con.sql(book.backend.compile(expression)).to_arrow_table()


def _sum(table, column):
    return float(pc.sum(table[column].cast("float64")).as_py())
