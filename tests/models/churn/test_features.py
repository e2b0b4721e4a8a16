"""Features at a point in time: worked by hand, blind to what comes later, alike on every engine."""

import datetime as dt
import random
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import LANGUAGES
from revoir.models.departures import Definition, Kind, present, with_worth
from revoir.models.features.columns import column_feature
from revoir.models.features.compute import choose, declared, feature_table
from revoir.models.features.declaration import THEMES, Known, Moments
from revoir.models.snapshots import snapshots

from .conftest import book_of

WINDOW = 120


def day(text):
    return dt.date.fromisoformat(text)


def order(number, customer, on, amount, **more):
    return {
        "order_id": str(number),
        "customer_id": customer,
        "ordered_at": dt.datetime.combine(day(on), dt.time(9)),
        "ordered_on": day(on),
        "amount": Decimal(amount).quantize(Decimal("0.0001")),
        "kind": "return" if amount.startswith("-") else "purchase",
        **more,
    }


ORDERS = [
    order(1, "ann", "2024-01-01", "10", channel="shop", discount=Decimal("1.0")),
    order(2, "ann", "2024-01-31", "30", channel="web", discount=None),
    order(3, "ann", "2024-01-31", "20", channel="web", discount=None),
    order(4, "ann", "2024-03-31", "40", channel="web", discount=Decimal("4.0")),
    order(5, "ann", "2024-04-02", "-25", channel="web", discount=None),
    order(6, "bob", "2024-03-02", "50", channel=None, discount=None),
    order(7, "ann", "2024-04-20", "99", channel="shop", discount=Decimal("9.0")),
    order(8, None, "2024-03-02", "7", channel="shop", discount=None),
]


def at(book, cutoff, customers=("ann", "bob"), names=None):
    """Features of customers on a day, by customer."""
    moments = Moments((cutoff,), WINDOW)
    whose = pa.table({"customer_id": list(customers), "cutoff": [cutoff] * len(customers)})
    table = book.backend.create_table(f"whose_{cutoff:%Y%m%d}", whose)
    chosen = [one for one in choose(book, cutoff).features if names is None or one.name in names]
    rows = book.rows(feature_table(book, chosen, moments, table))
    return {row["customer_id"]: row for row in rows}


def test_purchases_worked_by_hand():
    found = at(book_of({"orders": ORDERS}), day("2024-04-10"))
    ann, bob = found["ann"], found["bob"]
    assert ann["days_since_last"] == 10
    assert ann["days_since_first"] == 100
    assert ann["purchase_days"] == 3
    assert ann["usual_gap_days"] == pytest.approx((30 + 60) / 2)
    assert ann["gap_spread"] == pytest.approx(15 / 45)
    assert ann["last_gap_ratio"] == pytest.approx(60 / 45)
    assert ann["lateness"] == pytest.approx(10 / ((90 + WINDOW / 2.302585092994046) / 3))
    assert ann["amount"] == pytest.approx(100)
    assert ann["average_order"] == pytest.approx(25)
    assert (ann["purchase_days_30"], ann["purchase_days_90"]) == (1, 2)
    assert (ann["amount_30"], ann["amount_90"]) == (40, 90)
    assert (bob["purchase_days"], bob["usual_gap_days"], bob["gap_spread"]) == (1, None, None)
    assert bob["lateness"] == pytest.approx(39 / (WINDOW / 2.302585092994046))


def test_an_average_order_is_over_the_orders_that_have_an_amount():
    rows = [*ORDERS, order(9, "ann", "2024-04-03", "1") | {"amount": None}]
    found = at(book_of({"orders": rows}), day("2024-04-10"), names=["average_order"])
    assert found["ann"]["average_order"] == pytest.approx(25)


def test_returns_discounts_and_channels_worked_by_hand():
    found = at(book_of({"orders": ORDERS}), day("2024-04-10"))
    ann, bob = found["ann"], found["bob"]
    assert (ann["returns_30"], bob["returns_30"]) == (1, 0)
    assert ann["returned_share"] == pytest.approx(25 / 100)
    assert ann["days_since_return"] == 8
    assert ann["discounted_share"] == pytest.approx(2 / 4)
    assert ann["discount_rate"] == pytest.approx(5 / 100)
    assert (ann["channels"], ann["last_channel"], bob["last_channel"]) == (2, "web", None)


