"""Early signals: the alerts of today and the record of each signal; and the health of customers."""

from importlib import import_module

import duckdb
import ibis
import pyarrow.compute as pc

import revoir
from revoir import engines
from revoir.signals.alerts import all_alerts
from revoir.signals.health import health_scores
from worker import phase

# What is imported when first used is not part of the time either.
engines.memory().disconnect()
import_module("revoir.signals.families")
import_module("revoir.signals.record")
import_module("revoir.models.rhythm")
import_module("pandas")  # by PyArrow, whenever it is given Python objects


def versions():
    return {"revoir": revoir.__version__, "ibis": ibis.__version__, "duckdb": duckdb.__version__}


def _in_place(path):
    """The book of a warehouse whose `orders` are that file."""
    backend = engines.memory()
    backend.raw_sql(f"create view orders as from read_parquet('{path}')")
    return revoir.Book(engines.open_tables(backend))


def signals_in_place(path):
    """Every alert that is open, in memory, and the record of every signal."""
    book = _in_place(path)
    raised = all_alerts(book)
    found = {}
    with phase("alerts"):
        for alerts in raised:
            found[alerts.signal.name] = book.columns(alerts.open)
    with phase("records"):
        records = {alerts.signal.name: alerts.record for alerts in raised}
    return lambda: {
        f"{name} {figure}": value
        for name, record in records.items()
        for figure, value in (
            ("open", float(found[name].num_rows)),
            ("past", float(record.alerts)),
            ("right", float(record.right)),
        )
    }


def health_in_place(path):
    """The score of every active customer, with its parts, in memory."""
    book = _in_place(path)
    with phase("scores"):
        found = book.columns(health_scores(book).customers)
    return lambda: {"customers": found.num_rows, "health": float(pc.sum(found["health"]).as_py())}
