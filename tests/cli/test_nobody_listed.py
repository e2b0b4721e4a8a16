"""What the lists of signals and actions answer where there is nobody to put on them."""

import csv
import io
import json

import pytest

ORDERS = "customer_id,date,amount\na,2024-01-05,10\nb,2024-02-06,12.5\n"
PEOPLE = "customer_id,name,email\na,Anna,a@example.org\nb,Bert,b@example.org\n"
ANONYMOUS = (
    "order_id,customer_id,date,amount\n1,,2024-01-05,10\n2,,2024-02-06,12\n3,,2024-05-06,9\n"
)
REFUNDS = "customer_id,date,amount\na,2024-01-05,-10\nb,2024-02-06,-12.5\n"


@pytest.mark.parametrize("asked", ["signals", "actions"])
def test_nobody_to_list_beside_a_file_of_customers(command, tmp_path, asked):
    """Names looked up for an empty list ended in an error of types."""
    orders, people = tmp_path / "orders.csv", tmp_path / "customers.csv"
    orders.write_text(ORDERS)
    people.write_text(PEOPLE)
    done = command(asked, orders, people, "--format", "csv", "--lang", "en")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert len(rows) == 1
    assert {"customer_id", "name", "email"} <= set(rows[0])
    assert command(asked, orders, people, "--lang", "en").returncode == 0


@pytest.mark.parametrize("asked", ["signals", "actions"])
@pytest.mark.parametrize("orders", [ANONYMOUS, REFUNDS], ids=["anonymous", "refunds"])
def test_no_purchase_of_a_known_customer_is_not_enough_data(command, tmp_path, asked, orders):
    """Quarters in which nobody is known to have bought were unpacked, and there were none."""
    path = tmp_path / "orders.csv"
    path.write_text(orders)
    done = command(asked, path, "--format", "json", "--lang", "en")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert not answer[asked if asked == "actions" else "alerts"]
    reasons = answer.get("not_known") or [one["record"]["reason"] for one in answer["signals"]]
    assert reasons[0].startswith("Not enough data")


def test_active_customers_without_a_score_are_counted(command, tmp_path):
    """“0 customers are active” was said where one was, of whom no part of the score is known."""
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    told = command("signals", "--health", path, "--lang", "en").stdout
    assert "of the 1 customer active at the end of 6 Feb 2024 nothing is known" in told
    assert (
        json.loads(command("signals", "--health", path, "--format", "json").stdout)["active"] == 1
    )
    path.write_text(REFUNDS)
    told = command("signals", "--health", path, "--lang", "en").stdout
    assert "No customer is active at the end of 6 Feb 2024." in told
    days = [f"a,2024-0{month}-{day},10" for month in (1, 2, 3) for day in ("05", "15", "25")]
    path.write_text("\n".join(["customer_id,date,amount", *days, "b,2024-03-24,10", ""]))
    asked = ("signals", "--health", path, "--activity-days", "31", "--lang", "en")
    assert "at the end of 25 Mar 2024: 1 of 2; the least healthy first" in command(*asked).stdout


@pytest.mark.parametrize("asked", ["clv", "churn", "next", "signals"])
def test_rows_that_were_all_set_aside_lack_no_date(command, tmp_path, asked):
    """“No row of the data has a date” was said of dated orders without an amount."""
    path = tmp_path / "orders.csv"
    rows = [f"{n},a,2024-01-{n:02},," for n in range(1, 29)]
    path.write_text("order_id,customer_id,order_date,amount,note\n" + "\n".join(rows) + "\n")
    done = command(asked, path, "--lang", "en")
    assert done.returncode == 3
    assert "has a date" not in done.stderr
    assert "No row of the data could be used." in done.stderr
