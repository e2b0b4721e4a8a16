"""Prices and discounts beside quantities, where no column says what was paid."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from revoir.reading import discounts, read_tables, sales
from revoir.reading.mapping import from_options

from .conftest import Read, told

ROWS = "14/04/2025;A;3;10,00\n15/04/2025;B;2;5,00\n16/04/2025;C;1;7,00\n"


@pytest.mark.parametrize("header", ["Prix", "Prix de vente", "Prix TTC", "Price"])
def test_a_price_beside_a_quantity_is_multiplied(read: Read, header: str) -> None:
    """“Prix” beside “Qté” was what was paid, “Price” beside “Qty” the price of one."""
    reading = read(f"Date;Client;Qté;{header}\n{ROWS}")
    assert reading.totals["orders"]["amount"] == 47
    assert ("taken as the price of one, and multiplied" in told(reading)) == (header != "Price")


def test_a_price_alone_or_said_to_be_paid_is_not_multiplied(read: Read) -> None:
    assert read("Date;Client;Prix\n14/04/2025;A;10,00\n").totals["orders"]["amount"] == 10
    said = from_options(["amount=Prix"])
    assert read(f"Date;Client;Qté;Prix\n{ROWS}", mapping=said).totals["orders"]["amount"] == 22


def test_a_total_comes_before_a_price(read: Read) -> None:
    """“Prix” stood before “Total” in the file, and was what was paid."""
    reading = read(
        "Date;Client;Produit;Qté;Prix;Total\n14/04/2025;A;Thé;3;10,00;30,00\n"
        "15/04/2025;B;Café;2;5,00;10,00\n"
    )
    assert reading.totals["orders"]["amount"] == 40
    assert "rather than" not in told(reading)


LINES = "Commande;Date;Client;Produit;Qté;Prix unitaire;Remise{sign}\n"


@pytest.mark.parametrize(
    ("sign", "cells"),
    [("", ("20,00", "0,00", "50,00")), ("", ("-20,00", "", "-50,00")), ("", ("0,2", "0", "0,5")),
     (" %", ("20%", "0%", "50%")), ("", ("20\u00a0%", "", "50 %")), (" %", ("20", "0", "50")),
     (" (%)", ("20,0", "0,0", "50,0"))],
)  # fmt: skip
def test_a_discount_is_taken_off(read: Read, rows, sign: str, cells: tuple[str, ...]) -> None:
    """A dress of 100.00 less 20.00 counted 100.00, and nothing was said of the discount."""
    first, second, third = cells
    reading = read(
        LINES.format(sign=sign) + f"1;14/04/2025;C1;Robe;1;100,00;{first}\n"
        f"1;14/04/2025;C1;Sac;2;50,00;{second}\n2;15/04/2025;C2;Robe;1;100,00;{third}\n"
    )
    assert {row["order_id"]: row["amount"] for row in rows(reading, "orders")} == {
        "1": 180, "2": 50
    }  # fmt: skip
    assert reading.totals["order_lines"]["amount"] == 230
    assert "discounts of 70.00 in all were taken off price times quantity" in told(reading)


def test_a_percentage_that_cannot_be_read_is_said(read: Read) -> None:
    row = "1;14/04/2025;C1;Robe;1;100,00;20%\n2;14/04/2025;C1;Sac;1;10,00;beaucoup\n"
    reading = read(
        LINES.format(sign=" %") + row + row.replace("beaucoup", "10%").replace("2;", "3;", 1)
    )
    assert "“beaucoup” could not be read" in told(reading)


@pytest.mark.parametrize(
    ("sign", "cells"),
    [(" %", ("-20", "", "-50")), (" %", ("20 %", "0", "50")), (" %", ("20.000", "0", "50.000")),
     (" %", ("20,000", "", "50,000")), (" %", ("20.000 %", "", "50,000 %")),
     (" %", ("20,0", "0", "50.0")), (" %", ("0,2", "0", "0,5")), ("", ("-20.000%", "", "-50 %"))],
)  # fmt: skip
def test_percentages_have_no_thousands_and_are_never_money(
    read: Read, rows, sign: str, cells: tuple[str, ...]
) -> None:
    """“-20” under “Remise %” was 2000 %, “20.000” was 20000, and “20 %” beside “50” unread."""
    first, second, third = cells
    reading = read(
        LINES.format(sign=sign) + f"1;14/04/2025;C1;Robe;1;100,00;{first}\n"
        f"1;14/04/2025;C1;Sac;2;50,00;{second}\n2;15/04/2025;C2;Robe;1;100,00;{third}\n"
    )
    assert {row["order_id"]: row["amount"] for row in rows(reading, "orders")} == {
        "1": 180, "2": 50
    }  # fmt: skip
    assert "could be" not in told(reading)


@pytest.mark.parametrize("cells", [("1 %", "0"), ("1", "2")])
def test_one_percent_is_not_the_whole_price(read: Read, cells: tuple[str, str]) -> None:
    reading = read(
        LINES.format(sign=" %") + f"1;14/04/2025;C1;Robe;1;100,00;{cells[0]}\n"
        f"2;15/04/2025;C2;Robe;1;0,00;{cells[1]}\n"
    )
    assert reading.totals["orders"]["amount"] == 99


ONES = "Commande;Date;Client;Produit;Qté;Prix unitaire;Remise %;Montant\n"


@pytest.mark.parametrize(
    ("paid", "discounts", "said"),
    [(("99,00", "49,50", "30,00"), [0.01, 0.01, 0], ""), (("0,00", "0,00", "30,00"), [1, 1, 0], ""),
     (("80,00", "45,00", "30,00"), None, "taken as a yes or a no"),
     (("100,00", "50,00", "30,00"), None, "taken as a yes or a no")],
)  # fmt: skip
def test_what_was_paid_says_what_a_discount_of_1_is(
    read: Read, rows, paid: tuple[str, ...], discounts: list[float] | None, said: str
) -> None:
    """Every 1 was 1 %, also where the line was free or the column said yes."""
    first, second, third = paid
    reading = read(
        ONES + f"1;14/04/2025;C1;Robe;1;100,00;1;{first}\n"
        f"2;14/04/2025;C1;Sac;2;25,00;1;{second}\n3;15/04/2025;C2;Robe;1;30,00;0;{third}\n"
    )
    lines = rows(reading, "order_lines")
    seen = [float(row["discount"]) for row in lines] if "discount" in lines[0] else None
    assert seen == discounts
    assert said in told(reading)
    assert ("every discount is 0 or 1" in told(reading)) == bool(said)


def test_where_nothing_says_what_a_discount_of_1_is_none_is_taken_off(read: Read) -> None:
    reading = read(
        LINES.format(sign=" %") + "1;14/04/2025;C1;Robe;1;100,00;1\n2;15/04/2025;C2;Sac;2;25,00;0\n"
    )
    assert reading.totals["orders"]["amount"] == 150
    assert "write 1% or 100% in the cells" in told(reading)


def test_the_first_percentage_may_stand_far_down(read: Read) -> None:
    """Only the first thousand rows were looked at: 25 became 2500 %."""
    none = "".join(f"{n};14/04/2025;C1;Robe;1;1,00;0\n" for n in range(1200))
    for sign, cell in ((" %", "25"), ("", "25 %")):
        reading = read(LINES.format(sign=sign) + none + f"5000;14/04/2025;C1;Sac;1;100,00;{cell}\n")
        assert reading.totals["orders"]["amount"] == 1275


def test_more_than_a_hundred_percent_is_left_out_and_said(read: Read, rows) -> None:
    """150 % off a sale of 100.00 made it a return of 50.00."""
    reading = read(
        LINES.format(sign=" %") + "1;14/04/2025;C1;Robe;1;100,00;150\n"
        "2;15/04/2025;C1;Robe;1;100,00;10\n"
    )
    assert [row["amount"] for row in rows(reading, "orders")] == [100, 90]
    assert "Line 2, column Remise %: “150” is no percentage up to 100" in told(reading)


def test_percentages_that_are_numbers_are_checked_too(tmp_path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = {"order_id": ["1", "2"], "date": ["2025-04-14"] * 2, "customer_id": ["A", "B"]}
    cells |= {"unit_price": [10.0, 10.0], "quantity": [1, 1], "discount_percent": [150.0, 12.5]}
    pq.write_table(pa.table(cells), tmp_path / "sales.parquet")
    reading = read_tables(tmp_path / "sales.parquet")
    assert reading.totals["orders"]["amount"] == 18.75
    assert "“150” is no percentage up to 100" in told(reading)


@pytest.mark.parametrize("tiny", [1.1102230246251565e-16, 5e-05])
def test_what_rounding_leaves_of_a_share_is_no_percentage(tmp_path, tiny: float) -> None:
    """Without its exponent, 1.1e-16 was 1.1: all shares were percentages, a hundredth of them."""
    cells = {"order_id": [1, 2], "date": ["2025-04-14"] * 2, "customer_id": ["A", "B"]}
    cells |= {"unit_price": [10.0, 10.0], "quantity": [1, 1], "discount_rate": [0.1, tiny]}
    frame = pd.DataFrame(cells)
    frame.to_parquet(tmp_path / "sales.parquet")
    frame.to_csv(tmp_path / "sales.csv", index=False)
    for name in ("sales.parquet", "sales.csv"):
        reading = read_tables(tmp_path / name)
        assert reading.totals["orders"]["amount"] == pytest.approx(19, abs=0.01)


def test_a_share_of_a_small_price_is_taken_off(read: Read) -> None:
    """A fifth off a screw of 0.05 was taken for 0.20 off it, and left."""
    reading = read(LINES.format(sign="") + "1;14/04/2025;C1;Vis;1;0,05;0,2\n")
    assert reading.totals["orders"]["amount"] == 0.04


def test_a_row_an_order_has_its_discount_taken_off_too(read: Read) -> None:
    reading = read(
        "Date;Client;Prix unitaire;Quantité;Remise\n14/04/2025;A;100;1;0,2\n15/04/2025;B;50;2;0\n"
    )
    assert reading.totals["orders"]["amount"] == 180


def test_a_discount_of_the_order_on_each_line_is_taken_off_once(read: Read, rows) -> None:
    lines = "".join(
        f"{n};1{n}/04/2025;C;{product};1;10,00;{n},00\n"
        for n in (1, 2, 3) for product in ("Thé", "Café")
    )  # fmt: skip
    found = rows(read(LINES.format(sign="") + lines), "orders")
    assert {row["order_id"]: (row["amount"], row["discount"]) for row in found} == {
        "1": (19, 1), "2": (18, 2), "3": (17, 3)
    }  # fmt: skip


def test_discounts_larger_than_the_price_are_left_and_said(read: Read) -> None:
    reading = read(LINES.format(sign="") + "1;14/04/2025;C1;Robe;1;9,00;20\n")
    assert reading.totals["orders"]["amount"] == 9
    assert "write a % behind them" in told(reading)


def test_beside_a_total_no_discount_is_taken_off(read: Read) -> None:
    reading = read(
        "Commande;Date;Client;Produit;Qté;Prix unitaire;Remise;Total\n"
        "1;14/04/2025;C1;Robe;1;100,00;20,00;80,00\n2;14/04/2025;C1;Sac;1;10,00;0,00;10,00\n"
    )
    assert reading.totals["orders"]["amount"] == 90


@pytest.mark.parametrize(
    ("first", "second"),
    [("PU HT", "PU TTC"), ("Prix unitaire HT", "Prix unitaire TTC"),
     ("Price (net)", "Price (Gross)")],
)  # fmt: skip
def test_of_two_prices_the_one_with_taxes_is_taken_and_said(
    read: Read, first: str, second: str
) -> None:
    """Where both were there, the price without taxes stood first, and was multiplied."""
    reading = read(f"Date;Client;Qté;{first};{second}\n14/04/2025;A;3;10,00;12,00\n")
    assert reading.totals["orders"]["amount"] == 36
    assert f"Column {second} was taken as the price, rather than {first}" in told(reading)


def test_whether_discounts_are_shares_is_asked_once(read: Read, monkeypatch) -> None:
    """The whole column was looked through for the price, for the sum and for the lines."""
    asked = []

    class Asked:
        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def execute(self, sql: str) -> Any:
            asked.append(sql)
            return self.connection.execute(sql)

    one = discounts.are_shares

    def spied(connection: Any, part: Any) -> bool:
        return one(Asked(connection), part)

    monkeypatch.setattr(discounts, "are_shares", spied)
    monkeypatch.setattr(sales, "are_shares", spied)
    reading = read(LINES.format(sign="") + "1;14/04/2025;C1;Robe;1;100,00;0,2\n")
    assert reading.totals["orders"]["amount"] == 80
    assert len(asked) == 1
