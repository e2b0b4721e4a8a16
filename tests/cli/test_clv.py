"""`revoir clv` on a book given to it."""

import csv
import json

import numpy as np
import pyarrow as pa
import pytest
import typer
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from revoir.book import Book
from revoir.datasets.btyd import bg_nbd_orders
from revoir.engines.connect import memory
from revoir.errors import InputError, UsageError
from revoir.models.clv import clv
from revoir.models.sbg import Sbg


def shop():
    drawn = bg_nbd_orders(300, seed=4)
    names = [f"c{n:04}" for n in drawn.customer_id]
    orders = pa.table(
        {
            "customer_id": names,
            "ordered_on": drawn.ordered_at.astype("datetime64[D]"),
            "amount": drawn.amount,
        }
    )
    people = pa.table(
        {"customer_id": sorted(set(names)), "name": ["=1+1"] * 300, "city": ["Tours"] * 300}
    )
    return {"orders": orders, "customers": people}


def contracts():
    rng = np.random.default_rng(2)
    until, seen = Sbg.of(alpha=0.8, beta=8.0).draw_periods(400, seed=2), rng.integers(1, 40, 400)
    return {
        "subscriptions": pa.table(
            {
                "customer_id": [f"s{n}" for n in range(400)],
                "tenure_months": np.minimum(until, seen).astype(int),
                "churned": until <= seen,
                "monthly_amount": np.full(400, 12.5),
            }
        )
    }


@pytest.fixture
def ask(monkeypatch):
    """Runs the command on a book of tables; gives its standard output."""
    from revoir.cli import clv as command
    from revoir.cli import common

    backend = memory(threads=1)
    app = typer.Typer()
    app.command()(command.clv)

    def book(tables):
        made = {
            name: backend.create_table(name, table, overwrite=True)
            for name, table in tables.items()
        }
        return Book(made)

    def run(*options, tables=None, language="en"):
        run.book = book(tables or shop())
        monkeypatch.setattr(command, "open_book", lambda files, **options: run.book)
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return run


def test_json_holds_the_model_its_record_and_every_customer(ask):
    answer = json.loads(ask("--model", "bg_nbd", "--unit", "week", "--format", "json"))
    found = clv(ask.book, model="bg_nbd", unit="week", horizon_days=answer["horizon_days"])
    assert answer["model"] == "bg_nbd"
    assert answer["parameters"] == found.parameters
    assert set(answer["standard_errors"]) == {"r", "alpha", "a", "b"}
    assert answer["log_likelihood"] == found.model.log_likelihood_
    assert answer["converged"] is True
    assert answer["horizon_days"] == 365
    assert set(answer["spending"]["parameters"]) == {"p", "q", "v"}
    ways = {way["name"]: way["kind"] for way in answer["backtest"]["ways"]}
    assert ways == {"bg_nbd": "model", "same_as_before": "rule", "by_recency": "rule"}
    assert len(answer["customers"]) == 300
    assert answer["customers"][0]["clv"] == found.customers["clv"][0].as_py()
    assert answer["total"]["low"] < answer["total"]["value"] < answer["total"]["high"]
    fit = answer["goodness_of_fit"]
    assert sum(row["actual"] for row in fit["by_frequency"]) == 300
    assert fit["by_week"][-1]["actual_so_far"] == sum(
        row["frequency"] for row in answer["customers"]
    )
    assert not any(row["held_out"] for row in fit["by_week"])
    # Weeks after the back-test's latest day are held against a model that did not see them.
    until = answer["backtest"]["origins"][0]
    assert fit["hold_out"]["until"] == until
    held = [row for row in fit["hold_out"]["by_week"] if row["held_out"]]
    assert held
    assert all(row["start"] > until for row in held)
    assert sum(row["actual"] for row in held) > 0
    assert answer["reason"] is None


def test_the_table_says_which_model_why_and_what_the_rules_did(ask):
    text = ask()
    assert "was chosen: of the models tried on the past" in text
    assert "As many purchases as in the same time before" in text
    assert "Within 365 days they will bring in" in text
    assert "Still a customer" in text


def test_csv_is_a_row_a_customer(ask):
    rows = list(csv.DictReader(ask("--model", "mbg_nbd", "--format", "csv").splitlines()))
    assert len(rows) == 300
    assert {"customer_id", "clv", "p_purchase", "low", "high", "name"} <= set(rows[0])


