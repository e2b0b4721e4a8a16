"""Wrong figures that were found by asking for them in odd ways; none is weakened for a change."""

import datetime as dt

import ibis
import pyarrow as pa
import pytest

import revoir
from revoir.book import Activity, Book, Settings
from revoir.cli.common import open_book
from revoir.errors import UsageError
from revoir.metrics.cohorts import cohorts
from revoir.metrics.registry import Question, measure
from revoir.metrics.retention import members
from revoir.periods import Grain, Period
from revoir.reports.build import build
from revoir.reports.frame import frame_of
from revoir.segments.rules import customers_matching

TICKETS = "ticket_id;client;ouvert_le;reclamation\n"


def written(folder, **files):
    """Files of text, in a folder, read as a book."""
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return revoir.read(paths)


def test_a_ticket_with_a_date_alone_is_of_that_day(tmp_path):
    """Midnight in Paris is the evening before in UTC: tickets of 1 February counted in January."""
    rows = "1;A;01/02/2024;oui\n2;B;01/03/2024;oui\n3;B;15/03/2024;non\n"
    held = written(tmp_path, tickets=TICKETS + rows)
    assert held.span[0] == dt.date(2024, 2, 1)
    figures = measure(held, "contacts", grain=Grain.MONTH).figures
    assert [(f.period.start.month, f.value) for f in figures] == [(2, 1), (3, 2)]
    before = held.at(dt.date(2024, 2, 29))
    assert measure(before, "contacts").figures[0].value == 1
    late = measure(held, "contacts", where="opened_at >= 2024-03-01").figures[0]
    assert late.value == 2
    rule = "contacts.last_15_days >= 2"
    assert len(held.rows(customers_matching(held, rule))) == 1


def test_a_visit_with_a_date_alone_keeps_its_customer_active_for_the_window():
    """The window of a visit ended a day early: it began on the evening before in UTC."""
    moments = [dt.datetime(2024, 1, 31, 23)]
    table = pa.table({"customer_id": ["a"], "occurred_at": moments, "event": ["visit"]})
    held = Book(
        {"events": ibis.duckdb.connect().create_table("events", table)},
        settings=Settings(activity=Activity(event_window_days=10)),
        as_of=dt.date(2024, 3, 1),
    )
    month = measure(
        held, "customers_active", start=dt.date(2024, 2, 5), end=dt.date(2024, 2, 11)
    ).figures[0]
    assert month.value == 1
    later = held.with_settings(timezone="UTC")
    assert later.span == (dt.date(2024, 1, 31),) * 2


def shop(rows, window_days=60, **settings) -> Book:
    """Orders of (customer, day, amount)."""
    table = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "ordered_on": pa.array([row[1] for row in rows], pa.date32()),
            "amount": [float(row[2]) for row in rows],
        }
    )
    held = {"orders": ibis.duckdb.connect().create_table("orders", table)}
    rule = Activity(window_days=window_days)
    return Book(held, settings=Settings(activity=rule, **settings))


@pytest.mark.parametrize("rule", ["orders.last_60_days >= 2", "days_since_last < 30"])
def test_a_rule_takes_customers_as_they_were_when_the_period_began(rule):
    """Of those who bought a lot of late nobody is lost: retention of a segment was always 100 %."""
    may, july = dt.date(2024, 5, 20), dt.date(2024, 7, 20)
    rows = [(name, may + dt.timedelta(days=n), 10) for name in "abc" for n in range(2)]
    rows += [("a", july, 10), ("a", july + dt.timedelta(days=1), 10), ("d", july, 10)]
    rows += [("d", july + dt.timedelta(days=3), 10)]
    held = shop(rows)
    june, august = dt.date(2024, 6, 1), dt.date(2024, 8, 1)
    figure = measure(held, "retention_rate", start=june, end=august, where=rule).figures[0]
    assert (figure.numerator, figure.denominator) == (1, 3)
    behind = members(held, Question(june, august, where=rule), Period(june, august))
    became = {row["customer_id"]: row["became"] for row in held.rows(behind)}
    assert became == {"a": "kept", "b": "lost", "c": "lost"}


