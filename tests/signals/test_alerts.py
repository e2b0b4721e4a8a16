"""Alerts against a walk through the days: every customer on every day, by the definitions."""

import datetime as dt
import functools
import itertools
from collections import defaultdict

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir.book import Activity
from revoir.signals.alerts import alerts_of

FAR = dt.date(9999, 12, 31)
ONE = dt.timedelta(days=1)


def days(first, last):
    while first <= last:
        yield first
        first += ONE


def lives(orders, rule, *, subscriptions=(), events=()):
    """Each customer's stays (start, until], by the activity rule."""
    stays = defaultdict(list)
    if rule.window_days:
        for customer, day, _, kind in orders:
            if kind == "purchase":
                stays[customer].append((day, day + dt.timedelta(days=rule.window_days)))
    if rule.subscription:
        starts = {(customer, start) for customer, start, *_ in subscriptions}
        for customer, start, end, _ in subscriptions:
            taken_over = end is not None and (customer, end + ONE) in starts
            stays[customer].append((start, end + ONE if taken_over else end or FAR))
    if rule.event_window_days:
        for customer, moment, _ in events:
            day = moment.date()
            stays[customer].append((day, day + dt.timedelta(days=rule.event_window_days)))
    return stays


def alerts(stays, raised, as_of, horizon):
    """Walk through the days: what is raised, and what closes it.

    `raised` says for a customer and a day whether the signal is raised on it, and until when
    (None: for good): ``raised(customer, day) -> (bool, over_on)``.
    """
    found = []
    for customer, held in stays.items():
        acts = sorted({start for start, _ in held})
        alert = None
        for day in days(acts[0], as_of):
            act = max(start for start in acts if start <= day)
            reach = max(until for start, until in held if start <= day)
            if alert is not None:
                by = _closed(alert, day, acts, reach, horizon)
                if by is not None:
                    found.append({**alert, "closed_on": day, "closed_by": by})
                    alert = None
            met, over_on = raised(customer, day)
            if not met or day >= reach:
                continue
            if alert is None:
                alert = {
                    "customer_id": customer, "raised_on": day, "act": act, "last": day,
                    "over_on": over_on or FAR,
                }  # fmt: skip
            else:
                alert["last"] = day
                alert["over_on"] = max(alert["over_on"], over_on or FAR)
        if alert is not None:
            found.append({**alert, "closed_on": None, "closed_by": None})
    return sorted(found, key=lambda row: (row["customer_id"], row["raised_on"]))


def _closed(alert, day, acts, reach, horizon):
    if day == reach:
        return "left"
    if any(alert["act"] < start <= day and start > alert["raised_on"] for start in acts):
        return "returned"
    if day == alert["over_on"]:
        return "over"
    if day == alert["last"] + dt.timedelta(days=horizon):
        return "expired"
    return None


FIRST = dt.date(2024, 1, 1)
BOUGHT = Activity(window_days=40)
SUBSCRIBED = Activity(window_days=12, subscription=True)
SEEN = Activity(event_window_days=20)


def day(number):
    return FIRST + dt.timedelta(days=number)


def moment(number, hour=10):
    return dt.datetime.combine(day(number), dt.time(hour))


def orders_of(draw):
    """Orders from (customer, day, amount); what is negative was sent back."""
    return [
        (f"c{customer}", day(number), amount, "purchase" if amount >= 0 else "return")
        for customer, number, amount in draw
    ]


PEOPLE = 9
some_orders = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.integers(0, 90),
        st.sampled_from([0, 10, 10, 13, 100, -10]),
    ),
    min_size=PEOPLE,
    max_size=12 * PEOPLE,
)
some_days = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, 90)), max_size=8 * PEOPLE)
# Each example is as many cases as it has people and days.
checked = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def found_by(book, name, values, horizon):
    table = alerts_of(book, name, values, horizon=horizon).table
    rows = book.rows(table.select("customer_id", "raised_on", "act", "closed_on", "closed_by"))
    return sorted(rows, key=lambda row: (row["customer_id"], row["raised_on"]))


def expected_by(stays, raised, as_of, horizon):
    wanted = ("customer_id", "raised_on", "act", "closed_on", "closed_by")
    return [{name: row[name] for name in wanted} for row in alerts(stays, raised, as_of, horizon)]


def fell(orders, visits, customer, today, *, drop, period, quiet):
    """The definition of the product: purchases down on the span before, and no visit."""
    bought = [(d, a) for c, d, a, kind in orders if (c, kind) == (customer, "purchase")]
    ago = [((today - d).days, a) for d, a in bought if d <= today]
    recent = sum(a for n, a in ago if n < period)
    before = sum(a for n, a in ago if period <= n < 2 * period)
    seen = [d for d, _ in bought] + [m.date() for c, m, _ in visits if c == customer]
    silent = min(((today - d).days for d in seen if d <= today), default=0)
    return before > 0 and recent <= before * (1 - drop) + 1e-6 and silent >= quiet


