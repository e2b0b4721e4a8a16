"""Each signal on one customer, by hand: the day, the facts, and the words."""

import datetime as dt

import pytest

from revoir.book import Activity
from revoir.signals.alerts import alerts_of
from revoir.signals.registry import signal_named as signal_of
from revoir.signals.registry import signals, values_of

BOUGHT = Activity(window_days=90)
SUBSCRIBED = Activity(subscription=True)


def day(text):
    return dt.date.fromisoformat(f"2024-{text}")


def at(text):
    return dt.datetime.combine(day(text), dt.time(9))


def order(text, amount=50, kind="purchase"):
    return ("anna", day(text), amount, kind)


def event(text, name="visit"):
    return ("anna", at(text), name)


COMING = [order("03-01"), order("03-20"), order("04-10"), order("05-01")]

CASES = {
    # 60 in the 30 days to 1 June, 100 in those before; the last visit is 15 days ago.
    "purchases_down": (
        {"orders": [order("04-20", 100), order("05-17", 60)], "events": [event("05-16")]},
        "06-01",
        "06-09",
        "Purchases were down 40% on the 30 days before, and no visit for 23 days.",
    ),
    "basket_shrinking": (
        {
            "orders": [
                *(order(f"0{month}-01", 60) for month in (1, 2, 3)),
                *(order(f"0{month}-15", 40) for month in (3, 4, 5)),
            ]
        },
        "05-15",
        "05-20",
        "Spends €40.00 a visit lately against €60.00 before.",
    ),
    "returns_rising": (
        {"orders": [*COMING, order("05-04", -10, "return"), order("05-09", -5, "return")]},
        "05-09",
        "05-20",
        "2 returns in 60 days, 0 in those before.",
    ),
    "complaints": (
        {
            "orders": COMING,
            "interactions": [
                ("anna", at("04-12"), None, None, True, None),
                ("anna", at("05-03"), None, None, True, None),
                ("anna", at("05-04"), None, None, False, None),
            ],
        },
        "05-03",
        "05-20",
        "2 complaints in 30 days.",
    ),
    "unanswered": (
        {
            "orders": COMING,
            "interactions": [
                ("anna", at("05-03"), None, None, False, None),
                ("anna", at("05-10"), at("05-11"), None, False, None),
            ],
        },
        "05-05",
        "05-20",
        "Wrote or called 17 days ago and has had no answer.",
    ),
    "detractor": (
        {"orders": COMING, "responses": [("anna", day("05-08"), "nps", 6)]},
        "05-08",
        "05-20",
        "Gave 6 of 10 when asked whether they would recommend us.",
    ),
    # 2 of 7 for effort is 1 + 1 × 4 ÷ 6 of five.
    "negative_sentiment": (
        {"orders": COMING, "responses": [("anna", day("05-08"), "ces", 2)]},
        "05-08",
        "05-20",
        "Satisfaction 1.7 of 5.",
    ),
    # Four days in the 30 to 14 May, two in the 30 after: half as many on the day that the fourth
    # of the former leaves the span.
    "engagement_falling": (
        {
            "orders": COMING,
            "events": [
                event(f"0{text}") for text in ("5-02", "5-03", "5-04", "5-05", "5-20", "5-21")
            ],
        },
        "06-04",
        "06-05",
        "Came on 2 days of 30, after 4 in those before.",
    ),
    "unsubscribed": (
        {"orders": COMING, "events": [event("05-06"), event("05-07", "Email Unsubscribed")]},
        "05-07",
        "05-20",
        "Unsubscribed 13 days ago.",
    ),
    "payment_failed": (
        {"orders": COMING, "events": [event("05-07", "invoice.payment_failed")]},
        "05-07",
        "05-20",
        "A payment failed 13 days ago.",
    ),
    "plan_downgraded": (
        {
            "subscriptions": [
                ("anna", day("01-01"), day("03-31"), 30),
                ("anna", day("04-01"), None, 20),
            ]
        },
        "04-01",
        "05-20",
        "Pays €20.00 a month instead of €30.00.",
    ),
    "subscription_ending": (
        {"subscriptions": [("anna", day("01-01"), day("06-10"), 30)]},
        "05-11",
        "05-20",
        "The subscription ends on 10 Jun 2024.",
    ),
}
LEARNED = {"overdue", "no_second_order"}
"""Those that need others to learn from: `test_learned.py`."""


@pytest.mark.parametrize("name", CASES)
def test_it_is_raised_on_its_day_and_said_in_words(book_of, name):
    tables, raised, today, words = CASES[name]
    rule = SUBSCRIBED if "subscriptions" in tables else BOUGHT
    book = book_of(as_of=day(today), rule=rule, **tables)
    (alert,) = alerts_of(book, name).listed()
    assert alert.raised_on == day(raised)
    assert alert.reason.text("en") == words
    yesterday = alerts_of(
        book_of(as_of=day(raised) - dt.timedelta(days=1), rule=rule, **tables), name
    )
    # What is planned is known from the tables, on any day.
    assert signal_of(name).no_past or yesterday.reason or yesterday.listed() == []


