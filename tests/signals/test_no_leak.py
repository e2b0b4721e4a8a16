"""What happens after a day changes no alert of that day."""

import datetime as dt

import pytest

from revoir.book import Activity
from revoir.signals.alerts import all_alerts
from revoir.signals.registry import signals

RULES = {
    "purchases": Activity(window_days=90),
    "any": Activity(window_days=60, subscription=True, event_window_days=30),
}
FIRST = dt.date(2023, 1, 1)


def alerts_until(book, until):
    """By signal: what was raised until a day, with its facts, and what was closed until then."""
    found = {}
    for alerts in all_alerts(book):
        if alerts.signal.no_past is not None:
            continue
        rows = book.rows(alerts.table.drop("next_act", "gone_on"))
        found[alerts.signal.name] = sorted(
            (
                tuple(_at(name, value, row, until) for name, value in row.items())
                for row in rows
                if row["raised_on"] <= until
            ),
            key=str,
        )
    return found


def _at(name, value, row, until):
    if name in ("closed_on", "closed_by"):
        return value if row["closed_on"] and row["closed_on"] <= until else None
    return round(value, 4) if isinstance(value, float) else value


@pytest.mark.parametrize("rule", RULES)
def test_later_data_change_no_alert(book_of, company_of, rule):
    company, known_on = company_of
    rows = company(seed=5)
    whole = book_of(as_of=FIRST + dt.timedelta(days=520), rule=RULES[rule], **rows)
    raised = 0
    for number in (263, 417):
        day = FIRST + dt.timedelta(days=number)
        then = book_of(as_of=day, rule=RULES[rule], **known_on(rows, day))
        seen = alerts_until(then, day)
        assert seen == alerts_until(whole, day)
        raised += sum(map(len, seen.values()))
    assert raised > 300


def test_every_signal_of_the_past_is_tested(book_of, company_of):
    """The company has something for each of them; otherwise the test above proves nothing."""
    company, _ = company_of
    as_of = FIRST + dt.timedelta(days=520)
    book = book_of(as_of=as_of, rule=RULES["any"], **company(seed=5))
    raised = {name for name, found in alerts_until(book, as_of).items() if found}
    assert raised == {signal.name for signal in signals() if signal.no_past is None}
