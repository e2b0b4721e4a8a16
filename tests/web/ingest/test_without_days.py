"""A list of subscribers without any date: who may leave is foretold as on the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from revoir_web.common import jobs

from .conftest import bring_in, work

pytestmark = pytest.mark.django_db(transaction=True)


def subscribers() -> str:
    """Of 240 customers those of a month's contract leave three times out of four."""
    rows = [
        (f"C{n}", n % 30 + 1, "Month-to-month" if n % 2 else "Two year", 20 + n % 7,
         "Yes" if (n % 2 and n % 8 != 1) or n % 20 == 0 else "No")
        for n in range(240)
    ]  # fmt: skip
    return "customerID,tenure,Contract,MonthlyCharges,Churn\n" + "".join(
        f"{','.join(map(str, row))}\n" for row in rows
    )


def test_the_page_lists_whom_to_save(company: object, as_role: Callable[[str], Client]) -> None:
    """It asked for a column of order dates, which a list to save does not need."""
    bring_in(subscribers())
    for kind in ("insights.refresh", "insights.foresee"):
        jobs.enqueue(kind)
        work()
    client = as_role("manager")
    told = client.get("/api/departures").json()
    assert told["as_of"] is None
    there = told["customers"]
    assert there
    assert all(0 < row["probability"] < 1 for row in there)
    page = client.get("/departures/").content.decode()
    assert page.count('<th scope="row">') >= len(there)
    upcoming = client.get("/next/").content.decode()
    assert "Bring orders that say who bought" in upcoming or "commandes" in upcoming
