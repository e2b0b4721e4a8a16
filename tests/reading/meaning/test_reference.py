"""Figures of real data that come out without a mapping (see the README of the data)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from revoir.reading import Reading, read_tables

pytestmark = pytest.mark.reference


def _sql(reading: Reading, sql: str) -> list[tuple]:
    backend = next(iter(reading.tables.values()))._find_backend()
    return backend.con.cursor().execute(sql).fetchall()


def test_online_retail(reference_data: Path) -> None:
    reading = read_tables(reference_data / "online_retail/online_retail.parquet")
    assert reading.files[0].rows_accepted == 541_909
    totals = reading.totals
    assert round(totals["orders"]["amount"], 2) == 9_747_747.93
    assert (totals["orders"]["rows"], totals["orders"]["customers"]) == (25_900, 4_372)
    assert _sql(
        reading,
        "select count(*), round(sum(amount), 2) from order_lines"
        " where customer_id is not null and quantity > 0 and unit_price > 0",
    ) == [(397_884, Decimal("8911407.90"))]
    cohort = (
        "with bought as (select customer_id, date_trunc('month', ordered_on) as month from orders"
        " where kind = 'purchase' and customer_id is not null),"
        " first as (select customer_id, min(month) as first from bought group by 1)"
    )
    assert _sql(reading, f"{cohort} select count(*) from first") == [(4_338,)]
    assert _sql(
        reading,
        f"{cohort} select count(distinct customer_id), count(distinct customer_id)"
        " filter (month = date '2011-01-01') from bought join first using (customer_id)"
        " where first = date '2010-12-01'",
    ) == [(885, 324)]


def test_cdnow(reference_data: Path) -> None:
    reading = read_tables(reference_data / "cdnow/CDNOW_master.txt")
    totals = reading.totals["orders"]
    assert (totals["customers"], totals["rows"]) == (23_570, 69_659)
    assert (totals["quantity"], totals["amount"]) == (167_881, 2_500_315.63)
    sample = read_tables(reference_data / "cdnow/CDNOW_sample.txt").totals["orders"]
    assert (sample["customers"], sample["rows"]) == (2_357, 6_919)


def test_superstore(reference_data: Path) -> None:
    totals = read_tables(reference_data / "superstore/superstore.csv").totals
    assert (totals["orders"]["rows"], totals["orders"]["customers"]) == (5_009, 793)
    assert totals["order_lines"]["rows"] == 9_994


def test_complete_journey(reference_data: Path) -> None:
    folder = reference_data / "completejourney"
    totals = read_tables(folder / "transactions_sample.csv.gz").totals
    assert totals["order_lines"]["rows"] == 75_000
    people = read_tables(folder / "demographics.csv.gz")
    assert people.files[0].table == "customers"
    assert people.totals["customers"]["rows"] == 801
    assert _sql(people, "select age_band, count(*) from customers group by 1 order by 1")[0] == (
        "19-24",
        46,
    )


def test_telco(reference_data: Path) -> None:
    reading = read_tables(reference_data / "telco/Telco-Customer-Churn.csv")
    assert (reading.files[0].table, reading.files[0].rows_accepted) == ("subscriptions", 7_043)
    assert _sql(
        reading,
        "select plan, round(100.0 * count(*) filter (churned) / count(*), 2)"
        " from subscriptions group by 1 order by 2 desc",
    ) == [("Month-to-month", 42.71), ("One year", 11.27), ("Two year", 2.83)]


def test_jardinerie(reference_data: Path) -> None:
    reading = read_tables(reference_data / "jardinerie_nps/nps.csv")
    assert reading.files[0].rows_in == 6_939
    assert _sql(
        reading,
        "select count(score), count(*) filter (score >= 9), count(*) filter (score <= 6)"
        " from responses where question = 'nps'",
    ) == [(6_782, 4_249, 613)]


def test_clickstream_and_feedback(reference_data: Path) -> None:
    events = read_tables(reference_data / "clickstream_ecom/ecom.csv.gz")
    assert (events.files[0].table, events.totals["events"]["rows"]) == ("events", 31_106)
    answers = read_tables(reference_data / "nhs_feedback/feedback.csv")
    assert answers.files[0].table == "responses"
    assert answers.files[0].rows_in == 7_908
