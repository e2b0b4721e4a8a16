"""Rows that were set aside and corrected: in once, whatever comes again."""

from __future__ import annotations

import pytest

from revoir_web.ingest import actions, understanding
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)


def set_aside(held: Import) -> str:
    return understanding.quarantine_of(held, 0).read_text(encoding="utf-8-sig")


def total(table: str = "orders") -> tuple[int, int]:
    [(count, amount)] = lake(
        f"SELECT count(*), CAST(sum(amount) AS INTEGER) FROM {table} WHERE kind = 'purchase'"
    )
    return count, amount


def counts(held: Import, table: str = "orders") -> dict[str, int]:
    assert held.landed is not None
    return held.landed[table]


PLAIN = "client,date,montant\nC1,2025-03-01,100\nC2,2025-02-31,50\nC3,2025-02-32,60\n"


def test_what_is_corrected_in_two_steps_is_added_once(company: object) -> None:
    """The second step brought what the first one had once more."""
    first = set_aside(bring_in(PLAIN)).replace("02-31", "02-27")
    bring_in(first, "first.csv")
    second = bring_in(first.replace("02-32", "02-28"), "second.csv")
    assert counts(second) == {"new": 1, "changed": 0, "unchanged": 1}
    assert total() == (3, 210)


def test_the_next_export_knows_what_was_corrected(company: object) -> None:
    right = PLAIN.replace("02-31", "02-27").replace("02-32", "02-28")
    corrected = bring_in(
        set_aside(bring_in(PLAIN)).replace("02-31", "02-27").replace("02-32", "02-28"), "mine.csv"
    )
    # Corrected where it comes from, too; or not, and set aside again.
    export = bring_in(right + "C1,2025-03-02,7\n", "march.csv")
    assert counts(export) == {"new": 1, "changed": 0, "unchanged": 3}
    again = bring_in(PLAIN + "C1,2025-03-03,8\n", "april.csv")
    bring_in(set_aside(again).replace("02-31", "02-27"), "mine-again.csv")
    assert total() == (5, 225)
    actions.undo(held=corrected)
    work()
    assert total() == (5, 225)


def test_a_corrected_row_that_is_equal_to_another_one_is_added(company: object) -> None:
    held = bring_in("client,date,montant\nC1,2025-03-01,100\nC1,2025-03-01,1x0\n")
    bring_in(set_aside(held).replace("1x0", "100"), "mine.csv")
    assert total() == (2, 200)
    export = bring_in("client,date,montant\nC1,2025-03-01,100\nC1,2025-03-01,100\n", "all.csv")
    assert counts(export) == {"new": 0, "changed": 0, "unchanged": 2}
    assert total() == (2, 200)


LINES = "order_id,client,date,produit,quantite,montant\n"


@pytest.mark.parametrize("numbered", [False, True])
def test_lines_are_added_to_their_order_once(company: object, numbered: bool) -> None:
    head = LINES.replace("produit", "line_id,produit") if numbered else LINES
    rows = [
        f"A,C1,2025-03-01,{f'{place},' if numbered else ''}{told}\n"
        for place, told in enumerate(("the,1,100", "cafe,1,5x", "lait,1,6x"), 1)
    ]
    first = set_aside(bring_in(head + "".join(rows))).replace("5x", "50")
    bring_in(first, "first.csv")
    assert total() == (1, 150)
    second = bring_in(first.replace("6x", "60"), "second.csv")
    assert counts(second, "order_lines") == {"new": 1, "changed": 0, "unchanged": 1}
    assert total() == (1, 210)
    assert total("order_lines") == (3, 210)
    # A sum that was corrected once more, where the lines have numbers.
    if numbered:
        bring_in(first.replace("6x", "65"), "third.csv")
        assert total() == (1, 215)


def test_lines_without_an_order_number_are_of_the_order_made_of_the_others(
    company: object,
) -> None:
    head = "client,date,produit,quantite,montant\n"
    held = bring_in(
        head + "C1,2025-03-01,the,1,100\nC1,2025-03-01,cafe,1,50\nC1,2025-03-01,lait,1,6x\n"
    )
    assert total() == (1, 150)
    bring_in(set_aside(held).replace("6x", "60"), "mine.csv")
    assert total()[1] == 210


def test_the_total_that_each_line_repeats_is_not_added(company: object) -> None:
    """An order of 150 came to 300 once one of its lines was corrected."""
    held = bring_in(
        "order_id,client,date,produit,quantite,prix_unitaire,order_total\n"
        "A,C1,2025-03-01,the,1,100,150\nA,C1,2025-03-01,cafe,x,50,150\n"
        "B,C1,2025-03-02,lait,1,10,30\nB,C1,2025-03-02,pain,2,10,30\n"
    )
    bring_in(set_aside(held).replace(",x,", ",1,"), "mine.csv")
    assert total() == (2, 180)
    assert total("order_lines") == (4, 180)


def test_corrected_lines_alone_are_left_when_their_file_is_undone(company: object) -> None:
    """The order kept the amount of the lines that had gone."""
    held = bring_in(
        LINES + "A,C1,2025-03-01,the,1,100\nA,C1,2025-03-01,cafe,1,5x\n"
        "B,C1,2025-03-02,riz,1,7\nB,C1,2025-03-02,lait,1,3\n"
    )
    corrected = bring_in(set_aside(held).replace("5x", "50"), "mine.csv")
    assert total() == (2, 160)
    actions.undo(held=held)
    work()
    assert total() == (1, 50)
    assert total("order_lines") == (1, 50)
    actions.undo(held=corrected)
    work()
    assert lake("SELECT count(*) FROM orders") == [(0,)]


def test_an_order_of_which_nothing_was_left_is_a_purchase_again(company: object) -> None:
    """It stayed free, and counted for nobody, whatever its corrected lines came to."""
    text = "commande,client,date,article,prix,quantité\n1,C1,2025-03-01,sac,0,1\n"
    held = bring_in(text + "1,C1,2025-03-01,thé,8,x\n2,C1,2025-03-02,thé,8,1\n")
    assert total() == (1, 8)
    bring_in(set_aside(held).replace(",x,", ",2,"), "mine.csv")
    assert total() == (2, 24)
