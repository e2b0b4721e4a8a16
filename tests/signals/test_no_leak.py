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


@pytest.mark.parametrize(("rule", "numbers"), [("purchases", (350,)), ("any", (263, 417))])
def test_later_data_change_no_alert(book_of, company_of, rule, numbers):
    company, known_on = company_of
    rows = company(seed=5)
    whole = book_of(as_of=FIRST + dt.timedelta(days=520), rule=RULES[rule], **rows)
    for number in numbers:
        day = FIRST + dt.timedelta(days=number)
        then = book_of(as_of=day, rule=RULES[rule], **known_on(rows, day))
        seen = alerts_until(then, day)
        assert seen == alerts_until(whole, day)
    # The company has something for each signal; otherwise this would prove nothing.
    assert set(seen) == {signal.name for signal in signals() if signal.no_past is None}
    assert all(seen.values())
