"""Undoing an import takes away whom it alone brought, and says who stays and why."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from revoir_web.common.models import Job
from revoir_web.consents import actions as consents
from revoir_web.consents.models import Consent, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers import newcomers
from revoir_web.customers.models import Customer, Identifier, Newcomer
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client,date,montant,email,newsletter\n"


def orders(*numbers: int, start: int = 0) -> str:
    """One order a customer."""
    rows = [f"A{start + n},C{n},2025-01-{n:02d},{n}.00,c{n}@example.com,oui" for n in numbers]
    return HEAD + "\n".join(rows) + "\n"


def numbers() -> set[str]:
    """The customers that are there, by their numbers in the files."""
    return set(Identifier.objects.filter(kind="external").values_list("value", flat=True))


def undo(held: Import) -> Import:
    actions.undo(held=held)
    work()
    held.refresh_from_db()
    assert held.state == Import.State.UNDONE
    return held


def test_whom_it_alone_brought_goes(company: object) -> None:
    held = undo(bring_in(orders(1, 2, 3)))
    assert held.undone == {"customers": 3, "stay": {}}
    assert not Customer.objects.exists()
    assert not Identifier.objects.exists()
    assert not Newcomer.objects.exists()
    assert lake("SELECT count(*) FROM orders") == [(0,)]
    again = bring_in(orders(1, 2))
    assert again.state == Import.State.LANDED
    assert numbers() == {"C1", "C2"}


def test_whoever_else_speaks_of_them_keeps_them(
    company: object, users: dict[str, object], as_role: Callable[[str], Client]
) -> None:
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    first = bring_in(orders(*range(1, 10)))
    held = {n: Customer.objects.get(identifiers__value=f"C{n}") for n in range(1, 10)}
    bring_in(orders(1, start=100), "other.csv")
    # All that this file says was known: it is spoken of all the same.
    bring_in("client_id,email\nC2,c2@example.com\n", "clients.csv")
    customers.add_note(customer=held[3], text="a appelé", actor=users["owner"])
    consents.record(
        customer=held[4], purpose=Purpose.objects.get(code="news"), channel="email",
        given=False, source="preferences",
    )  # fmt: skip
    customers.merge(winner=held[5], loser=held[6])
    customers.update_profile(customer=held[7], fields={"city": "Lyon"}, actor=users["owner"])
    customers.identify(identifiers={"external": "C8"}, source="api")
    undo(first)
    assert first.undone == {
        "customers": 1,
        "stay": {"notes": 1, "consents": 1, "merges": 2, "changes": 1, "others": 3},
    }
    assert numbers() == {f"C{n}" for n in range(1, 9)}
    page = as_role("manager").get(reverse("ingest:import", args=[first.pk])).content.decode()
    assert "2 – ils ont été fusionnés" in page
    told = as_role("manager").get(f"/api/imports/{first.pk}").json()["undone"]
    assert told["customers"] == 1


def test_profiles_are_what_they_were_before(
    company: object, as_role: Callable[[str], Client]
) -> None:
    head = "client_id,nom,ville,email\n"
    bring_in(head + "C1,Léa Roux,Lyon,lea@example.com\nC2,Zoé Petit,Nice,\n", "clients.csv")
    wrong = bring_in(head + "C1,Zoé Petit,Nice,\nC2,Zoé Petit,Nice,\n", "wrong.csv")
    assert Customer.objects.get(identifiers__value="C1").name == "Zoé Petit"
    undo(wrong)
    held = Customer.objects.get(identifiers__value="C1")
    assert (held.name, held.city) == ("Léa Roux", "Lyon")
    assert wrong.undone == {"customers": 0, "profiles": 1, "stay": {}}
    page = as_role("manager").get(reverse("ingest:import", args=[wrong.pk])).content.decode()
    assert "Le profil de 1 client est revenu à ce qu’il était." in page


@pytest.mark.parametrize("second_first", [False, True])
def test_whom_several_files_brought_goes_with_the_last_of_them(
    company: object, second_first: bool
) -> None:
    first = bring_in(orders(1, 2))
    second = bring_in(orders(2, 3, start=100), "other.csv")
    if second_first:
        undo(second)
        assert second.undone == {"customers": 1, "stay": {}}
        assert numbers() == {"C1", "C2"}
        undo(first)
        assert first.undone == {"customers": 2, "stay": {}}
    else:
        undo(first)
        assert first.undone == {"customers": 1, "stay": {"others": 1}}
        assert numbers() == {"C2", "C3"}
        undo(second)
        assert second.undone == {"customers": 2, "stay": {}}
    assert not Customer.objects.exists()
    assert not Newcomer.objects.exists()


def test_who_is_in_rows_from_elsewhere_stays(company: object) -> None:
    """Also where nothing but the lake tells."""
    import pyarrow as pa

    from revoir_web.ingest.lake import lake as store

    held = bring_in(orders(1, 2))
    kept = Customer.objects.get(identifiers__value="C1")
    rows = pa.table({"order_id": ["X"], "customer_id": [kept.pk], "amount": [1.0]})
    store().append("orders", rows, batch="elsewhere")
    undo(held)
    assert held.undone == {"customers": 1, "stay": {"facts": 1}}
    assert numbers() == {"C1"}


def test_a_yes_is_taken_back_and_a_no_stays(company: object) -> None:
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    bring_in("order_id,client,date,montant\nB1,C1,2025-01-01,1\nB2,C2,2025-01-01,1\n", "b.csv")
    held = bring_in("client_id,email,newsletter\nC1,ana@example.com,oui\nC2,bob@example.com,non\n")
    assert Consent.objects.count() == 2
    undo(held)
    assert [line.given for line in Consent.objects.all()] == [False]
    assert numbers() == {"C1", "C2"}


AGREED = "client_id,email,newsletter\nC1,ana@example.com,oui\nC2,bob@example.com,oui\n"


def standing() -> dict[str, str]:
    """The customers whose last word is a yes, and the file that proves it."""
    last = {line.customer_id: line for line in Consent.objects.order_by("at", "pk")}
    return {
        line.customer.email: line.proof.partition(",")[0] for line in last.values() if line.given
    }


def test_a_yes_that_later_files_told_again_is_theirs(company: object) -> None:
    """Who undid the first of three exports could write to nobody any more."""
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    bring_in("order_id,client,date,montant\nB1,C1,2025-01-01,1\nB2,C2,2025-01-01,1\n", "b.csv")
    first = bring_in(AGREED, "one.csv")
    second = bring_in(AGREED + "C3,cleo@example.com,oui\n", "two.csv")
    third = bring_in(AGREED.replace("bob@example.com,oui", "bob@example.com,non"), "three.csv")
    assert standing() == {"ana@example.com": "one.csv", "cleo@example.com": "two.csv"}
    undo(first)
    assert standing() == {"ana@example.com": "three.csv", "cleo@example.com": "two.csv"}
    assert not Consent.objects.filter(proof__startswith="one.csv").exists()
    undo(third)
    assert standing() == {"ana@example.com": "two.csv", "cleo@example.com": "two.csv"}
    undo(second)
    assert standing() == {}
    assert Consent.objects.filter(given=False).count() == 1


def test_a_no_between_two_files_stays(company: object) -> None:
    """The first file told its yes before the no: it cannot stand for the third."""
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    first = bring_in(AGREED, "one.csv")
    bring_in(AGREED.replace("oui", "non"), "two.csv")
    third = bring_in(AGREED + "C9,z@example.com,non\n", "three.csv")
    assert set(standing().values()) == {"three.csv"}
    undo(third)
    assert standing() == {}
    undo(first)
    assert standing() == {}


def test_a_file_vouches_for_what_it_says_and_no_more(company: object) -> None:
    """A cell left empty stood for the yes of another file, a row that was known for none."""
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    bring_in("order_id,client,date,montant\nB1,C1,2025-01-01,1\nB2,C2,2025-01-01,1\n", "b.csv")
    first = bring_in("client_id,newsletter,club\nC1,oui,a\nC2,oui,a\n", "one.csv")
    second = bring_in("client_id,newsletter,club\nC1,,b\nC2,oui,a\nC3,oui,b\n", "two.csv")
    assert (second.landed or {})["customers"]["unchanged"] == 1
    undo(first)
    said = {
        line.customer.identifiers.get().value: line.proof.partition(",")[0]
        for line in Consent.objects.filter(given=True)
    }
    assert said == {"C2": "two.csv", "C3": "two.csv"}


def test_a_merged_customer_agreed_too(company: object) -> None:
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    first = bring_in(AGREED, "one.csv")
    bring_in(AGREED, "two.csv")
    held = {n: Customer.objects.get(identifiers__value=f"C{n}") for n in (1, 2)}
    customers.merge(winner=held[2], loser=held[1])
    undo(first)
    assert {line.customer_id for line in Consent.objects.filter(given=True)} == {held[2].pk}


def test_one_that_is_killed_in_the_middle_ends_the_same(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "PART", 2)
    held = bring_in(orders(1, 2, 3, 4, 5))
    done = actions.has_undone
    fallen: list[int] = []

    def fall(**arguments: object) -> None:
        if not fallen:
            fallen.append(1)
            raise RuntimeError("killed")
        done(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "has_undone", fall)
    actions.undo(held=held)
    work()
    Job.objects.filter(kind="ingest.undo").update(not_before=timezone.now())
    work()
    held.refresh_from_db()
    assert fallen
    assert held.state == Import.State.UNDONE
    assert held.undone == {"customers": 5, "stay": {}}
    assert not Customer.objects.exists()


def test_the_audit_trail_and_the_webhook_say_it(company: object) -> None:
    from revoir_web.common.models import AuditEntry

    undo(bring_in(orders(1)))
    entry = AuditEntry.objects.get(action="import.undone")
    assert json.loads(json.dumps(entry.details)) == {"customers": 1, "stay": {}}


def amounts() -> dict[str, int]:
    return {number: int(amount) for number, amount in lake("SELECT order_id, amount FROM orders")}


def test_rows_that_a_later_file_had_again_stay_with_it(company: object) -> None:
    """January, then an export of January and February: the first is what nobody needs."""
    first = bring_in(orders(1, 2), "january.csv")
    later = bring_in(orders(1, 2, 3), "both.csv")
    assert later.landed["orders"] == {"new": 1, "changed": 0, "unchanged": 2}
    third = bring_in(orders(2).replace("2.00", "5.00"), "corrected.csv")
    undo(first)
    assert amounts() == {"A1": 1, "A2": 5, "A3": 3}
    assert first.undone == {"customers": 0, "stay": {"others": 2}}
    undo(third)
    assert amounts() == {"A1": 1, "A2": 2, "A3": 3}
    undo(later)
    assert amounts() == {}
    assert not Customer.objects.exists()


def test_a_later_file_that_was_undone_holds_nothing(company: object) -> None:
    first = bring_in(orders(1, 2))
    undo(bring_in(orders(1, 2, 3), "both.csv"))
    assert amounts() == {"A1": 1, "A2": 2}
    undo(first)
    assert amounts() == {}


def test_one_that_breaks_off_while_it_says_rows_again_holds_nothing(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from revoir.store import Lake

    first = bring_in(orders(1, 2))
    say, fallen = Lake.say_again, []

    def fall(self: Lake, table: str, keys: object, *, batch: str) -> object:
        done = say(self, table, keys, batch=batch)
        if not fallen:
            fallen.append(batch)
            raise RuntimeError("killed")
        return done

    monkeypatch.setattr(Lake, "say_again", fall)
    broken = bring_in(orders(1, 2, 3), "both.csv")
    assert fallen
    Job.objects.filter(kind="ingest.land").update(not_before=timezone.now())
    work()
    broken.refresh_from_db()
    assert broken.state == Import.State.LANDED
    undo(first)
    assert amounts() == {"A1": 1, "A2": 2, "A3": 3}
    undo(broken)
    assert amounts() == {}


def test_numbers_that_it_gave_to_others_go(company: object) -> None:
    """The addresses had slipped by a row; the right file then had two customers change places."""
    bring_in("order_id,email,date,montant\nA1,a@x.fr,2025-01-01,1\nA2,b@x.fr,2025-01-01,2\n")
    right = "client_id,email\nC1,a@x.fr\nC2,b@x.fr\n"
    wrong = bring_in("client_id,email\nC1,b@x.fr\nC2,a@x.fr\n", "clients.csv")
    undo(wrong)
    assert numbers() == set()
    bring_in(right, "clients.csv")
    bring_in("order_id,client_id,date,montant\nA3,C1,2025-02-01,10\nA4,C2,2025-02-01,20\n")
    found = lake("SELECT CAST(sum(amount) AS INTEGER) FROM orders GROUP BY customer_id ORDER BY 1")
    assert found == [(11,), (22,)]
    # What came later knows them by these.
    first = Import.objects.get(title="clients.csv", state=Import.State.LANDED)
    undo(first)
    assert numbers() == {"C1", "C2"}
