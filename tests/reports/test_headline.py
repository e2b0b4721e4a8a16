import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines.connect import memory
from revoir.experiments.intervals import wilson
from revoir.metrics.registry import measure, metric_named
from revoir.metrics.result import Figure
from revoir.periods import Period, add_months
from revoir.reports.aims import YEAR_METRICS
from revoir.reports.build import build
from revoir.reports.figures import Kpi, Point
from revoir.reports.headline import Maker, beside, change
from revoir.reports.insights import insights_of
from revoir.reports.view import change_shown
from revoir.reports.view import headline as view_headline

NOW = Period(dt.date(2024, 2, 1), dt.date(2024, 3, 1))
BEFORE = Period(dt.date(2024, 1, 1), dt.date(2024, 2, 1))


def rate(period: Period, kept: int, start: int) -> Figure:
    low, high = wilson(kept, start)
    return Figure(period, True, kept / start, kept, start, low, high)


def kpi(name: str, figure: Figure, base: Figure, *, year_before: bool = True) -> Kpi:
    metric = metric_named(name)
    found = change(metric, figure, base)
    point = Point(figure.period, True, figure.value, figure.low, figure.high)
    return Kpi(
        metric.name,
        metric.label,
        metric.unit,
        None,
        metric.better,
        point,
        previous=None if year_before else found,
        year_before=found if year_before else None,
    )


def test_a_small_difference_of_few_customers_is_not_clear():
    found = change(metric_named("retention_rate"), rate(NOW, 9, 12), rate(BEFORE, 8, 12))
    assert found is not None
    assert found.clear is False


def test_the_same_difference_of_many_customers_is_clear():
    found = change(
        metric_named("retention_rate"), rate(NOW, 9000, 12000), rate(BEFORE, 8000, 12000)
    )
    assert found is not None
    assert found.clear is True
    assert found.difference == pytest.approx(1 / 12)


def test_a_rate_of_more_complaints_than_orders_is_compared_with_nothing():
    """The report broke off where a month before had six complaints and three orders."""
    base = Figure(BEFORE, True, 2.0, 6.0, 3.0)
    for figures in ((rate(NOW, 1, 31), base), (replace(base, period=NOW), rate(BEFORE, 1, 31))):
        found = change(metric_named("complaint_rate"), *figures)
        assert found is not None
        assert found.clear is None


def test_a_count_has_no_interval_and_a_relative_change():
    figures = [Figure(NOW, True, 120.0, 120.0), Figure(BEFORE, True, 100.0, 100.0)]
    found = change(metric_named("orders"), *figures)
    assert found is not None
    assert found.clear is None
    assert found.share == pytest.approx(0.2)


def test_nothing_is_compared_with_an_absent_figure():
    metric = metric_named("retention_rate")
    assert change(metric, rate(NOW, 9, 12), None) is None
    assert change(metric, rate(NOW, 9, 12), Figure(BEFORE, True, None)) is None


def test_an_unclear_change_is_neither_better_nor_worse():
    shown = kpi("retention_rate", rate(NOW, 9, 12), rate(BEFORE, 8, 12))
    assert shown.year_before is not None
    assert change_shown(shown, shown.year_before).tone == "neutral"


def test_more_churn_is_worse_and_more_retention_is_better():
    more, less = rate(NOW, 9000, 12000), rate(BEFORE, 8000, 12000)
    for name, tone in (("retention_rate", "better"), ("churn_rate", "worse")):
        shown = kpi(name, more, less)
        assert shown.year_before is not None
        assert change_shown(shown, shown.year_before).tone == tone


def test_a_count_against_the_month_before_is_not_judged():
    shown = kpi("orders", Figure(NOW, True, 120.0), Figure(BEFORE, True, 100.0), year_before=False)
    assert shown.previous is not None
    assert change_shown(shown, shown.previous).tone == "neutral"


@pytest.mark.parametrize(("now", "before", "word"), [(23, 26, "neutral"), (200, 400, "better")])
def test_a_few_lost_customers_less_may_be_chance(now: float, before: float, word: str):
    figures = (Figure(NOW, True, now, now), Figure(BEFORE, True, before, before))
    shown = kpi("customers_lost", *figures)
    assert shown.year_before is not None
    assert change_shown(shown, shown.year_before).tone == word
    said = [one.kind for one in insights_of({"customers_lost": shown}, None, None, None)]
    assert said == ([] if word == "neutral" else ["strength"])