def test_the_list_is_written_without_formulas(ask, tmp_path):
    text, sheet = tmp_path / "clv.csv", tmp_path / "clv.xlsx"
    ask("--model", "mbg_nbd", "-o", str(text))
    rows = list(csv.DictReader(text.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["name"] for row in rows} == {"'=1+1"}
    ask("--model", "mbg_nbd", "-o", str(sheet))
    cells = CalamineWorkbook.from_path(sheet).get_sheet_by_index(0).to_python()
    assert len(cells) == 301
    assert isinstance(cells[1][cells[0].index("clv")], float)


@pytest.mark.parametrize(
    ("text", "days"), [("90", 90), ("90d", 90), ("26w", 182), ("6 mois", 181), ("1y", 365)]
)
def test_horizons(ask, text, days):
    answer = json.loads(ask("--model", "mbg_nbd", "--horizon", text, "--format", "json"))
    assert answer["horizon_days"] == days


def test_few_customers_give_a_reason(ask):
    tables = {"orders": shop()["orders"].slice(0, 20)}
    answer = json.loads(ask("--format", "json", tables=tables))
    assert answer["customers"] == []
    assert answer["model"] is None
    assert answer["parameters"] == {}
    assert "Not enough data" in answer["reason"]
    assert "will bring in" not in ask(tables=tables)
    assert ask("--format", "csv", tables=tables) == ""


def test_contracts_are_counted_in_months(ask):
    answer = json.loads(ask("--format", "json", tables=contracts()))
    assert answer["model"] in ("sbg", "bdw")
    assert answer["unit"] == "month"
    assert answer["horizon_months"] == 12
    assert {row["p_stays"] <= 1 for row in answer["customers"]} == {True}
    assert answer["goodness_of_fit"]["by_month"][0]["month"] == 1
    named = json.loads(ask("--model", "sbg", "--format", "json", tables=contracts()))
    assert set(named["parameters"]) == {"alpha", "beta"}
    assert "subscribers are there; left: " in ask(tables=contracts())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "xml"),
        (["-o", "out.doc"], "out.doc"),
        (["--model", "magic"], "magic"),
        (["--unit", "year"], "year"),
        (["--horizon", "soon"], "soon"),
        (["--horizon", "0d"], "0d"),
        (["--horizon", "9000y"], "9,000"),
        (["--discount", "3"], "3"),
        (["--confidence", "0.1"], "0.1"),
    ],
)
def test_wrong_usage_is_told(ask, options, says):
    with pytest.raises(UsageError) as caught:
        ask(*options)
    assert says in caught.value.text("en")


def test_contracts_are_not_counted_in_days(ask):
    with pytest.raises(UsageError, match="months"):
        ask("--horizon", "90d", tables=contracts())


def test_orders_are_no_contracts(ask):
    with pytest.raises(InputError, match="no subscriptions"):
        ask("--model", "sbg")


def test_one_who_left_is_one(ask):
    """“1 have left”."""
    table = contracts()["subscriptions"].slice(0, 2)
    left = table.set_column(2, "churned", pa.array([True, False]))
    assert "1 subscriber is there; left: 1." in ask(tables={"subscriptions": left})


def small_shop(**changed):
    """Forty customers of four days each, one of whom gave something back."""
    first = np.datetime64("2022-01-03")
    rows = [
        {
            "order_id": f"o{n}-{k}",
            "customer_id": f"c{n:02}",
            "ordered_on": (first + 5 * n + (30 + n) * k).item(),
            "amount": 10.0 + n,
        }
        for n in range(40)
        for k in range(4)
    ]
    back = {**rows[-1], "order_id": "back", "amount": -20.0}
    return {"orders": pa.Table.from_pylist([{**row, **changed} for row in [*rows, back]])}


def test_what_was_bought_stands_beside_what_is_to_come(ask):
    rows = json.loads(ask("--format", "json", tables=small_shop()))["customers"]
    told = {row["customer_id"]: row for row in rows}
    assert told["c00"]["historic"] == pytest.approx(4 * 10.0)
    assert told["c39"]["historic"] == pytest.approx(4 * 49.0 - 20.0)
    for row in rows:
        assert row["total"] == pytest.approx(row["historic"] + row["clv"])
    written = list(csv.DictReader(ask("--format", "csv", tables=small_shop()).splitlines()))
    assert {"historic", "total"} <= set(written[0])
    text = ask(tables=small_shop())
    for heading in ("So far", "Worth", "In all"):
        assert heading in text
    half = clv(ask.book.with_settings(margin=0.5))
    assert {row["customer_id"]: row["historic"] for row in half.customers.to_pylist()} == {
        name: pytest.approx(row["historic"] / 2) for name, row in told.items()
    }


def test_what_was_bought_is_not_told_in_several_currencies_or_without_amounts(ask):
    tables = small_shop()
    orders = tables["orders"]
    mixed = pa.array(["EUR", "USD"] * 80 + ["EUR"])
    for held in (
        orders.append_column("currency", mixed),
        orders.set_column(3, "amount", pa.nulls(len(orders), pa.float64())),
    ):
        answer = json.loads(ask("--format", "json", tables={"orders": held}))
        assert answer["customers"]
        for row in answer["customers"]:
            assert row["historic"] is None
            assert row["total"] is None
        assert answer["mean"] is None
    amounts = [None if name == "c07" else 5.0 for name in orders["customer_id"].to_pylist()]
    some = orders.set_column(3, "amount", pa.array(amounts, pa.float64()))
    rows = json.loads(ask("--format", "json", tables={"orders": some}))["customers"]
    assert {row["customer_id"] for row in rows if row["historic"] is None} == {"c07"}


def test_the_simple_form_stands_beside_the_mean_of_the_model(ask):
    from revoir.metrics.registry import measure

    answer = json.loads(ask("--format", "json", "--margin", "0.4"))
    worth = [row["clv"] for row in answer["customers"]]
    assert answer["mean"] == pytest.approx(sum(worth) / len(worth))
    [figure] = measure(ask.book, "clv_simple").figures
    assert answer["simple"]["value"] == pytest.approx(figure.value)
    assert answer["simple"]["lifespan_years"] == pytest.approx(figure.parts["lifespan_years"])
    assert answer["simple"]["reason"] is None
    text = " ".join(ask().split())
    assert "On average a customer will bring in" in text
    assert "is worth" in text
    assert "by the simple form, over the whole time they stay" in text
