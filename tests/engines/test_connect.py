"""Every engine is reached by its URL, and no message shows a password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revoir.engines import connect, is_database_url, memory, without_password
from revoir.engines.sql import identifier, literal
from revoir.errors import EngineError


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "ma boutique.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table orders as select 'A' as customer_id, 12.5 as amount")
    return path


def test_memory_downloads_nothing_and_speaks_utc() -> None:
    backend = memory(memory_limit="500MB", threads=1)
    settings = dict(
        backend.raw_sql(
            "select name, value from duckdb_settings() where name in"
            " ('autoinstall_known_extensions', 'autoload_known_extensions', 'TimeZone',"
            "  'preserve_insertion_order', 'threads', 'memory_limit')"
        ).fetchall()
    )
    assert settings == {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "TimeZone": "UTC",
        "preserve_insertion_order": "true",
        "threads": "1",
        "memory_limit": "476.8 MiB",
    }


def test_memory_reads_parquet_json_and_time_zones_without_extension(tmp_path: Path) -> None:
    backend = memory()
    for kind in ("parquet", "json"):
        path = tmp_path / f"a.{kind}"
        backend.raw_sql(f"copy (select 1 as n) to {literal(str(path))} (format {kind})")
        read = backend.raw_sql(f"select n from read_{kind}({literal(str(path))})").fetchall()
        assert read == [(1,)]
    moved = backend.raw_sql(
        "select timezone('Europe/Paris', timestamptz '2024-07-01 10:00:00Z')::varchar"
    ).fetchone()
    assert moved == ("2024-07-01 12:00:00",)


def test_memory_leaves_no_folder_behind() -> None:
    code = (
        "from revoir.engines import memory; from pathlib import Path\n"
        "folder = memory().raw_sql(\"select current_setting('temp_directory')\").fetchone()[0]\n"
        "print(folder)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "revoir-" in done.stdout
    assert not Path(done.stdout.strip()).exists()


def test_a_duckdb_file_is_read_only_by_default(shop: Path) -> None:
    backend = connect(f"duckdb://{shop}")
    assert backend.table("orders").count().execute() == 1
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        backend.raw_sql("delete from orders")
    backend.disconnect()
    writable = connect(f"duckdb://{shop}?read_only=false")
    writable.raw_sql("delete from orders")
    assert writable.table("orders").count().execute() == 0


def test_a_path_is_enough_for_a_duckdb_file(shop: Path) -> None:
    assert connect(str(shop)).list_tables() == ["orders"]


def test_a_duckdb_url_may_be_percent_encoded(shop: Path) -> None:
    assert connect(shop.as_uri().replace("file:", "duckdb:")).list_tables() == ["orders"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("duckdb:///nowhere/shop.duckdb", "There is no file /nowhere/shop.duckdb."),
        ("clients.csv", "is not the address of a database"),
        ("cassette://shop", "There is no engine “cassette”."),
        ("mysql://ana:s3cret@localhost/shop", "pip install 'ibis-framework[mysql]'"),
        ("postgresql://ana:s3cret@127.0.0.1:1/shop", "Check the host, the port"),
        ("postgresql://ana:s3%40cret@127.0.0.1:1/shop?password=s3@cret", "cannot be opened"),
        ("postgresql://ana:s3cret@127.0.0.1:port/shop", "cannot be opened"),
    ],
)
def test_what_cannot_be_opened_is_told_without_its_password(url: str, said: str) -> None:
    with pytest.raises(EngineError) as caught:
        connect(url)
    assert said in caught.value.text("en")
    assert caught.value.remedy is not None
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for secret in ("s3cret", "s3%40cret", "s3@cret"):
        assert secret not in caught.value.text("en") + caught.value.text("fr")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    path.write_text("id;date\n")
    with pytest.raises(EngineError, match="Check that the file is a DuckDB database"):
        connect(f"duckdb://{path}")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20))
def test_a_password_is_never_shown(secret: str) -> None:
    shown = without_password(f"postgresql://ana:{secret}@host/shop")
    assert shown == "postgresql://ana:***@host/shop"


@given(st.text(min_size=1))
def test_names_and_values_pass_sql_unharmed(text: str) -> None:
    if "\x00" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return
    with duckdb.connect() as connection:
        relation = connection.execute(f"select {literal(text)} as {identifier(text)}")
        assert relation.description[0][0] == text
        assert relation.fetchone() == (text,)


@pytest.mark.parametrize("name", ["", "a\x00b"])
def test_names_that_no_engine_can_carry_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no SQL name"):
        identifier(name)


def test_addresses_of_databases_are_told_from_paths() -> None:
    assert is_database_url("duckdb:///shop.duckdb")
    assert not is_database_url("C:/Documents/clients.xlsx")
    assert not is_database_url("https://example.org/clients.csv")
