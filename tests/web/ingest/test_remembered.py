"""What is remembered of earlier files holds for those with their headers, as far as it can."""

from __future__ import annotations

import datetime as dt

import pytest

from revoir_web.ingest import actions, understanding
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client_id,date,montant\n"


def table(held: Import) -> str:
    """What the only file was taken for."""
    [name] = set(held.landed or {}) - ({"customers"} if len(held.landed or {}) > 1 else set())
    return name


def test_files_of_all_kinds_with_one_name(company: object) -> None:
    """Prices of contracts and scores of answers were taken for sales: all were “export.csv”."""
    numbers = range(1, 9)
    sales = HEAD + "".join(f"A{n},C{n},2025-01-0{n},10\n" for n in numbers)
    contracts = "".join(f"C{n},Or,2024-01-0{n},10\n" for n in numbers)
    answers = "".join(f"C{n},2024-01-0{n},{n},bien\n" for n in numbers)
    people = "".join(f"C{n},c{n}@example.com,Lyon\n" for n in numbers)
    for _ in range(2):
        assert table(bring_in(sales, "export.csv")) == "orders"
        told = bring_in("client_id,formule,date_debut,montant\n" + contracts, "export.csv")
        assert table(told) == "subscriptions"
        told = bring_in("client_id,date,nps,commentaire\n" + answers, "export.csv")
        assert table(told) == "responses"
        assert table(bring_in("client_id,email,ville\n" + people, "export.csv")) == "customers"
    assert lake("SELECT count(*), CAST(sum(amount) AS INTEGER) FROM orders") == [(8, 80)]


def read_as(held: Import, old: str, new: str) -> None:
    """Read an import again with other meanings, and bring it in."""
    told = understanding.kept(held) or {}
    actions.read(held=held, mapping=told["mapping"].replace(old, new))
    work()
    held.refresh_from_db()
    actions.confirm(held=held)
    work()


def days(prefix: str) -> tuple[dt.date, dt.date]:
    [found] = lake(
        f"SELECT min(ordered_on), max(ordered_on) FROM orders WHERE order_id LIKE '{prefix}%'"
    )
    return found


def test_dates_that_show_another_order_than_before(company: object) -> None:
    """An American export was read with the day first: half of it was wrong, half set aside."""
    january = HEAD + "".join(f"A{n},C{n},{n:02d}/01/2025,10\n" for n in range(2, 29))
    bring_in(january)
    assert days("A") == (dt.date(2025, 1, 2), dt.date(2025, 1, 28))
    held = bring_in(HEAD + "".join(f"B{n},C{n},02/{n:02d}/2025,10\n" for n in range(2, 29)))
    assert held.rows_quarantined == 0
    assert days("B") == (dt.date(2025, 2, 2), dt.date(2025, 2, 28))
    # And back again; where nothing tells, it is as it was the last time.
    bring_in(january.replace("A", "D"))
    assert days("D") == (dt.date(2025, 1, 2), dt.date(2025, 1, 28))
    bring_in(HEAD + "".join(f"E{n},C{n},{n:02d}/03/2025,10\n" for n in range(2, 13)))
    assert days("E") == (dt.date(2025, 3, 2), dt.date(2025, 3, 12))


def test_one_wrong_date_does_not_turn_the_others_round(company: object) -> None:
    bring_in(HEAD + "".join(f"A{n},C{n},{n:02d}/01/2025,10\n" for n in range(2, 29)))
    rows = [f"B{n},C{n},{n:02d}/02/2025,10\n" for n in range(2, 13)]
    held = bring_in(HEAD + "".join(rows) + "B13,C1,02/13/2025,10\n")
    assert held.rows_quarantined == 1
    assert days("B") == (dt.date(2025, 2, 2), dt.date(2025, 2, 12))


def test_an_order_of_dates_that_was_said_stays_where_nothing_tells(company: object) -> None:
    rows = "".join(f"A{n},C{n},{n:02d}/05/2025,10\n" for n in range(1, 9))
    held = bring_in(HEAD + rows, land=False)
    read_as(held, "day_first", "month_first")
    assert days("A") == (dt.date(2025, 1, 5), dt.date(2025, 8, 5))
    bring_in(HEAD + rows.replace("A", "B"))
    assert days("B") == (dt.date(2025, 1, 5), dt.date(2025, 8, 5))


def test_rows_that_nothing_tells_apart_are_warned_of(company: object) -> None:
    """The answers to a form, exported whole each month, counted once more each time."""
    form = "horodateur,nps,commentaire\n2025-01-01,10,bien\n2025-01-02,9,\n2025-01-02,3,nul\n"
    first = bring_in(form, "form.csv", land=False)
    warning = "neither a number nor a customer"
    assert warning not in str(understanding.kept(first))
    actions.confirm(held=first)
    work()
    assert warning in str(understanding.kept(bring_in(form + "2025-02-01,9,\n", land=False)))
    named = "client_id," + form.replace("\n2025", "\nC1,2025")
    bring_in(named, "named.csv")
    assert warning not in str(understanding.kept(bring_in(named, "named.csv", land=False)))