def test_rows_behind_the_retention_of_a_segment_are_those_of_its_figure():
    """The rows took the segment of today, the figure that of the period's first day."""
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=7 * n) for n in range(60)]
    rows = [(f"c{n % 12}", day, 10 + n) for n, day in enumerate(days)]
    held = shop([*rows, *((f"c{n}", dt.date(2024, 1, 1 + n), 90) for n in range(3))])
    asked = Question(dt.date(2023, 9, 1), dt.date(2024, 2, 1), by=("segment",))
    figures = measure(held, "customers_kept", start=asked.start, end=asked.end, by=["segment"])
    kept = {figure.by["segment"]: figure.value for figure in figures.figures if figure.value}
    table = members(held, asked, Period(asked.start, asked.end))
    table = table.filter(table.became == "kept").group_by("segment")
    table = table.aggregate(n=lambda t: t.count())
    assert {row["segment"]: row["n"] for row in held.rows(table)} == kept
    for segment, n in kept.items():
        where = f'segment = "{segment}"'
        of_rule = measure(held, "customers_kept", start=asked.start, end=asked.end, where=where)
        assert of_rule.figures[0].value == n


@pytest.mark.parametrize(("first", "compared"), [(2, True), (25, False)])
def test_a_month_of_seven_days_is_no_base_of_a_year_before(first, compared):
    """“343 % more than in January 2023”, of which the data held the last seven days."""
    days = [dt.date(2023, 1, first) + dt.timedelta(days=n) for n in range(400)]
    rows = [(f"c{n % 40}", day, 20) for n, day in enumerate(days) if day < dt.date(2024, 2, 1)]
    made = build(shop(rows), language="en", grain=Grain.MONTH)
    revenue = dict(made.headline)["revenue"]
    assert revenue.point.period == Period(dt.date(2024, 1, 1), dt.date(2024, 2, 1))
    assert (revenue.year_before is not None) is compared


def test_a_window_given_for_purchases_leaves_subscribers_active(tmp_path):
    """With --activity-days nobody counted as active any more who only had a subscription."""
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(170)]
    orders = "client;date;montant\n" + "".join(f"C{n % 9};{d};10\n" for n, d in enumerate(days))
    subscriptions = "abonnement_id;client;date_debut;date_fin;prix_mensuel\n" + "".join(
        f"S{n};X{n};2024-01-01;;10\n" for n in range(10)
    )
    (tmp_path / "orders.csv").write_text(orders)
    (tmp_path / "subscriptions.csv").write_text(subscriptions)
    files = [str(tmp_path / "orders.csv"), str(tmp_path / "subscriptions.csv")]
    for given, present in ((files, 19), (files[1:], 10)):
        held = open_book(given, activity_days=60)
        asked = {"start": dt.date(2024, 5, 1), "end": dt.date(2024, 6, 1)}
        assert (
            measure(held.at(dt.date(2024, 6, 1)), "retention_rate", **asked).figures[0].denominator
            == present
        )


def test_the_margin_of_an_order_is_shared_out_among_its_lines():
    """The margin of an order of three lines counted three times: 40 in all instead of 16."""
    day = dt.date(2024, 1, 5)
    orders = pa.table(
        {
            "order_id": ["1", "2"],
            "customer_id": ["a", "b"],
            "ordered_on": pa.array([day, day], pa.date32()),
            "amount": [30.0, 10.0],
            "margin": [12.0, 4.0],
        }
    )
    lines = pa.table(
        {
            "order_id": ["1", "1", "1", "2"],
            "customer_id": ["a", "a", "a", "b"],
            "ordered_on": pa.array([day] * 4, pa.date32()),
            "kind": ["purchase"] * 4,
            "category": ["x", "x", "y", "x"],
            "amount": [5.0, 10.0, 15.0, 10.0],
        }
    )
    backend = ibis.duckdb.connect()
    tables = {"orders": orders, "order_lines": lines}
    held = Book({name: backend.create_table(name, table) for name, table in tables.items()})

    def margins(**asked):
        found = cohorts(held, measure="margin", **asked).cohorts
        return {cohort.by.get("category"): cohort.cells[0].count for cohort in found}

    assert margins() == margins(where='category in ("x", "y")') == {None: 16.0}
    assert margins(by=["category"]) == {"x": 10.0, "y": 6.0}