def test_a_window_of_days_ends_with_the_cut_off():
    book = book_of({"orders": ORDERS})
    names = {"purchase_days_30", "days_since_last"}
    assert at(book, day("2024-04-29"), names=names)["ann"]["purchase_days_30"] == 2
    assert at(book, day("2024-04-30"), names=names)["ann"]["purchase_days_30"] == 1
    assert at(book, day("2024-03-31"), names=names)["ann"]["days_since_last"] == 0


def test_service_counts_what_was_settled_by_then():
    contacts = [
        {
            "customer_id": "ann", "opened_at": dt.datetime(2024, 4, 1, 9), "is_complaint": True,
            "first_response_at": dt.datetime(2024, 4, 2, 9),
            "resolved_at": dt.datetime(2024, 4, 12, 9), "satisfaction": Decimal(1),
        },
        {
            "customer_id": "ann", "opened_at": dt.datetime(2024, 1, 2, 9), "is_complaint": None,
            "first_response_at": dt.datetime(2024, 4, 11, 9), "resolved_at": None,
            "satisfaction": None,
        },
    ]  # fmt: skip
    book = book_of({"orders": ORDERS, "interactions": contacts})
    ann = at(book, day("2024-04-10"))["ann"]
    assert (ann["complaints_30"], ann["complaints_90"], ann["contacts_90"]) == (1, 1, 1)
    assert ann["answer_hours"] == pytest.approx(24)
    assert (ann["open_contacts"], ann["lowest_rating"]) == (1, None)
    later = at(book, day("2024-04-12"))["ann"]
    assert (later["open_contacts"], later["lowest_rating"]) == (0, 1)
    assert later["answer_hours"] == pytest.approx((24 + 100 * 24) / 2)


def test_a_subscription_runs_until_it_has_ended():
    rows = [
        {"customer_id": "ann", "plan": "small", "monthly_amount": Decimal(10),
         "started_at": day("2024-01-01"), "ended_at": day("2024-03-01"), "reason": "moved"},
        {"customer_id": "ann", "plan": "large", "monthly_amount": Decimal(15),
         "started_at": day("2024-03-01"), "ended_at": day("2024-06-01"), "reason": "price"},
    ]  # fmt: skip
    book = book_of({"subscriptions": rows})
    on = {cutoff: at(book, day(cutoff), ["ann"])["ann"] for cutoff in ("2024-02-29", "2024-03-10")}
    before, after = on.values()
    assert (before["plan"], before["monthly_amount"], before["price_change"]) == ("small", 10, 1)
    assert (after["plan"], after["monthly_amount"], after["price_change"]) == ("large", 15, 1.5)
    assert (before["ended_subscriptions"], after["ended_subscriptions"]) == (0, 1)
    assert (after["subscribed_days"], after["plan_days"]) == (69, 9)
    assert not any("reason" in name for name in after)


def test_answers_keep_the_last_score_and_the_lower_of_one_day():
    def answer(on, question, score):
        return {"customer_id": "ann", "responded_on": day(on), "question": question,
                "score": Decimal(score)}  # fmt: skip

    rows = [
        answer("2024-01-02", "nps", 9),
        answer("2024-04-01", "nps", 6),
        answer("2024-04-01", "nps", 8),
        answer("2024-01-02", "csat", 4),
        answer("2024-04-20", "csat", 1),
    ]
    ann = at(book_of({"orders": ORDERS, "responses": rows}), day("2024-04-10"))["ann"]
    assert (ann["last_nps"], ann["last_csat"], ann["last_ces"]) == (6, 4, None)
    assert (ann["answer_days"], ann["days_since_answer"]) == (2, 9)


def test_who_joined_later_was_not_known():
    people = [
        {"customer_id": "ann", "joined_at": dt.datetime(2023, 12, 1), "city": "Tours"},
        {"customer_id": "bob", "joined_at": dt.datetime(2024, 4, 11), "city": None},
    ]
    found = at(book_of({"orders": ORDERS, "customers": people}), day("2024-04-10"))
    assert (found["ann"]["days_since_joining"], found["ann"]["city"]) == (131, "Tours")
    assert (found["bob"]["days_since_joining"], found["bob"]["city"]) == (None, None)


