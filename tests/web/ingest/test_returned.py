"""What is given back under the number of its order, from one file to the next."""

from __future__ import annotations

import pytest

from revoir_web.ingest import actions, understanding

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client,date,montant\n"
SALES = "A,C1,2025-01-03,100\nB,C2,2025-01-04,30\n"


def sums() -> list[tuple[str, float]]:
    """What each order comes to, returns included."""
    rows = lake(
        "SELECT split_part(order_id, '~', 1), CAST(sum(amount) AS INTEGER) FROM orders"
        " WHERE kind <> 'cancelled' GROUP BY 1 ORDER BY 1"
    )
    return [(number, amount) for number, amount in rows]


def test_a_second_return_stands_beside_the_first(company: object) -> None:
    """It took its place, and the first one was lost."""
    bring_in(HEAD + SALES, "january.csv")
    bring_in(HEAD + "A,C1,2025-02-05,-40\nC,C2,2025-02-06,10\n", "february.csv")
    march = HEAD + "A,C1,2025-03-07,-20\nD,C2,2025-03-08,10\n"
    second = bring_in(march, "march.csv")
    assert second.landed is not None
    assert second.landed["orders"] == {"new": 2, "changed": 0, "unchanged": 0}
    assert sums() == [("A", 40), ("B", 30), ("C", 10), ("D", 10)]
    # The same once more, and everything in one file, add nothing.
    bring_in(march + "B,C2,2025-01-04,30\n", "march-again.csv")
    bring_in(HEAD + SALES + "A,C1,2025-02-05,-40\nA,C1,2025-03-07,-20\n", "all.csv")
    assert sums() == [("A", 40), ("B", 30), ("C", 10), ("D", 10)]
    actions.undo(held=second)
    work()
    assert sums()[0] == ("A", 40)


def test_a_return_that_was_corrected_is_no_other_return(company: object) -> None:
    bring_in(HEAD + SALES + "A,C1,2025-02-05,-40\n", "all.csv")
    bring_in(HEAD + "A,C1,2025-02-05,-45\nE,C1,2025-02-05,1\n", "sum.csv")
    assert sums() == [("A", 55), ("B", 30), ("E", 1)]
    bring_in(HEAD + SALES + "A,C1,2025-02-06,-45\n", "day.csv")
    assert sums() == [("A", 55), ("B", 30), ("E", 1)]


def test_a_return_that_was_set_aside_replaces_no_other(company: object) -> None:
    held = bring_in(HEAD + SALES + "A,C1,2025-02-05,-40\nA,C1,2025-02-30,-20\n", "all.csv")
    assert held.rows_quarantined == 1
    text = understanding.quarantine_of(held, 0).read_text(encoding="utf-8-sig")
    bring_in(text.replace("2025-02-30", "2025-02-28"), "corrected.csv")
    assert sums() == [("A", 40), ("B", 30)]


LINES = "order_id,client,date,produit,quantite,montant\n"


def bring_in_lines(**files: str) -> None:
    """One file of lines after the other, by name."""
    for name, rows in files.items():
        bring_in(LINES + rows, f"{name}.csv")


def test_a_file_with_all_lines_takes_off_once_what_came_back(company: object) -> None:
    """It takes what came back off its order; files of later months had it beside the order."""
    january = "A,C1,2025-01-03,the,1,100\nA,C1,2025-01-03,cafe,1,50\nB,C2,2025-01-04,lait,1,30\n"
    april = "A,C1,2025-04-05,the,-1,-40\nC,C2,2025-04-06,lait,1,10\n"
    may = "A,C1,2025-05-05,cafe,-1,-20\nD,C2,2025-05-06,lait,1,10\n"
    bring_in_lines(january=january, april=april, may=may)
    expected = [("A", 90), ("B", 30), ("C", 10), ("D", 10)]
    assert sums() == expected
    # January once more: what came back since stays.
    bring_in(LINES + january + "E,C2,2025-01-06,lait,1,10\n", "january-again.csv")
    assert sums() == [*expected, ("E", 10)]
    everything = bring_in(LINES + january + april + may, "all.csv")
    assert sums() == [*expected, ("E", 10)]
    assert of_lines() == 150
    actions.undo(held=everything)
    work()
    assert sums() == [*expected, ("E", 10)]
    assert of_lines() == 150


def test_a_later_file_brings_nothing_back_that_its_order_has(company: object) -> None:
    """What came back was taken off its order, and stood beside it once more."""
    sales = "A,C1,2025-01-03,the,1,100\nA,C1,2025-01-03,cafe,1,50\nB,C2,2025-01-04,lait,1,30\n"
    april = "A,C1,2025-04-05,the,-1,-40\nC,C2,2025-04-06,lait,1,10\n"
    bring_in(LINES + sales + april, "all.csv")
    new = "A,C1,2025-04-08,cafe,-1,-20\n"
    bring_in(LINES + april + new, "april.csv")
    assert sums() == [("A", 90), ("B", 30), ("C", 10)]
    assert of_lines() == 130


def test_files_of_rows_and_files_of_lines(company: object) -> None:
    """Where orders come often enough, their rows are lines, and what came back is among them."""
    rows = [f"N{n},C{n},2025-01-0{n},100\n" for n in range(1, 10)]
    back = [f"N{n},C{n},2025-02-0{n},-{n}\n" for n in range(1, 10)]
    more = [f"N{n},C{n},2025-02-1{n},-{n}\n" for n in range(1, 10)]
    bring_in(HEAD + "".join(rows), "january.csv")
    bring_in(HEAD + "".join(back), "february.csv")
    bring_in(HEAD + "".join(rows + back + more), "all.csv")
    assert sums() == [(f"N{n}", 100 - 2 * n) for n in range(1, 10)]