def test_the_lifetime_value_of_a_group_takes_its_own_margin():
    """Customers of a channel with a margin of 10 % were worth as much as those of one with 90 %."""
    days = [dt.date(2024, 1, 5), dt.date(2024, 2, 7)]
    orders = pa.table(
        {
            "customer_id": ["a", "b"] * 2,
            "ordered_on": pa.array([days[0]] * 2 + [days[1]] * 2, pa.date32()),
            "amount": [100.0] * 4,
            "margin": [10.0, 90.0] * 2,
            "channel": ["web", "shop"] * 2,
        }
    )
    held = Book({"orders": ibis.duckdb.connect().create_table("orders", orders)})

    def values(**asked):
        return [figure.value for figure in measure(held, "clv_historic", **asked).figures]

    assert values() == [pytest.approx(100)]
    assert values(by=["channel"]) == [pytest.approx(180), pytest.approx(20)]
    assert values(where='channel = "web"') == [pytest.approx(20)]
    monthly = values(by=["channel"], grain=Grain.MONTH)
    assert monthly == [pytest.approx(90), pytest.approx(10)] * 2
    given = held.with_settings(margin=0.5)
    assert measure(given, "clv_historic", by=["channel"]).figures[0].value == pytest.approx(100)


def survey_after_the_orders(folder, last=dt.date(2024, 3, 31)) -> Book:
    """Daily orders up to a day, and answers to a survey until 18 September 2024."""
    days = [last - dt.timedelta(days=n) for n in range(820)]
    orders = "client;date;montant\n" + "".join(f"C{n % 40};{d};20\n" for n, d in enumerate(days))
    answers = "client;date_reponse;nps\n" + "".join(
        f"C{n};{dt.date(2024, 1, 1) + dt.timedelta(days=9 * n)};9\n" for n in range(30)
    )
    return written(folder, orders=orders, answers=answers)


def test_nobody_is_lost_after_the_last_order_because_a_survey_goes_on(tmp_path):
    """“You kept 0 % of your customers”: the orders ended half a year before the answers."""
    held = survey_after_the_orders(tmp_path)
    assert held.as_of == dt.date(2024, 3, 31)
    figure = measure(held, "retention_rate", start=dt.date(2023, 10, 1)).figures[0]
    assert (figure.value, figure.period.end) == (1, dt.date(2024, 4, 1))
    later = measure(held, "revenue", start=dt.date(2024, 6, 1), end=dt.date(2024, 7, 1)).figures[0]
    assert later.value is None
    assert measure(held, "responses").figures[0].value == 30
    made = build(held, language="en")
    assert dict(made.headline)["retention"].value == 1
    assert any("31 Mar 2024" in warning.text("en") for warning in made.warnings)
    said = held.at(dt.date(2024, 9, 18))
    assert measure(said, "customers_active").figures[0].value == 0


def test_the_report_counts_the_answers_given_after_the_last_order(tmp_path):
    """Its years ended with the orders: of thirty answers it counted eleven, and no later one."""
    held = survey_after_the_orders(tmp_path)
    made = build(held, language="en")
    (chapter,) = (one for one in made.chapters if one.key == "satisfaction")
    nps = next(kpi for kpi in chapter.kpis if kpi.metric == "nps")
    # Twelve months that end with August; the days of September are no whole month.
    assert (nps.point.period.start, nps.point.period.end) == (
        dt.date(2023, 9, 1),
        dt.date(2024, 9, 1),
    )
    assert nps.n == 28
    assert dict(made.headline)["nps"] is nps
    assert [one.answers for one in chapter.asked] == [30]
    assert dict(made.headline)["retention"].point.period.end == dt.date(2024, 4, 1)
    said = build(held.at(dt.date(2024, 3, 31)), language="en")
    assert [one.answers for chapter in said.chapters for one in chapter.asked] == [11]


def test_a_survey_of_a_few_more_days_says_how_far_the_data_go(tmp_path):
    held = survey_after_the_orders(tmp_path, dt.date(2024, 9, 1))
    assert held.as_of == dt.date(2024, 9, 18)
    assert held.entire is held


