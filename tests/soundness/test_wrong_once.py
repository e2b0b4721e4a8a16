"""Every wrong number ever found has its test here; none is weakened to make a change pass."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import ibis
import pyarrow as pa
import pytest

import revoir
from revoir.book import Activity, Book, Settings
from revoir.errors import UsageError
from revoir.metrics.benchmarks import fitting
from revoir.metrics.cohorts import cohorts
from revoir.metrics.registry import metric_named
from revoir.periods import Grain, start_of
from revoir.reports.build import build
from revoir.reports.figures import Kpi, Point
from revoir.reports.insights import insights_of
from revoir.signals.silences import silences

JAN = dt.date(2024, 1, 1)


def book(orders, window_days=31, as_of=None, **settings) -> Book:
    table = pa.table(
        {
            "customer_id": [order[0] for order in orders],
            "ordered_on": pa.array([order[1] for order in orders], pa.date32()),
            "amount": [float(order[2]) for order in orders],
        }
    )
    held = {"orders": ibis.duckdb.connect().create_table("orders", table)}
    rule = Activity(window_days=window_days)
    return Book(held, settings=Settings(activity=rule, **settings), as_of=as_of)


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
@pytest.mark.parametrize("month", [1, 4, 9, 12])
def test_periods_of_the_engine_are_those_of_the_calendar(grain, month):
    """DuckDB truncates a day to a moment; the months of its answer were then not found."""
    days = [dt.date(2023, 12, 25) + dt.timedelta(days=7 * n) for n in range(60)]
    held = book([("a", day, 1) for day in days], fiscal_year_start_month=month)
    found = revoir.measure(held, "orders", grain=grain).figures
    counted = Counter(start_of(day, grain, month) for day in days)
    assert {f.period.start: f.value for f in found if f.value} == counted
    grown = cohorts(held, grain=grain).cohorts
    assert {cell.period.start for cell in grown[0].cells if cell.count} == set(counted)


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


CONTRACTS = (
    "client;anciennete_mois;fin_contrat;mensualite\n"
    "A;12;31/12/2027;20\nB;7;15/03/2025;20\nC;3;;25\nD;9;01/06/2026;25\n"
)


@pytest.mark.parametrize(
    ("day", "left"),
    [((2025, 3, 14), 0), ((2025, 3, 15), 1), ((2026, 11, 1), 2), ((2027, 12, 31), 3)],
)
def test_a_contract_in_a_list_without_first_days_ends_on_its_last_day(tmp_path, day, left):
    """Whatever had an end had ended, that of next year too: 75% of a list had left."""
    path = tmp_path / "contracts.csv"
    path.write_text(CONTRACTS)
    as_of = dt.date(*day)
    for held in (
        revoir.read(path, as_of=as_of),
        revoir.read(path).at(as_of),
        revoir.read(path, today=as_of),
    ):
        figure = revoir.measure(held, "churn_rate").figures[0]
        assert (figure.numerator, figure.denominator) == (left, 4)


def test_where_orders_say_how_far_the_data_go_a_later_end_is_planned(tmp_path):
    """A contract until 2028 made 2028 the last day: every buyer had been silent for years."""
    orders, contracts = tmp_path / "orders.csv", tmp_path / "contracts.csv"
    orders.write_text("customer_id,order_date,amount\na,2024-05-01,5\nb,2024-05-28,5\n")
    contracts.write_text(
        "customer_id,started_at,ended_at,monthly_amount\n"
        "a,2023-01-05,2028-01-05,10\nb,2023-02-05,2024-03-01,10\nc,2024-06-02,2024-07-02,10\n"
    )
    held = revoir.read([orders, contracts])
    assert held.as_of == dt.date(2024, 6, 2)
    figure = revoir.measure(held, "logo_churn_rate", start=JAN, end=dt.date(2024, 6, 3)).figures[0]
    assert (figure.numerator, figure.denominator) == (1, 2)
    # Where it is known what day it is, an end that is over by then is one of the days of the data.
    assert revoir.read([orders, contracts], today=dt.date(2024, 7, 5)).as_of == dt.date(2024, 7, 2)


def test_the_end_of_a_subscription_tomorrow_is_planned_in_the_zone_of_the_company():
    """Its moment lies on this evening in UTC: it had ended, and the data covered tomorrow."""
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "started_at": [dt.datetime(2024, 1, 4, 23), dt.datetime(2024, 5, 4, 22)],
            "ended_at": [dt.datetime(2024, 6, 1, 22), None],  # midnight of 2 June in Paris
        }
    )
    held = Book({"subscriptions": ibis.duckdb.connect().create_table("subscriptions", table)})
    assert held.without_plans(dt.date(2024, 6, 1)).as_of == dt.date(2024, 5, 5)
    assert held.without_plans(dt.date(2024, 6, 2)).as_of == dt.date(2024, 6, 2)
    assert held.as_of == dt.date(2024, 6, 2)


def test_another_time_zone_has_days_of_its_own():
    """What was computed of the days of the former zone stayed, as did the last of them."""
    evening = dt.datetime(2024, 5, 10, 20)  # the morning of 11 May in Auckland
    backend = ibis.duckdb.connect()
    visits = pa.table({"customer_id": ["a"], "event": ["visit"], "occurred_at": [evening]})
    plans = pa.table(
        {
            "customer_id": ["b"],
            "started_at": pa.array([JAN], pa.date32()),
            "ended_at": pa.array([dt.date(2999, 1, 1)], pa.date32()),
        }
    )
    held = Book(
        {
            "events": backend.create_table("events", visits),
            "subscriptions": backend.create_table("subscriptions", plans),
        },
        settings=Settings(activity=Activity(event_window_days=30)),
    ).without_plans(dt.date(2024, 6, 1))
    assert [row["act"] for row in held.rows(silences(held))] == [dt.date(2024, 5, 10)]
    far = held.with_settings(timezone="Pacific/Auckland")
    assert [row["act"] for row in far.rows(silences(far))] == [dt.date(2024, 5, 11)]
    assert (held.as_of, far.as_of) == (dt.date(2024, 5, 10), dt.date(2024, 5, 11))


def test_another_time_zone_has_days_of_its_own_for_orders_without_a_day():
    """Orders that say their moment alone kept the day of the former zone."""
    evening = dt.datetime(2024, 5, 10, 20)  # the morning of 11 May in Auckland
    backend = ibis.duckdb.connect()
    sales = pa.table({"customer_id": ["a"], "ordered_at": [evening], "amount": [10.0]})
    visits = pa.table({"customer_id": ["a"], "event": ["visit"], "occurred_at": [evening]})
    held = Book(
        {
            "orders": backend.create_table("orders", sales),
            "events": backend.create_table("events", visits),
        }
    )
    assert held.span == (dt.date(2024, 5, 10),) * 2
    far = held.with_settings(timezone="Pacific/Auckland")
    assert far.span == (dt.date(2024, 5, 11),) * 2
    assert far.rows(far.table("orders"))[0]["ordered_on"] == dt.date(2024, 5, 11)
    assert far.with_settings(timezone="Europe/Paris").span == held.span


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


def test_na_in_the_box_for_words_is_no_comment(tmp_path):
    """Jardinerie: 5,101 comments “NA” made 6,939 answers in the customer's own words."""
    path = tmp_path / "nps.csv"
    rows = ["1,10,9,NA", "2,7,7,Trop d'attente en caisse", "3,9,8,NA", "4,3,5,Plantes mortes"]
    path.write_text("id,nps,satisfaction,explication\n" + "\n".join(rows) + "\n")
    figure = revoir.measure(revoir.read(path), "comment_rate").figures[0]
    # The second question of the row has no box for words of its own.
    assert (figure.numerator, figure.denominator) == (2, 4)