# Nothing later has an influence ------------------------------------------------------------------

CLOCKS = {
    "orders": "ordered_on",
    "order_lines": "ordered_on",
    "events": "occurred_at",
    "responses": "responded_on",
    "interactions": "opened_at",
}


def as_day(value):
    return value.date() if isinstance(value, dt.datetime) else value


def altered(tables, cutoff, draw):
    """The tables with everything after a day dropped, changed, moved or invented."""
    found = {}
    for name, table in tables.items():
        rows = table.to_pylist()
        clock = CLOCKS.get(name)
        if clock is not None:
            rows = list(later_changed(rows, clock, cutoff, draw))
        if name == "interactions":
            for row in rows:
                forget_later(row, ("first_response_at", "resolved_at"), cutoff, draw)
                if as_day(row["resolved_at"] or dt.datetime.max) > cutoff:
                    row["satisfaction"] = draw.choice([None, Decimal(1), Decimal(5)])
        if name == "subscriptions":
            rows = [row for row in rows if row["started_at"] <= cutoff or draw.random() < 0.5]
            for row in rows:
                forget_later(row, ("ended_at",), cutoff, draw)
                row["reason"] = draw.choice([None, "price"])
        if name == "customers":
            for row in rows:
                forget_later(row, ("joined_at",), cutoff, draw)
                row["consent"] = draw.choice([True, False, None])
        found[name] = pa.Table.from_pylist(rows, table.schema)
    return found


def later_changed(rows, clock, cutoff, draw):
    for row in rows:
        if as_day(row[clock]) <= cutoff:
            yield row
            continue
        fate = draw.randrange(4)
        if fate == 0:
            continue
        moved = dt.timedelta(days=draw.randrange(60))
        other = row | {key: row[key] + moved for key in ("ordered_at", clock) if key in row}
        if "amount" in row:
            other["amount"] = -row["amount"] if fate == 1 else row["amount"] * 3
        if "kind" in row and clock == "ordered_on":
            other["kind"] = draw.choice(["purchase", "return", "cancelled"])
        if "score" in row:
            other["score"] = Decimal(draw.randrange(11))
        yield other
        if fate == 3:
            yield other | {"customer_id": draw.choice([None, "C00001", "somebody"])}


def forget_later(row, columns, cutoff, draw):
    for column in columns:
        if row[column] is not None and as_day(row[column]) > cutoff:
            row[column] = draw.choice([None, row[column] + dt.timedelta(days=draw.randrange(99))])


CUTOFFS = (dt.date(2024, 9, 30), dt.date(2025, 6, 1), dt.date(2026, 2, 14))


def features_at(tables, days):
    """Who is there on each day, their worth and their features."""
    book = book_of(tables)
    definition = Definition(Kind.PURCHASES, WINDOW)
    customers = with_worth(book, definition, present(book, definition, days), days)
    features = choose(book, CUTOFFS[-1]).features
    assert {one.table for one in features} == set(tables)
    found = feature_table(book, features, Moments(days, WINDOW), customers.drop("left"))
    keys = [(key, "ascending") for key in ("cutoff", "customer_id")]
    return book.columns(found).sort_by(keys).to_pylist()


@pytest.fixture(scope="session")
def truth(small_shop):
    """The features of the shop as it is, on each of the days, asked together."""
    rows = features_at(small_shop.tables, CUTOFFS)
    return {cutoff: [row for row in rows if row["cutoff"] == cutoff] for cutoff in CUTOFFS}


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(CUTOFFS), st.integers(0, 2**32))
def test_nothing_after_the_cut_off_changes_a_feature(small_shop, truth, cutoff, seed):
    assert len(truth[cutoff]) > 20
    others = altered(small_shop.tables, cutoff, random.Random(seed))
    assert features_at(others, (cutoff,)) == truth[cutoff]


def test_several_days_asked_together_are_what_each_is_alone(small_shop, truth):
    alone = features_at(small_shop.tables, CUTOFFS[1:2])
    assert alone == truth[CUTOFFS[1]]


