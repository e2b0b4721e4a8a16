"""Parquet, JSON and databases: types kept, attacks refused, passwords never told."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from revoir.errors import InputError, RevoirError
from revoir.reading.databases import address


def test_parquet_keeps_its_types(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    table = pa.table(
        {
            "Order id": pa.array(["A", "B"]),
            "date": pa.array([dt.datetime(2024, 1, 2), None], pa.timestamp("us")),
            "amount": pa.array([12.5, 3.0]),
            "customer": pa.array([{"id": 1, "town": "Tours"}, None]),
            "tags": pa.array([["a", "b"], []]),
        }
    )
    pq.write_table(table, path)
    [seen] = read(path)
    assert seen.headers == ["Order id", "date", "amount", "customer.id", "customer.town", "tags"]
    assert seen.table.types == ["VARCHAR", "TIMESTAMP", "DOUBLE", "BIGINT", "VARCHAR", "VARCHAR"]
    assert seen.lines == [1, 2]
    assert seen.cells[0] == ("A", dt.datetime(2024, 1, 2), 12.5, 1, "Tours", '["a","b"]')


def test_parquet_files_of_a_folder(read: Callable, tmp_path: Path) -> None:
    for part in ("[1]", "2"):
        pq.write_table(pa.table({"a": [part]}), tmp_path / f"part{part}.parquet")
    assert [one.cells for one in read(tmp_path)] == [[("2",)], [("[1]",)]]


def test_damaged_parquet(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    path.write_bytes(b"PAR1" + b"x" * 100)
    with pytest.raises(InputError, match="Parquet"):
        read(path)


def test_json_lines(csv: Callable) -> None:
    seen = csv(
        '{"id": 1, "amount": 12.5, "customer": {"email": "a@b.fr", "at": {"town": "Tours"}}}\n\n'
        '{"id": 2, "amount": 3, "tags": ["x", 1], "ok": true}\n',
        "orders.jsonl",
    )
    assert seen.headers == ["id", "amount", "customer.email", "customer.at.town", "tags", "ok"]
    assert seen.table.types == ["BIGINT", "DOUBLE", "VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"]
    assert seen.cells == [
        (1, 12.5, "a@b.fr", "Tours", None, None),
        (2, 3.0, None, None, '["x", 1]', True),
    ]
    assert seen.lines == [1, 3]


@pytest.mark.parametrize(
    "content",
    [
        '[\n  {"id": 1, "town": "Tours"},\n  {"id": 2, "town": "Blois"}\n]\n',
        '{"count": 2, "customers": [{"id": 1, "town": "Tours"}, {"id": 2, "town": "Blois"}]}',
        '{\n "id": 1, "town": "Tours"\n}\n{\n "id": 2, "town": "Blois"\n}\n',
    ],
)
def test_json_documents(csv: Callable, content: str) -> None:
    seen = csv(content, "customers.json")
    assert seen.cells == [(1, "Tours"), (2, "Blois")]


def test_lines_of_a_json_document(csv: Callable) -> None:
    seen = csv('[\n{"id": 1},\n{"id":\n 2},\n\n{"id": 3}]', "customers.json")
    assert seen.lines == [2, 3, 6]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_100_000_deep(csv: Callable, opening: str) -> None:
    with pytest.raises(InputError, match="nested more than"):
        csv("[" + opening * 100_000, "deep.json")
    lines = csv('{"id": 1}\n{"id": ' + '{"a":' * 100_000 + "1" + "}" * 100_001 + "\n", "deep.jsonl")
    assert [row[0] for row in lines.cells] == [1]
    assert "nested more than" in lines.rejects[0][1]


def test_json_40_deep(csv: Callable) -> None:
    seen = csv('{"id": 1}\n' + '{"a":' * 40 + "1" + "}" * 40 + "\n", "deep.jsonl")
    assert "nested more than 32" in seen.rejects[0][1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_duplicate_keys(csv: Callable, name: str) -> None:
    rows = ['{"id": 1, "town": "Tours"}', '{"id": 2, "id": 3}', '{"id": 4}']
    seen = csv("\n".join(rows) if name == "a.jsonl" else f"[{','.join(rows)}]", name)
    assert [row[0] for row in seen.cells] == [1, 4]
    assert "“id” stands twice" in seen.rejects[0][1]


def test_lone_surrogates(csv: Callable) -> None:
    seen = csv(
        '{"id": 1, "name": "a\\ud800b"}\n{"id": 2, "name": "\\ud83d\\ude00\\u0000"}\n', "a.jsonl"
    )
    assert [row[1] for row in seen.cells] == ["a\ufffdb", "😀"]
    assert "half a character" in seen.notes


def test_json_that_is_no_row(csv: Callable) -> None:
    seen = csv('{"id": 1}\nnot json\n[1, 2]\n"x"\n{"id": 2}\n', "a.jsonl")
    assert seen.lines == [1, 5]
    assert [line for line, _ in seen.rejects] == [2, 3, 4]
    with pytest.raises(InputError, match="valid JSON"):
        csv('[{"id": 1}, oops]', "a.json")


def test_numbers_of_json(csv: Callable) -> None:
    digits = "9" * 5_000
    seen = csv(f'{{"a": {digits}, "b": 1e999, "c": NaN}}\n', "a.jsonl")
    assert seen.cells[0][0] == digits
    assert seen.table.types[1:] == ["DOUBLE", "DOUBLE"]


def test_duckdb_by_url(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as shop:
        shop.execute(
            "create table orders as select 1 as id, date '2024-01-02' as day, 12.50 as paid"
        )
        shop.execute('create table "l\'été ""x""" as select 2 as n')
    seen = read(f"duckdb:///{path}")
    assert [one.table.sheet for one in seen] == ['l\'été "x"', "orders"]
    assert seen[1].table.types == ["INTEGER", "DATE", "DECIMAL(4,2)"]
    assert read(f"duckdb:///{path}?table=ORDERS")[0].headers == ["id", "day", "paid"]
    assert read(f"duckdb://{path}#orders")[0].lines == [1]
    query = read(f"duckdb:///{path}?query=select id + 1 as next from orders")[0]
    assert (query.headers, query.cells) == (["next"], [(2,)])
    assert len(read(path)) == 2
    with pytest.raises(InputError, match="The tables are"):
        read(f"duckdb:///{path}?table=clients")
    with pytest.raises(InputError, match="did not answer"):
        read(f"duckdb:///{path}?query=select nothing from nowhere")
    with pytest.raises(InputError, match="no such file"):
        read("duckdb:///nowhere/x.duckdb")


