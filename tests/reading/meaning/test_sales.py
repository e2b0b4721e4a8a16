"""Orders and lines: grain, repeats, conflicts, returns, cancellations, refunds."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from revoir.reading import repeats

from .conftest import Read, told

HEAD = "commande;client;date;montant\n"


def test_an_exact_repeat_is_a_duplicate(read: Read) -> None:
    reading = read(HEAD + "1;a;2024-01-01;5\n2;b;2024-01-02;6\n1;a;2024-01-01;5\n")
    assert (reading.files[0].rows_accepted, reading.files[0].rows_duplicate) == (2, 1)


def test_without_a_number_equal_rows_are_kept_and_said(read: Read) -> None:
    reading = read("client;date;montant\na;2024-01-01;5\na;2024-01-01;5\n")
    assert reading.files[0].rows_accepted == 2
    assert "equal to another one" in told(reading)


def test_the_same_number_with_another_amount_is_quarantined(read: Read) -> None:
    reading = read(HEAD + "1;a;2024-01-01;5\n2;b;2024-01-02;6\n1;a;2024-01-01;7\n")
    (row,) = reading.files[0].quarantine
    assert (row.line, row.column, row.value) == (4, "commande", "1")
    assert "same order number" in row.reason.text("en")


def test_a_refund_carries_the_number_of_its_order(read: Read, column) -> None:
    reading = read(HEAD + "1;a;2024-01-01;50\n1;a;2024-01-09;-20\n")
    assert column(reading, "orders", "kind") == ["purchase", "return"]


def test_a_refund_larger_than_its_order_or_before_it_is_said(read: Read) -> None:
    text = HEAD + "1;a;2024-01-05;50\n1;a;2024-01-09;-80\n2;b;2024-01-05;50\n2;b;2024-01-01;-10\n"
    reading = read(text)
    assert reading.files[0].rows_accepted == 4
    assert "1 refund is larger than its order" in told(reading)
    assert "1 refund is dated before its order" in told(reading)


def test_a_partial_refund_is_netted_and_a_whole_one_cancels(read: Read, rows) -> None:
    head = "commande;client;date;montant;montant_remboursé\n"
    found = rows(read(head + "1;a;2024-01-01;50;20\n2;a;2024-01-02;30;30\n3;b;2024-01-03;9;\n"),
                 "orders")  # fmt: skip
    assert [(row["amount"], row["kind"]) for row in found] == [
        (Decimal(30), "purchase"), (Decimal(30), "cancelled"), (Decimal(9), "purchase"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "status",
    [
        "annulé",
        "Annulée",
        "cancelled",
        "voided",
        "refunded",
        "échec",
        "Échouée",
        "Impayée",
        "Attente paiement",
        "En attente de paiement",
        "En attente du paiement par chèque",
        "Rejetée",
        "Devis",
        "Retournée",
        "Remboursée intégralement",
        "Remboursement total",
        "wc-refunded",
    ],
)
def test_a_cancelled_order_is_not_counted(read: Read, column, status: str) -> None:
    text = (
        f"commande;client;date;montant;statut\n1;a;2024-01-01;50;{status}\n2;a;2024-01-02;5;payé\n"
    )
    reading = read(text)
    assert column(reading, "orders", "kind") == ["cancelled", "purchase"]
    assert "not counted" in told(reading)


@pytest.mark.parametrize(
    "status", ["payé", "Remboursement partiel", "Partially refunded", "Devis accepté", "Livrée",
               "Partiellement remboursée", "En attente de livraison"],
)  # fmt: skip
def test_an_order_that_goes_on_is_counted(read: Read, column, status: str) -> None:
    text = f"commande;client;date;montant;statut\n1;a;2024-01-01;50;{status}\n"
    assert column(read(text), "orders", "kind") == ["purchase"]


def test_lines_become_orders(read: Read, rows) -> None:
    text = (
        "ticket;client;date;produit;quantité;prix unitaire\n"
        "1;a;2024-01-01;pomme;2;1,50\n1;a;2024-01-01;poire;1;2,00\n1;a;2024-01-01;poire;1;2,00\n"
        "2;b;2024-01-02;pomme;0;1,50\n3;b;2024-01-03;figue;1,5;4,00\n4;;2024-01-04;pomme;-1;1,50\n"
        "5;b;2024-01-05;pomme;3;1,00\n5;b;2024-01-05;poire;-1;2,00\n"
    )
    reading = read(text)
    assert reading.files[0].table == "order_lines"
    assert "1 row is equal to another one" in told(reading)
    found = {row["order_id"]: row for row in rows(reading, "orders")}
    assert {key: (row["amount"], row["kind"]) for key, row in found.items()} == {
        "1": (7, "purchase"), "2": (0, "free"), "3": (6, "purchase"),
        "4": (Decimal("-1.5"), "return"), "5": (1, "purchase"),
    }  # fmt: skip
    assert found["4"]["customer_id"] is None
    lines = rows(reading, "order_lines")
    assert len(lines) == 8
    assert {line["quantity"] for line in lines if line["order_id"] == "3"} == {Decimal("1.5")}


def test_a_total_on_each_line_is_counted_once(read: Read, rows) -> None:
    text = (
        "commande;client;date;total commande;produit;quantité;prix unitaire\n"
        "1;a;2024-01-01;7;pomme;2;1,50\n1;a;2024-01-01;7;poire;2;2,00\n"
        "2;b;2024-01-02;8;pomme;2;2,50\n2;b;2024-01-02;8;poire;1;3,00\n"
    )
    assert sorted(row["amount"] for row in rows(read(text), "orders")) == [7, 8]


def test_columns_go_where_they_are_constant(read: Read) -> None:
    lines = "".join(
        f"{o};c{o % 5};2024-01-{o:02d};p{line};1;2,50;s{o % 5};caisse {o % 3};r{line}\n"
        for o in range(1, 21) for line in (1, 2)
    )  # fmt: skip
    reading = read("ticket;client;date;produit;quantité;prix unitaire;secteur;till;rang\n" + lines)
    assert "secteur" in reading.tables["customers"].columns
    assert "till" in reading.tables["orders"].columns
    assert "rang" in reading.tables["order_lines"].columns


def test_the_same_orders_in_two_files_count_once(read: Read) -> None:
    reading = read({
        "janvier.csv": HEAD + "1;a;2024-01-01;5\n2;b;2024-01-02;6\n",
        "fevrier.csv": HEAD + "2;b;2024-01-02;6\n3;b;2024-02-02;7\n",
    })  # fmt: skip
    assert [f.rows_duplicate for f in reading.files] == [0, 1]
    assert reading.totals["orders"]["amount"] == 18


def test_corrected_rows_are_added_and_only_those(read: Read, tmp_path) -> None:
    from revoir.reading import quarantine, read_tables

    text = HEAD + "1;a;2024-01-01;5\n2;b;2024-02-30;6\n3;=1+1;2024-01-03;abc\n"
    first = read(text)
    path = tmp_path / "rows.csv"
    assert quarantine.write(first.files, path, "fr") == {path: 2}
    held = path.read_text(encoding="utf-8-sig")
    assert held.startswith("commande,client,date,montant,revoir: line")
    assert "'=1+1" in held
    path.write_text(held.replace("2024-02-30", "2024-02-28").replace("abc", "9"), encoding="utf-8")
    (tmp_path / "file.csv").write_text(text, encoding="utf-8")
    again = read_tables([tmp_path / "file.csv", path])
    assert [f.rows_accepted for f in again.files] == [1, 2]
    assert again.totals["orders"]["amount"] == 20
    assert "revoir" not in " ".join(again.tables["orders"].columns)


LINES = (
    "client;date;produit;quantité;prix unitaire\n"
    "a;05/01/2024 10:15;pomme;2;1,50\na;05/01/2024 10:15;poire;1;2,00\n"
    "b;05/01/2024 10:15;pomme;1;1,50\na;05/01/2024 17:40;pomme;1;1,50\n"
    ";05/01/2024 10:15;pomme;1;1,50\n;05/01/2024 10:15;figue;1;4,00\n"
    "b;31/02/2024 09:00;pomme;1;1,50\n"
)


def test_lines_without_a_number_are_one_order_a_customer_and_time(read: Read, rows) -> None:
    reading = read(LINES)
    assert (reading.files[0].table, reading.files[0].rows_quarantined) == ("order_lines", 1)
    assert "4 lines make 3 orders" in told(reading)
    found = rows(reading, "orders")
    assert sorted((row["customer_id"] or "", row["amount"]) for row in found) == [
        ("", Decimal("1.5")), ("", 4), ("a", Decimal("1.5")), ("a", 5), ("b", Decimal("1.5")),
    ]  # fmt: skip
    assert len({row["order_id"] for row in found}) == 5
    lines = rows(reading, "order_lines")
    assert len(lines) == 6
    for order in found:
        held = [line for line in lines if line["order_id"] == order["order_id"]]
        assert sum(line["amount"] for line in held) == order["amount"]
        assert {line["customer_id"] for line in held} == {order["customer_id"]}


def test_orders_found_in_two_files_keep_numbers_of_their_own(read: Read, rows) -> None:
    reading = read({"janvier.csv": LINES, "fevrier.csv": LINES.replace("/01/", "/02/")})
    assert len({row["order_id"] for row in rows(reading, "orders")}) == 10


def test_without_a_product_or_a_second_line_a_row_is_an_order(read: Read, rows) -> None:
    reading = read("client;date;quantité;montant\na;2024-01-01;1;5\na;2024-01-01;2;9\n")
    assert "order_lines" not in reading.tables
    assert len(rows(reading, "orders")) == 2
    reading = read("client;date;produit;montant\na;2024-01-01;pomme;5\nb;2024-01-01;poire;9\n")
    assert "order_lines" not in reading.tables
    assert "order number" not in told(reading)


def test_numbered_lines_without_an_order_number_repeat(read: Read) -> None:
    reading = read(
        "ligne;client;date;produit;quantité;prix unitaire\n"
        "1;a;2024-01-01;pomme;2;1,50\n2;a;2024-01-01;poire;1;2,00\n2;a;2024-01-01;poire;1;2,00\n"
    )
    assert (reading.files[0].rows_accepted, reading.files[0].rows_duplicate) == (2, 1)
    assert reading.totals["orders"]["amount"] == 5


def test_totals_of_two_currencies_are_told_apart(read):
    text = "order_id,customer,date,amount,currency\n1,a,2024-01-05,10,EUR\n2,b,2024-01-06,20,USD\n"
    totals = read(text).totals["orders"]
    assert totals["amount"] is None
    assert totals["amount_by_currency"] == {"EUR": 10.0, "USD": 20.0}


@pytest.mark.parametrize("pairs", [0, 400])
def test_of_a_large_file_one_row_in_sixteen_is_compared(
    read: Read, monkeypatch: pytest.MonkeyPatch, pairs: int
) -> None:
    monkeypatch.setattr(repeats, "BIG", 500)
    rows = [f"C{n},2024-01-02,{n}.50\n" for n in range(800)]
    reading = read("client,date,montant\n" + "".join(rows + rows[:pairs]) + "C1,2024-03-02,-5\n")
    text = told(reading)
    assert reading.files[0].rows_accepted == 801 + pairs
    assert "1 return" in text
    if pairs:
        found = re.search(r"About ([\d,]+) rows are equal to another one", text)
        assert found
        assert 100 < int(found[1].replace(",", "")) < 900
    else:
        assert "one row in 16 was compared with the others, and none is equal" in text


def test_many_files_that_overlap_hold_each_order_once(read: Read, rows) -> None:
    """Each export begins with the last order of the one before, some with a further column."""
    files = {}
    for number in range(30):
        header, cell = (";canal", ";web") if number % 3 == 0 else ("", "")
        lines = [
            f"{n};C{n % 7};2024-03-{n % 28 + 1:02d};{n}{cell}"
            for n in range(2 * number, 2 * number + 3)
        ]
        files[f"{number:02d}.csv"] = (
            "\n".join([f"commande;client;date;montant{header}", *lines]) + "\n"
        )
    reading = read(files)
    assert sorted(int(row["order_id"]) for row in rows(reading, "orders")) == list(range(61))
    assert [file.rows_duplicate for file in reading.files] == [0] + [1] * 29


SHEET = "date,client,montant\n"
JANUARY = "2025-01-03,Anne,10\n2025-01-03,Anne,10\n2025-01-04,Bob,20\n"


@pytest.mark.parametrize("late", [False, True])
def test_sheets_without_numbers_that_overlap_hold_each_sale_once(
    read: Read, rows, late: bool
) -> None:
    """Each of them was added to the others, though the same one after the other were not."""
    files = {"a.csv": SHEET + JANUARY, "b.csv": SHEET + JANUARY + "2025-02-05,Bob,25\n"}
    reading = read(dict(sorted(files.items(), reverse=late)))
    assert sum(row["amount"] for row in rows(reading, "orders")) == Decimal(65)
    assert sum(file.rows_duplicate for file in reading.files) == 3


@pytest.mark.parametrize(
    "other",
    [
        "2025-01-03,Anne,10\n2025-01-03,Carl,12\n2025-01-04,Dora,20\n2025-01-04,Emil,7\n",
        "2025-01-03,Anne,11\n2025-01-03,Anne,12\n2025-01-04,Bob,21\n",
        "2025-01-03,,10\n2025-01-03,,10\n2025-01-04,,20\n",
        "2025-02-03,Anne,10\n2025-02-03,Anne,10\n2025-02-04,Bob,20\n",
    ],
)
def test_sheets_of_other_sales_without_numbers_are_added(read: Read, other: str) -> None:
    reading = read({"a.csv": SHEET + JANUARY, "b.csv": SHEET + other})
    assert not any(file.rows_duplicate for file in reading.files)


def test_a_sheet_without_numbers_is_not_compared_with_one_that_has_them(read: Read) -> None:
    numbered = "".join(f"{n},{row}\n" for n, row in enumerate(JANUARY.splitlines()))
    reading = read({"a.csv": f"commande,{SHEET}{numbered}", "b.csv": SHEET + JANUARY})
    assert not any(file.rows_duplicate for file in reading.files)
