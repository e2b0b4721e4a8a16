"""Whatever a file holds: rows in = accepted + quarantined + duplicates, and twice is as once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from revoir_web.ingest.models import Import

from .conftest import bring_in, lake

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = st.sampled_from(["2025-01-03", "2025-02-28", "2025-02-30", "", "hier"])
AMOUNTS = st.sampled_from(["10.00", "12.50", "-3.00", "0", "douze", "", "1e400"])
ROWS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 4), DAYS, AMOUNTS), min_size=1, max_size=30
)
turn = iter(range(10_000))


@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(rows=ROWS, numbered=st.booleans())
def test_every_row_is_somewhere(
    company: object, rows: list[tuple[int, int, str, str]], numbered: bool
) -> None:
    mark = next(turn)
    head = "order_id,client,date,montant" if numbered else "client,date,montant"
    lines = [head, f"{'S,' if numbered else ''}C{mark}s,2025-01-01,1.00"]
    for order, customer, day, amount in rows:
        cells = [f"C{mark}-{customer}", day, amount]
        lines.append(",".join([f"A{mark}-{order}", *cells] if numbered else cells))
    text = "\n".join(lines).replace("S,", f"S{mark},", 1)
    before = _totals()
    held = bring_in(text)
    assert held.state == Import.State.LANDED, held.failure
    assert held.rows_in == len(rows) + 1
    assert held.rows_in == held.rows_accepted + held.rows_quarantined + held.rows_duplicate
    after = _totals()
    assert held.landed is not None
    assert after[0] - before[0] == held.rows_accepted == held.landed["orders"]["new"]
    again = bring_in(text)
    assert again.landed is not None
    assert again.landed["orders"] == {"new": 0, "changed": 0, "unchanged": held.rows_accepted}
    assert _totals() == after


def _totals() -> tuple[int, Decimal]:
    try:
        [(count, amount)] = lake("SELECT count(*), coalesce(sum(amount), 0) FROM orders")
    except Exception:
        return 0, Decimal(0)
    return count, amount


def test_customers_who_are_told_as_they_were(company: object) -> None:
    """Whoever had a name or an address counted as changed each time, and was written anew."""
    told = "client_id,email,prenom,ville\nC1,a@example.com,Ana,Lyon\nC2,b@example.com,Bob,Nice\n"
    bring_in(told, "clients.csv")
    again = bring_in(told.replace("Nice", "Lille"), "clients.csv")
    assert (again.landed or {})["customers"] == {"new": 0, "changed": 1, "unchanged": 1}
