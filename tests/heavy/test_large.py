"""Large data: the same figures as bare SQL on millions of rows, and no row lost among them."""

import datetime as dt

import duckdb
import pytest

import revoir
from revoir.periods import Grain

pytestmark = pytest.mark.heavy

ROWS = 2_000_000


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """Two million orders as a CSV, one in a thousand without a readable amount."""
    path = tmp_path_factory.mktemp("large") / "orders.csv"
    duckdb.execute(
        f"""copy (
            select 'O' || i as order_id,
                'C' || (hash(i) % 300000)::varchar as customer_id,
                strftime(date '2022-01-01' + (hash(i * 7) % 730)::int, '%Y-%m-%d') as order_date,
                case when i % 1000 = 0 then 'abc' else ((hash(i * 3) % 9000) / 100 + 1)::varchar end
                    as amount
            from range({ROWS}) t(i)) to '{path}' (header)"""
    ).fetchall()
    return path


def test_no_row_is_lost(sales):
    book = revoir.read(sales)
    (file,) = book.reading.files
    assert file.rows_in == ROWS
    assert file.rows_quarantined == ROWS // 1000
    assert file.rows_in == file.rows_accepted + file.rows_quarantined + file.rows_duplicate


def test_retention_and_repurchase_are_what_bare_sql_gives(sales):
    book = revoir.read(sales).with_settings(activity=revoir.Activity(window_days=92))
    start, end = dt.date(2023, 1, 1), dt.date(2023, 4, 1)
    (figure,) = [
        figure
        for figure in revoir.measure(book, "retention_rate", grain=Grain.QUARTER).figures
        if figure.period.start == start
    ]
    flags = ", ".join(
        f"bool_or(d >= date '{day}' - 92 and d < date '{day}') as {name}"
        for name, day in (("s", start), ("e", end))
    )
    counted = duckdb.execute(
        f"""select count(*) filter (s), count(*) filter (s and e), count(*) filter (e) from (
            select customer_id, {flags} from (select customer_id, order_date::date as d
                from read_csv('{sales}', all_varchar = true)
                where try_cast(amount as double) is not null) group by customer_id)"""
    ).fetchone()
    assert (figure.parts["start"], figure.parts["kept"], figure.parts["end"]) == counted
