"""The health score: parts by hand, that they add up, and whether it tells who leaves."""

import datetime as dt
import random

import pyarrow as pa
import pytest

from revoir.book import Activity, Book
from revoir.errors import UsageError
from revoir.signals.health import Check, health_scores
from revoir.signals.health import _auc as auc
from revoir.signals.health import _bands as bands
from revoir.signals.parts import PARTS

RULE = Activity(window_days=90)
AS_OF = dt.date(2023, 12, 31)


def ago(days):
    return AS_OF - dt.timedelta(days=days)


def at(days, hour=9):
    return dt.datetime.combine(ago(days), dt.time(hour))


def others():
    """Customers who teach what is usual: thirty who bought once, thirty who came back once."""
    rows = []
    for number in range(40):
        rows.append((f"x{number:02}", ago(300), 10, "purchase"))
        if number < 30:
            rows.append((f"x{number:02}", ago(270), 10, "purchase"))
    return rows


@pytest.fixture
def scored(book_of):
    """One customer with something in every part, another with orders alone."""
    orders = [
        *others(),
        ("all", ago(150), 40, "purchase"), ("all", ago(120), 40, "purchase"),
        ("all", ago(45), 20, "purchase"),
        ("new", ago(5), 30, "purchase"),
    ]  # fmt: skip
    book = book_of(
        as_of=AS_OF,
        rule=RULE,
        orders=orders,
        events=[("all", at(day), "visit") for day in (3, 10, 35, 36, 37, 50, 75)],
        interactions=[
            ("all", at(80), at(79), at(79), True, 4),
            ("all", at(95), None, None, True, None),
        ],
        responses=[
            ("all", ago(10), "nps", 5),
            ("all", ago(20), "csat", 2),
            ("all", ago(400), "csat", 5),
        ],
    )
    return book, {row["customer_id"]: row for row in book.rows(health_scores(book).customers)}


def test_parts_by_hand(scored):
    """Shares: frequency 1 of 2 days; basket 20 of 40; 3, 2 and 4 of five; one complaint; 2 of 4."""
    _, found = scored
    row = found["all"]
    shares = {
        # Of 31 silences after a second or third purchase, their own was ended by another.
        "habit": 1 / 31,
        "frequency": 0.5,
        "spending": 0.5,
        "satisfaction": ((3 + 2 + 4) / 3 - 1) / 4,
        "service": 0.5,
        "engagement": 0.5,
    }
    for name, share in shares.items():
        assert row[name] == pytest.approx(share * row[f"{name}_of"]), name
    # Silent for 45 days of 90, which is longer than the usual gap but half of the way at least.
    assert 0.5 * row["recency_of"] < row["recency"] < row["recency_of"]


def test_habit_is_the_share_who_came_back(scored):
    """Of 42 first purchases that are old enough, 30 + 1 were followed by a second."""
    _, found = scored
    row = found["new"]
    assert row["habit"] == pytest.approx(31 / 41 * row["habit_of"])
    assert row["recency"] == row["recency_of"]
    assert row["service"] == row["service_of"]
    unknown = ("frequency", "spending", "satisfaction", "engagement")
    assert all(row[name] is None and row[f"{name}_of"] is None for name in unknown)


def test_nothing_is_compared_with_a_time_that_the_data_do_not_cover(book_of):
    """Of visits that begin 40 days ago, and purchases 150, nobody knows how many there were before.

    Whoever came as often as ever would have come more often, for all that the data show.
    """
    orders = [
        (f"c{n}", ago(5 + n + 20 * turn), 10, "purchase") for n in range(9) for turn in range(7)
    ]
    begun = [(customer, at(day), "visit") for customer in ("c1", "c2") for day in (3, 10, 35, 40)]
    late = health_scores(book_of(as_of=AS_OF, rule=RULE, orders=orders, events=begun))
    named = {part.name for part in late.parts}
    assert not {"frequency", "engagement"} & named
    longer = [("c1", ago(190), 10, "purchase"), *orders]
    covered = book_of(
        as_of=AS_OF, rule=RULE, orders=longer, events=[*begun, ("c1", at(59), "visit")]
    )
    assert {"frequency", "engagement"} <= {part.name for part in health_scores(covered).parts}


def test_points_add_up_to_the_score(scored):
    _, found = scored
    assert set(found) == {"all", "new"}
    for row in found.values():
        points = [row[part.name] for part in PARTS]
        most = [row[f"{part.name}_of"] for part in PARTS]
        assert row["health"] == pytest.approx(sum(point or 0 for point in points))
        assert sum(one or 0 for one in most) == pytest.approx(100)
        assert all(p is None or 0 <= p <= m + 1e-9 for p, m in zip(points, most, strict=True))


def test_weights_are_the_users(scored):
    book, _ = scored
    only = health_scores(book, {part.name: 0 for part in PARTS if part.name != "service"})
    assert [part.name for part in only.parts] == ["service"]
    found = {row["customer_id"]: row["health"] for row in book.rows(only.customers)}
    assert found == {"all": 50, "new": 100}
    with pytest.raises(UsageError, match="recency"):
        health_scores(book, {"zeal": 1})
    with pytest.raises(UsageError, match="weigh"):
        health_scores(book, {"recency": -1})


def test_a_subscriber_may_be_silent(book_of):
    orders = [*others(), ("kept", ago(200), 10, "purchase"), ("kept", ago(170), 10, "purchase")]
    book = book_of(
        as_of=AS_OF,
        rule=Activity(window_days=90, subscription=True),
        orders=orders,
        subscriptions=[("kept", ago(250), None, 10)],
        responses=[("kept", ago(30), "nps", 10)],
    )
    (row,) = book.rows(health_scores(book).customers)
    assert row["customer_id"] == "kept"
    assert row["recency"] is None


