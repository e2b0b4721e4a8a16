"""Orders without a number, in exports that say something else beside from month to month."""

from __future__ import annotations

import pytest

from revoir_web.ingest.models import Import

from .conftest import bring_in, lake

pytestmark = pytest.mark.django_db(transaction=True)


def total() -> tuple[int, int]:
    [(count, amount)] = lake("SELECT count(*), CAST(sum(amount) AS INTEGER) FROM orders")
    return count, amount


def orders(held: Import) -> dict[str, int]:
    assert held.landed is not None
    return held.landed["orders"]


def test_a_column_that_turns_out_to_be_the_customers(company: object) -> None:
    """All orders came twice once a customer did: the postcode went over to the customers."""
    head = "client,code_postal,magasin,date,montant\n"
    january = "C1,75001,Nord,2025-01-03,10\nC2,69001,Sud,2025-01-04,20\n"
    bring_in(head + january, "january.csv")
    february = january + "C1,75001,Nord,2025-02-03,30\nC2,69001,Sud,2025-02-04,40\n"
    second = bring_in(head + february, "february.csv")
    assert orders(second) == {"new": 2, "changed": 0, "unchanged": 2}
    assert total() == (4, 100)
    # And back again: now a customer buys in another place.
    third = bring_in(head + february + "C1,75001,Sud,2025-03-03,5\n", "march.csv")
    assert orders(third)["new"] == 1
    assert total() == (5, 105)


def test_a_status_that_changes_and_a_column_that_comes(company: object) -> None:
    head = "client,date,montant,statut\n"
    rows = [f"C{n},2025-01-0{n},{n}0,payée\n" for n in range(1, 6)]
    bring_in(head + "".join(rows), "january.csv")
    rows[1] = rows[1].replace("payée", "remboursée")
    second = bring_in(head + "".join(rows) + "C1,2025-02-01,7,payée\n", "february.csv")
    assert orders(second) == {"new": 1, "changed": 1, "unchanged": 4}
    assert lake("SELECT count(*) FROM orders WHERE kind = 'cancelled'") == [(1,)]
    wider = "".join(row.replace("\n", ",web\n") for row in rows)
    bring_in(head.replace("\n", ",canal\n") + wider, "wider.csv")
    assert total() == (6, 157)


def test_sales_of_another_till_are_other_sales(company: object) -> None:
    head = "client,date,montant,magasin\n"
    bring_in(head + "".join(f"C{n},2025-01-0{n},10,Nord\n" for n in range(1, 9)), "nord.csv")
    south = head + "".join(f"C{n},2025-01-0{n},10,Sud\n" for n in range(1, 9))
    assert orders(bring_in(south, "sud.csv"))["new"] == 8
    # One customer bought for the same amount on the same day elsewhere.
    web = "client,date,montant,canal\nC1,2025-01-01,10,web\n"
    assert orders(bring_in(web, "web.csv"))["new"] == 1
    assert total() == (17, 170)


def test_a_month_that_the_lake_has_not_between_others(company: object) -> None:
    """The many sales of February had those of January and March taken for another till's."""
    head, wide = "client,date,montant\n", "client,date,montant,canal\n"
    january, march = (
        [f"C{n},2025-0{month}-0{n},{n}0" for n in range(1, 5)] for month in (1, 3)
    )  # fmt: skip
    bring_in(head + "\n".join(january), "january.csv")
    bring_in(head + "\n".join(march), "march.csv")
    february = [f"C{n},2025-02-{n + 10},5" for n in range(1, 12)]
    rows = [f"{row},web" for row in (*january, *february, *march)]
    assert orders(bring_in(wide + "\n".join(rows), "year.csv"))["new"] == 11
    assert total() == (19, 255)
