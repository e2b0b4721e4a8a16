"""How lists of words are compared: where they stand in a statement, without a join for each."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from revoir.reading import build, read_tables, values

CLIENTS = "id client;nom;e-mail\n1;Petit;a@example.fr\nGuest;anonyme;n/a\n"


def plan(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute("EXPLAIN SELECT rv_code(s), rv_nobody(s) FROM cells").fetchall()
    return "\n".join(row[-1] for row in rows).upper()


def test_a_list_of_words_is_no_join() -> None:
    with duckdb.connect() as connection:
        values.define(connection)
        connection.execute("CREATE TABLE cells AS SELECT unnest(['a', 'n/a', 'guest']) AS s")
        assert "JOIN" in plan(connection), "DuckDB makes no joins of lists: nothing is to be mended"
        with values.words_compared(connection):
            assert "JOIN" not in plan(connection)
        assert "JOIN" in plan(connection)


@pytest.mark.parametrize("left_out", ["", "filter_pullup"])
def test_conversion_compares_words_and_leaves_the_connection_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_out: str
) -> None:
    asked = "SELECT current_setting('disabled_optimizers')"
    seen = []
    convert = build._pass

    def watched(connection, *arguments):
        seen.append(set(connection.execute(asked).fetchall()[0][0].split(",")))
        return convert(connection, *arguments)

    monkeypatch.setattr(build, "_pass", watched)
    (tmp_path / "clients.csv").write_text(CLIENTS, encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(f"SET disabled_optimizers = '{left_out}'")
        read_tables([tmp_path / "clients.csv"], connection=connection)
        assert connection.execute(asked).fetchall() == [(left_out,)]
    assert seen
    assert all("in_clause" in held and {left_out} - {""} <= held for held in seen)
