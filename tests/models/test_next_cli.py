"""`revoir next` on a book given to it."""

import csv
import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from revoir.errors import UsageError
from revoir.models.next_purchase import next_purchases

START = dt.date(2024, 1, 1)


def orders(customers):
    """A shop of lognormal gaps; whoever has an even number stops half way."""
    draw = np.random.default_rng(4)
    rows = []
    for customer in range(customers):
        at, centre = draw.uniform(0, 60), draw.normal(3, 0.5)
        while at < (180 if customer % 2 else 365):
            day = START + dt.timedelta(days=int(at))
            rows.append(
                {"customer_id": f"c{customer:03}", "ordered_on": day, "amount": Decimal(10),
                 "kind": "purchase"}
            )  # fmt: skip
            at += 1 + draw.lognormal(centre, 0.5)
    return rows


@pytest.fixture
def ask(monkeypatch, make_book):
    """Runs the command; gives its standard output."""
    from revoir.cli import common
    from revoir.cli import next as command

    names = [{"customer_id": f"c{n:03}", "name": "=HYPERLINK(1)"} for n in range(0, 90, 2)]
    book = make_book(orders=orders(90), customers=names)
    monkeypatch.setattr(command, "open_book", lambda files, **options: run.book)
    app = typer.Typer()
    app.command()(command.next_)

    def run(*options, language="en"):
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    run.book = book
    return run


def test_json_holds_everybody_the_model_and_its_record(ask):
    answer = json.loads(ask("--format", "json"))
    found = next_purchases(ask.book)
    assert len(answer["customers"]) == 90
    assert answer["rhythm"]["family"] == found.rhythm.family_
    assert answer["record"]["error_days"] == found.record.error_days
    assert answer["record"]["sentences"][0].startswith("Tested on the past")
    assert answer["customers"][0]["name"] in ("=HYPERLINK(1)", None)
    late = [row["overdue"] for row in answer["customers"]]
    assert late == sorted(late, reverse=True)
    assert any(late)
    overdue = [row["returns"] for row in answer["customers"] if row["overdue"]]
    assert overdue == sorted(overdue, reverse=True)
    on_time = [row["next_on"] for row in answer["customers"] if not row["overdue"]]
    assert on_time == sorted(on_time)


def test_those_who_are_due(ask):
    """Who returned at all, and then soon, was called likely to buy soon: fewer are."""
    rows = list(csv.DictReader(ask("--due", "9", "--format", "csv").splitlines()))
    within = next_purchases(ask.book, horizon_days=9).customers.to_pylist()
    expected = [row["customer_id"] for row in within if row["returns"] >= 0.5]
    assert sorted(row["customer_id"] for row in rows) == expected
    assert 0 < len(expected) < 90
    days = [row["next_on"] for row in rows]
    assert days == sorted(days)
    assert f"{len(expected)} are likely to buy within 9 days." in ask("--due", "9")


def test_who_is_due_is_more_likely_than_not_to_come(ask):
    """Everybody who returns within nine days does so within nine days: few are likely to."""
    rows = json.loads(ask("--due", "9", "--horizon", "9", "--format", "json"))["customers"]
    whole = next_purchases(ask.book, horizon_days=9).customers.to_pylist()
    assert len(rows) == sum(row["returns"] >= 0.5 for row in whole)
    assert 0 < len(rows) < len(whole)


def test_the_table_says_the_record(ask):
    text = ask("--coverage", "0.9", "--horizon", "60")
    assert "90% interval" in text
    assert "Within 60 days" in text
    # A day stands beside customers, too, who will hardly come again.
    assert "Next purchase, if any" in " ".join(text.split())
    assert "The day was wrong by" in text


def test_too_few_data_are_told_and_everybody_is_listed(ask, make_book):
    ask.book = make_book(orders=orders(3))
    answer = json.loads(ask("--format", "json"))
    assert "needed" in answer["reason"]
    assert answer["record"] is None
    assert [row["next_on"] for row in answer["customers"]] == [None] * 3
    assert ask("--due", "9", "--format", "csv").startswith("customer_id,")
    assert "3 customers had bought" in ask()


def test_a_file_is_written_without_formulas(ask, tmp_path):
    file = tmp_path / "next.csv"
    ask("-o", str(file))
    written = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert len(written) == 90
    assert {row["name"] for row in written} == {"'=HYPERLINK(1)", ""}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "xml"),
        (["-o", "out.doc"], "out.doc"),
        (["--coverage", "80"], "80"),
        (["--horizon", "0"], "0 days"),
    ],
)
def test_wrong_usage_is_told(ask, options, says):
    with pytest.raises(UsageError) as caught:
        ask(*options)
    assert says in caught.value.text("en")


def test_one_day_is_no_days(ask):
    """“Within 1 days” stood above the column."""
    assert "Within 1 day " in " ".join(ask("--horizon", "1").split())


def test_a_near_horizon_is_no_short_history(ask):
    """A year of data was called too short, because one day was asked about."""
    told = ask("--horizon", "10")
    assert "10 days ahead are too near to test what was expected: that takes 14 days." in told
    assert "cover only" not in told
