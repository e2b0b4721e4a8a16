"""Every wrong number ever found has its test here; none is weakened to make a change pass."""

import datetime as dt

import ibis
import pyarrow as pa
import pytest

import revoir
from revoir.book import Activity, Book, Settings
from revoir.periods import Grain

JAN = dt.date(2024, 1, 1)


def book(orders, window_days=31, as_of=None) -> Book:
    table = pa.table(
        {
            "customer_id": [order[0] for order in orders],
            "ordered_on": pa.array([order[1] for order in orders], pa.date32()),
            "amount": [float(order[2]) for order in orders],
        }
    )
    held = {"orders": ibis.duckdb.connect().create_table("orders", table)}
    return Book(held, settings=Settings(activity=Activity(window_days=window_days)), as_of=as_of)


def test_an_order_of_nothing_in_a_file_of_orders_is_an_order(tmp_path):
    """CDNOW: 80 orders of 0.00 were called free, and 68 customers of 23,570 went missing."""
    path = tmp_path / "orders.csv"
    path.write_text("customer,date,amount\na,2024-01-05,0.00\nb,2024-01-06,12.50\n")
    held = revoir.read(path)
    assert revoir.measure(held, "customers").figures[0].value == 2
    assert revoir.measure(held, "orders").figures[0].value == 2


def test_an_order_whose_lines_come_to_nothing_is_none(tmp_path):
    """Online Retail: a customer with a single line at price 0 is not one of the 4,338."""
    path = tmp_path / "lines.csv"
    rows = ["1,a,2024-01-05,X,2,0.00", "2,b,2024-01-06,X,1,12.50", "2,b,2024-01-06,Y,1,1.50"]
    head = "order_id,customer_id,date,product,quantity,unit_price\n"
    path.write_text(head + "\n".join(rows) + "\n")
    assert revoir.measure(revoir.read(path), "customers").figures[0].value == 1


def test_who_lapses_and_returns_inside_one_period_was_kept():
    """Counting spells that end and begin called the customer both lost and gained."""
    held = book([("a", JAN - dt.timedelta(days=30), 1), ("a", dt.date(2024, 1, 20), 1)])
    figure = revoir.measure(held, "retention_rate", start=JAN, end=dt.date(2024, 1, 21)).figures[0]
    assert figure.parts == {"start": 1, "kept": 1, "lost": 0, "new": 0, "returned": 0, "end": 1}


def test_who_comes_and_goes_inside_one_period_was_never_there():
    """Gained customers who left again within a year made (E − N) ÷ S too small."""
    held = book(
        [
            ("a", dt.date(2023, 12, 20), 1),
            ("a", dt.date(2024, 12, 15), 1),
            ("visitor", dt.date(2024, 5, 1), 1),
        ],
        as_of=dt.date(2024, 12, 31),
    )
    figure = revoir.measure(held, "retention_rate", start=JAN, end=dt.date(2025, 1, 1)).figures[0]
    assert figure.value == 1
    assert figure.parts["new"] == 0


@pytest.mark.parametrize("grain", list(Grain))
def test_periods_of_the_engine_are_those_of_the_calendar(grain):
    """DuckDB truncates a day to a moment; the months of its answer were then not found."""
    days = [dt.date(2023, 12, 25) + dt.timedelta(days=7 * n) for n in range(60)]
    held = book([("a", day, 1) for day in days])
    figures = revoir.measure(held, "orders", grain=grain).figures
    assert sum(figure.value for figure in figures) == len(days)
    for figure in figures:
        inside = [day for day in days if figure.period.start <= day < figure.period.end]
        assert figure.value == len(inside)


def test_two_orders_on_one_day_are_one_visit():
    """The published 946 repeaters of CDNOW's sample bought again on another day."""
    held = book([("a", JAN, 1), ("a", JAN, 2), ("b", JAN, 1), ("b", dt.date(2024, 1, 9), 1)])
    assert revoir.measure(held, "repurchase_rate").figures[0].value == 0.5


def test_a_planned_end_is_no_departure_yet(tmp_path):
    """Subscriptions that end in 2028 made the last year of the data 2028, and all churned in it."""
    path = tmp_path / "subscriptions.csv"
    path.write_text(
        "customer_id,started_at,ended_at,monthly_amount\n"
        "a,2023-01-05,2028-01-05,10\nb,2023-02-05,2024-03-01,10\nc,2024-05-05,2028-05-05,10\n"
    )
    held = revoir.read(path, today=dt.date(2024, 6, 1))
    assert held.as_of == dt.date(2024, 5, 5)
    figure = revoir.measure(held, "logo_churn_rate", start=JAN, end=dt.date(2024, 5, 6)).figures[0]
    assert (figure.numerator, figure.denominator) == (1, 2)
    assert revoir.read(path, today=dt.date(2029, 1, 1)).as_of == dt.date(2028, 5, 5)


def test_who_is_active_for_the_last_day_of_the_window_is_kept_by_a_later_purchase():
    """The last day of the window is part of it: a spell that ends on a period's first day runs."""
    held = book([("a", dt.date(2023, 12, 1), 1), ("a", dt.date(2024, 1, 5), 1)])
    figure = revoir.measure(
        held, "retention_rate", start=JAN, end=dt.date(2024, 2, 1), grain=Grain.MONTH
    ).figures[0]
    assert figure.parts == {"start": 1, "kept": 1, "lost": 0, "new": 0, "returned": 0, "end": 1}


def test_several_purchases_on_the_day_that_is_a_whole_spell():
    """Of two purchases on one day the one that ends the spell must not come first."""
    days = [dt.date(2023, 1, 10)] * 5 + [dt.date(2023, 9, 10)] * 5 + [dt.date(2024, 3, 10)]
    held = book([(customer, day, 1) for customer in "abcdefgh" for day in days], as_of=days[-1])
    found = revoir.measure(held, "customers_active", grain=Grain.MONTH).figures
    active = {figure.period.start for figure in found if figure.value == 8}
    assert active == {dt.date(2023, 1, 1), dt.date(2023, 9, 1), dt.date(2024, 3, 1)}
    assert {figure.value for figure in found} == {0, 8}


def test_groups_of_orders_say_that_going_over_is_leaving(tmp_path):
    """By channel, who stayed but bought elsewhere was lost to both groups without a word."""
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,order_date,amount,channel,city\na,2023-06-01,10,web,Tours\n"
        "a,2024-06-01,10,shop,Tours\nb,2023-06-02,10,web,Blois\nb,2024-06-02,10,web,Blois\n"
    )
    held = revoir.read(path).with_settings(activity=Activity(window_days=366))
    when = {"start": JAN, "end": dt.date(2024, 7, 1)}
    everybody = revoir.measure(held, "retention_rate", **when)
    channels = revoir.measure(held, "retention_rate", by=["channel"], **when)
    assert everybody.figures[0].value == 1
    assert {f.by["channel"]: f.numerator for f in channels.figures} == {"shop": 0, "web": 1}
    told = [note.text("en") for note in channels.notes]
    assert any("goes over to another group" in note for note in told)
    by_city = revoir.measure(held, "retention_rate", by=["city"], **when)
    assert not any("goes over" in note.text("en") for note in (*everybody.notes, *by_city.notes))
