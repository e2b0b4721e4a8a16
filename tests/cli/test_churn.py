"""`revoir churn` from files: the list, its record, the card, the curves, and what is refused."""

import csv
import io
import json
import re
from types import SimpleNamespace

import pytest

from revoir.datasets.btyd import bg_nbd_orders


@pytest.fixture(scope="module")
def revoir(command):
    def run(*arguments, language="en"):
        return command("churn", *arguments, "--lang", language)

    return run


def written(path, customers, seed=1):
    made = bg_nbd_orders(customers, seed=seed)
    with path.open("w") as file:
        file.write("order_id;customer_id;order_date;amount\n")
        for number, row in enumerate(
            zip(made.customer_id, made.ordered_at, made.amount, strict=True)
        ):
            file.write(f"{number};{row[0]};{str(row[1])[:10]};{row[2]:.2f}\n")
    return path


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """The orders of 900 customers over three years."""
    return written(tmp_path_factory.mktemp("churn") / "sales.csv", 900)


@pytest.fixture(scope="module")
def answer(revoir, sales):
    """What is said of them, as JSON, and written to a file."""
    out = sales.with_name("to save.csv")
    done = revoir(sales, "--activity-days", 182, "--format", "json", "--currency", "EUR", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "customers were written" in done.stderr
    return json.loads(done.stdout)


def test_json_holds_the_list_its_record_and_the_card(answer):
    assert answer["window_days"] == 182
    assert answer["model"] in ("rule", "logistic", "trees", "both")
    assert answer["there"] == len(answer["customers"]) > 150
    first = answer["customers"][0]
    assert list(first)[:5] == ["customer_id", "probability", "worth", "stake", "expected_12_months"]
    assert first["stake"] == pytest.approx(first["probability"] * first["worth"], abs=0.02)
    assert first["expected_12_months"] > 0
    assert {"theme", "text", "weight", "points"} == set(first["reasons"][0])
    assert first["why"].startswith(("bought", "buys"))
    test = answer["card"]["days"][0]
    assert f"{answer['card']['lists'][0]['counts'][1]['n']} customers" in answer["record"][0]
    assert test["use"] == "test"


def test_a_table_tells_the_record_before_the_list(revoir, sales, answer):
    done = revoir(sales, "--activity-days", 182, "--currency", "EUR")
    assert done.returncode == 0, done.stderr
    out = done.stdout
    for line in answer["record"]:
        assert line in out
    assert f"{answer['there']} customers are there on" in out
    top = answer["customers"][0]["customer_id"]
    assert out.index(answer["record"][0]) < out.index(f" {top} ")
    assert "€" in out
    assert "The first 50 of" in done.stderr
    assert "sales by MBG/NBD, whatever the margin" in done.stderr


def test_json_holds_the_record_of_the_list_that_was_asked_for(answer, revoir, sales):
    """The list by risk came with the record of the list by stake."""
    asked = (sales, "--activity-days", 182, "--currency", "EUR", "--rank", "risk", "--top", 3)
    told = json.loads(revoir(*asked, "--format", "json").stdout)["record"]
    assert told != answer["record"]
    table = revoir(*asked)
    assert all(line in table.stdout for line in told)
    # A file was said to hold them all, and held three.
    assert f"The first 3 of {answer['there']} customers." in table.stderr


def test_what_is_expected_is_sales_as_the_columns_beside_it():
    """Sales at stake stood beside expected margin."""
    import pyarrow as pa

    from revoir.book import Book
    from revoir.cli.churn import _expected
    from revoir.engines import memory

    made = bg_nbd_orders(300, seed=1)
    orders = {
        "customer_id": made.customer_id.astype(str),
        "ordered_on": made.ordered_at.astype("datetime64[D]"),
        "amount": made.amount,
    }
    found = SimpleNamespace(definition=SimpleNamespace(kind="purchases"), has_worth=True)
    names = pa.array(sorted(set(orders["customer_id"])))
    sales, with_margin = (
        _expected(Book({"orders": memory().create_table("orders", pa.table(held))}), found, names)
        for held in (orders, orders | {"margin": 0.3 * made.amount})
    )
    assert with_margin.equals(sales)


def test_csv_and_files_have_a_row_a_customer(revoir, sales, answer):
    done = revoir(
        sales, "--activity-days", 182, "--format", "csv", "--top", 7, "--rank", "risk",
        language="fr",
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 7
    risks = [float(row["probability"]) for row in rows]
    assert risks == sorted(risks, reverse=True)
    assert max(one["probability"] for one in answer["customers"]) == pytest.approx(risks[0])
    with sales.with_name("to save.csv").open(encoding="utf-8-sig") as file:
        held = list(csv.DictReader(file))
    assert [row["customer_id"] for row in held] == [
        str(one["customer_id"]) for one in answer["customers"]
    ]


def test_the_card_and_the_curves_are_shown(revoir, sales):
    card = revoir(sales, "--activity-days", 182, "--card")
    assert card.returncode == 0, card.stderr
    for heading in ("Tested on a later period", "Lists that would have been made", "What weighs"):
        assert heading in card.stdout
    assert re.search(r"by risk .* \d+% to \d+% ", card.stdout)
    assert re.search(r"part 5 +0\.\d{3}\s+\d+ \w+ \d{4} +0\.\d{3}", card.stdout)
    # “Order” is translated as what customers place.
    assert "Order" not in card.stdout
    curves = revoir(sales, "--activity-days", 182, "--survival", "--format", "json")
    held = json.loads(curves.stdout)
    assert [row["time"] for row in held["curves"]][:2] == [182, 365]
    assert held["hazards"][0]["column"] == "first_amount"
    assert "182 days after a purchase" in held["notes"][0]


def test_too_few_customers_are_told_and_that_is_an_answer(revoir, tmp_path):
    few = written(tmp_path / "few.csv", 15)
    done = revoir(few, "--activity-days", 182, "--format", "json")
    assert done.returncode == 0
    held = json.loads(done.stdout)
    assert (held["model"], held["customers"]) == (None, [])
    assert "Not enough data" in held["reason"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--card", "--survival"], "cannot be asked together"),
        (["--by", "city"], "--by goes with --survival"),
        (["--card", "--format", "csv"], "A model card is no table"),
        (["--survival", "-o", "x.csv"], "writes a list of customers"),
        (["--rank", "name"], "cannot be ordered by “name”"),
        (["--of", "wishes"], "Leaving cannot be read from “wishes”"),
        (["--attribute", "shoe"], "“shoe” is no column of customers"),
    ],
)
def test_wrong_questions_are_refused(revoir, tmp_path, options, words):
    few = written(tmp_path / "few.csv", 150)
    done = revoir(few, "--activity-days", 182, *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "x.csv").exists()