@checked
@given(
    some_orders,
    some_days,
    st.sampled_from([None, BOUGHT, SUBSCRIBED]),
    st.sampled_from([(10, 5), (10, 10), (15, 4), (5, 9), (5, 10)]),
    st.sampled_from([0.3, 1.0]),
    st.integers(60, 120),
)
def test_purchases_down(book_of, drawn, visited, rule, spans, drop, last):
    orders = orders_of(drawn)
    events = [(f"c{c}", moment(n), "visit") for c, n in visited] if rule is None else []
    rule = rule or BOUGHT
    as_of = day(last)
    known = [row for row in orders if row[1] <= as_of]
    if not any(kind == "purchase" for *_, kind in known):
        return
    tables = {"orders": orders} | ({"events": events} if events else {})
    subscriptions = [("c0", day(20), day(35), 10)] if rule.subscription else []
    if subscriptions:
        tables["subscriptions"] = subscriptions
    period, quiet = spans
    values = {"drop": drop, "period_days": max(period, 7), "quiet_days": quiet}
    book = book_of(as_of=as_of, rule=rule, **tables)

    @functools.cache
    def down(customer, today):
        return fell(orders, events, customer, today, drop=drop, period=max(period, 7), quiet=quiet)

    def raised(customer, today):
        # Once a silence: whoever left in it and comes back by a subscription is not called again.
        visits = [d for c, d, _, kind in orders if (c, kind) == (customer, "purchase")]
        visits += [m.date() for c, m, _ in events if c == customer]
        since = max((d for d in visits if d <= today), default=today)
        return down(customer, today) and not any(
            down(customer, d) for d in days(since, today - ONE)
        ), None

    stays = lives(known, rule, subscriptions=subscriptions)
    assert found_by(book, "purchases_down", values, 40) == expected_by(stays, raised, as_of, 40)


def visits_fell(visits, customer, today, *, drop, period, at_least):
    ago = {(today - m.date()).days for c, m, _ in visits if c == customer}
    recent = sum(0 <= n < period for n in ago)
    before = sum(period <= n < 2 * period for n in ago)
    return before >= at_least and recent <= before * (1 - drop) + 1e-6


@checked
@given(some_orders, some_days, st.sampled_from([BOUGHT, SEEN]), st.sampled_from([0.5, 0.9]))
def test_engagement_falling(book_of, drawn, visited, rule, drop):
    orders = orders_of(drawn)
    events = [(f"c{c}", moment(n), "visit") for c, n in visited]
    tables = {"events": events} if rule is SEEN else {"events": events, "orders": orders}
    if not (events if rule is SEEN else any(kind == "purchase" for *_, kind in orders)):
        return
    as_of = day(100)
    book = book_of(as_of=as_of, rule=rule, **tables)

    def raised(customer, today):
        return visits_fell(events, customer, today, drop=drop, period=12, at_least=2), None

    horizon = rule.window_days or rule.event_window_days
    values = {"drop": drop, "period_days": 12, "visits": 2}
    found = found_by(book, "engagement_falling", values, horizon)
    assert found == expected_by(lives(orders, rule, events=events), raised, as_of, horizon)


@checked
@given(some_orders, some_days, st.sampled_from([BOUGHT, SUBSCRIBED]))
def test_complaints(book_of, drawn, complained, rule):
    orders = orders_of(drawn)
    contacts = [(f"c{c}", moment(n), None, None, True, None) for c, n in complained]
    contacts += [(f"c{c}", moment(n), None, None, None, None) for c, n in complained[:3]]
    subscriptions = [("c0", day(3), None, 10), ("c1", day(5), day(80), 10)]
    as_of = day(100)
    book = book_of(
        as_of=as_of, rule=rule, orders=orders, interactions=contacts, subscriptions=subscriptions
    )

    def raised(customer, today):
        ago = [(today - row[1].date()).days for row in contacts if row[0] == customer and row[4]]
        return 0 in ago and sum(0 <= n < 10 for n in ago) >= 2, None

    stays = lives(orders, rule, subscriptions=subscriptions)
    found = found_by(book, "complaints", {"period_days": 10}, 40)
    assert found == expected_by(stays, raised, as_of, 40)


