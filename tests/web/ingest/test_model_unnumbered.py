"""Sheets and answers without numbers in any sequence, beside a plain account of what they tell.

The account is a fold over the files that are not undone: of equal sales as many as one file has
most, of answers the newest score.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from typing import Any

import pytest

from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer, Identifier, Merge
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("Ana B", "Bob C", "Cleo D", "Dan E", "Eve F", "Zoé G")
Told = list[tuple[Import, Any]]


def perhaps_undo(some: random.Random, told: Told) -> None:
    """One of the imports is taken out."""
    if some.random() < 0.35:
        one = some.choice(told)
        actions.undo(held=one[0])
        work()
        told.remove(one)


@pytest.mark.parametrize("seed", [6, 7])
def test_sheets_of_a_shop(company: object, seed: int) -> None:
    """Exports overlap, a column comes and goes, conventions change, and sales are equal."""
    some = random.Random(seed)
    sales: list[tuple[str, dt.date, int, str]] = []
    told: Told = []
    for month in range(1, 5):
        for _ in range(some.randint(5, 9)):
            day, amount = dt.date(2025, month, some.randint(1, 28)), some.choice((10, 12, 20, -5))
            sales.append((some.choice(NAMES), day, amount, some.choice(("web", "tel"))))
        sales += some.sample(sales, 2)
        since = dt.date(2025, some.randint(1, month), 1)
        rows = [sale for sale in sales if sale[1] >= since]
        some.shuffle(rows)
        wide = some.random() < 0.6
        text = "client;date;montant" + (";canal" if wide else "") + "\n"
        form, encoding = some.choice((("%d/%m/%Y", "cp1252"), ("%Y-%m-%d", "utf-8")))
        for name, day, amount, channel in rows:
            text += f"{name};{day:{form}};{amount},00{f';{channel}' if wide else ''}\n"
        held = bring_in(text.encode(encoding), "ventes.csv")
        told.append((held, Counter(sale[:3] for sale in rows)))
        perhaps_undo(some, told)
        account: Counter[Any] = Counter()
        for _held, counted in told:
            account |= counted
        who = dict(Identifier.objects.filter(kind="external").values_list("customer_id", "value"))
        found = lake("SELECT customer_id, ordered_on, CAST(amount AS INTEGER) FROM orders")
        assert Counter((who[id], day, amount) for id, day, amount in found) == account


@pytest.mark.parametrize("seed", [0, 5])
def test_answers_of_customers_who_are_merged(company: object, seed: int) -> None:
    """They are called by numbers or addresses, merged and parted; scores are corrected."""
    some = random.Random(seed)
    clients = "".join(f"K{n},k{n}@example.com\n" for n in range(8))
    bring_in(f"client_id,email\n{clients}", "clients.csv")
    ids = {n: Customer.objects.get(identifiers__value=f"K{n}").pk for n in range(8)}
    answers: dict[tuple[int, str], int] = {}
    told: Told = []
    for month in range(1, 5):
        for _ in range(some.randint(4, 7)):
            day = f"2025-{month:02d}-{some.randint(1, 28):02d}"
            answers.setdefault((some.randrange(8), day), some.randint(0, 10))
        answers[some.choice(list(answers))] = some.randint(0, 10)
        if month % 2:
            one, other = (Customer.objects.get(pk=ids[n]) for n in some.sample(range(8), 2))
            merge = customers.merge(winner=one, loser=other)
        else:
            customers.undo_merge(merge=Merge.objects.get(pk=merge.pk))
        since = f"2025-{some.randint(1, month):02d}"
        rows = {key: score for key, score in answers.items() if key[1] >= since}
        name, call = some.choice((("client_id", "K{}"), ("email", "k{}@example.com")))
        text = f"{name},date,nps\n" + "".join(
            f"{call.format(n)},{day},{score}\n" for (n, day), score in rows.items()
        )
        told.append((bring_in(text, "nps.csv"), rows))
        perhaps_undo(some, told)
        account: dict[Any, int] = {}
        for _held, scores in told:
            account |= scores
        found = lake("SELECT customer_id, CAST(responded_on AS VARCHAR), CAST(score AS INTEGER)"
                     " FROM responses")  # fmt: skip
        assert sorted(found) == sorted((ids[n], day, s) for (n, day), s in account.items())
