"""What follows an import of customers."""

import pytest
from django.db import connection

from revoir_web.common import jobs
from revoir_web.customers import actions

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
