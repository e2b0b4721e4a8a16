"""Headers that can mean two things: the other columns and the values settle which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from revoir.reading import Reading, read_tables

from .conftest import Read, told

_SALES = "2024-01-02,C1,10\nB2,2024-01-03,C2,20\nB2,2024-01-03,C2,20\n"


def _meaning(reading: Reading, header: str) -> str | None:
    return next(c.target for c in reading.files[0].mapping if c.header == header)


@pytest.mark.parametrize("header", ["Réf.", "Ref", "N°", "No", "Numéro", "id"])
def test_a_bare_number_beside_who_when_and_how_much_is_the_orders(read: Read, header: str) -> None:
    rows = "".join(f"B{n},2024-01-{n:02d},C{n % 3},10\n" for n in range(1, 9))
    reading = read(f"{header},date,client,montant\n{rows}B8,2024-01-08,C2,10\n"
                   if header != "id" else f"{header},date,client,montant\n{rows}")  # fmt: skip
    assert _meaning(reading, header) == "orders.order_id"
    assert reading.totals["orders"]["orders"] == 8
    assert reading.files[0].rows_duplicate == (header != "id")


def test_a_reference_beside_products_is_the_products(read: Read) -> None:
    reading = read(
        "Réf.,date,client,produit,quantité,montant\n"
        "P1,2024-01-02,C1,Rosier,1,10\nP2,2024-01-03,C2,Pelle,1,20\nP1,2024-01-03,C3,Rosier,1,10\n"
    )
    assert _meaning(reading, "Réf.") == "order_lines.product_id"


def test_a_number_that_comes_again_beside_products_is_the_orders(read: Read) -> None:
    reading = read(
        "N°,date,client,produit,quantité,montant\n"
        "1,2024-01-02,C1,Rosier,1,10\n1,2024-01-02,C1,Pelle,1,20\n2,2024-01-03,C3,Rosier,1,10\n"
    )
    assert _meaning(reading, "N°") == "orders.order_id"
    assert reading.totals["orders"]["orders"] == 2


def test_a_reference_with_few_values_or_beside_an_order_number_is_no_number(read: Read) -> None:
    rows = "".join(f"{'AB'[n % 2]},2024-01-{n:02d},C{n},10\n" for n in range(1, 9))
    assert _meaning(read("Réf.,date,client,montant\n" + rows), "Réf.") is None
    rows = "".join(f"{n},B{n},2024-01-{n:02d},C{n},10\n" for n in range(1, 9))
    assert _meaning(read("N°,commande,date,client,montant\n" + rows), "N°") is None


def test_the_user_says_what_a_reference_is(tmp_path: Path) -> None:
    from revoir.reading.mapping import FileMapping, Mapping, Said

    path = tmp_path / "ventes.csv"
    path.write_text("Réf.,date,client,montant\nB1," + _SALES, encoding="utf-8")
    said = Mapping((FileMapping({"Réf.": Said("product_id")}),))
    assert _meaning(read_tables(path, mapping=said), "Réf.") == "order_lines.product_id"


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (["AB001", "AB002", "AB003", "AB004"], "subscriptions.subscription_id"),
        (["1001", "1002", "1003", "1004"], "subscriptions.subscription_id"),
        (["Basic", "Pro", "Pro", "Basic"], "subscriptions.plan"),
        (["Basic", "Pro", "Premium", "Famille"], "subscriptions.plan"),
        (["12 mois", "24 mois", "12 mois", "24 mois"], "subscriptions.plan"),
    ],
)
@pytest.mark.parametrize("header", ["abonnement", "Contrat"])
def test_a_subscription_is_a_plan_or_a_number(
    read: Read, header: str, values: list[str], target: str
) -> None:
    rows = "".join(f"C{n},{value},2024-01-0{n + 1}\n" for n, value in enumerate(values))
    assert _meaning(read(f"client,{header},date début\n{rows}"), header) == target


_ANSWERS = "id,note,commentaire\n1,9,Très bien\n{},3,Trop cher à mon goût\n3,10,Parfait\n"


def test_an_id_that_never_comes_again_is_the_answers_and_that_is_said(read: Read) -> None:
    reading = read(_ANSWERS.format(2))
    assert _meaning(reading, "id") == "responses.response_id"
    assert "Column id: no value comes again" in told(reading)
    assert "give it the meaning customer_id" in told(reading)


def test_an_id_that_comes_again_is_the_customers_and_no_answer_is_lost(read: Read) -> None:
    reading = read(_ANSWERS.format(1))
    assert _meaning(reading, "id") == "responses.customer_id"
    assert reading.files[0].rows_accepted == 3
    assert "its values come again with other answers" in told(reading)


def test_an_answer_that_is_there_twice_is_still_a_duplicate(read: Read) -> None:
    reading = read(_ANSWERS.format(2) + "3,10,Parfait\n")
    assert _meaning(reading, "id") == "responses.response_id"
    assert reading.files[0].rows_duplicate == 1


def test_an_id_beside_a_customer_is_the_answers_and_nothing_is_said(read: Read) -> None:
    reading = read("id,client,note\n1,C1,9\n2,C1,3\n3,C2,10\n")
    assert _meaning(reading, "id") == "responses.response_id"
    assert "comes again" not in told(reading)


_FACTS = {
    "events": ("événement,date", ["achat,2024-01-02", "visite,2024-01-03", "visite,2024-01-05"]),
    "subscriptions": ("formule,début", ["Basic,2024-01-02", "Pro,2024-01-03", "Pro,2024-01-05"]),
    "interactions": ("ouvert le,type", ["2024-01-02,avis", "2024-01-03,avis", "2024-01-05,avis"]),
}


@pytest.mark.parametrize(
    ("table", "numbered"),
    [("events", True), ("events", False), ("subscriptions", True), ("subscriptions", False),
     ("interactions", True)],
)  # fmt: skip
def test_what_never_changes_for_a_person_is_the_persons(
    read: Read, rows, table: str, numbered: bool
) -> None:
    headers, facts = _FACTS[table]
    people = ["C1,a@x.fr,Durand,Tours,Bio,1", "C2,b@x.fr,Petit,Blois,Vin,2",
              "C1,a@x.fr,Martin,Tours,Bio,3"]  # fmt: skip
    lines = [f"client,e-mail,nom,ville,secteur,essai,{headers}"]
    lines += [f"{person},{fact}" for person, fact in zip(people, facts, strict=True)]
    if not numbered:
        lines = [line.partition(",")[2] for line in lines]
    reading = read("\n".join([lines[0], lines[3], lines[1], lines[2]]) + "\n")
    assert reading.files[0].table == table
    assert reading.files[0].rows_accepted == 3
    found = {row["email"]: row for row in rows(reading, "customers")}
    # The latest by date is first in the file.
    first = {"city": "Tours", "secteur": "Bio", "last_name": "Martin"}
    assert first.items() <= found["a@x.fr"].items()
    assert found["b@x.fr"]["secteur"] == "Vin"
    columns = reading.tables[table].columns
    assert "essai" in columns
    assert not {"secteur", "city", "email"} & set(columns)


def test_where_some_rows_name_nobody_those_keep_what_they_say(read: Read, rows) -> None:
    reading = read(
        "client,secteur,ouvert le,type\nC1,Bio,2024-01-02,avis\nC1,Bio,2024-01-03,avis\n"
        ",Vin,2024-01-04,avis\n"
    )
    assert [row["secteur"] for row in rows(reading, "interactions")] == ["Bio", "Bio", "Vin"]
    assert rows(reading, "customers")[0]["secteur"] == "Bio"


def test_subscriptions_without_a_person_go_to_quarantine(read: Read) -> None:
    reading = read("e-mail,formule,début\na@x.fr,Pro,2024-01-02\n,Pro,2024-01-03\n")
    (bad,) = reading.files[0].quarantine
    assert (bad.line, bad.column) == (3, "e-mail")


@pytest.mark.parametrize("head", ["contrat;client;formule", "formule;client;contrat"])
@pytest.mark.parametrize("code", ["S{}", "2024-{:04}"])
def test_a_contract_s_number_beside_its_plan(
    read: Read, rows: Callable[..., Any], head: str, code: str
) -> None:
    """The number was the plan, and the plan a column to break figures down, or the reverse."""
    cells = {"contrat": code, "client": "C{}", "formule": "Or"}
    text = f"{head};début;prix mensuel\n" + "".join(
        ";".join(cells[name].format(n) for name in head.split(";")) + f";01/0{n}/2024;29,90\n"
        for n in range(1, 9)
    )
    held = rows(read(text), "subscriptions")
    assert {row["plan"] for row in held} == {"Or"}
    assert [row["subscription_id"] for row in held] == [code.format(n) for n in range(1, 9)]


def test_kinds_of_contracts_beside_their_plans(read: Read, rows: Callable[..., Any]) -> None:
    text = "contrat;client;formule;début\n" + "".join(
        f"{kind};C{n};Or;01/0{n}/2024\n" for n, kind in enumerate(("Annuel", "Mensuel", "Essai"), 1)
    )
    held = rows(read(text), "subscriptions")
    assert "subscription_id" not in held[0]
    assert [row["plan"] for row in held] == ["Annuel", "Mensuel", "Essai"]
