"""Churn from a book: held against worlds whose truth is known, refused where it must be."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from revoir.book import Activity
from revoir.errors import UsageError
from revoir.language import LANGUAGES
from revoir.models.card_words import (
    drivers_in_words,
    record_in_words,
    used_in_words,
    warnings_in_words,
)
from revoir.models.churn import churn
from revoir.models.validation import Estimate, auc

from .conftest import book_of, btyd_book

# Against the truth -------------------------------------------------------------------------------


def test_the_world_of_bg_nbd_is_learned_and_calibrated_on_a_later_period(in_world):
    card = in_world.card
    assert card.tested_on == "later"
    assert card.used in ("logistic", "trees", "both")
    used, rule = card.judged[card.used], card.judged["rule"]
    assert used.auc.value > rule.auc.value + 0.01
    assert 0.9 < used.slope.value < 1.1
    assert used.expected == pytest.approx(used.left, rel=0.05)
    assert card.gain.low > 0


def test_a_list_of_the_past_did_what_its_record_says(world, in_world):
    """Made on the day of the test from a book that ends there, it names the leavers as often."""
    card = in_world.card
    cutoff = card.days[0].day
    then = churn(world.at(cutoff))
    n = next(one.n for one in card.lists[0].counts if one.share == 0.1)
    named = {one.customer_id for one in then.ranked("risk", n, reasons_limit=0)}
    bought = world.rows(
        world.purchases.filter(
            lambda t: (t.day > cutoff) & (t.day <= cutoff + dt.timedelta(days=182))
        )
        .select("customer_id")
        .distinct()
    )
    left = len(named - {row["customer_id"] for row in bought})
    by_risk = next(one for one in card.lists if one.by == "risk")
    record = next(one for one in by_risk.counts if one.share == 0.1)
    assert record.low <= left / n <= record.high
    assert left / n > record.base


@pytest.mark.parametrize(("low", "warned"), [(0.34, True), (0.5, True), (0.51, False)])
def test_an_order_that_is_no_better_than_chance_is_called_so(in_world, low, warned):
    """43 of 100 (34 to 54) stood there without a word, and the list was led by recent buyers."""
    card = in_world.card
    used = replace(card.judged[card.used], auc=Estimate(0.55, low, 0.6))
    told = record_in_words(replace(card, judged=card.judged | {card.used: used}), "risk")
    assert any("drawing lots" in one.text("en") for one in told) == warned


@pytest.mark.parametrize(
    ("silent", "says"),
    [
        # The last day whose outcome is known has customers, and each of them left.
        (
            130,
            "Of 162 customers in the test 162 left: to say how good such a list is, 10 must leave",
        ),
        # Nobody is there on it, while earlier days teach enough: it was divided by nobody.
        (200, "in the test"),
        (4_000, "Not enough data. Nobody was there on the days looked at."),
    ],
)
def test_long_after_the_last_purchase_it_is_said_what_is_lacking(silent, says):
    book = btyd_book(1_500, seed=8, window_days=90)
    later = book.at(book.as_of + dt.timedelta(days=silent)).with_settings(
        activity=book.settings.activity
    )
    found = churn(later)
    assert found.customers.num_rows == 0
    told = [found.reason] if found.reason else record_in_words(found.card, found.order(None))
    assert any(says in one.text("en") for one in told), [one.text("en") for one in told]


def test_who_has_really_left_the_shop_is_likelier_to_leave(large_shop, in_large_shop):
    """The truth knows who had left for good by now, which no purchase tells."""
    table = in_large_shop.customers
    gone_on = dict(
        zip(
            large_shop.truth.customers["customer_id"].to_pylist(),
            large_shop.truth.customers["left_on"].to_pylist(),
            strict=True,
        )
    )
    gone = np.array([gone_on[name] is not None for name in table["customer_id"].to_pylist()])
    probability = table["probability"].to_numpy()
    ours = auc(probability, gone)
    assert in_large_shop.card.used != "rule"
    assert ours.low > 0.7
    silence = {
        row["customer_id"]: (in_large_shop.book.as_of - row["last"]).days
        for row in in_large_shop.book.rows(
            in_large_shop.book.purchases.group_by("customer_id").aggregate(
                last=lambda t: t.day.max()
            )
        )
    }
    by_silence = auc(
        np.array([silence[name] for name in table["customer_id"].to_pylist()], float), gone
    )
    assert ours.value > by_silence.value
    first = np.argsort(-probability)[: len(probability) // 10]
    assert gone[first].mean() > 1.2 * gone.mean()


def test_customers_are_those_whom_the_rule_of_activity_counts(in_large_shop):
    from revoir.metrics.activity import activity

    book = in_large_shop.book
    window = activity(book).window_days
    last = book.rows(book.purchases.group_by("customer_id").aggregate(day=lambda t: t.day.max()))
    active = [row["customer_id"] for row in last if (book.as_of - row["day"]).days < window]
    assert in_large_shop.customers["customer_id"].to_pylist() == sorted(active)


def test_the_order_of_the_rows_changes_nothing():
    book = btyd_book(1_500, seed=9)
    orders = book.table("orders").to_pyarrow()
    mixed = orders.take(np.random.default_rng(0).permutation(orders.num_rows))
    other = book_of({"orders": mixed}, activity=Activity(window_days=182))
    one, two = churn(book).customers, churn(other).customers
    assert one.equals(two)


# Where there is not enough -----------------------------------------------------------------------


def test_a_short_past_is_not_enough_data():
    found = churn(btyd_book(300, seed=1, window_days=600))
    assert found.card.used is None
    assert "takes twice as many" in found.reason.text("en")
    assert (found.ranked(), found.customers.num_rows) == ([], 0)
    assert found.card.record()["refusal"] == found.reason.text("en")


@pytest.mark.parametrize("customers", [50, 100])
def test_a_small_shop_gets_the_rule_or_nothing(customers):
    found = churn(btyd_book(customers, seed=5))
    if found.reason is None:
        assert found.card.used == "rule"
        assert "are needed" in found.card.refusal.text("en")
        assert all(0.02 < one.probability < 0.99 for one in found.ranked())
    else:
        assert "Not enough data. Only" in found.reason.text("en")


def test_a_dozen_customers_get_no_probability():
    found = churn(btyd_book(12, seed=5))
    assert "Not enough data. Only" in found.reason.text("en")
    assert found.card.used is None
    assert record_in_words(found.card, "risk") == []


def test_a_middling_past_is_tested_on_others_and_says_so():
    """Twice the window but not three times: there is no later period."""
    found = churn(btyd_book(2_000, seed=3, window_days=400))
    assert found.card.tested_on == "others"
    words = record_in_words(found.card, "risk")[0].text("en")
    assert "too short to test on a later period" in words


# The list and its reasons ------------------------------------------------------------------------


def test_the_list_is_ordered_by_what_is_at_stake(in_large_shop):
    found = in_large_shop.ranked(limit=100)
    everybody = in_large_shop.customers
    mean = everybody["probability"].to_numpy().mean()
    assert all(one.probability > mean for one in found)
    stakes = [one.stake for one in found]
    assert stakes == sorted(stakes, reverse=True)
    for one in found[:10]:
        assert one.stake == pytest.approx(one.probability * one.worth)
    by_risk = in_large_shop.ranked("risk", 10)
    assert by_risk[0].probability == pytest.approx(everybody["probability"].to_numpy().max())
    with pytest.raises(UsageError, match="cannot be ordered"):
        in_large_shop.ranked("name")


def test_worth_is_what_was_paid_in_the_last_year(in_large_shop):
    book, one = in_large_shop.book, in_large_shop.ranked(limit=1)[0]
    year = book.as_of - dt.timedelta(days=365)
    orders = book.table("orders")
    theirs = orders.filter(
        (orders.customer_id == one.customer_id)
        & orders.kind.isin(["purchase", "return"])
        & (orders.ordered_on > year)
    )
    paid = book.rows(theirs.aggregate(paid=theirs.amount.sum()))[0]["paid"]
    assert one.worth == pytest.approx(float(paid))


def test_reasons_are_true_and_in_words(in_large_shop):
    book = in_large_shop.book
    last = {
        row["customer_id"]: row
        for row in book.rows(
            book.purchases.group_by("customer_id").aggregate(
                day=lambda t: t.day.max(), days=lambda t: t.nth.max()
            )
        )
    }
    said = 0
    for one in in_large_shop.ranked(limit=60):
        assert one.raising
        weights = [reason.weight for reason in one.reasons]
        assert weights == sorted(weights, reverse=True)
        for reason in one.raising:
            assert reason.points > 0
            text = reason.text.text("en")
            silent = (book.as_of - last[one.customer_id]["day"]).days
            if text.startswith("bought once"):
                assert last[one.customer_id]["days"] == 1
                assert f"{silent} day" in text
                said += 1
            if text.startswith("buys every"):
                assert text.endswith(f"last order {silent} days ago")
                said += 1
    assert said > 20


def test_no_reason_is_given_twice(in_large_shop):
    """Whoever bought once has one day: their silence and their standing are the same words."""
    once = 0
    for one in in_large_shop.ranked(limit=200):
        texts = [reason.text.text("en") for reason in one.reasons]
        assert len(set(texts)) == len(texts)
        if any(text.startswith("bought once") for text in texts):
            once += 1
            assert not any(text.startswith("first purchase") for text in texts)
    assert once


def test_complaints_are_among_the_reasons(in_large_shop):
    """In this shop whoever complains of a late parcel leaves more often."""
    texts = [
        reason.text.text("en")
        for one in in_large_shop.ranked(limit=200)
        for reason in one.raising
        if reason.theme == "service"
    ]
    assert any("complaint" in text for text in texts)
    service = next(one for one in in_large_shop.card.drivers if one.theme == "service")
    late = ("complaints of late", "contacts of late", "a contact not long ago")
    assert service.raising.text("en") in late


# The card ----------------------------------------------------------------------------------------


def test_the_card_tells_all_of_a_run(in_large_shop):
    card = in_large_shop.card
    test, *others = card.days
    assert test.use == "test"
    assert {one.use for one in others} == {"none", "learn"}
    window = card.window_days
    for one in others:
        assert ((test.day - one.day).days >= window) == (one.use == "learn")
    assert sum(one.n for one in card.judged[card.used].curve) == test.customers
    assert [one.by for one in card.lists] == ["stake", "risk"]
    for lists in card.lists:
        assert [one.share for one in lists.counts] == [0.05, 0.1, 0.2]
        assert all(one.low <= one.rate <= one.high for one in lists.counts)
        assert list(lists.worth_lost) == sorted(lists.worth_lost)
        assert lists.worth_lost[-1] <= lists.worth_lost_all
    assert len(card.by_fold) == 5
    assert set(card.by_day) == {one.day.isoformat() for one in others if one.use == "learn"}
    assert card.drift.keys() == {one.name for one in card.profiles}
    assert any(name == "visit_days_30" for name, _ in card.left_out)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_is_plain_json(in_large_shop, language):
    text = json.dumps(in_large_shop.card.record(language), allow_nan=False)
    held = json.loads(text)
    assert held["judged"][held["used"]]["auc"]["value"] > 0.5
    assert held["lists"][0]["counts"][1]["lift"] > 0
    assert "<" not in text


def test_the_record_is_said_in_words(in_large_shop):
    card = in_large_shop.card
    count = card.lists[0].counts[1]
    first, amounts, ranking = (line.text("en") for line in record_in_words(card, "stake", "EUR"))
    assert f"{count.n:,} customers" in first
    assert f"{count.left} of them left within {card.window_days} days" in first
    assert "€" in amounts
    assert "by chance 50" in ranking
    assert used_in_words(card).text("en").endswith("all features.")
    assert drivers_in_words(card).text("en").startswith("What goes with leaving most: ")


def test_a_change_of_the_world_is_warned_of(in_large_shop):
    """The shop's carrier was changed for a worse one: more left than was expected."""
    used = in_large_shop.card.judged[in_large_shop.card.used]
    assert used.left > 1.1 * used.expected
    (words, *_) = [line.text("en") for line in warnings_in_words(in_large_shop.card)]
    assert f"customers were expected to leave, and {used.left} did" in words