def test_every_signal_has_a_case():
    assert {signal.name for signal in signals()} == set(CASES) | LEARNED


def test_defaults_are_within_their_limits():
    for signal in signals():
        for parameter in signal.parameters:
            for value in (parameter.default, parameter.low, parameter.high):
                assert values_of(signal, {parameter.name: value})[parameter.name] == value


@pytest.mark.parametrize("events", [True, False])
def test_a_refusal_that_was_noted_is_raised_once_on_its_day(book_of, events):
    """With an event of the same day, without any, and on the day before, when nobody knew."""
    import ibis

    tables = {"events": [event("05-06"), event("05-07", "Unsubscribed")]} if events else {}
    book = book_of(as_of=day("05-20"), rule=BOUGHT, orders=COMING, **tables)
    told = {"customer_id": ["anna", "anna", "anna"]}
    told["declined_on"] = [day("05-07"), day("05-07"), day("05-25")]
    book.refusals = ibis.memtable(told)
    found = alerts_of(book, "unsubscribed")
    (alert,) = found.listed()
    assert alert.raised_on == day("05-07")
    assert alert.reason.text("en") == "Unsubscribed 13 days ago."
    assert len(book.rows(found.table)) == 1
    assert found.record.reason is not None
    assert alerts_of(book.at(day("05-06")), "unsubscribed").listed() == []
    assert alerts_of(book.at(day("05-07")), "unsubscribed").count == 1


def test_an_alert_is_raised_once_and_closed_when_the_customer_returns(book_of):
    """A third complaint adds nothing; the purchase closes it; later ones raise another."""
    complaints = [("anna", at(t), None, None, True, None) for t in ("05-02", "05-03", "05-05")]
    complaints += [("anna", at(t), None, None, True, None) for t in ("06-02", "06-03")]
    book = book_of(
        as_of=day("06-30"),
        rule=BOUGHT,
        orders=[order("05-01"), order("05-12")],
        interactions=complaints,
    )
    rows = book.rows(alerts_of(book, "complaints").table.order_by("raised_on"))
    assert [(row["raised_on"], row["closed_on"], row["closed_by"]) for row in rows] == [
        (day("05-03"), day("05-12"), "returned"),
        (day("06-02"), None, None),
    ]
    assert [row["complaints"] for row in rows] == [2, 2]


@pytest.mark.parametrize(("orders", "closed"), [(True, None), (False, "returned")])
def test_a_visit_closes_an_alert_only_where_visits_say_who_is_there(book_of, orders, closed):
    """As docs/how-to/alerts.md has it: with orders, who looks around has not come back yet."""
    tables = {"orders": COMING} if orders else {}
    rule = BOUGHT if orders else Activity(event_window_days=31)
    book = book_of(
        as_of=day("05-20"),
        rule=rule,
        events=[event("05-02"), event("05-15")],
        responses=[("anna", day("05-08"), "nps", 0)],
        **tables,
    )
    (row,) = book.rows(alerts_of(book, "detractor").table)
    assert row["closed_by"] == closed


def test_who_is_gone_is_no_alert(book_of):
    """Gone on 29 April, 90 days after the last purchase: what happens later is too late."""
    book = book_of(
        as_of=day("06-30"),
        rule=BOUGHT,
        orders=[order("01-30")],
        responses=[("anna", day("04-28"), "nps", 0), ("anna", day("05-10"), "nps", 0)],
    )
    (row,) = book.rows(alerts_of(book, "detractor").table)
    assert (row["raised_on"], row["closed_on"]) == (day("04-28"), day("04-29"))
    assert row["closed_by"] == "left"


def test_exactly_thirty_percent_down_is_down(book_of):
    """100 before and 70 after; with 70.01 it is not."""
    for amount, found in ((70, 1), (70.01, 0)):
        book = book_of(
            as_of=day("05-31"),
            rule=BOUGHT,
            orders=[order("04-20", 100), order("05-16", amount)],
        )
        assert len(alerts_of(book, "purchases_down").listed()) == found


def test_amounts_in_several_currencies_are_counted_or_said(backend):
    import pyarrow as pa

    from revoir.book import Book, Settings

    held = backend.create_table(
        "orders_in_two_currencies",
        pa.table(
            {
                "customer_id": ["anna"] * 3,
                "ordered_on": pa.array([day("04-18"), day("04-20"), day("05-16")], pa.date32()),
                "amount": pa.array([1.0, 1.0, 900.0]),
                "kind": ["purchase"] * 3,
                "currency": ["EUR", "CHF", "CHF"],
            }
        ),
    )
    book = Book({"orders": held}, settings=Settings(activity=BOUGHT), as_of=day("05-31"))
    assert "several currencies" in alerts_of(book, "basket_shrinking").reason.text("en")
    (alert,) = alerts_of(book, "purchases_down").listed()
    assert alert.reason.text("en").startswith("Purchases were down 50%")
    assert alert.bought_for is None


