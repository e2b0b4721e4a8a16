"""Signals, their records and health scores are the same on every engine."""

import datetime as dt

import pytest

from revoir.book import Activity, Book, Settings
from revoir.signals.alerts import alerts_of
from revoir.signals.registry import signals

AS_OF = dt.date(2024, 6, 4)
RULES = {
    "purchases": Activity(window_days=90),
    "any": Activity(window_days=60, subscription=True, event_window_days=30),
}


def rows_of(book, table):
    rows = book.rows(table)
    plain = [
        {
            name: round(float(value), 3) if hasattr(value, "__float__") else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return sorted(plain, key=lambda row: (row["customer_id"], str(row.get("raised_on"))))


ASKED = {
    # Purchases alone say who is there: what falls between them needs no join.
    "purchases": ("purchases_down", "overdue", "no_second_order", "basket_shrinking"),
    "any": tuple(signal.name for signal in signals()),
}
RECORDS = ("purchases_down", "negative_sentiment")
"""Whose records are compared: they are counted alike for all signals."""


@pytest.fixture(scope="session")
def answered():
    """What DuckDB answered, by rule: the other engines must agree with it."""
    return {}


@pytest.mark.parametrize("rule", RULES)
def test_alerts_and_records(engine, company_of, tables_of, book_of, answered, rule):
    rows = company_of[0](seed=5)
    if rule == "purchases":
        rows = {"orders": rows["orders"]}
    if rule not in answered:
        answered[rule] = answers(book_of(as_of=AS_OF, rule=RULES[rule], **rows), rule)
    held = engine.load(tables_of(rows))
    book = Book(held, settings=Settings(activity=RULES[rule], currency="EUR"), as_of=AS_OF)
    found = answers(book, rule)
    for name, expected in answered[rule].items():
        assert found[name] == expected, name
    # Nothing that is compared is empty, but for the alerts that need what is planned.
    assert [name for name, rows in found.items() if not rows] in ([], ["subscription_ending"])


def answers(book, rule):
    found = {}
    for name in ASKED[rule]:
        alerts = alerts_of(book, name)
        found[name] = rows_of(book, alerts.table)
        if name in RECORDS:
            found[f"record of {name}"] = _rounded(alerts.record.plain())
    return found


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 9) if isinstance(value, float) else value
