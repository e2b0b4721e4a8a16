"""No sentence that the figures do not carry."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest

from revoir.book import Book
from revoir.metrics.registry import Unit, metric_named
from revoir.periods import Period
from revoir.reports.answers import keeping, leaving
from revoir.reports.build import build
from revoir.reports.insights import of_breakdown, of_leavers
from revoir.reports.model import Breakdown, BreakdownRow, Group, Leavers
from revoir.segments.names import UNKNOWN

PERIOD = Period(dt.date(2024, 1, 1), dt.date(2024, 4, 1))


def left(once: tuple[int, int], again: tuple[int, int]) -> Leavers:
    return Leavers(
        PERIOD, Group(*once), Group(*again), 3, 20, late=2, late_after_days=40,
        late_amount=100.0, window_days=92,
    )  # fmt: skip


def test_few_leavers_are_not_told_apart():
    assert list(of_leavers(left((5, 3), (5, 2)))) == []


def test_many_leavers_are_told_apart_with_both_shares():
    (insight,) = of_leavers(left((500, 300), (500, 100)))
    assert "60%" in insight.text.text("en")
    assert "20%" in insight.text.text("en")


def test_the_opposite_is_not_said_the_other_way_round():
    assert list(of_leavers(left((500, 100), (500, 300)))) == []


def test_nobody_among_the_leavers_bought_once_is_not_said_as_zero():
    answer = leaving({}, left((0, 0), (500, 300)), None)
    assert all("0%" not in sentence.text("en") for sentence in answer.sentences)


def groups(*rows: tuple[str, int, int]) -> Breakdown:
    found = tuple(BreakdownRow(name, n, kept / n, None, None) for name, n, kept in rows)
    label = metric_named("retention_rate").label
    return Breakdown("city", "retention_rate", label, Unit.SHARE, PERIOD, found, 0, label)


def test_the_worst_of_many_small_groups_is_not_singled_out():
    small = [(f"g{number}", 12, 6 + number % 4) for number in range(12)]
    assert list(of_breakdown(groups(*small))) == []


def test_a_large_group_that_stays_less_is_named():
    (insight,) = of_breakdown(groups(("Tours", 500, 450), ("Lyon", 500, 250)))
    assert "Lyon" in insight.text.text("en")
    assert "50%" in insight.text.text("en")
    assert "90%" in insight.text.text("en")


def test_those_of_whom_nothing_is_known_are_no_group():
    """“73% of the customers of “—” (income) stayed”: a customer card was missing, no more."""
    known = [("Tours", 500, 450), ("Lyon", 500, 450)]
    assert list(of_breakdown(groups((UNKNOWN, 500, 250), *known))) == []
    assert list(of_breakdown(groups(("Nantes", 500, 250), *known)))


def test_without_figures_the_answer_is_that_there_are_none():
    assert keeping({}).verdict == "unknown"
    assert leaving({}, None, None).verdict == "unknown"


@pytest.mark.parametrize("seed", range(3))
def test_a_steady_shop_is_not_told_that_it_changed(make_book: Callable[..., Book], seed: int):
    """Customers drawn from one law in both years: at most a chance finding or two."""
    chance = random.Random(seed)
    rows = []
    for number in range(300):
        day = dt.date(2022, 1, 1) + dt.timedelta(days=chance.randrange(20))
        while day <= dt.date(2023, 12, 31):
            rows.append((f"c{number}", day, 20.0))
            day += dt.timedelta(days=chance.choice((25, 30, 35)))
    report = build(make_book(rows, window_days=92), language="en")
    assert report.answers[0].verdict in {"steady", "better", "unknown"}
    texts = [insight.text.text("en") for insight in report.insights]
    assert not any(text.startswith("New customers come back") for text in texts)


def test_every_sentence_rests_on_figures_that_are_in_the_report(report):
    keys = {key for key, _ in report.headline}
    segments = {row.key for row in report.rfm.segments}
    sections = {"leavers", "gaps", "rfm", "cohorts", "quality", "reasons", "breakdowns"}
    for sentence in (*report.insights, *report.actions):
        assert sentence.figures
        for address in sentence.figures:
            section, _, name = address.partition(".")
            if section == "headline":
                assert name in keys
            elif section == "rfm":
                assert name in segments
            else:
                assert section in sections