def test_rates_of_two_periods_that_do_not_add_up_say_so():
    """37 % kept and 36 % lost stood side by side: over a year, and over a quarter."""
    churn = kpi("churn_rate", rate(NOW, 30, 100), rate(BEFORE, 30, 100))
    year = Period(dt.date(2023, 3, 1), dt.date(2024, 3, 1))
    kept = kpi("retention_rate", rate(year, 37, 100), rate(BEFORE, 30, 100))
    told = beside(churn, kept).note
    assert told is not None
    assert "12 months to 29 Feb 2024" in told.text("en")
    same = kpi("retention_rate", rate(NOW, 70, 100), rate(BEFORE, 70, 100))
    assert beside(churn, same).note is None
    assert beside(churn, None).note is None


def sales(years: int) -> Book:
    """A shop whose customers come back most months, and spend more each year."""
    rows = [
        {
            "order_id": f"{customer}-{month}", "customer_id": f"c{customer}", "kind": "purchase",
            "ordered_on": dt.date(2022 + month // 12, month % 12 + 1, 1 + customer % 27),
            "amount": 10.0 + month // 12 * 5,
        }
        for customer in range(120)
        for month in range(12 * years)
        if (customer * 7 + month * 5) % 11 and month < 3 + customer % 40
    ]  # fmt: skip
    backend = memory(threads=1)
    table = backend.create_table("orders", pa.Table.from_pylist(rows))
    return Book({"orders": table}, as_of=dt.date(2021 + years, 12, 31))


def test_lifetime_value_is_to_grow_by_a_tenth_in_a_year():
    book = sales(3).with_settings(margin=0.5)
    shown = dict(build(book).headline)["clv_simple"]
    year = {"start": dt.date(2023, 1, 1), "end": dt.date(2024, 1, 1)}
    before = measure(book, "clv_simple", **year).figures[0].value
    assert before is not None
    assert shown.goal is not None
    assert shown.goal.value == pytest.approx(1.1 * before)
    assert shown.goal.met is (shown.value >= 1.1 * before)
    assert "(+10% in a year)" in view_headline("clv_simple", shown).goal[0].text("en")
    told = dict(build(book.with_settings(goals={"clv_simple": 1000.0})).headline)["clv_simple"]
    assert (told.goal.value, told.goal.growth) == (1000.0, None)


def test_there_is_no_growth_without_a_year_before():
    shown = dict(build(sales(1)).headline).get("clv_simple")
    assert shown is None or shown.goal is None


def test_figures_of_twelve_months_have_a_small_line():
    """The first figure of the dashboard had none, nor had those of what people buy."""
    book = sales(3).with_settings(margin=0.5)
    shown = dict(build(book, lines=True).headline)
    for name in ("retention", *YEAR_METRICS):
        points = shown[name].series
        assert len(points) > 4, name
        assert points[-1] == shown[name].point
        assert {round(point.period.days / 30.44) for point in points if point.period} == {12}
        starts = [point.period.start for point in points if point.period]
        assert starts == [add_months(starts[0], 3 * place) for place in range(len(starts))]
    early = shown["retention"].series[0]
    assert early.period is not None
    alone = measure(book, "retention_rate", start=early.period.start, end=early.period.end)
    assert early.value == alone.figures[0].value


def test_the_score_stands_beside_its_scale():
    """36.6 was a good or a bad score, of an unknown scale."""
    answers = [{"question": "nps", "score": score} for score in (10.0, 9.0, 3.0)]
    rows = [{"responded_on": dt.date(2024, 5, 1 + day), **row} for day, row in enumerate(answers)]
    backend = memory(threads=1)
    book = Book({"responses": backend.create_table("responses", pa.Table.from_pylist(rows))})
    shown = Maker(book, None).kpi(measure(book, "nps"), None)
    assert shown.value == pytest.approx(100 / 3)
    assert shown.note is not None
    assert "above 50 is excellent" in shown.note.text("en")
