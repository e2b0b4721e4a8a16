"""Large data: the same figures as bare SQL on millions of rows, and no row lost among them."""

import datetime as dt
import subprocess
import sys

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


ADDRESS_SPACE_GIB = 6
"""How much address space the process that reads may reserve, threads and libraries included."""


def test_a_messy_file_is_read_in_little_memory(tmp_path):
    """Two million rows with every kind of fault, in a process that cannot take what it likes."""
    path = tmp_path / "ventes.csv"
    duckdb.execute(
        f"""copy (
            select 'O' || (i // 2) as "N° commande",
                case when i % 50 = 0 then '' else 'client' || (hash(i // 2) % 300000)::varchar end
                    as client,
                case when i % 997 = 0 then '31/02/2023' else strftime(
                    date '2022-01-01' + (hash(i // 2) % 730)::int, '%d/%m/%Y') end as date,
                case when i % 1000 = 0 then 'abc'
                    when i % 30 = 0 then '-' || (hash(i) % 90)::varchar || ',50'
                    else (hash(i) % 9000)::varchar || ',' || (10 + hash(i) % 90)::varchar || ' €'
                    end as montant,
                'Réf ' || (hash(i) % 5000)::varchar || ' ; "bleu"' as produit
            from range({ROWS}) t(i)) to '{path}' (header, delimiter ';')"""
    ).fetchall()
    code = (
        "import resource, sys, revoir\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE_GIB} << 30,) * 2)\n"
        "held = revoir.read(sys.argv[1])\n"
        "(file,) = held.reading.files\n"
        "print(file.rows_in, file.rows_accepted, file.rows_quarantined, file.rows_duplicate)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts, peak = done.stdout.splitlines()
    rows, accepted, quarantined, duplicates = map(int, counts.split())
    assert rows == ROWS
    assert rows == accepted + quarantined + duplicates
    assert quarantined >= ROWS // 1000
    assert float(peak) < ADDRESS_SPACE_GIB * 1024
