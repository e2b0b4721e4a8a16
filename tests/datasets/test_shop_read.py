"""From the shop's files to figures: what was drawn comes back."""

import datetime as dt
import math

import numpy as np
import pytest

from revoir import Activity, measure, read
from revoir.metrics.summary import customer_summary

TABLES = {
    "fr": ("clients", "commandes", "abonnements", "avis", "contacts_sav", "visites"),
    "en": ("customers", "orders", "subscriptions", "reviews", "service", "visits"),
}
NAMES = ("customers", "orders", "subscriptions", "responses", "interactions", "events")


@pytest.fixture(scope="module", params=["fr", "en"])
def opened(request, small_shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    small_shop.write(folder, request.param)
    return request.param, read(folder)


def test_spoiled_rows_are_put_aside_and_no_other(opened, small_shop):
    language, book = opened
    found = {
        file.file.rpartition("/")[2].removesuffix(".csv"): (
            file.rows_quarantined,
            file.rows_duplicate,
        )
        for file in book.reading.files
    }
    expected = dict(zip(TABLES[language], map(small_shop.truth.blemishes.get, NAMES), strict=True))
    assert found == expected


def test_orders_come_back(opened, small_shop):
    _, book = opened
    orders = book.table("orders")
    summed = orders.group_by("kind").aggregate(n=orders.count(), amount=orders.amount.sum())
    found = {row["kind"]: (row["n"], row["amount"]) for row in book.rows(summed)}
    drawn = (
        small_shop.tables["orders"]
        .group_by("kind")
        .aggregate([("amount", "sum"), ("kind", "count")])
    )
    for row in drawn.to_pylist():
        if row["kind"] != "cancelled":
            assert found[row["kind"]] == (row["kind_count"], row["amount_sum"])
    assert found["cancelled"][0] == sum(
        kind == "cancelled" for kind in small_shop.tables["orders"]["kind"].to_pylist()
    )


def test_tables_come_back(opened, small_shop):
    _, book = opened
    for name in (
        "customers",
        "order_lines",
        "subscriptions",
        "responses",
        "interactions",
        "events",
    ):
        table = book.table(name)
        assert (
            book.rows(table.aggregate(n=table.count()))[0]["n"] == small_shop.tables[name].num_rows
        )


def test_nps_is_that_of_the_answers(opened, small_shop):
    _, book = opened
    (figure,) = measure(book, "nps").figures
    answers = small_shop.tables["responses"].to_pylist()
    scores = np.array([float(row["score"]) for row in answers if row["question"] == "nps"])
    expected = 100 * ((scores >= 9).mean() - (scores <= 6).mean())
    assert figure.value == pytest.approx(expected)
    error = 100 * ((scores >= 9).astype(int) - (scores <= 6)).std() / math.sqrt(len(scores))
    assert figure.value == pytest.approx(small_shop.truth.nps_expected, abs=4 * error)


def test_frequency_is_purchase_days_after_the_first(opened, small_shop):
    _, book = opened
    found = {row["customer_id"]: row["frequency"] for row in book.rows(customer_summary(book))}
    days: dict[str, set[dt.date]] = {}
    for row in small_shop.tables["orders"].to_pylist():
        if row["kind"] == "purchase" and row["customer_id"]:
            days.setdefault(row["customer_id"], set()).add(row["ordered_on"])
    assert found == {who: len(when) - 1 for who, when in days.items()}


def test_retention_is_that_of_a_count_by_hand(opened, small_shop):
    """Active: bought on one of the 180 days before. Against sets of customers, day by day."""
    _, book = opened
    book = book.with_settings(activity=Activity(window_days=180))
    bought = [
        (row["customer_id"], row["ordered_on"])
        for row in small_shop.tables["orders"].to_pylist()
        if row["kind"] == "purchase" and row["customer_id"]
    ]

    def spells():
        """Each customer's stretches of activity, from the first day to the day it has ended."""
        window, made = dt.timedelta(days=180), []
        for who in {one for one, _ in bought}:
            days = sorted(day for one, day in bought if one == who)
            begin = last = days[0]
            for day in days[1:]:
                if day - last > window:
                    made.append((begin, last + window))
                    begin = day
                last = day
            made.append((begin, last + window))
        return made

    # A purchase on a day counts from the next morning, and for 180 mornings.
    made = spells()
    start, end = dt.date(2025, 1, 1), dt.date(2025, 4, 1)
    present = [spell for spell in made if spell[0] < start <= spell[1]]
    kept = [spell for spell in present if spell[1] >= end]
    (figure,) = measure(book, "retention_rate", start=start, end=end).figures
    assert figure.denominator == len(present)
    assert figure.numerator == len(kept)
    assert figure.value == pytest.approx(len(kept) / len(present))
