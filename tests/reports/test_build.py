"""The report against what the metrics answer one by one, and against counting by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.errors import UsageError
from revoir.metrics.registry import measure
from revoir.reports.build import build
from revoir.reports.model import Report


def test_every_headline_figure_is_what_its_metric_answers(shop: Book, report: Report):
    for _, kpi in report.headline:
        assert kpi.point is not None
        assert kpi.point.period is not None
        period = kpi.point.period
        alone = measure(shop, kpi.metric, start=period.start, end=period.end).figures[0]
        assert kpi.value == pytest.approx(alone.value), kpi.metric


def test_who_left_is_what_the_retention_rate_says(shop: Book, report: Report):
    left = report.leavers
    assert left is not None
    alone = measure(shop, "retention_rate", start=left.period.start, end=left.period.end).figures[0]
    assert left.present == alone.parts["start"]
    assert left.lost == alone.parts["lost"]


def test_who_left_is_what_counting_by_hand_gives(make_book: Callable[..., Book]):
    def on(month: int, day: int, year: int = 2023) -> dt.date:
        return dt.date(year, month, day)

    rows = [("old", on(1, 2), 5.0)]
    rows += [("once-left", on(8, 20), 10.0), ("once-stays", on(8, 25), 10.0)]
    rows += [("once-stays", on(11, 20), 10.0)]
    rows += [("again-left", on(7, 20), 10.0), ("again-left", on(8, 28), 30.0)]
    rows += [("filler", on(month, 28), 1.0) for month in range(1, 13)]
    rows += [("end", on(12, 31), 1.0)]
    for number in range(60):  # enough returns for the data to have a rhythm
        rows += [(f"r{number}", on(2, 1 + number % 20), 1.0), (f"r{number}", on(2, 22), 1.0)]
    left = build(make_book(rows, window_days=100), language="en").leavers
    assert left is not None
    assert left.period.start == on(9, 23)  # a hundred days before the new year
    assert (left.once.present, left.once.lost) == (2, 1)
    assert (left.again.present, left.again.lost) == (2, 1)
    assert left.again.amount == pytest.approx(40.0)


def test_the_what_if_is_its_printed_formula(report: Report):
    found = report.what_if
    assert found is not None
    for one in found.scenarios:
        assert one.customers == pytest.approx(found.at_start * one.points / 100)
        assert one.revenue == pytest.approx(one.customers * found.spend)
        assert one.profit == pytest.approx(one.revenue * 0.4)
        years = found.period.days / 365.25
        assert one.clv == pytest.approx(found.spend * years / (1 - one.retention) * 0.4)
        assert one.clv > found.clv


def test_the_gaps_add_up(report: Report):
    assert report.gaps is not None
    drawn = sum(count for _, _, count in report.gaps.counts)
    assert drawn + report.gaps.longer == report.gaps.total


def test_every_customer_is_in_one_segment(shop: Book, report: Report):
    assert report.rfm is not None
    people = len(shop.rows(shop.table("orders").select("customer_id").distinct()))
    assert sum(row.customers for row in report.rfm.segments) == people
    assert sum(report.rfm.cells.values()) == people


def test_answers_alone_make_a_report(make_book: Callable[..., Book]):
    """A survey without dates: the score is there, and what is missing is said."""
    scores = [10] * 60 + [8] * 20 + [3] * 20
    answers = pa.table(
        {
            "question": ["nps"] * len(scores),
            "score": pa.array(scores, pa.float64()).cast(pa.decimal128(18, 4)),
        }
    )
    report = build(make_book(tables={"responses": answers}), language="fr")
    assert dict(report.headline)["nps"].value == pytest.approx(40.0)
    assert report.answers[0].verdict == "unknown"
    assert report.cohorts is None
    assert "cohorts" in report.missing
    assert report.as_of is None


def test_two_customers_make_a_report_that_says_it_is_not_enough(make_book: Callable[..., Book]):
    rows = [("a", dt.date(2024, 1, 5), 10.0), ("b", dt.date(2024, 3, 7), 20.0)]
    report = build(make_book(rows), language="en")
    assert report.rfm is None
    assert "rfm" in report.missing
    assert report.gaps is None
    assert not [insight for insight in report.insights if insight.kind == "strength"]


def test_a_single_day_makes_a_report(make_book: Callable[..., Book]):
    report = build(make_book([("a", dt.date(2024, 1, 5), 10.0)]), language="en")
    assert report.answers[0].verdict == "unknown"


def test_a_column_that_is_not_there_is_refused(shop: Book):
    with pytest.raises(UsageError):
        build(shop, language="en", by=["no_such_column"])


@pytest.mark.reference
@pytest.mark.parametrize("language", ["fr", "en"])
def test_real_survey_of_a_garden_shop(reference_data, language):
    from revoir import read

    report = build(read(reference_data / "jardinerie_nps" / "nps.csv"), language=language)
    nps = dict(report.headline)["nps"]
    assert nps.n is not None
    assert nps.value is not None
    assert 40 < nps.value < 60