def two_currencies(**tables) -> Book:
    """Two customers, each with orders in euros and dollars, and further tables."""
    orders = pa.table(
        {
            "customer_id": ["a", "a", "b", "b"],
            "ordered_on": pa.array([dt.date(2024, 1, n) for n in range(1, 5)], pa.date32()),
            "amount": [20.0, 10.0, 35.0, 10.0],
            "currency": ["EUR", "USD", "EUR", "USD"],
        }
    )
    backend = ibis.duckdb.connect()
    given = {"orders": orders, **tables}
    return Book({name: backend.create_table(name, table) for name, table in given.items()})


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ('currency in ("EUR", "USD")', None),
        ('currency = "EUR" or amount > 5', None),
        ('currency != "GBP"', None),
        ('currency = "EUR"', 55),
        ('devise = "USD"', 20),
        ('devise in ("USD") and amount > 0', 20),
    ],
)
def test_amounts_add_up_only_where_the_rule_leaves_one_currency(where, value):
    """55 euros and 20 dollars were 75, as the word “currency” stood somewhere in the rule."""
    assert measure(two_currencies(), "revenue", where=where).figures[0].value == value


def test_a_breakdown_by_currency_is_one_in_french_too():
    """--by devise was refused, with the advice to break down by currency."""
    figures = measure(two_currencies(), "revenue", by=["devise"]).figures
    assert {figure.by["devise"]: figure.value for figure in figures} == {"EUR": 55, "USD": 20}


def test_recurring_revenue_of_several_currencies_is_not_added_up():
    """10 dollars and 30 euros a month were 40."""
    held = pa.table(
        {
            "customer_id": ["a", "b"],
            "started_at": pa.array([dt.date(2023, 1, 1)] * 2, pa.date32()),
            "monthly_amount": [10.0, 30.0],
            "currency": ["USD", "EUR"],
        }
    )
    held = two_currencies(subscriptions=held)
    asked = {"start": dt.date(2024, 1, 1), "end": dt.date(2024, 1, 5)}
    figure = measure(held, "mrr", **asked).figures[0]
    assert figure.value is None
    assert "several currencies" in figure.reason.text("en")
    assert measure(held, "mrr", where='currency = "EUR"', **asked).figures[0].value == 30
    by = {f.by["currency"]: f.value for f in measure(held, "mrr", by=["currency"], **asked).figures}
    assert by == {"EUR": 30, "USD": 10}
    assert measure(held, "logo_churn_rate", **asked).figures[0].denominator == 2


@pytest.mark.parametrize("rule", ["revenue > 10", "monetary > 10", "average_order > 10"])
def test_a_rule_does_not_add_up_currencies(rule):
    """The scores left amounts of several currencies out, while rules added them up."""
    with pytest.raises(UsageError, match="several currencies"):
        customers_matching(two_currencies(), rule)


def test_lists_of_customers_show_what_was_bought_in_the_company_s_currency():
    """Euros and dollars stood in one sum, with the sign of the euro."""
    from revoir_web.insights.each_customer import customer_figures

    table = customer_figures(two_currencies().with_settings(currency="EUR"))
    rows = {row["customer_id"]: float(row["revenue"]) for row in table.to_pylist()}
    assert rows == {"a": 20, "b": 35}


def test_subscribers_without_a_price_are_subscribers(tmp_path):
    """Of five subscribers the two without a price were in neither part of “subscribers lost”."""
    head = "abonnement_id;client;date_debut;date_fin;prix_mensuel\n"
    rows = (
        "1;A;01/01/2023;;10,00\n2;B;01/01/2023;15/06/2024;10,00\n3;C;01/01/2023;;\n"
        "4;D;01/01/2023;10/06/2024;0,00\n5;E;01/01/2023;30/06/2024;\n6;F;01/07/2024;;20,00\n"
    )
    held = written(tmp_path, subscriptions=head + rows)
    asked = {"start": dt.date(2024, 6, 1), "end": dt.date(2024, 7, 1)}
    lost = measure(held, "logo_churn_rate", **asked).figures[0]
    assert (lost.numerator, lost.denominator) == (3, 5)
    recurring = measure(held, "mrr", **asked)
    assert recurring.figures[0].parts["start"] == 20
    assert recurring.figures[0].parts["churned"] == 10
    assert [note.text("en") for note in recurring.notes] == [
        "2 subscriptions have no price: their customers count, their amounts do not."
    ]


