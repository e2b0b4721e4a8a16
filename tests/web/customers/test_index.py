"""What follows an import of customers."""

import pytest
from django.db import connection

from revoir_web.common import jobs
from revoir_web.customers import actions, indexing
from revoir_web.customers.models import CustomerFigures, SearchToken, Unindexed

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
