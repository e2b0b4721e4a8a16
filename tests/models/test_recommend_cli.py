"""`revoir recommend` on a book given to it."""

import csv
import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest
import typer
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from revoir.errors import UsageError
from revoir.models.recommend import recommend

START = dt.date(2024, 1, 1)
NAMES = {0: "=Kettle", 1: "Teapot", 2: "Cup"}


def lines():
    """Two tastes; a kettle (10) before a teapot (25) in one category, one guarantee that ends."""
    draw = np.random.default_rng(4)
    rows = []
    for customer in range(160):
        taste = customer % 2
        for day in np.sort(draw.integers(0, 240, 9)).tolist():
            for product in np.unique(3 + taste * 8 + draw.integers(0, 8, 2)).tolist():
                rows.append((customer, product, day))
        if taste:
            rows += [(customer, 0, customer + 19), (customer, 1, customer + 79), (customer, 2, 3)]
    days = [START + dt.timedelta(days=day) for _, _, day in rows]
    due = [day + dt.timedelta(days=235 - n[2]) if n[:2] == (1, 2) else None
           for n, day in zip(rows, days, strict=True)]  # fmt: skip
    return pa.table(
        {
            "order_id": [f"{c}-{day}" for c, _, day in rows],
            "customer_id": [f"c{c:03}" for c, _, _ in rows],
            "ordered_on": pa.array(days, pa.date32()),
            "kind": ["purchase"] * len(rows),
            "product_id": [f"P{p:02}" for _, p, _ in rows],
            "product": [NAMES.get(p, f"Tin {p}") for _, p, _ in rows],
            "category": ["Kitchen" if p < 3 else f"Taste {p > 10:d}" for _, p, _ in rows],
            "quantity": [1.0] * len(rows),
            "amount": [{0: 10.0, 1: 25.0, 2: 50.0}.get(p, 8.0) for _, p, _ in rows],
            "upgrade_on": pa.array(due, pa.date32()),
        }
    )


@pytest.fixture
def ask(monkeypatch, make_book):
    """Runs the command; gives its standard output."""
    from revoir.cli import common
    from revoir.cli import recommend as command

    names = [{"customer_id": f"c{n:03}", "name": "=HYPERLINK(1)"} for n in range(160)]
    book = make_book(order_lines=lines(), customers=names)
    monkeypatch.setattr(command, "open_book", lambda files, **options: run.book)
    app = typer.Typer()
    app.command()(command.recommend)

    def run(*options, language="en"):
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        run.told = answer.stderr
        return answer.stdout

    run.book = book
    return run


def test_json_holds_products_reasons_and_the_record(ask):
    answer = json.loads(ask("--top", "3", "--format", "json"))
    found = recommend(ask.book, top=3)
    assert len(answer["customers"]) == 160
    assert all(len(one["products"]) == 3 for one in answer["customers"])
    assert all(row["why"] for one in answer["customers"] for row in one["products"])
    assert answer["record"]["method"] == found.record.method.name
    assert [one["ndcg"] for one in answer["record"]["methods"]] == [
        one.ndcg for one in found.record.trials
    ]
    assert answer["notes"] == [note.text("en") for note in found.notes]


def test_one_customer_in_a_table_with_the_record(ask):
    text = ask("--customer", "c004", "--top", "2")
    assert text.count("c004") == 2
    assert "nDCG at 10" in text
    assert "Tested on the past" in text


def test_a_category_is_left_out_and_new_products_alone(ask):
    rows = list(csv.DictReader(ask("--exclude", "taste 1", "--format", "csv").splitlines()))
    assert rows
    assert not any(row["category"] == "Taste 1" for row in rows)
    new = list(csv.DictReader(ask("--new", "--format", "csv").splitlines()))
    held = {(row["customer_id"], row["product_id"]) for row in lines().to_pylist()}
    assert not any((row["customer_id"], row["product_id"]) in held for row in new)