@pytest.mark.parametrize(
    ("name", "fitting", "scores"),
    [("csat", 5, range(1, 11)), ("ces", 7, range(10)), ("nps", 10, range(0, 101, 10))],
)
def test_scores_of_another_scale_are_not_read_on_this_one(name, fitting, scores):
    """Notes from 1 to 10 were a satisfaction of 70 %: everything from 4 on counted as content."""

    def asked(scores, month=1):
        held = pa.table(
            {
                "customer_id": [f"c{score}" for score in scores],
                "responded_on": pa.array([dt.date(2024, month, 5)] * len(scores), pa.date32()),
                "question": [name] * len(scores),
                "score": [float(score) for score in scores],
            }
        )
        return held

    def figures(*held, **question):
        together = ibis.duckdb.connect().create_table("responses", pa.concat_tables(held))
        return measure(Book({"responses": together}), name, **question).figures

    refused = figures(asked(scores))[0]
    assert refused.value is None
    assert f"to {fitting}" in refused.reason.text("en")
    # A month without such a score is on the same scale as the others.
    both = figures(asked(scores), asked([4, 5], month=2), grain=Grain.MONTH)
    assert [figure.value for figure in both] == [None, None]
    assert figures(asked(range(1, fitting + 1)))[0].value is not None


def test_a_report_says_which_scores_it_cannot_read():
    rows = [(f"c{n % 30}", dt.date(2023, 1, 1) + dt.timedelta(days=n), 20) for n in range(400)]
    held = shop(rows)
    answers = pa.table(
        {
            "customer_id": [f"c{n}" for n in range(10)],
            "responded_on": pa.array([dt.date(2024, 1, 5)] * 10, pa.date32()),
            "question": ["csat"] * 10,
            "score": [float(n + 1) for n in range(10)],
        }
    )
    tables = {**held.tables, "responses": held.backend.create_table("responses", answers)}
    made = build(Book(tables, settings=held.settings), language="en")
    shown = {kpi.metric: kpi for chapter in made.chapters for kpi in chapter.kpis}
    assert "scale from 1 to 5" in shown["csat"].reason.text("en")


@pytest.mark.parametrize("column", ["customer_id", "start", "until", "first", "state_0"])
def test_retention_is_broken_down_by_any_column(column):
    """A column called as one of the computation's own made every figure of the family fail."""
    day = dt.date(2024, 1, 5)
    table = {
        "customer_id": ["a", "b"] * 2,
        "ordered_on": pa.array([day] * 2 + [dt.date(2024, 3, 1)] * 2, pa.date32()),
        "amount": [10.0] * 4,
    }
    table.setdefault(column, ["a", "b"] * 2)
    held = Book(
        {"orders": ibis.duckdb.connect().create_table("orders", pa.table(table))},
        settings=Settings(activity=Activity(window_days=20)),
    )
    for asked in (
        {"start": dt.date(2024, 1, 6), "end": dt.date(2024, 3, 2)},
        {"grain": Grain.WEEK, "start": dt.date(2024, 1, 8)},
    ):
        figures = measure(held, "customers_active", by=[column], **asked).figures
        assert {figure.by[column]: figure.value for figure in figures} == {"a": 1, "b": 1}
    behind = members(held, Question(by=(column,)), Period(dt.date(2024, 1, 6), dt.date(2024, 3, 2)))
    assert {row[column]: row["became"] for row in held.rows(behind)} == {"a": "kept", "b": "kept"}