def test_sqlite_by_url(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.execute("create table orders (id integer, paid, town)")
        shop.executemany(
            "insert into orders values (?, ?, ?)", [(1, 12.5, "Tours"), (2, 3, None), (3, None, 37)]
        )
    shop.close()
    [seen] = read(f"sqlite:///{path}")
    assert seen.table.types == ["BIGINT", "DOUBLE", "VARCHAR"]
    assert seen.cells == [(1, 12.5, "Tours"), (2, 3.0, None), (3, None, "37")]
    assert read(path)[0].cells == seen.cells
    assert read(f"sqlite:///{path}?query=select count(*) as n from orders;")[0].cells == [(3,)]


def test_an_empty_table_of_a_database(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.execute("create table orders (id integer)")
    shop.close()
    assert read(path)[0].cells == []


def test_passwords_are_never_told(read: Callable) -> None:
    url = "postgresql://anne:s%40crét@127.0.0.1:1/shop?table=orders&sslpassword=hush"
    found = address(url)
    assert found.shown == "postgresql://anne:***@127.0.0.1:1/shop"
    with pytest.raises(RevoirError) as error:
        read(url)
    for secret in ("s%40crét", "s@crét", "hush"):
        assert secret not in error.value.text("en")
        assert secret not in str(error.value.__cause__)


def test_a_password_with_the_signs_of_a_url_is_never_told() -> None:
    found = address("postgresql://anne:p/w?x#y@127.0.0.1:1/shop?query=select '@'")
    assert found.shown == "postgresql://anne:***@127.0.0.1:1/shop"
    assert found.query == "select '@'"


@pytest.mark.parametrize("place", ["http://ana:hush@host/x.csv", "https://host/x", "s3://b/x.csv"])
def test_what_is_elsewhere_is_not_fetched(read: Callable, place: str) -> None:
    with pytest.raises(InputError, match="Download") as error:
        read(place)
    assert "hush" not in error.value.text("en")


def test_unknown_database(read: Callable) -> None:
    with pytest.raises(RevoirError):
        read("klingon://host/db")


@pytest.mark.engines
def test_postgresql_by_url(read: Callable) -> None:
    from revoir.testing import Unavailable, start_engine

    try:
        with start_engine("postgres") as engine:
            engine.load(
                {
                    "sales": pa.table(
                        {"id": [1, 2], "paid": [12.5, None], "town": ["Tours", "Nîmes"]}
                    )
                }
            )
            place = engine.backend.con.info
            database = f"postgresql://{place.user}@/{place.dbname}?host={place.host}"
            [name] = [name for name in engine.backend.list_tables() if "sales" in name]
            [seen] = read(f"{database}&table={name}")
            assert seen.headers == ["id", "paid", "town"]
            assert sorted(seen.cells) == [(1, 12.5, "Tours"), (2, None, "Nîmes")]
            engine.clear()
    except Unavailable as lack:
        pytest.skip(str(lack))


def test_json_is_told_by_what_it_holds(csv: Callable) -> None:
    assert csv(json.dumps([{"id": 1}, {"id": 2}]), "export.txt").cells == [(1,), (2,)]
