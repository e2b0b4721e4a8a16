"""Survey answers and contacts with customer service."""

import datetime as dt

import pyarrow as pa
import pytest

from revoir.metrics.registry import measure
from revoir.periods import Grain

DAY = dt.date(2024, 1, 10)


def answers(question, scores):
    return pa.table(
        {
            "customer_id": [f"c{n}" for n in range(len(scores))],
            "responded_on": pa.array([DAY] * len(scores), pa.date32()),
            "question": [question] * len(scores),
            "score": pa.array(scores, pa.float64()),
        }
    )


def test_nps_counts_answers_only(book_of):
    scores = [10] * 50 + [9] * 10 + [8] * 20 + [6] * 15 + [0] * 5 + [None] * 40
    figure = measure(book_of([], responses=answers("nps", scores)), "nps").figures[0]
    assert figure.value == pytest.approx(40.0)
    assert figure.denominator == 100
    assert figure.parts == {"promoters": 60, "passives": 20, "detractors": 20}
    assert -100 <= figure.low < 40 < figure.high <= 100


def test_csat_is_the_two_highest_of_five(book_of):
    figure = measure(book_of([], responses=answers("csat", [5, 4, 4, 3, 1])), "csat").figures[0]
    assert (figure.value, figure.numerator, figure.denominator) == (0.6, 3, 5)


def test_ces_is_a_mean_and_enps_is_not_nps(book_of):
    assert measure(book_of([], responses=answers("ces", [7, 5, 6])), "ces").figures[0].value == 6
    book = book_of([], responses=answers("enps", [10, 0]))
    assert measure(book, "enps").figures[0].value == 0
    assert measure(book, "nps").figures[0].value is None


def test_waits_and_complaints(book_of):
    opened = [dt.datetime(2024, 1, 1, 9), dt.datetime(2024, 1, 2, 9), dt.datetime(2024, 2, 1, 9)]
    contacts = pa.table(
        {
            "customer_id": ["a", "b", "c"],
            "opened_at": opened,
            "first_response_at": [
                opened[0] + dt.timedelta(hours=1),
                opened[1] + dt.timedelta(hours=3),
                None,
            ],
            "resolved_at": [opened[0] + dt.timedelta(hours=10), None, None],
            "kind": ["Réclamation", "question", "complaint"],
        }
    )
    orders = [("a", dt.date(2024, 1, 1), 5.0)] * 8
    book = book_of(orders, interactions=contacts)
    waits = measure(book, "first_response_hours", grain=Grain.MONTH).figures
    assert [figure.value for figure in waits] == [2.0, None]
    settled = measure(book, "resolution_time").figures[0]
    assert (settled.value, settled.numerator) == (None, 10.0), "two of three are open"
    assert measure(book, "complaints").figures[0].value == 2
    assert measure(book, "complaint_rate").figures[0].value == pytest.approx(2 / 8)
    assert measure(book, "complaint_share").figures[0].value == pytest.approx(2 / 3)


def test_answers_without_a_date_have_a_figure_without_a_period(book_of):
    undated = answers("nps", [10, 10, 3]).drop(["responded_on"])
    book = book_of([], responses=undated)
    figure = measure(book, "nps").figures[0]
    assert (figure.period, figure.denominator) == (None, 3)
    assert figure.value == pytest.approx(100 / 3)
    asked = measure(book, "nps", grain=Grain.MONTH).figures[0]
    assert asked.value is None
    assert "no date" in asked.reason.text("en")
