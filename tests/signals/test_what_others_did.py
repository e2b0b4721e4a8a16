"""Visits are what customers did themselves: what others did and wrote down changes nothing."""

import datetime as dt

import pytest

from revoir.book import Activity, Book, Settings
from revoir.metrics.registry import Question, measure_many
from revoir.models.departures import definition_of, present
from revoir.models.features.compute import feature_table
from revoir.models.features.visits import VISITS
from revoir.segments.rules import customers_matching
from revoir.signals.alerts import alerts_of
from revoir.signals.health import health_scores
from revoir.visits import is_visit, visit_days

AS_OF = dt.date(2024, 6, 4)
OTHERS = (
    "Email Delivered", "email_sent", "emailBounced", "delivered", "Received Email", "deferred",
    "Email Marked as Spam", "Push Notification Received", "SMS sent", "E-mail envoyé", "spamreport",
    "Order Refunded", "Order Updated", "order_shipped", "charge.refunded", "invoice.payment_failed",
    "customer.subscription.updated", "Consent Updated", "Unsubscribed", "group_unsubscribe",
)  # fmt: skip
OWN = (
    "Email Opened", "email_link_clicked", "open", "click", "page", "Product Viewed", "Signed In",
    "Order Completed", "Notification Tapped", "Message Sent", "Refund Requested", "Visite",
    "Application Opened", "Subscribed", "Complaint",
)  # fmt: skip
CUTOFF = dt.date(2024, 4, 30)
SIGNALS = ("purchases_down", "engagement_falling", "overdue")


@pytest.mark.parametrize(("names", "visit"), [(OTHERS, False), (OWN, True)])
def test_which_events_are_visits(names, visit):
    assert [name for name in names if is_visit(name) is not visit] == []


def test_mail_that_is_delivered_does_not_silence_an_alert(book_of):
    bought = [dt.date(2024, 1, 1) + dt.timedelta(days=7 * week) for week in range(16)]
    orders = [("anna", day, 50, "purchase") for day in bought]
    orders += [("berta", AS_OF, 20, "purchase")]
    mails = [
        ("anna", dt.datetime(2024, 4, 20, 9) + dt.timedelta(days=3 * place), "Email Delivered")
        for place in range(15)
    ]
    rule = Activity(window_days=90)

    def raised(**more):
        book = book_of(orders=orders, as_of=AS_OF, rule=rule, **more)
        return {row["customer_id"] for row in book.rows(alerts_of(book, "purchases_down").table)}

    assert raised() == {"anna"}
    assert raised(events=mails) == {"anna"}


def _answers(tables):
    rule = Activity(window_days=60, event_window_days=30)
    book = Book(tables, settings=Settings(activity=rule, currency="EUR"), as_of=AS_OF)

    def rows(table):
        return sorted(str(row) for row in book.rows(table))

    names = ("events", "visitors", "events_per_visitor", "retention_rate", "churn_rate")
    leaving = definition_of(book, "visits")
    found = {name: rows(alerts_of(book, name).table) for name in SIGNALS}
    found |= {
        name: [(figure.value, figure.numerator, figure.denominator) for figure in result.figures]
        for name, result in measure_many(
            book, names, Question(dt.date(2024, 4, 1), dt.date(2024, 6, 1))
        ).items()
    }
    found["days"] = rows(visit_days(book))
    found["health"] = rows(health_scores(book).customers)
    found["rule"] = rows(customers_matching(book, "events.last_30_days >= 2"))
    there = present(book, leaving, [CUTOFF])
    moments = leaving.moments([CUTOFF], there)
    found["present"] = rows(there)
    found["features"] = rows(feature_table(book, VISITS.features, moments, there))
    return found


def test_what_others_did_changes_no_figure(engine, company_of, tables_of):
    rows = company_of[0](seed=5)
    customers = sorted({row[0] for row in rows["orders"]})
    begun = dt.datetime(2024, 3, 1, 8)
    mails = [
        (customers[place % len(customers)], begun + dt.timedelta(days=place % 90), name)
        for place, name in enumerate(OTHERS * 20)
    ]
    expected = _answers(engine.load(tables_of(rows)))
    assert all(expected.values())
    engine.clear()
    assert _answers(engine.load(tables_of({**rows, "events": rows["events"] + mails}))) == expected
