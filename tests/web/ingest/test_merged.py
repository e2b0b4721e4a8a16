"""Customers who were found to be one, and files that go on telling of two."""

from __future__ import annotations

import pytest

from revoir_web.consents.models import Consent, Purpose
from revoir_web.customers import actions as customers
from revoir_web.customers import queries
from revoir_web.customers.models import Customer, Verbatim

from .conftest import bring_in, lake

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "order_id,client_id,date,montant\n"
SALES = HEAD + "A1,C1,2025-01-01,1\nA2,C2,2025-01-02,2\nA3,C3,2025-01-03,3\nA4,C3,2025-01-04,4\n"


def of(number: str) -> Customer:
    return Customer.objects.get(identifiers__value=number)


def sums() -> dict[str, int]:
    """What the figures know of each customer, by the numbers of the lake."""
    merged = queries.aliases()
    found: dict[str, int] = {}
    for id, amount in lake("SELECT customer_id, CAST(amount AS INTEGER) FROM orders"):
        found[merged.get(id, id)] = found.get(merged.get(id, id), 0) + amount
    return found


def test_a_merge_is_undone_after_further_imports(company: object) -> None:
    """All orders of the second customer stayed with the first one."""
    bring_in(SALES)
    one, two, three = (of(name).pk for name in ("C1", "C2", "C3"))
    first = customers.merge(winner=of("C2"), loser=of("C3"))
    second = customers.merge(winner=of("C1"), loser=of("C2"))
    landed = bring_in(SALES + "A5,C3,2025-02-01,10\nA6,C2,2025-02-01,20\n").landed or {}
    assert landed["orders"] == {"new": 2, "changed": 0, "unchanged": 4}
    assert sums() == {one: 40}
    customers.undo_merge(merge=second)
    assert sums() == {one: 1, two: 39}
    customers.undo_merge(merge=first)
    assert sums() == {one: 1, two: 22, three: 17}


def test_words_and_consent_of_who_was_merged(company: object) -> None:
    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    bring_in(SALES)
    merge = customers.merge(winner=of("C1"), loser=of("C3"))
    one, three = of("C1").pk, merge.loser_id
    bring_in("client_id,email,newsletter\nC1,a@example.com,non\nC3,c@example.com,oui\n", "c.csv")
    assert list(Consent.objects.values_list("customer_id", "given")) == [(one, False)]
    bring_in("client_id,date_reponse,nps,commentaire\nC3,2025-02-01,9,parfait\n", "r.csv")
    customers.undo_merge(merge=merge)
    assert Verbatim.objects.get().customer_id == three
    assert lake("SELECT customer_id FROM responses") == [(three,)]
