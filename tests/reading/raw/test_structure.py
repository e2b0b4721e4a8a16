"""bad-inputs.md, "Structure": each gets the right reading or a clear message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from revoir.errors import InputError

ROWS = [("C1", "2024-01-03", "12.5"), ("C2", "2024-01-04", "13.5"), ("C3", "2024-01-05", "8")]


def table(delimiter: str) -> str:
    rows = [("client", "date", "montant"), *ROWS]
    return "".join(delimiter.join(row) + "\n" for row in rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_delimiters(csv: Callable, delimiter: str) -> None:
    seen = csv(table(delimiter))
    assert seen.cells == ROWS
    assert seen.table.formats["delimiter"] == delimiter


def test_blanks(csv: Callable) -> None:
    seen = csv(" client   date  montant\r\n C1 2024-01-03   12.5\r\n C2  2024-01-04 13.5\r\n")
    assert seen.headers == ["client", "date", "montant"]
    assert seen.cells == ROWS[:2]
    assert seen.lines == [2, 3]


def test_decimal_commas_do_not_cut(csv: Callable) -> None:
    seen = csv("Client;Prix;Total\nC1;12,50;25,00\nC2;13,50;27,00\n")
    assert seen.cells == [("C1", "12,50", "25,00"), ("C2", "13,50", "27,00")]


def test_sep_line(csv: Callable) -> None:
    seen = csv("sep=;\nClient;Montant\nC1;12,5\nC2;13,5\n")
    assert seen.headers == ["Client", "Montant"]
    assert seen.lines == [3, 4]


def test_delimiter_said_by_the_user(csv: Callable) -> None:
    assert csv("a:b\n1:2\n", delimiter=":").cells == [("1", "2")]


def test_mixed_delimiters(csv: Callable) -> None:
    seen = csv("Client;Date;Montant\nC1;2024-01-03;12\nC2,2024-01-04,13\nC3;2024-01-05;14\n")
    assert [row[0] for row in seen.cells] == ["C1", "C2", "C3"]
    assert seen.cells[1] == ("C2", "2024-01-04", "13")
    assert "another delimiter" in seen.notes


def test_too_many_cells(csv: Callable) -> None:
    seen = csv("client,ville,montant\nC1,Tours,12\nC2,Blois, Loir-et-Cher,13\nC3,Blois,14\n")
    assert [row[0] for row in seen.cells] == ["C1", "C3"]
    assert seen.lines == [2, 4]
    reject = seen.table.rejects[0]
    assert reject.line == 3
    assert reject.cells == ("C2", "Blois", " Loir-et-Cher", "13")
    assert "4 cells instead of 3" in reject.reason.text("en")
    assert "comma" in reject.remedy.text("en")


def test_empty_cells_too_many(csv: Callable) -> None:
    seen = csv("client,ville,montant\nC1,Tours,12,,\nC2,Blois,13\n")
    assert seen.cells == [("C1", "Tours", "12"), ("C2", "Blois", "13")]
    assert "empty cells too many" in seen.notes


def test_too_few_cells(csv: Callable) -> None:
    seen = csv("client,ville,montant\nC1,Tours,12\nC2,Blois\nC3,Blois,14\n")
    assert [row[0] for row in seen.cells] == ["C1", "C3"]
    assert seen.rejects == [(3, "The row has 2 cells instead of 3.")]


def test_missing_cells_of_columns_that_are_mostly_empty(csv: Callable) -> None:
    seen = csv("client,ville,note\nC1,Tours,\nC2,Blois,\nC3,Blois\nC4,Tours,x\nC5,Tours,\n")
    assert seen.cells[2] == ("C3", "Blois", None)
    assert seen.table.rejects == []
    assert "ends early" in seen.notes


def test_stray_quote(csv: Callable) -> None:
    seen = csv('client,nom,montant\nC1,"Jean "le Grand" Dupont",12\nC2,Anne,13\n')
    assert seen.cells[0] == ("C1", 'Jean "le Grand" Dupont', "12")
    assert "stray quotes" in seen.notes
    inch = csv('client,produit,montant\nC1,Écran 24",12\nC2,Anne,13\n')
    assert inch.cells[0][1] == 'Écran 24"'


def test_stray_quote_that_cannot_be_read(csv: Callable) -> None:
    seen = csv('client,nom,montant\nC1,"Jean"x,"y,12\nC2,Anne,13\n')
    assert [row[0] for row in seen.cells] == ["C2"]
    assert seen.rejects[0][0] == 2
    assert "quote" in seen.rejects[0][1]


def test_unclosed_quote_costs_one_row(csv: Callable) -> None:
    lines = ["client,nom,montant", 'C1,"Anne,12']
    lines += [f'C{i},"Nom {i}",{i}' for i in range(2, 1_500)]
    seen = csv("\n".join(lines) + "\n")
    assert len(seen.cells) == 1_498
    assert seen.lines[0] == 3
    assert seen.rejects == [(2, "A quote is opened and never closed.")]


def test_unclosed_quote_without_other_quotes(csv: Callable) -> None:
    lines = ["client,nom,montant", 'C1,"Anne,12'] + [f"C{i},Nom,{i}" for i in range(2, 3_000)]
    seen = csv("\n".join(lines) + "\n")
    assert len(seen.cells) == 2_998
    assert [reject[0] for reject in seen.rejects] == [2]


def test_backslash_before_quotes(csv: Callable) -> None:
    seen = csv('client,nom,montant\nC1,"Jean \\"le Grand\\", dit J",12\nC2,"Anne",13\n')
    assert seen.cells[0] == ("C1", 'Jean "le Grand", dit J', "12")


def test_line_break_in_a_cell(csv: Callable) -> None:
    seen = csv('client,avis,note\nC1,"très\nbien",9\nC2,bof,3\nC3,"a\r\nb\nc",5\nC4,x,1\n')
    assert seen.cells[0] == ("C1", "très\nbien", "9")
    assert seen.lines == [2, 4, 5, 8]
    assert seen.table.rejects == []


def test_line_break_in_a_cell_and_a_bad_row(csv: Callable) -> None:
    seen = csv('client,avis,note\nC1,"très\nbien",9\nC2,bof\nC3,bof,3\n')
    assert seen.lines == [2, 5]
    assert [reject[0] for reject in seen.rejects] == [4]


def test_line_break_in_a_header(csv: Callable) -> None:
    seen = csv('client,"montant\n(euros)",note\nC1,12,9\nC2,13,3\n')
    assert seen.headers == ["client", "montant (euros)", "note"]
    assert seen.lines == [3, 4]


def test_blank_lines_keep_the_count(csv: Callable) -> None:
    seen = csv("client,montant\n\nC1,12\n\n\nC2,13\n\n")
    assert seen.lines == [3, 6]


def test_rows_of_delimiters_only(csv: Callable) -> None:
    seen = csv("client;montant;ville\nC1;12;Tours\n;;\nC2;13;Blois\n;;\n;;\n")
    assert seen.lines == [2, 4]
    assert seen.table.rows_in == 2
    assert "empty lines were left out" in seen.notes


def test_header_repeated_below(csv: Callable) -> None:
    seen = csv("client;montant\nC1;12\nclient;montant\nC2;13\n")
    assert [row[0] for row in seen.cells] == ["C1", "C2"]
    assert "repeats the header" in seen.notes


def test_same_header_twice(csv: Callable) -> None:
    seen = csv("client;montant;montant\nC1;12;3\nC2;13;4\n")
    assert seen.headers == ["client", "montant", "montant"]
    assert "“montant” stands more than once: columns 2, 3" in seen.notes


def test_blank_header(csv: Callable) -> None:
    seen = csv("client;;montant\nC1;12;3\nC2;13;4\n")
    assert seen.headers == ["client", "", "montant"]
    assert "Column 2 has no header" in seen.notes


@pytest.mark.parametrize(
    "header", ["Courriel\u00a0", "\u200bCourriel", " Courriel \t", "\ufeffCourriel"]
)
def test_header_with_what_cannot_be_seen(csv: Callable, header: str) -> None:
    assert csv(f"{header};Montant\na@b.fr;12\n").headers == ["Courriel", "Montant"]


def test_row_names_without_header(csv: Callable) -> None:
    seen = csv("client,montant\n1,C1,12\n2,C2,13\n3,C3,14\n")
    assert seen.headers == ["", "client", "montant"]


def test_five_thousand_columns(csv: Callable) -> None:
    names = [f"h{i}" for i in range(5_000)]
    row = [str(i) for i in range(5_000)]
    seen = csv(",".join(names) + "\n" + ",".join(row) + "\n" + ",".join(row) + "\n")
    assert seen.headers == names
    assert seen.cells[1] == tuple(row)


def test_more_columns_than_can_be_read(csv: Callable) -> None:
    with pytest.raises(InputError, match="columns"):
        csv((",".join(["x"] * 30_000) + "\n") * 2)


def test_ten_megabyte_cell(csv: Callable) -> None:
    seen = csv("client,avis\nC1,bien\nC2," + "x" * 10_000_000 + "\nC3,bof\n")
    assert [row[0] for row in seen.cells] == ["C1", "C3"]
    assert seen.lines == [2, 4]
    reject = seen.table.rejects[0]
    assert (reject.line, reject.cells[0]) == (3, "C2")
    assert "longer than" in reject.reason.text("en")
    assert len("".join(reject.cells)) < 10_000


def test_ten_megabyte_cell_between_quotes(csv: Callable) -> None:
    seen = csv('client,avis\nC1,bien\nC2,"' + "x\n" * 2_000_000 + '"\nC3,bof\n')
    assert [row[0] for row in seen.cells] == ["C1", "C3"]
    assert seen.lines == [2, 2_000_004]
    assert [line for line, reason in seen.rejects if "longer than" in reason] == [3]


def test_one_column(csv: Callable) -> None:
    seen = csv("email\na@b.fr\n\nc@d.fr\n")
    assert seen.headers == ["email"]
    assert seen.cells == [("a@b.fr",), ("c@d.fr",)]
    assert seen.lines == [2, 4]


def test_two_readings_do_not_meet(csv: Callable) -> None:
    first, second = csv("a;b\n1;2\n"), csv("a;b\n3;4\n", "autre.csv")
    assert first.table.relation != second.table.relation


def test_a_row_that_says_one_word_twice_is_no_header(csv: Callable) -> None:
    """“Value” names a column, but twice it named none: the only row of the file was lost."""
    seen = csv("customer,first note,second note\nC1,valeur,VALEUR\n")
    assert seen.cells == [("C1", "valeur", "VALEUR")]
    assert seen.headers == ["customer", "first note", "second note"]


def test_a_row_of_words_we_know_under_a_header_is_data(csv: Callable) -> None:
    """A row that said "QTE" and "ACTION" was taken for the header, and the header left out."""
    seen = csv("customer;column 0;column 1\nid-0;QTE;ACTION\n", header=True)
    assert seen.headers == ["customer", "column 0", "column 1"]
    assert seen.cells == [("id-0", "QTE", "ACTION")]
    assert "left out" not in seen.notes


def test_a_preamble_as_wide_as_the_table_is_no_header(csv: Callable) -> None:
    seen = csv("Client;Dupont\ndate;montant\n2024-01-03;12\n2024-01-04;13\n")
    assert seen.headers == ["date", "montant"]
    assert "1 line above the table was left out." in seen.notes