def test_returns_of_several_days_in_one_file_of_lines(company: object) -> None:
    """They were one return there, and the second one stood beside it once more."""
    january = "A,C1,2025-01-03,the,1,100\nA,C1,2025-01-03,cafe,1,50\nB,C2,2025-01-04,lait,1,30\n"
    march = "A,C1,2025-03-05,the,-1,-40\nC,C2,2025-03-06,lait,1,10\n"
    april = "A,C1,2025-04-05,cafe,-1,-20\nD,C2,2025-04-06,lait,1,10\n"
    bring_in_lines(january=january, march=march, april=april)
    expected = [("A", 90), ("B", 30), ("C", 10), ("D", 10)]
    both = bring_in(LINES + march + april, "both.csv")
    assert both.landed is not None
    assert both.landed["orders"]["unchanged"] == 4
    assert sums() == expected
    assert lake(
        "SELECT CAST(ordered_on AS VARCHAR), CAST(amount AS INTEGER) FROM order_lines"
        " WHERE kind = 'return' ORDER BY 1"
    ) == [("2025-03-05", -40), ("2025-04-05", -20)]


def test_a_file_of_orders_brings_nothing_back_that_lines_have(company: object) -> None:
    """What came back stood among the lines of its order, and beside it once more."""
    bring_in(
        LINES + "A,C1,2025-01-03,the,1,100\nA,C1,2025-01-03,cafe,1,50\nB,C2,2025-01-04,lait,1,30\n"
        "A,C1,2025-04-05,the,-1,-40\nB,C2,2025-04-06,lait,-1,-5\nB,C2,2025-04-06,lait,-1,-6\n",
        "lines.csv",
    )
    april = "A,C1,2025-04-05,-40\nB,C2,2025-04-06,-11\nC,C2,2025-04-07,10\n"
    bring_in(HEAD + april, "april.csv")
    expected = [("A", 110), ("B", 19), ("C", 10)]
    assert sums() == expected
    bring_in(HEAD + april + "A,C1,2025-04-20,-7\n", "more.csv")
    assert sums() == [("A", 103), *expected[1:]]


@pytest.mark.parametrize("rest", ["", "B,C2,2025-02-07,lait,-1,-4\n"])
def test_what_came_back_outlives_the_file_that_had_it_first(company: object, rest: str) -> None:
    """The later file, whose return was known by then, had said it too, and it was lost."""
    sold = "A,C1,2025-01-03,lait,1,60\nA,C1,2025-01-03,pain,1,40\n"
    earlier = bring_in(LINES + sold + "B,C2,2025-01-04,lait,1,30\n", "january.csv")
    first = bring_in(LINES + sold + "A,C1,2025-02-05,lait,-1,-25\n", "february.csv")
    assert sums() == [("A", 75), ("B", 30)]
    late = "A,C1,2025-02-05,lait,-1,-25\nA,C1,2025-02-05,pain,-1,-9\n" + rest
    bring_in(LINES + late + "D,C3,2025-02-06,lait,1,5\n", "late.csv")
    known = [("A", 66), ("B", 26 if rest else 30), ("D", 5)]
    assert sums() == known
    assert of_lines() == sum(amount for _number, amount in known)
    actions.undo(held=first)
    work()
    assert sums() == known
    assert of_lines() == sum(amount for _number, amount in known)
    actions.undo(held=earlier)
    work()
    assert sums()[0] == ("A", -34)
    assert of_lines() == sum(amount for _number, amount in sums())


def test_a_row_that_came_back_outlives_the_lines_that_had_it_first(company: object) -> None:
    first = bring_in(LINES + "A,C1,2025-01-03,lait,1,60\nA,C1,2025-02-05,lait,-1,-25\n", "all.csv")
    later = bring_in(HEAD + "A,C1,2025-02-05,-25\nB,C2,2025-02-06,5\n", "rows.csv")
    assert sums() == [("A", 35), ("B", 5)]
    actions.undo(held=first)
    work()
    assert sums() == [("A", -25), ("B", 5)]
    bring_in(LINES + "A,C1,2025-01-03,lait,1,60\nA,C1,2025-02-05,lait,-1,-25\n", "again.csv")
    assert sums() == [("A", 35), ("B", 5)]
    actions.undo(held=later)
    work()
    assert sums() == [("A", 35)]


def test_a_line_that_two_files_no_longer_have_stays_away(company: object) -> None:
    """It was there again once one of them was undone, and its order came to less than its lines."""
    bring_in(LINES + "A,C1,2025-01-03,lait,1,60\nA,C1,2025-01-03,pain,1,40\n", "first.csv")
    less = LINES + "A,C1,2025-01-03,lait,1,60\nB,C2,2025-01-04,lait,1,30\n"
    second = bring_in(less, "second.csv")
    third = bring_in(less, "third.csv")
    assert third.landed is not None
    assert third.landed["order_lines"] == {"new": 0, "changed": 0, "unchanged": 2}
    for held, amount in ((second, 90), (third, 100)):
        actions.undo(held=held)
        work()
        assert of_lines() == amount == sum(amount for _number, amount in sums())


def of_lines() -> int:
    [(amount,)] = lake(
        "SELECT CAST(sum(amount) AS INTEGER) FROM order_lines WHERE kind <> 'cancelled'"
    )
    return int(amount)
