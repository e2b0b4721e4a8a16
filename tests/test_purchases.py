"""The one pass over sorted columns against the windows that define the same table."""

import datetime as dt
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revoir import engines, purchases

DAYS = st.dates(dt.date(1969, 11, 1), dt.date(1970, 3, 1))
AMOUNTS = st.decimals(-2, 10**13, places=4, allow_nan=False) | st.none()
KINDS = st.sampled_from(["purchase"] * 6 + ["return", "free"])
ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "é", None]), DAYS, AMOUNTS, KINDS))


@pytest.fixture(scope="module")
def backend():
    held = engines.memory()
    yield held
    held.disconnect()


def made(backend, rows, decimals=(18, 4), **more):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    types = (pa.string(), pa.date32(), pa.decimal128(*decimals), pa.string())
    names = ("customer_id", "ordered_on", "amount", "kind")
    data = {n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)}
    name = ibis.util.gen_name("orders")
    backend.con.register(name, pa.table({**data, **more}))
    return backend.table(name)


def rows_of(backend, table, columns):
    found = backend.con.execute(backend.compile(table.select(*columns))).fetchall()
    return sorted(found, key=repr)


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_one_pass_makes_the_table_that_windows_define(backend, rows):
    orders = made(backend, rows)
    defined = purchases.beside_neighbours(orders)
    found = purchases.computed(backend, orders)
    known = [row for row in rows if row[0] is not None and row[3] == "purchase"]
    if not known:
        assert found is None
        return
    # Which of a day's purchases comes first is nobody's business: what is said of each is.
    by_day = defined.drop("amount", "previous_day", "next_day").columns
    assert rows_of(backend, found, by_day) == rows_of(backend, defined, by_day)
    ends = ["customer_id", "day", "previous_day", "next_day"]
    assert rows_of(backend, found, ends) == rows_of(backend, defined, ends)


@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_the_months_are_those_of_the_days(backend, rows):
    found = purchases.computed(backend, made(backend, rows))
    if found is None:
        return
    for name in ("day", "previous_day", "next_day", "first_day"):
        for day, month in rows_of(backend, found, [name, purchases.MONTH_OF.format(name)]):
            assert (day is None) == (month is None)
            assert day is None or month == day.year * 12 + day.month - 1


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1))
def test_blocks_hold_whole_customers_and_all_rows_in_order(size, sizes):
    ids = [n for n, rows in enumerate(sizes) for _ in range(rows)]
    held = pa.table({"customer_id": ids, "row": range(len(ids))})
    cut = pa.Table.from_batches(held.to_batches(max_chunksize=size))
    blocks = list(purchases._customers(cut))
    assert pa.concat_tables(blocks).to_pydict() == held.to_pydict()
    seen = [set(block["customer_id"].to_pylist()) for block in blocks]
    assert sum(map(len, seen)) == len(sizes)
    assert all(block["row"].num_chunks == 1 for block in blocks)


def test_sums_over_all_customers_may_pass_64_bits(backend):
    most = Decimal("99999999999999.9999")
    rows = [(str(n), dt.date(2024, 1, 1), most, "purchase") for n in range(40)]
    found = purchases.computed(backend, made(backend, rows))
    sums = backend.con.execute(backend.compile(found.select("amount_so_far", "first_amount")))
    assert {value for row in sums.fetchall() for value in row} == {most}


def test_margins_and_short_decimals_come_along(backend):
    rows = [("a", dt.date(2024, 1, day), Decimal(day), "purchase") for day in (1, 2)]
    orders = made(backend, rows, (5, 2), margin=pa.array([0.5, None], pa.float64()))
    columns = ["margin", "amount", "amount_so_far", "first_amount"]
    assert rows_of(backend, purchases.computed(backend, orders), columns) == rows_of(
        backend, purchases.beside_neighbours(orders), columns
    )


def test_amounts_that_are_no_exact_decimals_are_left_to_the_engine(backend):
    orders = made(backend, [("a", dt.date(2024, 1, 1), Decimal(1), "purchase")])
    floats = orders.mutate(amount=orders.amount.cast("float64"))
    assert purchases.computed(backend, floats) is None
    wide = orders.mutate(amount=orders.amount.cast("decimal(38, 4)"))
    assert purchases.computed(backend, wide) is None


def test_the_connection_gives_decimals_to_others_as_before(backend):
    question = "select 1.5::decimal(18, 4) amount"
    before = backend.con.sql(question).to_arrow_table().schema
    purchases.computed(backend, made(backend, [("a", dt.date(2024, 1, 1), Decimal(1), "purchase")]))
    assert backend.con.sql(question).to_arrow_table().schema == before
