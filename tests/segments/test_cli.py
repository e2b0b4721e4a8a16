"""`revoir segments` on a book given to it."""

import csv
import json

import pytest
import typer
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from revoir.errors import InputError, UsageError
from revoir.segments.names import SEGMENTS
from revoir.segments.rfm import movement, rfm


@pytest.fixture
def ask(monkeypatch, make_book, shop_rows):
    """Runs the command on the shop; gives its standard output."""
    from revoir.cli import common
    from revoir.cli import segments as command

    names = [
        {"customer_id": f"c{i:03}", "name": "=HYPERLINK(1)", "city": "Tours" if i < 9 else None}
        for i in range(200)
    ]
    book = make_book(orders=shop_rows, customers=names)
    monkeypatch.setattr(command, "open_book", lambda files, **options: book)
    app = typer.Typer()
    app.command()(command.segments)

    def run(*options, language="en"):
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    run.book = book
    return run


def test_the_summary_as_json_holds_segments_and_cutoffs(ask):
    answer = json.loads(ask("--format", "json"))
    scores = rfm(ask.book)
    assert answer["customers"] == scores.count
    assert answer["cutoffs"]["frequency"] == list(scores.cutoffs.frequency)
    assert [row["segment"] for row in answer["segments"]] == list(SEGMENTS)
    assert sum(row["customers"] for row in answer["segments"]) == scores.count
    assert answer["reason"] is None


def test_the_table_prints_cutoffs_and_advice(ask):
    text = ask()
    assert "What each score stands for" in text
    assert "Champions (" in text
    assert ask("--bins", "3").count(" ≤ ") < text.count(" ≤ ")


def test_the_summary_as_csv_is_a_row_a_segment(ask):
    rows = list(csv.DictReader(ask("--format", "csv").splitlines()))
    assert len(rows) == 11
    assert rows[0]["label"] == "Champions"


def test_movement(ask):
    import datetime as dt

    answer = json.loads(ask("--compare", "2023-09-01", "--format", "json"))
    moves = movement(ask.book, dt.date(2023, 9, 1))
    assert answer["movement"] == [vars(move) for move in moves.counts()]
    assert len(answer["moved"]) == len(ask.book.rows(moves.moved))
    assert "Bought since" in ask("--compare", "2023-09-01")
    assert len(ask("--compare", "2023-09-01", "--format", "csv").splitlines()) == 1 + len(
        answer["movement"]
    )
    few = json.loads(ask("--compare", "2020-01-01", "--format", "json"))
    assert (few["movement"], few["moved"]) == ([], [])
    assert few["reason"]


def test_a_segment_is_listed_and_written_without_formulas(ask, tmp_path):
    file = tmp_path / "list.csv"
    rows = json.loads(ask("--list", "At risk", "--format", "json", "-o", str(file)))
    assert {row["segment"] for row in rows} == {"at_risk"}
    written = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["customer_id"] for row in written] == [row["customer_id"] for row in rows]
    assert {row["name"] for row in written} == {"'=HYPERLINK(1)"}


def test_everybody_is_written_as_a_workbook(ask, tmp_path):
    file = tmp_path / "all.xlsx"
    ask("-o", str(file))
    cells = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    assert len(cells) == 1 + rfm(ask.book).count
    assert "=HYPERLINK(1)" in cells[1]
    assert isinstance(cells[1][cells[0].index("monetary")], float)


def test_a_rule_counts_and_lists(ask):
    answer = json.loads(ask("--rule", 'ville = "Tours" et commandes >= 1', "--format", "json"))
    assert answer["customers"] == 9
    assert [row["customer_id"] for row in answer["list"]] == [f"c00{i}" for i in range(9)]
    assert "9 customers of 201" in ask("--rule", 'city = "Tours"')
    assert ask("--rule", 'city = "nowhere"', "--format", "csv") == "customer_id,name,city\n"


def test_fixed_cutoffs(ask):
    answer = json.loads(
        ask("--cutoffs", "frequency=1,3", "--cutoffs", "monetary=20,50.5", "--format", "json")
    )
    assert answer["bins"] == 3
    assert answer["cutoffs"]["monetary"] == [20, 50.5]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rule", "city ="], "city"),
        (["--list", "zut"], "zut"),
        (["--list", "lost", "--rule", "orders > 1"], "--rule, --list"),
        (["--format", "xml"], "xml"),
        (["-o", "out.doc"], "out.doc"),
        (["--cutoffs", "frequency=1,x"], "frequency=1,x"),
        (["--cutoffs", "frequency=NaN"], "NaN"),
        (["--cutoffs", "frequency=1e400"], "1e400"),
        (["--compare", "yesterday"], "yesterday"),
        (["--bins", "40"], "40"),
    ],
)
def test_wrong_usage_is_told(ask, options, says):
    with pytest.raises(UsageError) as caught:
        ask(*options)
    assert says in caught.value.text("en")


def test_a_file_that_cannot_be_written_is_told(ask, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        ask("-o", str(tmp_path / "missing" / "out.csv"))
