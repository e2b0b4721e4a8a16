"""A warehouse's own tables become the canonical ones, alike on every engine."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines import memory, open_tables
from revoir.errors import EngineError, InputError, UsageError
from revoir.testing import TestEngine

LATE = dt.datetime(2024, 3, 30, 23, 30)
SALES = pa.table(
    {
        "Client": ["A", "B"],
        "dt": pa.array([LATE, dt.datetime(2024, 7, 1, 10, 0)], pa.timestamp("us")),
        "total": [9.5, -2.25],
        "Till": ["east", "west"],
    }
)
COLUMNS = {"customer_id": "Client", "ordered_at": "dt", "amount": "total"}


def opened(engine: TestEngine, table: pa.Table, name: str = "orders", **entry: Any) -> Any:
    engine.load({"sales": table})
    place = engine._views[-1]
    timezone = entry.pop("company_timezone", "UTC")
    mapping = {name: {"table": place, **entry}}
    return open_tables(engine.backend, mapping, timezone=timezone)[name]


def rows(table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return sorted(found, key=lambda row: str(row["customer_id"]))


def test_mapped_columns_get_canonical_names_and_types(engine: TestEngine) -> None:
    orders = opened(engine, SALES, columns=COLUMNS)
    assert {name: str(kind) for name, kind in orders.schema().items() if name != "ordered_at"} == {
        "customer_id": "string",
        "amount": "decimal(18, 4)",
        "till": "string",
        "ordered_on": "date",
    }
    first, second = rows(orders)
    assert first == {
        "customer_id": "A",
        "ordered_at": LATE,
        "amount": Decimal("9.5000"),
        "till": "east",
        "ordered_on": dt.date(2024, 3, 30),
    }
    assert second["amount"] == Decimal("-2.2500")


def test_the_day_is_the_company_s(engine: TestEngine) -> None:
    orders = opened(engine, SALES, columns=COLUMNS, company_timezone="Europe/Paris")
    assert [row["ordered_on"] for row in rows(orders)] == [
        dt.date(2024, 3, 31),
        dt.date(2024, 7, 1),
    ]
    assert rows(orders)[0]["ordered_at"] == LATE


def test_times_of_another_zone_are_brought_to_utc(engine: TestEngine) -> None:
    orders = opened(
        engine,
        SALES,
        columns=COLUMNS,
        timezone="America/New_York",
        company_timezone="America/New_York",
    )
    first, second = rows(orders)
    # New York is four hours behind UTC from 10 March to 3 November 2024.
    assert first["ordered_at"] == dt.datetime(2024, 3, 31, 3, 30)
    assert second["ordered_at"] == dt.datetime(2024, 7, 1, 14, 0)
    assert first["ordered_on"] == dt.date(2024, 3, 30)


def test_a_column_of_days_has_no_zone(engine: TestEngine) -> None:
    days = SALES.set_column(1, "dt", pa.array([dt.date(2024, 3, 31), dt.date(2024, 7, 1)]))
    orders = opened(engine, days, columns=COLUMNS, company_timezone="America/New_York")
    assert [row["ordered_on"] for row in rows(orders)] == [
        dt.date(2024, 3, 31),
        dt.date(2024, 7, 1),
    ]


def test_canonical_columns_are_found_whatever_their_case(engine: TestEngine) -> None:
    table = SALES.rename_columns(["CUSTOMER_ID", "OrderedAt", "Amount", "Montant Caisse"])
    orders = opened(engine, table)
    assert set(orders.columns) == {
        "customer_id",
        "ordered_at",
        "amount",
        "montant_caisse",
        "ordered_on",
    }
    book = Book({"orders": orders})
    assert book.as_of == dt.date(2024, 7, 1)


def test_order_lines_take_customer_day_and_kind_from_their_order(engine: TestEngine) -> None:
    made = engine.load(
        {
            "o": pa.table(
                {
                    "order_id": ["1", "2"],
                    "customer_id": ["A", "B"],
                    "ordered_on": pa.array([dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
                    "amount": [3.0, 4.0],
                }
            ),
            "l": pa.table({"order_id": ["1", "1", "2", "9"], "amount": [1.0, 2.0, 4.0, 5.0]}),
        }
    )
    names = [table.get_name().split(".")[-1].strip('"') for table in made.values()]
    tables = open_tables(engine.backend, {"orders": names[0], "order_lines": names[1]})
    lines = tables["order_lines"].to_pyarrow().to_pylist()
    lines.sort(key=lambda row: row["amount"])
    assert [row["customer_id"] for row in lines] == ["A", "A", "B", None]
    assert [row["ordered_on"] for row in lines[1:]] == [
        dt.date(2024, 1, 1),
        dt.date(2024, 1, 2),
        None,
    ]


def test_tables_in_a_schema_are_found() -> None:
    backend = memory()
    backend.raw_sql("create schema crm")
    backend.raw_sql("create table crm.people as select 7 as \"Customer ID\", 'Tours' as ville")
    customers = open_tables(backend, {"customers": "crm.people"})["customers"]
    assert customers.to_pyarrow().to_pylist() == [{"customer_id": 7, "ville": "Tours"}]


def test_tables_of_canonical_names_need_no_mapping_and_can_be_left_out() -> None:
    backend = memory()
    backend.raw_sql(
        "create view Orders as select 'A' as customer_id, date '2024-01-01' as ordered_on, 5 amount"
    )
    backend.raw_sql("create table customers as select 'A' as customer_id")
    backend.raw_sql("create table till as select 1 as a")
    assert set(open_tables(backend)) == {"orders", "customers"}
    assert set(open_tables(backend, {"customers": None})) == {"orders"}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"ventes": "t"}, "There is no table “ventes”."),
        ({"orders": "nowhere"}, "The database has no table “nowhere”"),
        ({"orders": 3}, "The mapping of “orders” cannot be read."),
        ({"orders": {"tabel": "t"}}, "The mapping of “orders” cannot be read."),
        ({"orders": {"table": "t", "columns": {"client": "a"}}}, "has no column “client”"),
        ({"orders": {"table": "t", "columns": {"amount": "b"}}}, "has no column “b”"),
        ({"orders": {"table": "t", "timezone": "Paris"}}, "There is no time zone “Paris”."),
    ],
)
def test_a_wrong_mapping_is_told(mapping: dict[str, Any], said: str) -> None:
    backend = memory()
    backend.raw_sql("create table t as select 1 as a")
    with pytest.raises(UsageError) as caught:
        open_tables(backend, mapping)
    assert said in caught.value.text()
    assert caught.value.remedy is not None


def test_an_empty_database_is_told() -> None:
    with pytest.raises(InputError, match="no table with a canonical name"):
        open_tables(memory())


def test_responses_say_which_question_they_answer() -> None:
    backend = memory()
    backend.raw_sql("create table responses as select 9 as score")
    with pytest.raises(InputError, match="which question was answered"):
        open_tables(backend)


def test_an_engine_without_zones_asks_for_the_day(tmp_path: Any) -> None:
    import ibis

    backend = ibis.sqlite.connect(tmp_path / "a.db")
    backend.create_table(
        "orders", SALES.rename_columns(["customer_id", "ordered_at", "amount", "t"])
    )
    with pytest.raises(EngineError, match="ordered_on"):
        open_tables(backend, timezone="Europe/Paris")


def test_identifiers_are_text_where_one_table_has_text():
    backend = memory()
    backend.raw_sql("create table customers as select 7 as customer_id")
    backend.raw_sql(
        "create table orders as select '7' as customer_id, date '2024-01-01' as ordered_at,"
        " 5 as amount, 12 as order_id"
    )
    tables = open_tables(backend)
    assert tables["customers"].customer_id.type().is_string()
    assert tables["orders"].customer_id.type().is_string()
    assert tables["orders"].order_id.type().is_integer()