def test_a_profile_measures_how_customers_changed(in_large_shop):
    from revoir.models.card import profiles
    from revoir.models.matrix import Matrix

    rng = np.random.default_rng(1)
    values = np.column_stack([rng.normal(size=5_000), rng.integers(0, 3, 5_000)])
    then = Matrix(values.astype(np.float32), ("size", "plan"), {"plan": ("a", "b", "…")})
    size, plan = profiles(then)
    assert sum(size.counts) == sum(plan.counts) == 5_000
    assert (size.drift(then), plan.drift(then)) == (pytest.approx(0), pytest.approx(0))
    moved = Matrix(then.values + np.float32([0.5, 0]), then.names, then.levels)
    assert 0.15 < size.drift(moved) < 0.4  # 0.25 for a normal moved by half its spread
    missing = Matrix(np.full_like(then.values, np.nan), then.names, then.levels)
    assert size.drift(missing) > 5


# Subscriptions, and files of one row a customer --------------------------------------------------


def test_subscribers_who_leave_early_are_found():
    """Whoever pays more leaves sooner, in a world of constant rates."""
    rng = np.random.default_rng(3)
    count, start = 3_000, dt.date(2022, 1, 1)
    begins = rng.integers(0, 1_000, count)
    dear = rng.random(count) < 0.5
    lasts = rng.exponential(np.where(dear, 250, 900))
    rows = [
        {
            "customer_id": f"s{number}",
            "plan": "dear" if dear[number] else "cheap",
            "monthly_amount": Decimal(30 if dear[number] else 10),
            "started_at": start + dt.timedelta(days=int(begins[number])),
            "ended_at": start + dt.timedelta(days=int(begins[number] + lasts[number]))
            if begins[number] + lasts[number] < 1_200
            else None,
        }
        for number in range(count)
    ]
    found = churn(book_of({"subscriptions": rows}), horizon_days=92)
    # All there is to know is the plan: a rule of one figure is enough, and says the true shares.
    assert found.card.used == "rule"
    shares = {row["probability"]: row["worth"] for row in found.customers.to_pylist()}
    (low, low_worth), (high, high_worth) = sorted(shares.items())
    assert (low_worth, high_worth) == (120, 360)
    assert low == pytest.approx(1 - np.exp(-92 / 900), abs=0.02)
    assert high == pytest.approx(1 - np.exp(-92 / 250), abs=0.03)


