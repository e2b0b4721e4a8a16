"""What follows an import of customers."""

import threading

import pytest
from django.db import connection

from revoir_web.common import jobs
from revoir_web.customers import actions, indexing, merging
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    MergeProposal,
    SearchToken,
    Unindexed,
    new_ids,
)

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts by itself")
def test_sqlite_learns_how_many_rows_an_index_narrows_to(company) -> None:
    rows = [{"customer_id": f"C{n}", "name": f"Client {n}", "city": "Tours"} for n in range(40)]
    actions.resolve_many(rows, source="test")
    jobs.enqueue("customers.index")
    jobs.run_waiting()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'customers_customer'")
        assert cursor.fetchone()[0] > 0


def test_those_who_wait_are_done_in_parts_and_no_others(
    company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PART", 3)
    rows = [{"customer_id": f"C{n}", "name": f"Client {n}"} for n in range(10)]
    ids = actions.resolve_many(rows, source="test")
    # Two in the middle do not wait.
    Unindexed.objects.filter(pk__in=ids[4:6]).delete()
    assert actions.index_waiting() == 8
    held = set(CustomerFigures.objects.values_list("pk", flat=True))
    assert held == set(ids) - set(ids[4:6])
    assert set(SearchToken.objects.values_list("customer_id", flat=True)) == held
    assert not Unindexed.objects.exists()
    Unindexed.objects.create(customer_id=ids[4])
    assert actions.index_waiting() == 1
    assert SearchToken.objects.filter(token="client").count() == 9


ALIKE = ("montgolfier jeanne", "montgolfier jeane")


def _people(places: int, names: tuple[str, ...] = ALIKE) -> None:
    """In each place one customer of each name."""
    ids = new_ids(places * len(names))
    Customer.objects.bulk_create(
        Customer(pk=ids[n * len(names) + k], name=name.title(), name_key=name, city=f"Place{n:05d}")
        for n in range(places)
        for k, name in enumerate(names)
    )


@pytest.mark.django_db(transaction=True)
def test_pairs_are_proposed_while_others_write(company, monkeypatch: pytest.MonkeyPatch) -> None:
    # Found at a million customers: a cursor that was still reading kept SQLite from writing.
    _people(3000)
    some = Customer.objects.order_by("pk").first()
    assert some is not None
    compare, compared = merging._pairs, []

    def write() -> None:
        Customer.objects.filter(pk=some.pk).update(region=str(len(compared)))
        connection.close()

    def meanwhile(people):
        if not compared or len(compared) == 1500:
            writer = threading.Thread(target=write)
            writer.start()
            writer.join()
        compared.append(1)
        return compare(people)

    monkeypatch.setattr(merging, "_pairs", meanwhile)
    assert actions.propose_merges() == 3000
    assert Customer.objects.get(pk=some.pk).region == "1500"


def test_the_likeliest_pairs_are_proposed_and_the_next_when_some_are_decided(
    company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "OPEN_MAX", 3)
    _people(4)
    _people(2, ("durand zoe", "durand zoe"))
    assert actions.propose_merges() == 3
    same = MergeProposal.objects.filter(left__name_key="durand zoe", right__name_key="durand zoe")
    assert same.count() == 2
    assert actions.propose_merges() == 0
    for proposal in same:
        actions.dismiss(proposal=proposal)
    assert actions.propose_merges() == 2
    assert MergeProposal.objects.count() == 5


def test_a_name_that_many_of_a_town_bear_says_nothing(company) -> None:
    _people(1, ("martin jean",) * 6 + ("martin zoe", "martin zoee"))
    assert actions.propose_merges() == 1
    assert MergeProposal.objects.get().left.name_key.startswith("martin zoe")