def test_reasons_too_rare_to_be_listed_count_among_the_departures():
    """“84 of 322”: the total was that of the eight reasons shown, not of all departures."""
    reasons = [f"r{number}" for number in range(12) for _ in range(12 - number)]
    subscriptions = pa.table(
        {
            "customer_id": [f"c{place}" for place in range(len(reasons))],
            "started_at": [dt.datetime(2023, 1, 1)] * len(reasons),
            "ended_at": [dt.datetime(2023, 6, 1)] * len(reasons),
            "reason": reasons,
        }
    )
    held = ibis.duckdb.connect().create_table("subscriptions", subscriptions)
    made = build(Book({"subscriptions": held}, as_of=dt.date(2024, 6, 30)), language="en")
    told = " ".join(sentence.text("en") for sentence in made.answers[1].sentences)
    assert "12 departures of 78" in told


def test_the_figures_stop_where_the_data_do():
    """CDNOW as of 2000: quarters without data were zeros, and nobody lost was a strength."""
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=7 * week) for week in range(52)]
    orders = [(f"c{place % 40}", day, 10) for day in days for place in range(20)]
    made = build(book(orders, window_days=92, as_of=dt.date(2026, 6, 30)), language="en")
    periods = [point.period for _, kpi in made.headline for point in kpi.series]
    periods += [row.period for row in made.lifecycle.rows]
    assert max(period.end for period in periods) <= dt.date(2024, 1, 1)
    assert made.period.end == dt.date(2024, 1, 1)
    assert dict(made.headline)["customers_active"].value > 0
    assert any("later than 24 Dec 2023" in warning.text("en") for warning in made.warnings)
    assert made.actions[0].title.text("en").endswith("since 24 Dec 2023.")
    assert not any("stopped buying" in action.title.text("en") for action in made.actions)


