"""`revoir check` and `revoir template` from the command line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revoir.book import read
from revoir.cli import app
from revoir.errors import RevoirError

GOOD = "commande,client,date,montant\n1,a,2024-01-02,12.50\n2,b,2024-01-03,7.25\n"
BAD = GOOD + "3,b,2024-02-30,5\n2,b,2024-01-03,7.25\n"


def _run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, RevoirError):
        return result.exception.exit_code, result.exception.text("en")
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout


def test_a_clean_file(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(GOOD)
    code, text = _run("check", path, "--lang", "en")
    assert code == 0
    assert "Rows: 2 = accepted 2 + in quarantine 0 + duplicates 0" in text


def test_json_quarantine_and_mapping(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(BAD)
    code, text = _run(
        "check", path, "--format", "json", "--lang", "fr", "--quarantine", tmp_path / "q.csv",
        "--write-mapping", tmp_path / "m.yml",
    )  # fmt: skip
    assert code == 1
    held = json.loads(text)
    (file,) = held["files"]
    counts = [file[f"rows_{n}"] for n in ("in", "accepted", "quarantined", "duplicate")]
    assert counts == [4, 2, 1, 1]
    assert file["quarantine"][0]["line"] == 4
    assert held["tables"]["orders"]["amount"] == 19.75
    assert len((tmp_path / "q.csv").read_text("utf-8-sig").splitlines()) == 2
    assert _run("check", path, "--mapping", tmp_path / "m.yml")[0] == 1


def test_wrong_usage_and_unusable_input(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(GOOD)
    assert _run("check", path, "--format", "odd")[0] == 2
    assert _run("check", path, "--map", "odd=date")[0] == 2
    assert _run("check", path, "--timezone", "Mars/Olympus")[0] == 2
    assert _run("check", path, "--map", "table=odd")[0] == 2
    path.write_text("commande,client,date,montant\n1,a,x,y\n")
    assert _run("check", path)[0] == 3
    assert _run("check", tmp_path / "none.csv")[0] == 3


@pytest.mark.parametrize("language", ["fr", "en"])
def test_template(tmp_path: Path, language: str) -> None:
    path = tmp_path / "t.xlsx"
    assert _run("template", "-o", path, "--lang", language)[0] == 0
    assert path.stat().st_size > 5000
    assert _run("template", "-o", path)[0] == 2
    assert _run("template", "-o", path, "--force")[0] == 0
    assert _run("template", "-o", tmp_path / "t.csv")[0] == 2


def test_every_command_puts_orders_of_the_future_in_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    ahead = dt.date.today() + dt.timedelta(days=40)
    path.write_text(f"{GOOD}3,b,{ahead},5\n")
    code, text = _run("check", path, "--format", "json")
    assert (code, json.loads(text)["files"][0]["rows_quarantined"]) == (1, 1)
    assert json.loads(text)["tables"]["orders"]["last_day"] == "2024-01-03"
    code, text = _run("metric", "revenue", path, "--format", "json", "--activity-days", "90")
    assert code == 0
    assert sum(row["value"] or 0 for row in json.loads(text)) == 19.75
    assert max(row["period_end"] for row in json.loads(text)) < str(ahead)


def test_the_core_is_told_what_day_it_is(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(GOOD)
    assert read(path, today=dt.date(2024, 1, 1)).as_of == dt.date(2024, 1, 2)
    assert read(path, today=dt.date(2024, 1, 2)).as_of == dt.date(2024, 1, 3)
    assert read(path).as_of == dt.date(2024, 1, 3)