def test_a_file_is_written_without_formulas(ask, tmp_path):
    file = tmp_path / "products.csv"
    ask("-o", str(file))
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert not any(row["product"].startswith("=") for row in rows)
    book = tmp_path / "products.xlsx"
    ask("-o", str(book))
    cells = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python()
    assert len(cells) == 1 + len(rows)
    assert "why" in cells[0]


def test_a_file_tells_of_recommendations_and_not_of_as_many_customers(ask, tmp_path):
    """“1,997 customers were written” was said of the 1,997 recommendations of 400 customers."""
    for options, says in (
        (["--top", "3"], "480 recommendations were written"),
        (["--customer", "c004", "--top", "1"], "1 recommendation was written"),
        (["--for-upgrade", "--within", "0"], "1 product due for an upgrade was written"),
    ):
        ask(*options, "-o", str(tmp_path / "list.csv"))
        assert says in ask.told


@pytest.mark.parametrize("name", ["P00", "=Kettle", "=kettle"])
def test_a_product_by_code_or_name(ask, name):
    answer = json.loads(ask("--product", name, "--format", "json"))
    assert answer["product_id"] == "P00"
    (up,) = answer["upgrades"]
    assert (up["product"], up["n"], up["buyers"], up["days"]) == ("Teapot", 80, 80, 60)
    assert up["share_low"] < up["share"] == 1.0
    assert (up["price"], up["other_price"]) == (10.0, 25.0)
    text = ask("--product", name)
    assert "move up to" in text
    assert "Teapot" in text


def test_what_joins_a_product(ask):
    answer = json.loads(ask("--product", "P05", "--format", "json"))
    assert answer["basket"] == "order"
    assert answer["together"]
    for row in answer["together"]:
        assert row["product_id"] in {f"P{n:02}" for n in range(3, 11)}
        assert 1 < row["lift_low"] < row["lift"] < row["lift_high"]
        assert row["support"] == row["n"] / row["baskets"]
        assert row["confidence_low"] < row["confidence"] < row["confidence_high"]
    rows = list(csv.DictReader(ask("--product", "P05", "--format", "csv").splitlines()))
    assert [row["product_id"] for row in rows] == [row["product_id"] for row in answer["together"]]
    assert "In the basket with" in ask("--product", "P05")


def test_products_due_for_an_upgrade(ask):
    answer = json.loads(ask("--for-upgrade", "--format", "json"))
    given = [row for row in answer["products"] if row["given"]]
    assert [(row["customer_id"], row["product"]) for row in given] == [("c001", "Cup")]
    assert any(row["offer"] == "Teapot" for row in answer["products"]) is False
    text = ask("--for-upgrade", "--within", "0")
    assert "c001" in text
    assert "Due on" in text


def test_data_without_products_are_told(ask, make_book):
    bare = lines().drop(["product_id", "product", "category"])
    ask.book = make_book(order_lines=bare)
    assert json.loads(ask("--format", "json"))["customers"] == []
    assert "names a product" in json.loads(ask("--format", "json"))["reason"]
    assert json.loads(ask("--product", "P1", "--format", "json"))["together"] == []
    assert json.loads(ask("--for-upgrade", "--format", "json"))["products"] == []
    assert ask("--format", "csv").startswith("customer_id,")
    ask("--product", "P1")
    ask("--for-upgrade")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "xml"),
        (["-o", "out.doc"], "out.doc"),
        (["--product", "P00", "--for-upgrade"], "--product, --for-upgrade"),
        (["--product", "P00", "-o", "x.csv"], "--output"),
        (["--product", "Teapott"], "Teapot"),
        (["--product", "nothing like it"], "its code or its name"),
        (["--customer", "zut"], "zut"),
        (["--exclude", "zut"], "Kitchen"),
        (["--top", "0"], "0 products"),
    ],
)
def test_wrong_usage_is_told(ask, options, says):
    with pytest.raises(UsageError) as caught:
        ask(*options)
    assert says in caught.value.text("en")