def test_features_are_alike_on_every_engine(engine, small_shop):
    days = (dt.date(2025, 9, 1), dt.date(2026, 3, 1))

    def rows(book):
        choice = choose(book, days[0])
        assert {one.table for one in choice.features} == set(small_shop.tables)
        looks = snapshots(book, Definition(Kind.PURCHASES, WINDOW), choice, days)
        return [row for look in looks for row in look.table.to_pylist()]

    here = rows(book_of(small_shop.tables))
    there = rows(Book(engine.load(small_shop.tables)))
    assert len(here) == len(there) > 100
    for one, other in zip(here, there, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            same = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
            assert other[name] == same, (one["customer_id"], one["cutoff"], name)


# Declarations ------------------------------------------------------------------------------------


def test_every_feature_is_declared_whole():
    names = [one.name for one in declared()]
    assert len(names) == len(set(names))
    for one in declared():
        assert one.theme in THEMES, one.name
        assert one.is_category or (one.high and one.low), one.name
        for language in LANGUAGES:
            assert one.label.text(language)


def test_columns_of_the_company_are_named_in_words():
    """“internet_service : Fiber optic” stood on pages of customers."""
    table = ibis.memtable({"customer_id": ["a"], "internet_service": ["Fiber optic"]})
    feature = column_feature(table, "customers", "internet_service")
    assert feature.label.text("en") == "internet service"
    assert feature.name == "customers.internet_service"


def test_every_feature_can_be_said_of_anybody():
    nothing = Known({one.name: None for one in declared()}, "EUR")
    some = Known({one.name: "x" if one.is_category else 3.0 for one in declared()}, "EUR")
    none = Known({one.name: None if one.is_category else 0.0 for one in declared()})
    for one in declared():
        for known in (nothing, some, none):
            said = one.said(known)
            text = said.text("en") if said else ""
            assert "None" not in text, one.name
            assert "{" not in text, one.name
    said = {one.name: one.said(some).text("en") for one in declared()}
    assert said["days_since_last"] == "buys every 3 days on average, last order 3 days ago"
    assert said["complaints_30"] == "3 complaints in the last 30 days"


def test_a_rhythm_of_one_purchase_is_none():
    known = Known({"days_since_last": 1.0, "usual_gap_days": None})
    feature = next(one for one in declared() if one.name == "lateness")
    assert feature.said(known).text("en") == "bought once, 1 day ago"


# The choice --------------------------------------------------------------------------------------


def test_a_feature_needs_its_records_to_reach_back():
    book = book_of({"orders": ORDERS})
    found = choose(book, day("2024-03-30"))
    assert "purchase_days_90" in {one.name for one in found.features}
    found = choose(book, day("2024-03-29"))
    assert "purchase_days_90" in {one.name for one, _ in found.left_out}
    assert "purchase_days_90" not in {one.name for one in found.features}
    reason = next(text for one, text in found.left_out if one.name == "purchase_days_365")
    assert "365 days" in reason.text("en")


def test_amounts_in_several_currencies_are_no_features():
    rows = [row | {"currency": "EUR" if place % 2 else "USD"} for place, row in enumerate(ORDERS)]
    found = choose(book_of({"orders": rows}), day("2024-04-10"))
    assert not {"amount", "average_order", "amount_30"} & {one.name for one in found.features}
    reasons = {one.name: text.text("en") for one, text in found.left_out}
    assert "several currencies" in reasons["amount"]


def test_columns_of_customers_are_vouched_for(small_shop):
    book = book_of(small_shop.tables)
    names = {one.name for one in choose(book, day("2025-06-01")).features}
    assert {"city", "region"} <= names
    assert not {"customers.gender", "gender", "consent", "customers.consent"} & names
    more = choose(book, day("2025-06-01"), attributes=["gender"], without=["city"])
    names = {one.name for one in more.features}
    assert "customers.gender" in names
    assert "city" not in names
    for wrong in ({"attributes": ["shoe_size"]}, {"without": ["shoe_size"]}):
        with pytest.raises(UsageError, match="shoe_size"):
            choose(book, day("2025-06-01"), **wrong)
