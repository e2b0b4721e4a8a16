"""What the user says wins, and is written out to be read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from revoir.errors import InputError, UsageError
from revoir.reading import mapping, read_tables
from revoir.reading.template import write_template

from .conftest import Read

ODD = "machin;truc;bidule\n1;2024-01-02;5,50\n2;2024-01-03;6,50\n"


def test_a_file_that_says_nothing_is_read_as_told(read: Read, column) -> None:
    said = mapping.from_options(["ordered_at=truc", "amount=bidule", "customer_id=machin"])
    reading = read(ODD, mapping=said)
    assert [float(amount) for amount in column(reading, "orders", "amount")] == [5.5, 6.5]
    assert {m.confidence for m in reading.files[0].mapping} == {1.0}


def test_columns_can_be_left_out_kept_or_renamed(read: Read, tmp_path) -> None:
    (tmp_path / "m.yml").write_text(
        "timezone: Europe/Paris\ncurrency: CHF\nfiles:\n- table: orders\n  columns:\n"
        "    client: customer_id\n    date: ordered_at\n    montant: orders.amount\n"
        "    secret: ignore\n    rayon: attribute\n    vendeur: salesperson\n"
    )
    reading = read(
        "client;date;montant;secret;rayon;vendeur\na;2024-01-02;5;x;y;z\n",
        mapping=tmp_path / "m.yml",
    )
    columns = reading.tables["orders"].columns
    assert "secret" not in columns
    assert {"rayon", "salesperson"} <= set(columns)
    assert reading.currency == "CHF"


def test_the_mapping_written_out_reads_next_month(read: Read, tmp_path, column) -> None:
    said = mapping.from_options(["ordered_at=truc", "amount=bidule", "customer_id=machin"])
    path = tmp_path / "kept.yml"
    path.write_text(
        mapping.dump(read({"january.csv": ODD}, mapping=said).mapping), encoding="utf-8"
    )
    reading = read({"february.csv": ODD}, mapping=path)
    assert len(column(reading, "orders", "amount")) == 2


@pytest.mark.parametrize(
    "option", ["amount", "=x", "amount=", "nothing=x", "table=nothing", "orders.nothing=x"]
)
def test_a_wrong_option_is_wrong_usage(option: str) -> None:
    with pytest.raises(UsageError):
        mapping.from_options([option])


@pytest.mark.parametrize(
    "text",
    [
        "a: [", "- 1", "files: 3", "files: [3]", "files:\n- columns: [1]",
        "files:\n- columns: {a: {is: amount, format: odd}}", "files:\n- columns: {a: 3}",
        "files:\n- table: odd\n  columns: {a: amount}", "!!python/object:os.system x",
        "[" * 5000,
    ],
)  # fmt: skip
def test_a_wrong_file_is_wrong_usage(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.yml").write_text(text)
    with pytest.raises(UsageError):
        mapping.load(tmp_path / "m.yml")


def test_a_header_that_no_file_has_is_wrong_usage(read: Read) -> None:
    with pytest.raises(UsageError, match="bidule"):
        read(ODD, mapping=mapping.from_options(["amount=odd"]))


def test_a_file_of_nothing_known_says_how_to_go_on(read: Read) -> None:
    with pytest.raises(InputError, match="--map"):
        read("machin;truc\na;b\nc;d\n")
    with pytest.raises(InputError):
        read("commande;client;date;montant\n")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_template_reads_back_without_its_examples(tmp_path: Path, language: str) -> None:
    import openpyxl

    path = tmp_path / "t.xlsx"
    write_template(path, language)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    sheet.append(["A9", "c1", "2024-03-05", 12.5, "site"])
    book.save(path)
    reading = read_tables(path)
    assert reading.totals["orders"] == {
        "rows": 1, "customers": 1, "orders": 1, "amount": 12.5, "first_day": "2024-03-05",
        "last_day": "2024-03-05",
    }  # fmt: skip
    assert reading.rows_quarantined == 0
    assert all(m.confidence >= 0.9 for f in reading.files for m in f.mapping)


def test_times_in_utc_are_written_out_as_such(read: Read, tmp_path) -> None:
    """The mapping of an export of Stripe was refused: “There is no format utc”."""
    text = (
        "id,Type,Source,Amount,Fee,Net,Currency,Created (UTC)\n"
        "txn_1,charge,ch_1,12.00,1.00,11.00,eur,2026-01-01 23:30\n"
    )
    reading = read(text)
    (tmp_path / "m.yml").write_text(mapping.dump(reading.mapping), encoding="utf-8")
    again = read(text, mapping=tmp_path / "m.yml")
    assert again.totals == reading.totals
    assert again.totals["orders"]["first_day"] == "2026-01-02"
