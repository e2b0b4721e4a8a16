"""One day is a day: what is counted and comes to one is told in the singular."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from revoir.signals.registry import Case, signal_named, values_of

DAY = dt.date(2024, 1, 1)


def orders(path: Path, customers: int, days: int) -> Path:
    """Customers who buy on each of so many days."""
    rows = [
        f"c{number},{DAY + dt.timedelta(days=day)},5"
        for number in range(customers)
        for day in range(days)
    ]
    path.write_text("\n".join(["customer_id,order_date,amount", *rows]))
    return path


@pytest.mark.parametrize(
    ("customers", "days", "words", "says"),
    [
        (40, 2, ["metric", "days_between_purchases"], " 1 day "),
        (40, 2, ["metric", "median_days_between_purchases"], " 1 day "),
        (40, 20, ["clv", "--horizon", "1d"], "to look 1 day ahead takes 60"),
        (40, 1, ["churn", "--activity-days", "1"], "who leaves within 1 day takes twice"),
    ],
)
def test_one_day_is_no_days(
    command: Callable[..., object],
    tmp_path: Path,
    customers: int,
    days: int,
    words: list[str],
    says: str,
) -> None:
    """“1.0 days”, “to look 1 days ahead” and “who leaves within 1 days” were said."""
    told = command(*words, orders(tmp_path / "orders.csv", customers, days))
    assert says in " ".join(f"{told.stdout} {told.stderr} ".split()) + " "


def test_a_day_since_the_only_purchase_is_no_days() -> None:
    signal = signal_named("no_second_order")
    facts = {"usual_days": 1, "first_on": DAY}
    case = Case(facts, values_of(signal), DAY + dt.timedelta(days=1))
    assert signal.reason(case).text("en").startswith("Bought once, 1 day ago;")
