"""Who has left, by a file with several rows a customer, is the same wherever it is asked."""

import datetime as dt

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines import memory
from revoir.metrics.registry import measure
from revoir.models.departures import Definition, Kind
from revoir.models.features.compute import columns_of_file
from revoir.models.snapshots import snapshots
from revoir.models.stays import stays
from revoir.models.subscribers import subscribers

ROWS = [
    # Changed plans: the older contract ended, the newer one runs.
    ("a", "old", True, 24, 30.0),
    ("a", "new", False, 6, 40.0),
    # Both ended.
    ("b", "old", True, 12, 30.0),
    ("b", "new", True, 3, 40.0),
    ("c", "new", False, 9, 40.0),
    # How long the one that runs has lasted is not known.
    ("d", "old", True, 5, 30.0),
    ("d", "new", False, None, 40.0),
]
LEFT = {"a": False, "b": True, "c": False, "d": False}


NAMES = ("customer_id", "plan", "churned", "tenure_months", "monthly_amount")
TABLE = pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in ROWS])


@pytest.fixture
def book():
    return Book({"subscriptions": memory(threads=1).create_table("subscriptions", TABLE)})


def test_churn_survival_worth_and_the_metric_agree_on_who_has_left(book):
    definition = Definition(Kind.FILE, None)
    (looked,) = snapshots(book, definition, columns_of_file(book), ())
    seen = looked.table.to_pylist()
    assert {row["customer_id"]: row["left"] for row in seen} == LEFT
    assert {row["customer_id"]: row["left"] for row in book.rows(stays(book, definition))} == LEFT
    known = subscribers(book)
    assert dict(zip(known.table["customer_id"].to_pylist(), known.left, strict=True)) == LEFT
    figure = measure(book, "churn_rate").figures[0]
    assert (figure.numerator, figure.denominator) == (1, 4)


def test_a_customer_counts_once_in_each_group_that_they_have_a_contract_in(book):
    figures = measure(book, "churn_rate", by=["plan"]).figures
    assert {f.by["plan"]: (f.numerator, f.denominator) for f in figures} == {
        "old": (1, 3),
        "new": (1, 4),
    }


def test_what_a_customer_brings_in_is_what_runs(book):
    (looked,) = snapshots(book, Definition(Kind.FILE, None), columns_of_file(book), ())
    worth = {row["customer_id"]: row["worth"] for row in looked.table.to_pylist()}
    assert worth == {"a": 480.0, "b": 840.0, "c": 480.0, "d": 480.0}


def test_what_is_learned_from_is_what_runs(engine):
    """A customer who changed plans had the dearer, longer, later-named of all, ended ones too."""
    book = Book(engine.load({"subscriptions": TABLE}))
    (looked,) = snapshots(book, Definition(Kind.FILE, None), columns_of_file(book), ())
    names = ("plan", "tenure_months", "monthly_amount")
    seen = {
        row["customer_id"]: tuple(row[f"subscriptions.{name}"] for name in names)
        for row in looked.table.to_pylist()
    }
    # Of who has left there is the largest of what ran.
    assert seen == {
        "a": ("new", 6, 40), "b": ("old", 12, 40), "c": ("new", 9, 40), "d": ("new", None, 40),
    }  # fmt: skip


def test_who_leaves_later_has_not_left(engine):
    """The file said of each with an end that they had left, on any day that was asked about."""
    ends = [dt.date(2024, 5, 31), dt.date(2024, 6, 1), None]
    rows = {
        "customer_id": ["gone", "goes", "said"],
        "ended_at": pa.array(ends, pa.date32()),
        "churned": [True, True, True],
        "tenure_months": pa.array([3, 4, 5], pa.int64()),
    }
    book = Book(engine.load({"subscriptions": pa.table(rows)})).at(dt.date(2024, 5, 31))
    found = book.rows(stays(book, Definition(Kind.FILE, None)))
    left = {row["customer_id"]: row["left"] for row in found}
    assert left == {"gone": True, "goes": False, "said": True}