def test_a_list_of_customers_calls_nobody_lost_whom_retention_counts_as_active(tmp_path):
    """Subscribers who bought nothing for longer than the window stood there as lost."""
    from revoir_web.insights.each_customer import customer_figures

    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(200)]
    orders = "client;date;montant\n" + "".join(f"C{n % 9};{d};10\n" for n, d in enumerate(days))
    orders += "S1;2024-01-02;10\nS2;2024-01-02;10\n"
    held = written(
        tmp_path,
        orders=orders,
        subscriptions="abonnement_id;client;date_debut;date_fin;prix_mensuel\n"
        "1;S1;2024-01-01;;10\n2;S2;2024-01-01;2024-03-01;10\n",
    )
    held = held.with_settings(activity=Activity(window_days=60, subscription=True))
    status = {row["customer_id"]: row["status"] for row in customer_figures(held).to_pylist()}
    active = measure(held, "customers_active", start=dt.date(2024, 7, 1)).figures[0].value
    assert sum(one != "lost" for one in status.values()) == active == 10
    assert (status["S1"], status["S2"]) == ("new", "lost")


@pytest.mark.parametrize(
    "name", ["revenue", "orders", "customers_new", "customers_active", "lifecycle_new"]
)
def test_before_the_data_begin_nothing_is_known(name):
    """Months before the first order were complete months in which nothing was sold."""
    held = shop([("a", dt.date(2024, 1, 5), 10), ("a", dt.date(2024, 2, 5), 10)])
    figures = measure(held, name, start=dt.date(2023, 11, 1), grain=Grain.MONTH).figures
    assert [figure.value is None for figure in figures] == [True, True, False, False]
    assert figures[0].reason.text("en") == "The period ends before the data begin, on 5 Jan 2024."


def test_equal_values_do_not_make_a_mean_certain():
    """Two customers of 10 euros each had the interval from 10 to 10: nothing was left to chance."""
    held = shop([("a", dt.date(2024, 1, 1), 10.1), ("b", dt.date(2024, 2, 1), 10.1)])
    for name in ("average_order_value", "revenue_per_customer"):
        figure = measure(held, name).figures[0]
        assert figure.value == pytest.approx(10.1)
        assert (figure.low, figure.high) == (None, None)
        assert "Not enough data for an interval" in figure.note.text("en")


def test_a_report_by_day_that_ends_before_a_leap_day():
    """28 February of a leap year was compared with the empty time between a day and itself."""
    days = [dt.date(2023, 2, 1) + dt.timedelta(days=n) for n in range(393)]
    held = shop([(f"c{n % 5}", day, 10 + n % 7) for n, day in enumerate(days)])
    frame = frame_of(held, Grain.DAY)
    assert frame.current.start == dt.date(2024, 2, 28)
    assert frame.year_before(frame.current) == Period(dt.date(2023, 2, 28), dt.date(2023, 3, 1))
    assert dict(build(held, grain=Grain.DAY).headline)["revenue"].value is not None


def test_who_never_bought_and_was_in_contact_is_no_stranger(tmp_path):
    """Visits and answers of prospects counted for nothing, and they were erased all the same."""
    from revoir_web.insights.each_customer import customer_figures

    tables = {
        "events": "client;evenement;date_heure\nV1;visite;2024-06-03 10:00\n"
        "C1;visite;2024-06-04 9:00\n",
        "subscriptions": "abonnement_id;client;date_debut;date_fin;prix_mensuel\n"
        "1;S1;2024-01-01;;10\n2;S2;2024-01-01;2024-03-01;10\n",
    }
    orders = "client;date;montant\nC1;2024-05-01;10\nC2;2024-06-05;10\n"
    held = customer_figures(written(tmp_path, orders=orders, **tables))
    told = {
        row["customer_id"]: (row["orders"], row["status"], str(row["last_contact_on"]))
        for row in held.to_pylist()
    }
    assert told["C1"][0::2] == (1, "2024-06-04")
    assert told["V1"] == (0, "prospect", "2024-06-03")
    assert told["S1"] == (0, "prospect", "2024-06-05")
    assert told["S2"] == (0, "prospect", "2024-03-01")
    assert len(told) == held.num_rows == 5
    (tmp_path / "alone").mkdir()
    alone = customer_figures(written(tmp_path / "alone", **tables))
    assert {row["customer_id"] for row in alone.to_pylist()} == {"V1", "C1", "S1", "S2"}
    assert alone.schema.names == held.schema.names or set(alone.schema.names) == set(
        held.schema.names
    )
