"""Our recommendations and next purchases: on a million customers, and on real shops."""

import datetime as dt
import importlib.util
from importlib import import_module
from pathlib import Path

import duckdb
import numba
import numpy as np
import pyarrow as pa

import revoir
from revoir import engines
from revoir.models.assortment import Assortment, Product
from revoir.models.gaps import History
from revoir.models.next_purchase import next_purchases
from revoir.models.recommend import recommend
from revoir.models.recommend_record import POPULARITY, Stretch, try_methods
from revoir.models.recommender import Method, Recommender
from revoir.models.rhythm import Rhythm
from worker import phase

_place = Path(__file__).with_name("recommending.py")
_spec = importlib.util.spec_from_file_location("recommending", _place)
recommending = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recommending)


def _shop(customers):
    """A few purchases that everything is run on once."""
    number = np.arange(40 * customers, dtype=np.int32)
    product, day = number % 7, number % 199
    order = np.lexsort((day, product, number // 40))
    names = tuple(Product(str(n), None, None, 1.0) for n in range(7))
    ids = pa.array([f"{n:06}" for n in range(customers)], pa.large_string())
    columns = (number // 40)[order], product[order], day[order]
    return Assortment(dt.date(1970, 7, 18), ids, names, *columns, product, day)


# What is imported or loaded when first used is not part of the time: the engine, pandas (by
# PyArrow, whenever it is given Python objects), and what numba has compiled.
engines.memory().disconnect()
import_module("pandas")
try_methods(_shop(60))
_known = History(*(np.repeat([[3.0], [60.0], [9.0], [27.0], [9.0]], 40, axis=1)))
Rhythm().fit(_known).expect(_known)


def versions():
    return {
        "revoir": revoir.__version__,
        "duckdb": duckdb.__version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _in_place(path, table):
    """The book of a warehouse whose only table is that file."""
    backend = engines.memory()
    backend.raw_sql(f"create view {table} as from read_parquet('{path}')")
    return revoir.Book(engines.open_tables(backend))


def next_in_place(path):
    book = _in_place(path, "orders")
    with phase("answer"):
        found = next_purchases(book)
    return lambda: {"customers": found.customers.num_rows}


def next_tested(path):
    book = _in_place(path, "orders")
    with phase("answer"):
        found = next_purchases(book)
    with phase("record"):
        record = found.record
    return lambda: {"customers": found.customers.num_rows, "returned": record.awaited[-1].returned}


def recommend_to_all(path):
    book = _in_place(path, "order_lines")
    with phase("answer"):
        found = recommend(book)
    return lambda: {
        "customers": len(found.products["customer_id"].unique()),
        "rows": found.products.num_rows,
    }


def popularity(path):
    return _measured(path, lambda sold, new: POPULARITY)


def chosen(path):
    return _measured(path, lambda sold, new: try_methods(sold, new_only=new).method)


def _measured(path, method_for):
    """Choose on the first stretch, recommend on the second, as every other way does."""
    rows = recommending.read(path)
    _, past, hidden = recommending.stretches(rows)
    sold = _assortment(rows)
    answers = {}
    for question in recommending.QUESTIONS:
        new = question == "new"
        with phase(question):
            method = method_for(sold, new)
            last = int(rows[2].max()) - hidden
            stretch = Stretch.of(sold, last, hidden)
            model = Recommender(
                Method(method.kind, method.penalty, None if new else method.again, method.trend)
            ).fit(stretch.baskets, len(stretch.on_shelf.product))
            theirs = stretch.baskets.take(past.customers[question])
            place = model.rank(theirs, stretch.on_shelf, recommending.TOP).place
            ranked = np.where(place < 0, -1, stretch.on_shelf.product[place])
        answers[question] = past.measured(question, ranked)
    return lambda: recommending.told(answers)


def _assortment(rows):
    """The file's numbers as an assortment, without reading names again."""
    customer, product, day = (np.asarray(one, np.int32) for one in rows)
    order = np.lexsort((day, product, customer))
    customer, product, day = customer[order], product[order], day[order]
    names = tuple(Product(str(n), None, None, 1.0) for n in range(int(product.max()) + 1))
    ids = pa.array([f"{n:06}" for n in range(int(customer.max()) + 1)], pa.large_string())
    sold = np.unique(product.astype(np.int64) * 100_000 + day)
    sold_product, sold_day = (one.astype(np.int32) for one in np.divmod(sold, 100_000))
    as_of = dt.date(1970, 1, 1) + dt.timedelta(days=int(day.max()))
    return Assortment(as_of, ids, names, customer, product, day, sold_product, sold_day)
