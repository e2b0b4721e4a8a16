"""Contracts, answers and contacts without a number, in files that say something else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from revoir_web.ingest import actions
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

GYM = "client_id,formule,date_debut,mensualite\n"
MEMBERS = [
    "C1,Or,2025-01-01,30\n", "C2,Or,2025-01-02,30\n",
    "C3,Argent,2025-01-02,20\n", "C4,Argent,2025-01-03,20\n",
]  # fmt: skip


def landed(held: Import) -> list[int]:
    """New, changed and unchanged rows."""
    tables = dict(held.landed or {})
    tables.pop("customers", None)
    [counts] = tables.values()
    return [counts[name] for name in ("new", "changed", "unchanged")]


def contracts() -> list[tuple[Any, ...]]:
    return lake("SELECT plan, CAST(sum(monthly_amount) AS INTEGER) FROM subscriptions GROUP BY 1"
                " ORDER BY 1")  # fmt: skip


def test_another_plan_is_no_second_contract(company: object) -> None:
    """Whoever changed their plan paid for both from then on."""
    bring_in(GYM + "".join(MEMBERS), "janvier.csv")
    assert contracts() == [("Argent", 40), ("Or", 60)]
    later = [MEMBERS[0].replace("Or,2025-01-01,30", "Argent,2025-01-01,20"), *MEMBERS[1:]]
    second = bring_in(GYM + "".join(later) + "C5,Or,2025-02-01,30\n", "fevrier.csv")
    assert landed(second) == [1, 1, 3]
    assert contracts() == [("Argent", 60), ("Or", 60)]
    third = bring_in(GYM + "".join(later) + "C5,Or,2025-02-01,30\n", "mars.csv")
    assert landed(third) == [0, 0, 5]
    # Who comes back to the first plan, beside the other one, has two.
    bring_in(GYM + "".join([*later, MEMBERS[0]]), "avril.csv")
    assert contracts() == [("Argent", 60), ("Or", 90)]
    for held in Import.objects.order_by("-landed_at")[:3]:
        actions.undo(held=held)
    work()
    assert contracts() == [("Argent", 40), ("Or", 60)]


def test_contracts_of_another_file_stay(company: object) -> None:
    """Telephone and internet, taken on the same day, come in two files."""
    bring_in(GYM.replace("formule", "forfait") + "".join(MEMBERS), "tel.csv")
    net = [row.replace("Or", "Fibre").replace("Argent", "ADSL") for row in MEMBERS]
    assert landed(bring_in(GYM + "".join(net[:3]), "net.csv")) == [3, 0, 0]
    assert landed(bring_in(GYM + "".join(net), "net.csv")) == [1, 0, 3]
    assert lake("SELECT count(*) FROM subscriptions") == [(8,)]


def test_customers_who_are_called_otherwise(company: object) -> None:
    """Their answers and contracts came twice once the file had their numbers."""
    bring_in("client_id,email\n" + "".join(f"K{n},k{n}@example.com\n" for n in range(6)), "c.csv")
    answers = [f"k{n}@example.com,2025-01-0{n + 1},{n + 4}\n" for n in range(6)]
    bring_in("email,date_reponse,nps\n" + "".join(answers), "a.csv")
    numbered = [row.replace("k", "K").replace("@example.com", "") for row in answers]
    again = bring_in("client_id,date_reponse,nps\n" + "".join(numbered), "a.csv")
    assert landed(again) == [0, 0, 6]
    numbered[2] = "K2,2025-01-03,1\n"
    corrected = bring_in("client_id,date_reponse,nps\n" + "".join(numbered), "b.csv")
    assert landed(corrected) == [0, 1, 5]
    names = "client,formule,date_debut,mensualite\nAnne B,Or,2025-01-01,10\nBob C,Or,2025-01-02,9\n"
    bring_in(names, "abonnes.csv")
    assert landed(bring_in(names.replace("Anne B", "ANNE B"), "abonnes.csv")) == [0, 0, 2]


def test_a_column_that_comes(company: object) -> None:
    head, rows = "client_id,date_ouverture,type", [f"C{n},2025-01-0{n},devis" for n in range(1, 7)]
    bring_in("\n".join([head, *rows]), "contacts.csv")
    wider = [f"{row},tel" for row in [*rows, "C1,2025-01-04,panne", "C2,2025-02-01,panne"]]
    assert landed(bring_in("\n".join([f"{head},canal", *wider]), "contacts.csv")) == [2, 6, 0]
    # A file of visits, without their reason, is another one.
    visits = ["client_id,date_ouverture,type", *(f"C{n},2025-01-01,visite" for n in range(1, 9))]
    assert landed(bring_in("\n".join(visits), "visites.csv")) == [8, 0, 0]


@pytest.mark.parametrize("seed", [1, 2])
def test_members_month_by_month(company: object, seed: int) -> None:
    """Plans and prices change, members leave, files are undone: beside a plain account of it."""
    some = random.Random(seed)
    members: dict[int, tuple[str, int, str]] = {}
    told: list[tuple[Import, dict[int, tuple[str, int, str]]]] = []
    for month in range(1, 5):
        for number in range(len(members), len(members) + 6):
            members[number] = (some.choice(("Or", "Argent", "Bronze")), 20, "")
        for number in some.sample(sorted(members), 2):
            plan, price, _end = members[number]
            members[number] = some.choice(
                [("Or", price, ""), ("Argent", price + 1, ""), (plan, price, f"2025-0{month}-28")]
            )
        rows = [f"M{n},{m[0]},2025-01-{n % 28 + 1:02d},{m[1]},{m[2]}" for n, m in members.items()]
        some.shuffle(rows)
        head = "client_id,formule,date_debut,mensualite,date_fin"
        told.append((bring_in("\n".join([head, *rows]), "membres.csv"), dict(members)))
        if month in (2, 4):
            held, _rows = told.pop(some.randrange(len(told)))
            actions.undo(held=held)
            work()
        account: dict[int, tuple[str, int, str]] = {}
        for _held, rows_of in told:
            account |= rows_of
        found = lake("SELECT plan, CAST(monthly_amount AS INTEGER), CAST(coalesce(CAST(ended_at AS"
                     " VARCHAR), '') AS VARCHAR) FROM subscriptions")  # fmt: skip
        assert sorted(found) == sorted(account.values())