@checked
@given(
    some_orders,
    st.lists(
        st.tuples(
            st.integers(0, PEOPLE - 1), st.integers(0, 90), st.sampled_from([None, 0, 2, 3, 7, 30])
        ),
        max_size=6 * PEOPLE,
    ),
    st.sampled_from([BOUGHT, SUBSCRIBED]),
)
def test_unanswered(book_of, drawn, asked, rule):
    orders = orders_of(drawn)
    contacts = [
        (f"c{c}", moment(n), None if wait is None else moment(n + wait), None, False, None)
        for c, n, wait in asked
    ]
    subscriptions = [("c0", day(3), None, 10), ("c1", day(5), day(80), 10)]
    as_of = day(100)
    book = book_of(
        as_of=as_of, rule=rule, orders=orders, interactions=contacts, subscriptions=subscriptions
    )

    def raised(customer, today):
        """Two days after contacts that nobody has answered by then; over with the last answer."""
        waiting = [
            FAR if row[2] is None else row[2].date()
            for row in contacts
            if row[0] == customer and (today - row[1].date()).days == 2
        ]
        late = [answer for answer in waiting if answer > today]
        return bool(late), max(late, default=None)

    stays = lives(orders, rule, subscriptions=subscriptions)
    horizon = 15 if rule is SUBSCRIBED else 40
    found = found_by(book, "unanswered", {"days": 2}, horizon)
    assert found == expected_by(stays, raised, as_of, horizon)


@checked
@given(
    some_orders,
    st.lists(
        st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, 90), st.sampled_from([0, 6, 7, 10])),
        max_size=6 * PEOPLE,
    ),
)
def test_detractor(book_of, drawn, answered):
    orders = orders_of(drawn)
    answers = [(f"c{c}", day(n), "nps", score) for c, n, score in answered]
    answers += [("c0", day(9), "csat", 1), (None, day(9), "nps", 0)]
    as_of = day(100)
    book = book_of(as_of=as_of, rule=SUBSCRIBED, orders=orders, responses=answers)

    def raised(customer, today):
        scores = [(d, s) for c, d, q, s in answers if (c, q) == (customer, "nps")]
        better = [d for d, s in scores if d > today and s > 6]
        low = any(d == today and s <= 6 for d, s in scores)
        return low, min(better, default=None)

    found = found_by(book, "detractor", {}, 15)
    assert found == expected_by(lives(orders, SUBSCRIBED), raised, as_of, 15)


@checked
@given(some_orders, st.sampled_from([1, 2, 3]))
def test_basket_shrinking(book_of, drawn, count):
    orders = orders_of(drawn)
    if not any(kind == "purchase" for *_, kind in orders):
        return
    as_of = day(100)
    book = book_of(as_of=as_of, rule=BOUGHT, orders=orders)

    def raised(customer, today):
        baskets = defaultdict(float)
        for c, d, amount, kind in orders:
            if (c, kind) == (customer, "purchase") and d <= today:
                baskets[d] += amount
        sums = [baskets[d] for d in sorted(baskets)]
        if len(sums) < 2 * count:
            return False, None
        recent, before = sum(sums[-count:]) / count, sum(sums[:-count]) / (len(sums) - count)
        return before > 0 and recent <= before * 0.7 + 1e-6, None

    found = found_by(book, "basket_shrinking", {"visits": count}, 40)
    assert found == expected_by(lives(orders, BOUGHT), raised, as_of, 40)


@checked
@given(some_orders)
def test_returns_rising(book_of, drawn):
    orders = orders_of(drawn)
    as_of = day(100)
    book = book_of(as_of=as_of, rule=BOUGHT, orders=orders)

    def raised(customer, today):
        ago = [(today - d).days for c, d, _, kind in orders if (c, kind) == (customer, "return")]
        recent, before = (sum(n <= a < n + 20 for a in ago) for n in (0, 20))
        return 0 in ago and recent >= 2 and recent > before, None

    found = found_by(book, "returns_rising", {"period_days": 20}, 40)
    assert found == expected_by(lives(orders, BOUGHT), raised, as_of, 40)


@checked
@given(
    st.lists(
        st.tuples(
            st.integers(0, PEOPLE - 1),
            st.integers(0, 60),
            st.sampled_from([None, 5, 20, 90]),
            st.sampled_from([5, 10, 20]),
        ),
        min_size=1,
        max_size=4 * PEOPLE,
    )
)
def test_plan_downgraded(book_of, drawn):
    held = {(c, n): (c, n, length, price) for c, n, length, price in drawn}.values()
    subscriptions = [
        (f"c{c}", day(n), None if length is None else day(n + length), price)
        for c, n, length, price in held
    ]
    as_of = day(70)
    rule = Activity(subscription=True)
    book = book_of(as_of=as_of, rule=rule, subscriptions=subscriptions)

    def raised(customer, today):
        theirs = sorted((s, e, p) for c, s, e, p in subscriptions if c == customer)
        for former, plan in itertools.pairwise(theirs):
            gap = (plan[0] - former[1]).days if former[1] else -1000
            if plan[0] == today and -1 <= gap <= 31 and plan[2] < former[2]:
                return True, None
        return False, None

    stays = lives([], rule, subscriptions=subscriptions)
    found = found_by(book, "plan_downgraded", {}, 25)
    assert found == expected_by(stays, raised, as_of, 25)