@pytest.mark.parametrize(
    "name", ["customers_active", "customers_lost", "lifecycle_dormant", "orders", "retention_rate"]
)
def test_counts_of_customers_stop_where_the_data_do_too(name):
    """Nobody was active, and everybody dormant, in months that nothing is known of."""
    held = book([("a", JAN, 1), ("b", JAN, 1), ("a", dt.date(2024, 2, 15), 1)])
    ends = {"start": JAN, "end": dt.date(2024, 5, 1), "grain": Grain.MONTH}
    figures = revoir.measure(held, name, **ends).figures
    assert [figure.value is None for figure in figures[1:]] == [False, True, True]
    for figure in figures[2:]:
        assert figure.numerator is None
        assert figure.reason.text("en") == "The period begins after the data end, on 15 Feb 2024."


def test_recurring_revenue_stops_where_the_data_do():
    """What ran at the end of the data was said to run on for as long as was asked."""
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "started_at": pa.array([JAN, dt.date(2024, 2, 15)], pa.date32()),
            "monthly_amount": [10.0, 20.0],
        }
    )
    held = Book({"subscriptions": ibis.duckdb.connect().create_table("subscriptions", table)})
    ends = {"start": JAN, "end": dt.date(2024, 4, 1), "grain": Grain.MONTH}
    for name in ("mrr", "mrr_new", "net_revenue_retention", "customers_active"):
        figures = revoir.measure(held, name, **ends).figures
        assert (figures[1].value is None, figures[2].value) == (False, None)
        assert "after the data end" in figures[2].reason.text("en")
    assert [f.value for f in revoir.measure(held, "mrr", **ends).figures] == [10, 30, None]


def test_who_subscribes_on_the_last_day_of_the_data_is_there():
    """The first day of a subscription counts when it is the very last that the data cover."""
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "started_at": pa.array([JAN, dt.date(2024, 1, 31)], pa.date32()),
            "monthly_amount": [10.0, 20.0],
        }
    )
    held = Book({"subscriptions": ibis.duckdb.connect().create_table("subscriptions", table)})
    assert held.as_of == dt.date(2024, 1, 31)
    ends = {"start": JAN, "end": dt.date(2024, 2, 1)}
    assert revoir.measure(held, "customers_new", **ends).figures[0].value == 2
    assert revoir.measure(held, "mrr", **ends).figures[0].value == 30
    earlier = held.at(dt.date(2024, 1, 30))
    assert revoir.measure(earlier, "customers_new", **ends).figures[0].value == 1


def test_a_period_is_doubted_only_where_its_window_begins_before_the_data():
    """Data that begin on the very first day of the window before a period hide nobody."""
    held = book([("a", JAN, 1), ("b", dt.date(2024, 3, 31), 1)], window_days=31)
    ends = {"end": dt.date(2024, 4, 1)}
    (whole,) = revoir.measure(held, "customers_kept", start=dt.date(2024, 2, 1), **ends).figures
    (cut,) = revoir.measure(held, "customers_kept", start=dt.date(2024, 1, 31), **ends).figures
    assert whole.note is None
    assert "The data begin on 1 Jan 2024" in cut.note.text("en")


@pytest.mark.parametrize("grain", [None, Grain.MONTH])
@pytest.mark.parametrize("name", ["orders", "retention_rate", "lifecycle_new"])
def test_asking_from_a_day_past_the_data_blames_the_data(name, grain):
    """“--from” alone past the data was answered with an empty period that nobody had asked for."""
    held = book([("a", JAN, 1), ("b", dt.date(2024, 3, 6), 1)])
    with pytest.raises(UsageError) as caught:
        revoir.measure(held, name, start=dt.date(2025, 1, 1), grain=grain)
    assert caught.value.text("en") == (
        "There is nothing from 1 Jan 2025 on: the data end on 6 Mar 2024. Ask from an earlier day."
    )
    if name != "retention_rate":
        with pytest.raises(UsageError) as caught:
            revoir.measure(held, name, end=JAN, grain=grain)
        assert "There is nothing before 1 Jan 2024" in caught.value.text("en")