@pytest.mark.parametrize(
    ("plans", "says"),
    [
        # 20 € and 18 francs are no fall that anybody can see.
        ([("03-31", 20.0, "EUR"), (None, 18.0, "CHF")], None),
        ([("03-31", 20.0, "CHF"), (None, 18.0, "CHF")], "Pays CHF18.00 a month instead of"),
        # A part whose price is not known does not make the plan cheaper.
        ([("03-31", 20.0, "CHF"), (None, 18.0, "CHF"), (None, None, "CHF")], None),
    ],
)
def test_only_prices_that_can_be_compared_are_a_cheaper_plan(backend, plans, says):
    import itertools

    import pyarrow as pa

    from revoir.book import Book, Settings

    starts = [day("01-01"), *itertools.repeat(day("04-01"), len(plans) - 1)]
    ends = [day(text) if text else None for text, *_ in plans]
    rows = pa.table(
        {
            "customer_id": ["anna"] * len(plans),
            "started_at": pa.array(starts, pa.date32()),
            "ended_at": pa.array(ends, pa.date32()),
            "monthly_amount": pa.array([price for _, price, _ in plans], pa.float64()),
            "currency": [currency for *_, currency in plans],
        }
    )
    held = backend.create_table("plans_and_currencies", rows, overwrite=True)
    settings = Settings(activity=SUBSCRIBED, currency="EUR")
    found = alerts_of(
        Book({"subscriptions": held}, settings=settings, as_of=day("05-20")), "plan_downgraded"
    ).listed()
    assert [one.reason.text("en").startswith(says or "") for one in found] == [True] * bool(says)


def test_a_book_without_customers_says_so(book_of):
    book = book_of(as_of=day("05-31"), responses=[("anna", day("05-10"), "nps", 0)])
    alerts = alerts_of(book, "detractor")
    assert "who is a customer" in alerts.reason.text("en")
    assert alerts.record.reason is alerts.reason


def _dissatisfied(book_of, **tables):
    book = book_of(as_of=day("05-20"), rule=BOUGHT, orders=COMING, **tables)
    alerts = alerts_of(book, "negative_sentiment")
    return [(one.raised_on, one.reason.text("en")) for one in alerts.listed()]


def test_words_that_sound_dissatisfied_raise_the_signal(book_of):
    """Scores alone were read: who wrote and gave none was never heard."""
    said = [(day("05-08"), "What was said sounds dissatisfied.")]
    assert _dissatisfied(book_of, responses=[("anna", day("05-08"), "own", None, -0.6)]) == said
    assert _dissatisfied(book_of, responses=[("anna", day("05-08"), "nps", 9, -0.6)]) == said
    contact = ("anna", at("05-08"), None, None, False, None, -0.6)
    assert _dissatisfied(book_of, interactions=[contact]) == said


@pytest.mark.parametrize(
    ("later", "raised"),
    [((None, -0.49), 1), ((None, 0.0), 1), ((None, 0.49), 1), ((None, 0.5), 0), ((5, None), 0)],
)
def test_only_words_of_praise_or_a_better_score_make_up_for_words(book_of, later, raised):
    rows = [("anna", day("05-08"), "csat", None, -0.5), ("anna", day("05-10"), "csat", *later)]
    assert len(_dissatisfied(book_of, responses=rows)) == raised


def test_politeness_at_customer_service_makes_up_for_nothing(book_of):
    contacts = [
        ("anna", at(day_), None, None, False, None, said)
        for day_, said in (("05-08", -0.6), ("05-10", 0.9))
    ]
    assert len(_dissatisfied(book_of, interactions=contacts)) == 1


def test_a_score_speaks_for_its_answer_and_before_the_words_of_its_day(book_of):
    assert _dissatisfied(book_of, responses=[("anna", day("05-08"), "csat", 5, -0.9)]) == []
    rows = [("anna", day("05-08"), "csat", 2, -0.9), ("anna", day("05-08"), "own", None, -0.9)]
    assert _dissatisfied(book_of, responses=rows) == [(day("05-08"), "Satisfaction 2.0 of 5.")]


@pytest.mark.parametrize(("other_end", "raised"), [(None, 0), ("12-31", 0), ("05-25", 1)])
def test_a_subscription_that_ends_while_another_goes_on_is_no_departure(book_of, other_end, raised):
    """Who had gone over to another plan, or had two, was called before the first one ended."""
    rows = [
        ("anna", day("01-01"), day("06-10"), 30),
        ("anna", day("05-01"), None if other_end is None else day(other_end), 40),
    ]
    book = book_of(as_of=day("05-20"), rule=SUBSCRIBED, subscriptions=rows)
    assert len(alerts_of(book, "subscription_ending").listed()) == raised