def one_row_each(count=1_200, seed=0):
    rng = np.random.default_rng(seed)
    tenure = rng.integers(1, 60, count)
    support = rng.random(count) < 0.4
    left = rng.random(count) < 1 / (1 + np.exp(0.05 * tenure + 1.5 * support - 1.5))
    return pa.table(
        {
            "customer_id": [f"k{number}" for number in range(count)],
            "tenure_months": tenure,
            "monthly_amount": pa.array([Decimal(20)] * count, pa.decimal128(18, 4)),
            "churned": left,
            "support": np.where(support, "Yes", "No"),
            "left_because": np.where(left, "price", None),
            "final_invoice": np.where(left, rng.integers(5, 9, count), 0),
            "reason": np.where(left, "price", None),
        }
    )


def test_a_file_of_one_row_a_customer():
    table = one_row_each()
    found = churn(book_of({"subscriptions": table}))
    card = found.card
    assert (card.tested_on, card.window_days) == ("others", None)
    assert card.used in ("logistic", "trees", "both")
    assert {name for name, _ in card.left_out} == {
        "subscriptions.left_because", "subscriptions.final_invoice",
    }  # fmt: skip
    assert found.customers.num_rows == table.num_rows - sum(table["churned"].to_pylist())
    first = found.ranked(limit=20)
    assert {reason.theme for one in first for reason in one.raising} >= {
        "subscriptions.tenure_months", "subscriptions.support",
    }  # fmt: skip
    assert all(one.worth == 240 for one in first)
    assert "without their answer being known" in record_in_words(card, "risk")[0].text("en")
    words = {reason.text.text("en") for one in first for reason in one.raising}
    assert "support: No" in words


