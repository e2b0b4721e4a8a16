"""Wrong figures that were found by asking for them in odd ways; none is weakened for a change."""

import datetime as dt

import ibis
import pyarrow as pa

import revoir
from revoir.book import Activity, Book, Settings
from revoir.metrics.registry import measure
from revoir.periods import Grain
from revoir.segments.rules import customers_matching

TICKETS = "ticket_id;client;ouvert_le;reclamation\n"


def written(folder, **files):
    """Files of text, in a folder, read as a book."""
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return revoir.read(paths)


def test_a_ticket_with_a_date_alone_is_of_that_day(tmp_path):
    """Midnight in Paris is the evening before in UTC: tickets of 1 February counted in January."""
    rows = "1;A;01/02/2024;oui\n2;B;01/03/2024;oui\n3;B;15/03/2024;non\n"
    held = written(tmp_path, tickets=TICKETS + rows)
    assert held.span[0] == dt.date(2024, 2, 1)
    figures = measure(held, "contacts", grain=Grain.MONTH).figures
    assert [(f.period.start.month, f.value) for f in figures] == [(2, 1), (3, 2)]
    before = held.at(dt.date(2024, 2, 29))
    assert measure(before, "contacts").figures[0].value == 1
    late = measure(held, "contacts", where="opened_at >= 2024-03-01").figures[0]
    assert late.value == 2
    rule = "contacts.last_15_days >= 2"
    assert len(held.rows(customers_matching(held, rule))) == 1


def test_a_visit_with_a_date_alone_keeps_its_customer_active_for_the_window():
    """The window of a visit ended a day early: it began on the evening before in UTC."""
    moments = [dt.datetime(2024, 1, 31, 23)]
    table = pa.table({"customer_id": ["a"], "occurred_at": moments, "event": ["visit"]})
    held = Book(
        {"events": ibis.duckdb.connect().create_table("events", table)},
        settings=Settings(activity=Activity(event_window_days=10)),
        as_of=dt.date(2024, 3, 1),
    )
    month = measure(
        held, "customers_active", start=dt.date(2024, 2, 5), end=dt.date(2024, 2, 11)
    ).figures[0]
    assert month.value == 1
    later = held.with_settings(timezone="UTC")
    assert later.span == (dt.date(2024, 1, 31),) * 2
