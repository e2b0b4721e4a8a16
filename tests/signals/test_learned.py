"""What is usual is learned from what was known: against the model itself, and by hand."""

import datetime as dt
import itertools
import math

import numpy as np
import pytest

from revoir.book import Activity
from revoir.models.gaps import History
from revoir.models.next_purchase import next_purchases
from revoir.models.rhythm import Rhythm
from revoir.signals.alerts import alerts_of
from revoir.signals.rhythm import rhythms

RULE = Activity(window_days=400)


@pytest.fixture
def regulars(book_of):
    """Sixty customers with rhythms of their own, over two years."""
    rng = np.random.default_rng(11)
    rows = []
    for number in range(60):
        day, pace = (
            dt.date(2022, 1, 1) + dt.timedelta(days=int(rng.integers(120))),
            rng.lognormal(3, 0.6),
        )
        for _ in range(1 + rng.geometric(0.12)):
            rows.append((f"c{number:02}", day, 20, "purchase"))
            day += dt.timedelta(days=max(1, round(pace * rng.lognormal(0, 0.4))))
    kept = [row for row in rows if row[1] <= dt.date(2023, 6, 30)]
    return kept, book_of(as_of=dt.date(2023, 6, 30), rule=RULE, orders=kept)


def history_until(rows, day):
    """The gaps of each customer's purchases before a day, and the silence since."""
    days = {}
    for customer, on, *_ in rows:
        if on < day:
            days.setdefault(customer, set()).add(on)
    columns = []
    for held in days.values():
        ordered = sorted(held)
        logs = [math.log((b - a).days) for a, b in itertools.pairwise(ordered)]
        columns.append(
            (len(logs), (ordered[-1] - ordered[0]).days, sum(logs), sum(x * x for x in logs),
             (day - ordered[-1]).days)
        )  # fmt: skip
    return History(*np.array(columns, float).T)


def test_rhythms_are_those_of_the_days_before(regulars):
    rows, book = regulars
    found = rhythms(book)
    assert [day for day, _ in found] == sorted(day for day, _ in found)
    assert all((day.day, day.month % 3) == (1, 1) for day, _ in found)
    for day, rhythm in found:
        history = history_until(rows, day)
        expected = Rhythm("lognormal").fit(history)
        assert rhythm.parameters_ == pytest.approx(expected.parameters_, rel=1e-3)


def test_who_is_overdue_is_so_by_the_model(regulars):
    """On the day before it is raised the silence is short enough, on the day itself too long."""
    rows, book = regulars
    raised = book.rows(alerts_of(book, "overdue", {"share": 0.8}).table)
    assert len(raised) > 30
    known = rhythms(book)
    for row in raised:
        rhythm = [model for day, model in known if day <= row["act"] or day == known[0][0]][-1]
        theirs = [one for one in rows if one[0] == row["customer_id"] and one[1] <= row["act"]]
        history = history_until(theirs, row["act"] + dt.timedelta(days=1))
        gap = rhythm.next_gap(history)
        silence = (row["raised_on"] - row["act"]).days
        assert gap.survival(np.array([silence + 0.5]))[0] < 0.2
        # Nothing is raised before the rhythm is known: then the silence may be longer already.
        first = row["raised_on"] == known[0][0]
        assert first or gap.survival(np.array([silence - 0.5]))[0] > 0.2
        assert row["usual_days"] == pytest.approx(gap.quantile(np.array([0.5]))[0])
        assert row["nth"] == history.frequency[0] + 1 > 1


def test_it_tells_what_the_next_purchase_tells(regulars):
    """The same customers are overdue, but for those near the line: one model learned later."""
    _, book = regulars
    expected = next_purchases(book).customers.to_pylist()
    overdue = {row["customer_id"] for row in expected if row["overdue"]}
    table = alerts_of(book, "overdue").table
    raised = {row["customer_id"] for row in book.rows(table.filter(table.next_act.isnull()))}
    near = {row["customer_id"] for row in expected if 0.05 < row["silence"] < 0.2}
    assert overdue - near == raised - near
    assert len(overdue - near) > 5


def test_the_usual_wait_for_a_second_purchase(book_of):
    """40 customers come back after 1 … 40 days in spring; half of them within 20."""
    first = dt.date(2023, 1, 1)
    rows = []
    for wait in range(1, 41):
        rows += [(f"r{wait}", first, 10, "purchase")]
        rows += [(f"r{wait}", first + dt.timedelta(days=wait), 10, "purchase")]
    rows += [
        ("winter", dt.date(2023, 1, 5), 10, "purchase"),  # nothing was known yet
        ("spring", dt.date(2023, 4, 1), 10, "purchase"),
        ("soon", dt.date(2023, 5, 1), 10, "purchase"),
        ("soon", dt.date(2023, 5, 20), 10, "purchase"),  # 19 days: before the alert
        ("late", dt.date(2023, 5, 1), 10, "purchase"),
        ("late", dt.date(2023, 5, 22), 10, "purchase"),  # 21 days: after it
    ]
    book = book_of(as_of=dt.date(2023, 6, 30), rule=Activity(window_days=60), orders=rows)
    table = alerts_of(book, "no_second_order").table
    found = {row["customer_id"]: row for row in book.rows(table)}
    assert set(found) == {"spring", "late"}
    assert found["spring"]["raised_on"] == dt.date(2023, 4, 21)
    assert found["spring"]["closed_on"] == dt.date(2023, 5, 31)
    assert found["spring"]["closed_by"] == "left"
    assert (found["late"]["raised_on"], found["late"]["closed_by"]) == (
        dt.date(2023, 5, 21),
        "returned",
    )
    (alert,) = alerts_of(book.at(dt.date(2023, 5, 3)), "no_second_order").listed()
    assert alert.reason.text("en") == (
        "Bought once, 32 days ago; 50% of those who come back do so within 20 days."
    )


def test_too_few_returns_teach_nothing(book_of):
    rows = [(f"c{n}", dt.date(2023, 1, 1 + n), 10, "purchase") for n in range(20)]
    rows += [(f"c{n}", dt.date(2023, 2, 1 + n), 10, "purchase") for n in range(20)]
    book = book_of(as_of=dt.date(2023, 12, 31), rule=RULE, orders=rows)
    assert rhythms(book) == []
    for name in ("overdue", "no_second_order"):
        assert book.rows(alerts_of(book, name).table) == []


def test_a_large_shop_is_learned_from_some_of_its_customers(regulars, monkeypatch):
    from revoir.signals import rhythm

    _, book = regulars
    monkeypatch.setattr(rhythm, "SAMPLE", 30)
    sampled = rhythms(book.at(dt.date(2023, 6, 29)))
    assert 15 <= sampled[-1][1].customers_ <= 45
