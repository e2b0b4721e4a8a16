"""Real files through the application's own import: the same figures as by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import revoir
from revoir.book import Book
from revoir.metrics.cohorts import cohorts
from revoir.metrics.registry import measure
from revoir.reports.build import build

pytestmark = [pytest.mark.reference, pytest.mark.django_db(transaction=True)]

MEASURED = (
    "customers", "orders", "revenue", "retention_rate", "churn_rate", "repurchase_rate", "aov",
)  # fmt: skip
SHEET_ROWS = 50_000


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from revoir_web.common.models import Company
    from revoir_web.ingest import actions
    from revoir_web.insights import engine, facts

    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    settings.LAKE = str(tmp_path / "lake")
    # What is looked at is asked for; the other standing figures take their time.
    monkeypatch.setattr(actions, "AFTERWARDS", ())
    Company.objects.create(pk=Company.SINGLE, name="Comptoir des Halles")
    engine.forget()
    facts.forget()
    yield
    engine.forget()
    facts.forget()


def bring_in(path: Path) -> Any:
    """Import a file as the page does, without a word on what its columns mean."""
    from revoir_web.common import jobs
    from revoir_web.ingest import actions
    from revoir_web.ingest.models import Import

    held = actions.begin()
    actions.add_file(held=held, name=path.name, content=path)
    actions.read(held=held)
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Import.State.READ, (held.failure, held.job and held.job.error)
    actions.confirm(held=held)
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Import.State.LANDED, (held.failure, held.job and held.job.error)
    return held


def figure(book: Book, name: str) -> Any:
    (found,) = measure(book, name).figures
    return found.value


def close(value: Any) -> Any:
    """Sums of the same numbers in another sequence differ in the last places."""
    return value if value is None else pytest.approx(value, rel=1e-12)


def same(path: Path) -> Book:
    """Import a file; compare each headline figure with those of the file itself.

    Returns:
        The book of the application.
    """
    from revoir_web.common import jobs
    from revoir_web.insights import engine, runs

    held = bring_in(path)
    read = revoir.read(path)
    counted = read.reading.files[0]
    assert held.rows_in == counted.rows_in
    assert held.rows_accepted == counted.rows_accepted
    assert held.rows_in == held.rows_accepted + held.rows_quarantined + held.rows_duplicate
    book = engine.book()
    for name in MEASURED:
        assert figure(book, name) == close(figure(read, name)), name
    runs.notice(engine.version())
    runs.ask("dashboard")
    jobs.run_waiting()
    shown = {row["name"]: row for row in runs.look("dashboard").data["headline"]}
    expected = dict(build(read).headline)
    assert list(shown) == list(expected)
    for name, kpi in expected.items():
        assert shown[name]["value"] == close(kpi.value), name
        assert shown[name]["n"] == kpi.n, name
    return book


def december_2010(book: Book) -> dict[int, tuple[int, int]]:
    """Of the cohort of December 2010: months since → who came, of how many."""
    return {
        row["age"]: (row["numerator"], row["size"])
        for row in cohorts(book).records()
        if row["cohort_start"] == "2010-12-01"
    }


@pytest.fixture(scope="session")
def online_retail(reference_data: Path) -> Path:
    return reference_data / "online_retail/online_retail.parquet"


def test_online_retail(online_retail: Path) -> None:
    book = same(online_retail)
    assert figure(book, "customers") == 4_338
    assert figure(book, "revenue") == pytest.approx(9_747_747.93, abs=0.005)
    found = december_2010(book)
    assert (found[0], found[1]) == ((885, 885), (324, 885))


@pytest.mark.heavy
def test_online_retail_as_csv(online_retail: Path, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "online_retail.csv"
    duckdb.read_parquet(str(online_retail)).write_csv(str(path))
    book = same(path)
    assert figure(book, "customers") == 4_338
    assert figure(book, "revenue") == pytest.approx(9_747_747.93, abs=0.005)
    found = december_2010(book)
    assert (found[0], found[1]) == ((885, 885), (324, 885))


@pytest.mark.heavy
def test_online_retail_as_a_workbook(online_retail: Path, tmp_path: Path) -> None:
    import duckdb
    import xlsxwriter

    rows = duckdb.read_parquet(str(online_retail)).limit(SHEET_ROWS)
    path = tmp_path / "Online Retail.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy hh:mm"}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, rows.columns)
        for number, row in enumerate(rows.fetchall(), 1):
            sheet.write_row(number, 0, row)
    same(path)


def test_superstore(reference_data: Path) -> None:
    book = same(reference_data / "superstore/superstore.csv")
    assert figure(book, "customers") == 793
    assert figure(book, "orders") == 5_009


def test_cdnow(reference_data: Path) -> None:
    book = same(reference_data / "cdnow/CDNOW_master.txt")
    assert figure(book, "customers") == 23_570
    assert figure(book, "orders") == 69_659
    assert figure(book, "revenue") == pytest.approx(2_500_315.63, abs=0.005)
