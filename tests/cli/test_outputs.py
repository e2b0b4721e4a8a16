"""What the command line writes, and what it must never write over."""

from pathlib import Path

import pytest

SALES = """order_id,customer_id,order_date,amount
A1,ann,2024-01-02,10
A2,bob,2024-02-30,20
A3,ann,2024-03-04,30
"""


@pytest.fixture(scope="module")
def revoir(command):
    """Runs a command in English."""
    return lambda *arguments: command(*arguments, "--lang", "en")


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    return path


@pytest.mark.parametrize(
    ("asked", "option"),
    [("check", "--quarantine"), ("check", "--write-mapping"), ("segments", "--output")],
)
@pytest.mark.parametrize("given", ["sales.csv", "*.csv", "."])
def test_the_input_is_never_written_over(revoir, sales, asked, option, given):
    done = revoir(asked, str(sales.parent / given), option, str(sales))
    assert done.returncode == 2
    assert done.stderr.startswith("sales.csv: This file is being read")
    assert sales.read_text() == SALES


def test_a_report_is_not_written_over_its_workbook(revoir, tmp_path):
    book = tmp_path / "sales.xlsx"
    book.write_bytes(b"the only copy")
    done = revoir("report", str(book), "-o", str(book))
    assert done.returncode == 2
    assert book.read_bytes() == b"the only copy"


def test_nothing_in_quarantine_is_not_said_to_be_written(revoir, tmp_path, sales):
    sales.write_text(SALES.replace("02-30", "02-28"))
    out = tmp_path / "rows.csv"
    done = revoir("check", str(sales), "--quarantine", str(out))
    assert done.returncode == 0
    assert not out.exists()
    assert "rows.csv was not written" in done.stderr


def test_the_bad_rows_of_several_files_are_each_in_a_file_that_is_named(revoir, tmp_path):
    """They were “written to rows.csv”, and no such file was there."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    (folder / "january.csv").write_text(SALES)
    (folder / "february.csv").write_text(SALES.replace("A", "B"))
    done = revoir("check", str(folder), "--quarantine", str(out / "rows.csv"))
    assert done.returncode == 1
    names = sorted(path.name for path in out.iterdir())
    assert names == ["rows.1.february.csv", "rows.2.january.csv"]
    for name in names:
        assert f"1 row was written to {name}" in done.stderr
        assert "02-30" in (out / name).read_text(encoding="utf-8-sig")


def test_no_column_of_figures_is_broken_into_letters(revoir, tmp_path):
    path = tmp_path / "sales.csv"
    lines = [f"ann,20{year}-{month:02}-03,10" for year in range(10, 16) for month in range(1, 13)]
    path.write_text("\n".join(["customer_id,order_date,amount", *lines]))
    done = revoir("cohorts", str(path))
    assert done.returncode == 0
    row = next(line for line in done.stdout.splitlines() if "2010" in line)
    assert row.count("100%") == 72


def test_days_are_written_in_the_language(revoir, tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("customer_id,order_date,amount\nann,2024-03-15,10\n")
    told = revoir("check", str(path)).stdout
    assert "15 Mar 2024" in told
    assert "2024-03-15" not in told


def test_a_new_customer_cannot_cost_less_than_nothing(revoir, sales):
    done = revoir("report", str(sales), "--acquisition-cost", "-5")
    assert done.returncode == 2


def test_segments_have_their_names_in_tables_and_their_keys_in_files(revoir, tmp_path):
    path = tmp_path / "sales.csv"
    lines = [f"c{n},2024-{n % 12 + 1:02}-03,10" for n in range(60)]
    path.write_text("\n".join(["customer_id,order_date,amount", *lines]))
    asked = ("metric", "average_order_value", str(path), "--by", "segment")
    people, programs = revoir(*asked), revoir(*asked, "--format", "csv")
    assert "New customers" in people.stdout
    assert "new_customers" not in people.stdout
    assert "new_customers" in programs.stdout


def test_months_that_the_data_do_not_reach_back_from_are_marked(revoir, tmp_path):
    """The first months said that everybody had stayed, as if that were known."""
    rows = [f"{c}{m},{c},2024-{m:02d}-0{c + 1},10" for m in range(1, 10) for c in range(6)]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(["order_id,customer_id,order_date,amount", *rows]))
    done = revoir("metric", "retention_rate", str(path), "--period", "month",
                  "--activity-days", "70")  # fmt: skip
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines() if " 2024 " in line]
    assert [line[1] for line in lines if "†" in line] == ["Feb", "Mar"]
    assert len(lines) == 9
    assert "† The data begin on 1 Jan 2024, less than 70 days before the period" in done.stderr