def test_cohorts_from_a_day_past_the_data_blame_the_data():
    held = book([("a", JAN, 1), ("b", dt.date(2024, 3, 6), 1)])
    with pytest.raises(UsageError, match="the data end on"):
        cohorts(held, since=dt.date(2024, 3, 7))
    assert cohorts(held, since=dt.date(2024, 3, 6)).cohorts[0].size == 1


def test_one_order_says_nothing_of_the_mean():
    """“Average order value: 122% more”, of one order in June against one order the year before."""
    days = [dt.date(2023, month, 5) for month in range(1, 13)]
    days += [dt.date(2024, month, 5) for month in range(1, 8)]
    amounts = [10] * 12 + [40] * 7
    orders = [("a", day, amount) for day, amount in zip(days, amounts, strict=True)]
    made = build(book(orders, window_days=92), language="en")
    assert dict(made.headline)["average_order_value"].year_before.clear is False
    assert not any("Average order value" in one.text.text("en") for one in made.insights)


def test_orders_without_any_customer_make_no_figures_of_customers():
    """“0 customers, 0 lost”, of a file whose column of customers was not recognised."""
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=3 * place) for place in range(120)]
    table = pa.table(
        {
            "customer_id": pa.nulls(len(days), pa.string()),
            "ordered_on": pa.array(days, pa.date32()),
            "amount": [10.0] * len(days),
        }
    )
    held = Book({"orders": ibis.duckdb.connect().create_table("orders", table)})
    made = build(held, language="en", by=[])
    shown = {name for name, kpi in made.headline if kpi.value is not None}
    assert shown == {"revenue", "average_order_value"}
    assert made.lifecycle is None
    assert made.actions[0].title.text("en").startswith("Tell which column")


def test_a_published_figure_on_the_other_side_takes_the_claim_back():
    """NPS 36.6 was “above the 29 published”, while another source on the same card says 62."""
    published = fitting("nps", sector="retail", length="survey")[0]
    near, far = (replace(published, low=value, high=value) for value in (29.0, 62.0))
    nps = metric_named("nps")
    point = Point(None, True, 36.6, 29.4, 43.5, None, 481)
    kpi = Kpi("nps", nps.label, nps.unit, None, "higher", point, n=481, benchmarks=(near,))
    said = insights_of({"nps": kpi}, None, None, None)
    assert [one.kind for one in said] == ["strength"]
    assert insights_of({"nps": replace(kpi, benchmarks=(near, far))}, None, None, None) == ()


ENDS = """subscription_id,customer_id,plan,mrr,started_at,ended_at
S1,C1,basic,10,2024-01-05,9999-12-31
S2,C2,basic,10,2024-02-05,2024-08-05
S3,C3,pro,30,2024-03-05,31/12/9999
S4,C4,pro,30,2024-03-05,
S5,C5,pro,30,2024-03-05,2999-12-31 00:00:00
"""


def test_an_end_in_the_year_9999_is_no_end(tmp_path):
    """Running subscriptions were set aside as faulty, so everybody had left."""
    (tmp_path / "subscriptions.csv").write_text(ENDS, encoding="utf-8")
    held = revoir.read(tmp_path / "subscriptions.csv")
    [file] = held.reading.files
    assert (file.rows_accepted, file.rows_quarantined) == (5, 0)
    assert any("3 ends lie in the year 2100" in note.text("en") for note in file.notes)
    rows = held.tables["subscriptions"].select("customer_id", "ended_at").to_pyarrow()
    running = {row["customer_id"] for row in rows.to_pylist() if row["ended_at"] is None}
    assert running == {"C1", "C3", "C4", "C5"}


def test_a_book_does_not_last_until_the_year_9999():
    """A day that stands for no end was taken for the last day of the data."""
    columns = {
        "subscription_id": ["a", "b"], "customer_id": ["1", "2"],
        "started_at": [dt.date(2024, 1, 1)] * 2,
        "ended_at": [dt.date(9999, 12, 31), dt.date(2024, 8, 1)],
    }  # fmt: skip
    table = ibis.duckdb.connect().create_table("subscriptions", pa.table(columns))
    assert revoir.Book({"subscriptions": table}).as_of == dt.date(2024, 8, 1)
