"""Reports of data that lack something: currencies that mix, short spans, few rows."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest
from markupsafe import escape

from revoir.book import Book, read
from revoir.language import Percent
from revoir.periods import Period
from revoir.reports.build import build
from revoir.reports.figures import Goal
from revoir.reports.html import to_html
from revoir.reports.plain import to_plain
from revoir.reports.view import headline, typeset
from revoir.reports.wording import against
from revoir.reports.xlsx import write_xlsx


@pytest.fixture(scope="module")
def mixed(make_book: Callable[..., Book]) -> Book:
    """A shop that sells in euros and in dollars."""
    chance = random.Random(3)
    days = [dt.date(2021, 1, 1) + dt.timedelta(days=n) for n in range(1000)]
    rows = [
        (f"c{number}", day, 10.0 + number)
        for number in range(120)
        for day in chance.sample(days, 1 + number % 12)
    ]
    rows.append(("c0", days[-1], 10.0))
    count = len(rows)
    table = pa.table(
        {
            "customer_id": [row[0] for row in rows],
            "ordered_on": pa.array([row[1] for row in rows], pa.date32()),
            "amount": pa.array([row[2] for row in rows], pa.float64()).cast(pa.decimal128(18, 4)),
            "kind": ["purchase"] * count,
            "currency": [("EUR", "USD")[number % 2] for number in range(count)],
        }
    )
    return make_book(tables={"orders": table})


def test_amounts_in_several_currencies_are_never_added_up(mixed: Book, tmp_path):
    report = build(mixed, language="en")
    assert report.rfm is not None
    assert report.rfm.note is not None
    assert {row.revenue for row in report.rfm.segments} == {None}
    assert {row.revenue_share for row in report.rfm.segments} == {None}
    assert sum(row.customers for row in report.rfm.segments) == 120
    assert {action.stake for action in report.actions} == {None}
    assert report.leavers is not None
    assert report.leavers.late_amount is None
    assert dict(report.headline)["repeat_revenue_share"].value is None
    assert report.rfm.note.text("en") in to_html(report)
    assert to_plain(report)["rfm"]["segments"][0]["revenue"] is None
    write_xlsx(report, tmp_path / "report.xlsx", book=mixed)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _answers(customers: list[str | None], scores: list[int]) -> pa.Table:
    days = [_day("2022-01-03") + dt.timedelta(days=3 * n) for n in range(len(scores))]
    return pa.table(
        {
            "customer_id": pa.array(customers, pa.string()),
            "question": ["nps"] * len(scores),
            "score": pa.array(scores, pa.float64()).cast(pa.decimal128(18, 4)),
            "responded_on": pa.array(days, pa.date32()),
        }
    )


def test_lifetime_value_is_not_compared_with_a_time_that_the_data_do_not_know(
    make_book: Callable[..., Book],
):
    """A year before lies within the data, but not the activity window before it."""
    rows = [
        (f"c{number}", _day("2022-01-01") + dt.timedelta(days=7 * number + 150 * visit), 10.0)
        for number in range(80)
        for visit in range(1 + number % 4)
    ]
    rows = [row for row in rows if row[1] < _day("2024-01-01")] + [("end", _day("2023-12-31"), 1.0)]
    report = build(make_book(rows, window_days=366), language="en")
    value = dict(report.headline)["clv_simple"]
    assert value.value is not None
    assert value.previous is None
    assert value.year_before is None
    named = {figure for insight in report.insights for figure in insight.figures}
    assert "headline.clv_simple" not in named


def test_figures_of_a_year_cover_what_the_data_cover(make_book: Callable[..., Book]):
    rows = [("a", _day("2024-02-01"), 10.0), ("b", _day("2024-02-15"), 20.0)]
    rows += [("a", _day("2024-03-20"), 12.5), ("c", _day("2024-03-25"), 7.0)]
    figures = dict(build(make_book(rows), language="en").headline)
    for name in ("repurchase_rate", "purchase_frequency", "revenue_per_customer"):
        point = figures[name].point
        assert point is not None
        assert point.period is not None
        assert point.period.start == _day("2024-02-01")
        assert point.period.end == _day("2024-03-26")
        assert figures[name].previous is None
    spend = figures["revenue_per_customer"].point
    assert spend is not None
    assert spend.value == pytest.approx(16.5)
    assert spend.low is not None
    assert 0 <= spend.low < spend.value


def test_a_goal_is_not_simply_met_by_a_handful(report):
    kpi = dict(report.headline)["churn_rate"]
    point = replace(kpi.point, value=0.0, low=0.0, high=0.658)
    few = replace(kpi, point=point, goal=Goal(0.05, met=True, sure=False))
    shown = headline("churn_rate", few).goal
    assert shown is not None
    assert "margin of error" in shown[0].text("en")
    assert shown[1] == "neutral"


def test_nobody_is_asked_why_where_nobody_left(make_book: Callable[..., Book]):
    customers = [f"c{n}" for n in range(60)]
    tables = {"responses": _answers(customers, [6, 9, 10] * 20)}
    report = build(make_book(tables=tables), language="en")
    assert not [action for action in report.actions if "why" in action.title.text("en")]
    retention = dict(report.headline)["retention"]
    assert retention.reason is not None
    assert "who is active" in retention.reason.text("en")


def test_customers_to_answer_are_counted_once(make_book: Callable[..., Book]):
    scores = [9, 10, 6] * 20
    twice = [f"c{n // 6}" for n in range(60)]
    report = build(make_book(tables={"responses": _answers(twice, scores)}), language="en")
    assert report.actions[0].customers == 10
    assert "10 customers" in report.actions[0].title.text("en")
    unnamed = build(make_book(tables={"responses": _answers([None] * 60, scores)}), language="en")
    assert "20 answers" in unnamed.actions[0].title.text("en")


def test_one_order_is_an_order(make_book: Callable[..., Book]):
    report = build(make_book([("a", _day("2024-02-01"), 10.0)]), language="en")
    said = report.answers[0].sentences[0].text("en")
    assert "neither" not in said
    assert "too few days" in said
    assert "What orders would add" not in to_html(report)


def test_what_holds_for_a_breakdown_is_said(make_book: Callable[..., Book], shop: Book):
    report = build(shop, language="en", by=["channel"])
    notes = report.breakdowns[0].notes
    assert notes
    page = to_html(report)
    for note in notes:
        assert str(escape(note.text("en"))) in page


def test_a_day_far_after_the_data_is_warned_of(shop: Book):
    assert not build(shop, language="en").warnings
    late = build(shop.at(_day("2090-01-01")), language="en")
    assert "31 Dec 2023" in late.warnings[0].text("en")
    assert late.warnings[0].text("en") in to_html(late)


def test_figures_are_worded_as_people_write_them(shop: Book):
    week = Period(_day("2024-03-11"), _day("2024-03-18"))
    quarter = Period(_day("2024-04-01"), _day("2024-07-01"))
    assert against(week).text("fr") == "par rapport à la semaine du 11/03/2024"
    assert against(quarter).text("fr") == "par rapport au 2e trimestre 2024"
    assert typeset(Percent(-0.125), "fr") == "−12,5\N{NO-BREAK SPACE}%"
    assert typeset("ventes -3.csv", "fr") == "ventes -3.csv"
    page = to_html(build(shop.at(_day("2023-12-15")), language="fr"))
    assert re.search(r"Vues au 15/12/2023\.\s", page)


def test_tables_are_named_in_french(tmp_path):
    path = tmp_path / "ventes.csv"
    path.write_text("client;date;montant\nA;05/01/2024;12,50\nB;17/02/2024;8,00\n", "utf-8")
    page = to_html(build(read(path), language="fr"))
    assert ">commandes</td>" in page
