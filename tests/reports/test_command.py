"""`revoir report` on files: what it writes, says and ends with."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revoir.cli import app
from revoir.cli.report import _stem
from revoir.errors import UsageError

runner = CliRunner()


@pytest.fixture
def sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ventes 2024.csv"
    lines = ["client;date;montant"]
    for number in range(60):
        for visit in range(1 + number % 4):
            day = dt.date(2023, 7, 3) + dt.timedelta(days=number * 6 + visit * 40)
            lines.append(f"C{number};{day:%d/%m/%Y};{10 + number},50")
    lines.append("C1;pas une date;3,00")
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_file_alone_gives_a_page_named_after_it(sales: Path):
    result = runner.invoke(app, ["report", str(sales), "--lang", "fr"])
    assert result.exit_code == 0, result.output
    page = sales.parent / "ventes 2024-report.html"
    assert "Que faire lundi matin" in page.read_text("utf-8")
    assert page.name in result.stderr
    assert result.stdout == ""


def test_quarantined_rows_are_said_and_do_not_fail_the_report(sales: Path):
    result = runner.invoke(app, ["report", str(sales), "--lang", "en", "-o", "r.json"])
    assert result.exit_code == 0
    assert "1 of 151" in result.stderr
    data = json.loads(Path("r.json").read_text("utf-8"))
    (file,) = data["quality"]["files"]
    assert file["rows_in"] == 151
    assert file["rows_quarantined"] == 1
    assert file["rows_accepted"] == 150


def test_a_period_that_lacks_its_last_day_can_be_counted(tmp_path: Path):
    first = dt.date(2021, 1, 1)
    path = tmp_path / "sales.csv"
    rows = [f"c{n // 3},{first + dt.timedelta(days=n)},10.0" for n in range(1094)]
    path.write_text("\n".join(["client,date,amount", *rows]), "utf-8")
    told = [
        runner.invoke(
            app, ["report", str(path), "--lang", "en", "-o", str(tmp_path / "r.json"), *more]
        ).stderr
        for more in ([], ["--as-of", "2023-12-31"])
    ]
    assert "If nothing was sold since 30 Dec 2023, say --as-of 2023-12-31." in told[0]
    assert "does not count yet" not in told[1]


def test_all_formats_at_once(sales: Path):
    outputs = [f"r.{kind}" for kind in ("html", "pdf", "xlsx", "json")]
    arguments = ["report", str(sales), *(part for path in outputs for part in ("-o", path))]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert all(Path(path).stat().st_size > 1000 for path in outputs)


def test_options_reach_the_report(sales: Path):
    options = ["--margin", "0.5", "--acquisition-cost", "9", "--activity-days", "45"]
    options += ["--goal", "retention_rate=0.6", "--currency", "EUR", "--sector", "commerce"]
    options += ["--as-of", "2024-08-31", "--period", "mois"]
    result = runner.invoke(app, ["report", str(sales), "-o", "r.json", *options])
    assert result.exit_code == 0, result.output
    data = json.loads(Path("r.json").read_text("utf-8"))
    assert data["as_of"] == "2024-08-31"
    assert data["settings"]["sector"] == "retail"
    assert data["settings"]["grain"] == "month"
    assert data["gaps"]["window_days"] == 45
    assert data["what_if"]["margin"] == 0.5
    assert data["what_if"]["acquisition_cost"] == 9
    assert data["headline"][0]["goal"]["value"] == 0.6


def test_goals_are_growth_or_for_a_length_of_period(sales: Path):
    goals = [
        "clv_simple=+15%",
        "churn_rate/month=2%",
        "churn_rate/year=30 %",
        "revenue/month=-5,5%",
    ]
    options = [part for goal in goals for part in ("--goal", goal)]
    options += ["--margin", "0.5", "--period", "month", "--activity-days", "45"]
    result = runner.invoke(app, ["report", str(sales), "-o", "r.json", *options])
    assert result.exit_code == 0, result.output
    shown = {
        kpi["metric"]: kpi for kpi in json.loads(Path("r.json").read_text("utf-8"))["headline"]
    }
    assert shown["churn_rate"]["goal"]["value"] == 0.02
    growth = {name: (kpi["goal"] or {}).get("growth") for name, kpi in shown.items()}
    assert growth["clv_simple"] in (0.15, None), "there may be no year before"
    assert growth["revenue"] in (-0.055, None)


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "r.docx"],
        ["-o", "nowhere/r.html"],
        ["--margin", "35"],
        ["--sector", "astrology"],
        ["--goal", "retention_rate=much"],
        ["--goal", "retention_rate=80"],
        ["--goal", "churn_rate/decade=5%"],
        ["--goal", "average_order_value=5%"],
        ["--by", "no_such_column"],
        ["--lang", "de"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(sales: Path, options: list[str]):
    result = runner.invoke(app, ["report", str(sales), *options])
    assert isinstance(result.exception, UsageError)
    assert not list(sales.parent.glob("*.html"))


@pytest.mark.parametrize(
    ("given", "stem"),
    [
        ("shop/ventes.csv", "ventes"),
        ("a.csv.gz", "a"),
        ("duckdb:///shop.duckdb", "revoir"),
        ("*.csv", "revoir"),
    ],
)
def test_the_page_is_named_after_what_was_read(given: str, stem: str):
    assert _stem([given]) == stem