def test_a_column_about_the_person_is_learned_from_only_where_it_is_asked_for():
    table = one_row_each()
    people = pa.table(
        {"customer_id": table["customer_id"], "gender": ["F", "M"] * (table.num_rows // 2)}
    )
    book = book_of({"subscriptions": table, "customers": people})
    assert "customers.gender" not in churn(book).card.labels
    assert "customers.gender" in churn(book, attributes=["gender"]).card.labels
    assert "subscriptions.support" not in churn(book, without=["support"]).card.labels


def test_what_is_left_out_has_a_name_in_words(small_shop):
    """“days_since_visit: it looks back 90 days” stood on the page of departures."""
    tables = small_shop.tables
    late = tables["events"].slice(tables["events"].num_rows - 40)
    card = churn(book_of({**tables, "events": late})).card
    assert card.left_out
    assert all(str(card.labels[name]) != name for name, _reason in card.left_out)


def test_a_file_of_very_many_customers_is_learned_from_in_part(monkeypatch):
    monkeypatch.setattr("revoir.models.snapshots.EXAMPLES_MAX", 800)
    table = one_row_each()
    found = churn(book_of({"subscriptions": table}))
    assert 700 < found.card.learned_from < 900
    stayed = table.num_rows - sum(table["churned"].to_pylist())
    assert found.customers.num_rows == stayed
    assert {name for name, _ in found.card.left_out} == {
        "subscriptions.left_because", "subscriptions.final_invoice",
    }  # fmt: skip
    by_id = dict(
        zip(table["customer_id"].to_pylist(), table["tenure_months"].to_pylist(), strict=True)
    )
    tenure = [by_id[name] for name in found.customers["customer_id"].to_pylist()]
    assert np.corrcoef(tenure, found.customers["probability"].to_numpy())[0, 1] < -0.5


def test_a_file_without_anything_else_is_nothing_to_learn_from():
    table = one_row_each(300).select(["customer_id", "churned"])
    found = churn(book_of({"subscriptions": table}))
    assert found.reason.text("en") == "Not enough data. There is nothing to learn from."


def test_a_file_has_no_days_to_look_at():
    table = one_row_each(300)
    few = table.set_column(3, "churned", pa.array([place < 4 for place in range(300)]))
    reason = churn(book_of({"subscriptions": few})).reason
    assert (
        reason.text("en") == "Not enough data. Only 4 customers left, by the file; 10 are needed."
    )


def test_first_days_without_last_ones_leave_it_to_the_file():
    table = one_row_each(300)
    begins = pa.array([dt.date(2024, 1, 1)] * table.num_rows)
    book = book_of({"subscriptions": table.append_column("started_at", begins)})
    assert churn(book).card.kind == "file"


def test_a_customer_who_stands_twice_in_the_table_of_customers_is_listed_once(small_shop):
    people = small_shop.tables["customers"]
    twice = pa.concat_tables([people, people.slice(0, 40)])
    book = book_of(small_shop.tables | {"customers": twice}, activity=Activity(window_days=120))
    names = churn(book).customers["customer_id"].to_pylist()
    assert len(names) == len(set(names)) > 30


def test_purchases_can_be_asked_of_whoever_counts_subscribers(small_shop):
    book = book_of(small_shop.tables, activity=Activity(subscription=True))
    assert churn(book).card.kind == "subscriptions"
    assert churn(book, kind="purchases").card.window_days > 30
