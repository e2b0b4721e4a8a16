"""Exports of contracts that ran on a day, and later: whoever ended before is not among them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

import revoir
from revoir import measure
from revoir.book import Book
from revoir.metrics.observed import observed_from
from revoir.models.contract_clv import contract_clv

HEAD = "subscription_id,customer_id,plan,start_date,end_date,monthly_price\n"
CUT, LAST = dt.date(2023, 7, 1), dt.date(2023, 12, 31)
Contract = tuple[dt.date, dt.date, str]
Read = Callable[[list[Contract], dt.date], Book]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def book(contracts: list[Contract], since: dt.date) -> Book:
        rows = [
            f"{place},C{place},{plan},{start},{end if end <= LAST else ''},10\n"
            for place, (start, end, plan) in enumerate(contracts)
            if end >= since
        ]
        path = tmp_path / f"{since}.csv"
        path.write_text(HEAD + "".join(rows), encoding="utf-8")
        return revoir.read(path)

    return book


def half_short() -> list[Contract]:
    """Half stay 180 days, half 1,000."""
    found = []
    for day in range(0, 1460, 2):
        start = dt.date(2020, 1, 1) + dt.timedelta(days=day)
        short = day % 4 == 0
        end = start + dt.timedelta(days=180 if short else 1000)
        found.append((start, end, "short" if short else "long"))
    return found


def at_random(days: int, seed: int = 1) -> list[Contract]:
    """Lives of a constant rate."""
    rng = np.random.default_rng(seed)
    found = []
    for _place in range(2000):
        start = dt.date(2020, 1, 1) + dt.timedelta(days=int(rng.integers(0, 1400)))
        found.append((start, start + dt.timedelta(days=int(rng.exponential(days)) + 1), "a"))
    return found


def test_stays_count_from_the_day_that_ends_are_known(read: Read) -> None:
    """Half had gone after 180 days, and 84 % seemed to be there after a year."""
    book = read(half_short(), CUT)
    found = revoir.survival(book)
    assert found.observed_from == CUT
    share = found.curves[0].at(365)
    assert share is not None
    held = [(s, min(e, LAST), e <= LAST) for s, e, _plan in half_short() if e > CUT and s <= LAST]
    fitter = KaplanMeierFitter().fit(
        [(end - start).days for start, end, _left in held],
        [left for *_days, left in held],
        entry=[max(0, (CUT - start).days) for start, _end, _left in held],
    )
    assert share.value == pytest.approx(float(fitter.predict(365)), abs=1e-9)
    assert share.value == pytest.approx(0.5, abs=1e-9)
    assert any("seem to be missing" in note.text("en") for note in found.notes)
    assert revoir.survival(read(half_short(), dt.date(2020, 1, 1))).observed_from is None


def test_a_constant_rate_comes_back(read: Read) -> None:
    found = revoir.survival(read(at_random(730), CUT))
    share = found.curves[0].at(365)
    assert share is not None
    assert share.low < np.exp(-365 / 730) < share.high
    whole = revoir.survival(read(at_random(730), dt.date(2020, 1, 1)))
    assert whole.observed_from is None


def test_contracts_that_cannot_end_in_their_first_year_are_all_there(read: Read) -> None:
    """Nobody left in the first year of the company: none could."""
    yearly = [
        (start, start + dt.timedelta(days=365 * -(-(end - start).days // 365)), plan)
        for start, end, plan in at_random(730)
    ]
    book = read(yearly, dt.date(2020, 1, 1))
    assert observed_from(book) is None
    assert all("missing" not in note.text("en") for note in revoir.survival(book).notes)


def test_figures_of_before_are_not_known(read: Read) -> None:
    """Churn was 0 % for years, with a narrow interval."""
    book = read(at_random(730), CUT)
    for metric in ("churn_rate", "retention_rate", "logo_churn_rate", "net_revenue_retention"):
        figures = measure(book, metric, grain=revoir.Grain.QUARTER).figures
        told = {figure.period.start: figure for figure in figures if figure.period}
        early, late = told[dt.date(2022, 1, 1)], told[dt.date(2023, 7, 1)]
        assert early.value is None
        assert early.reason is not None
        assert "seem to be missing" in early.reason.text("en")
        assert late.value is not None
    [mrr] = measure(book, "mrr", start=dt.date(2023, 1, 1), end=dt.date(2023, 8, 1)).figures
    assert mrr.value is not None, "what runs on 31 July is known"
    notes = contract_clv(book).notes
    assert any("amounts are too high" in note.text("en") for note in notes)


def test_groups_are_told_apart_from_that_day_on(read: Read) -> None:
    contracts = [*at_random(400, 2), *((s, e, "b") for s, e, _plan in at_random(800, 3))]
    found = revoir.survival(read(contracts, CUT), by="plan")
    assert found.log_rank_p is None
    assert found.hazards is not None
    [term] = found.hazards.terms
    ratio = term.ratio if term.level == "a" else 1 / term.ratio.value
    held = [(s, min(e, LAST), e <= LAST, p) for s, e, p in contracts if e > CUT and s <= LAST]
    import pandas as pd

    frame = pd.DataFrame(
        {
            "duration": [max(0.5, (end - start).days) for start, end, *_rest in held],
            "left": [left for *_days, left, _plan in held],
            "entry": [max(0, (CUT - start).days) for start, *_rest in held],
            "a": [float(plan == "a") for *_rest, plan in held],
        }
    )
    theirs = CoxPHFitter(penalizer=1e-4).fit(frame, "duration", "left", entry_col="entry")
    value = ratio if isinstance(ratio, float) else ratio.value
    assert value == pytest.approx(float(theirs.hazard_ratios_["a"]), rel=0.02)
    assert 1.5 < value < 2.6
