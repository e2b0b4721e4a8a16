"""Churn on the real data: against the rule, on a later period, as the files are."""

import pytest

import revoir
from revoir.models.churn import churn

pytestmark = pytest.mark.reference


def after(book, days):
    return book.with_settings(activity=revoir.Activity(window_days=days))


def test_telco_is_ranked_and_calibrated_by_five_folds(reference_data):
    book = revoir.read(reference_data / "telco/Telco-Customer-Churn.csv")
    found = churn(book)
    card = found.card
    (row,) = card.days
    assert (row.customers, row.left) == (7_043, 1_869)
    used = card.judged[card.used]
    assert used.auc.value >= 0.845
    assert used.slope.low <= 1 <= used.slope.high
    assert 0.95 < used.slope.value < 1.05
    assert used.expected == pytest.approx(1_869, abs=20)
    assert all(one.low - 0.02 <= one.predicted <= one.high + 0.02 for one in used.curve)
    assert used.auc.value > card.judged["rule"].auc.value + 0.1
    assert card.rule.text("en") == card.labels["subscriptions.plan"].text("en")
    assert found.customers.num_rows == 7_043 - 1_869
    assert min(card.by_fold) > 0.83


def test_telco_curves_by_contract(reference_data):
    from revoir.models.survival import survival

    book = revoir.read(reference_data / "telco/Telco-Customer-Churn.csv")
    found = survival(book, by="Contract")
    left = {curve.group: (curve.left, curve.customers) for curve in found.curves}
    assert left == {"Month-to-month": (1_655, 3_875), "One year": (166, 1_473),
                    "Two year": (48, 1_695)}  # fmt: skip
    # lifelines' own tutorial on these data has the median of monthly contracts at 35 months.
    assert found.curves[0].median == 35
    assert found.hazards.concordance > 0.84
    assert "total_charges" in dict(found.hazards.left_out)


def test_online_retail_beats_the_rule_and_its_list_held(reference_data):
    book = revoir.read(reference_data / "online_retail/online_retail.parquet")
    found = churn(book)
    card = found.card
    assert (card.window_days, card.tested_on) == (122, "later")
    assert (card.days[0].customers, card.days[0].left) == (2_310, 683)
    assert card.used != "rule"
    used, rule = card.judged[card.used], card.judged["rule"]
    assert used.auc.value > rule.auc.value + 0.01
    assert used.log_loss < rule.log_loss
    assert 0.9 < used.slope.value < 1.1
    assert used.expected == pytest.approx(683, rel=0.05)
    by_stake, by_risk = card.lists
    assert by_risk.counts[1].lift > 1.8
    assert by_stake.counts[1].lift > 1.25
    # Those most at stake among a tenth of the customers were a fifth of what was lost.
    assert by_stake.worth_lost[1] / by_stake.worth_lost_all > 0.17
    first = found.ranked(limit=50)
    assert all(one.raising for one in first)


def test_cdnow_is_too_short_for_its_own_window(reference_data):
    found = churn(revoir.read(reference_data / "cdnow/CDNOW_master.txt"))
    assert "546 days" in found.reason.text("en")
    assert found.card.used is None


def test_where_nothing_can_be_learned_the_rule_is_used(reference_data):
    """The fictional shop's customers come back at random: nothing tells who does."""
    found = churn(after(revoir.read(reference_data / "superstore"), 366))
    card = found.card
    assert card.used == "rule"
    assert "No better than the rule" in card.refusal.text("en")
    assert all(one.auc.low < 0.5 < one.auc.high for one in card.judged.values())
    spread = found.customers["probability"].to_numpy()
    assert spread.max() - spread.min() < 0.2