def test_the_habit_of_buyers_is_not_that_of_subscribers(book_of):
    """Every running subscriber came first among the least healthy, and buyers had half their habit.

    Of the subscribers of the past only those who left were counted.
    """
    gone = [(f"gone{n}", ago(400), ago(200), 10) for n in range(40)]
    running = [(f"kept{n}", ago(400), None, 10) for n in range(40)]
    book = book_of(
        as_of=AS_OF,
        rule=Activity(window_days=90, subscription=True),
        orders=[*others(), ("buyer", ago(5), 30, "purchase")],
        # Of whom a subscription begins later nothing is known of it yet.
        subscriptions=[*gone, *running, ("buyer", ago(-30), None, 10)],
    )
    (row,) = book.rows(health_scores(book).customers)
    assert row["customer_id"] == "buyer"
    assert row["habit"] / row["habit_of"] == pytest.approx(30 / 40)


def test_subscriptions_alone_say_nothing_of_habit(book_of):
    """All that ended were departures, for who stayed has not ended: every score was 0."""
    ended = [(f"gone{n}", ago(400), ago(200), 10) for n in range(40)]
    running = [(f"kept{n}", ago(400), None, 10) for n in range(40)]
    book = book_of(as_of=AS_OF, rule=Activity(subscription=True), subscriptions=[*ended, *running])
    found = health_scores(book)
    assert not found.parts
    assert "purchases, visits" in found.reason.text("en")
    answered = book_of(
        as_of=AS_OF,
        rule=Activity(subscription=True),
        subscriptions=[*ended, *running],
        responses=[("kept1", ago(3), "nps", 10)],
    )
    (row,) = answered.rows(health_scores(answered).customers)
    assert (row["customer_id"], row["health"]) == ("kept1", 100)


def test_nothing_to_go_by_is_said(book_of):
    answers = [("a", ago(3), "nps", 9)]
    found = health_scores(book_of(as_of=AS_OF, responses=answers))
    assert "who is a customer" in found.reason.text("en")
    assert found.check().reason is not None
    few = book_of(as_of=AS_OF, rule=RULE, orders=[("a", ago(3), 9, "purchase")])
    assert "Not enough data" in health_scores(few, {"frequency": 0, "spending": 0}).reason.text(
        "en"
    )


def test_bands_are_tenths_and_keep_equal_scores_together():
    found = [(10, 5, 5), (20, 5, 4), (30, 40, 10), (40, 50, 2)]
    tenths = bands(found, 100)
    assert [(b.low, b.high, b.customers, b.left) for b in tenths] == [
        (10, 20, 10, 9), (30, 30, 40, 10), (40, 40, 50, 2)
    ]  # fmt: skip
    assert auc([(1, 2, 2), (2, 2, 0)]) == 1
    assert auc([(1, 4, 2)]) == 0.5
    # 3 left at 1 and 2; 2 stayed at 2 and 3: pairs won 2 + 2 and 0.5 + 1 of 6.
    assert auc([(1, 2, 2), (2, 2, 1), (3, 1, 0)]) == pytest.approx((2 * 2 + 0.5 + 1) / 6)
    assert auc([(1, 4, 0)]) is None


@pytest.fixture(scope="module")
def leavers():
    """Half of 240 customers buy every 20 days until they leave; the others keep coming."""
    draw = random.Random(4)
    rows = []
    for number in range(240):
        day = draw.randrange(330, 420)
        stops = draw.randrange(100, 330) if number % 2 else 0
        while day > stops:
            rows.append((f"c{number:03}", ago(day), draw.choice([10, 12, 15]), "purchase"))
            day -= draw.randrange(15, 26)
    return rows


def test_a_higher_score_leaves_less(book_of, leavers):
    book = book_of(as_of=AS_OF, rule=RULE, orders=leavers)
    check = health_scores(book).check()
    assert (check.day, check.horizon_days) == (ago(90), 90)
    assert check.auc > 0.8
    assert check.bands[0].share > 0.6
    assert check.bands[-1].share < 0.2
    assert check.difference[0] > 0.2
    assert "lowest scores" in check.sentence().text("en")
    assert sum(band.customers for band in check.bands) > 100


def test_the_check_knows_nothing_of_later(book_of, leavers):
    """The scores that are checked are those of that day, whatever happened since."""
    book = book_of(as_of=AS_OF, rule=RULE, orders=leavers)
    kept = [row for row in leavers if row[1] <= ago(90)]
    then = book_of(as_of=ago(90), rule=RULE, orders=kept)
    assert_same = sorted(then.rows(health_scores(then).customers), key=str)
    earlier = book.at(ago(90))
    assert sorted(earlier.rows(health_scores(earlier).customers), key=str) == assert_same


def test_too_short_a_past_is_no_check(book_of, leavers):
    recent = [row for row in leavers if row[1] > ago(150)]
    check = health_scores(book_of(as_of=AS_OF, rule=RULE, orders=recent)).check()
    assert check.bands == ()
    assert "Not enough data" in check.sentence().text("en")
    few = [row for row in leavers if row[0] < "c050"]
    check = health_scores(book_of(as_of=AS_OF, rule=RULE, orders=few)).check()
    assert "100 are needed" in check.sentence().text("en")
    assert isinstance(check, Check)


def test_contracts_without_days_are_told_of_as_what_they_are(backend):
    """“No purchase, subscription or visit” was said of a list of contracts."""
    rows = pa.table(
        {"subscription_id": ["1", "2"], "customer_id": ["a", "b"], "churned": [True, False]}
    )
    held = backend.create_table("contracts_without_days", rows, overwrite=True)
    found = health_scores(Book({"subscriptions": held}))
    assert found.reason.text("en") == "No row of the data has a date."
    assert found.check().reason is not None
