"""Reasons of departures: of whom they are worked out, and what is said to the others."""

from __future__ import annotations

import json

import pytest

from revoir.book import Book
from revoir.models.churn import churn
from revoir_web.insights import foresight, panel
from revoir_web.insights.models import PredictionRun


def test_reasons_worked_out_in_stretches_are_those_of_the_core(
    read_book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past 20,000 customers nobody had reasons, and no page said why."""
    found = churn(read_book)
    monkeypatch.setattr(foresight, "REASONED_AT_ONCE", 7)
    ranked = found.ranked()
    why = foresight._reasons(found)
    assert list(why) == [one.customer_id for one in ranked]
    assert all(len(json.loads(told)) == len(one.raising[:3])
               for told, one in zip(why.values(), ranked, strict=True))  # fmt: skip
    monkeypatch.setattr(foresight, "REASONED", 10)
    assert list(foresight._reasons(found)) == list(why)[:10]


@pytest.mark.parametrize(("leaves", "told"), [(0.6, 1), (0.2, 0)])
def test_who_has_no_reasons_for_a_high_risk_is_told_why(leaves: float, told: int) -> None:
    reasoned = foresight.REASONED
    run = PredictionRun(facts={"departures": {"mean": 0.3, "reasoned": reasoned}})
    assert len(panel._unreasoned(run, {"leaves": leaves})) == told
    run = PredictionRun(facts={"departures": {"mean": 0.3, "reasoned": reasoned - 1}})
    assert not panel._unreasoned(run, {"leaves": leaves})
