"""`revoir signals` on a book given to it."""

import csv
import datetime as dt
import json

import pytest
import typer
from typer.testing import CliRunner

from revoir.book import Activity
from revoir.errors import UsageError
from revoir.signals import all_alerts, health_scores, signals
from revoir.signals.alerts import watch_list

AS_OF = dt.date(2024, 6, 4)


@pytest.fixture(scope="module")
def asked():
    """The books that commands of this module were given, made once."""
    return {}


@pytest.fixture
def ask(monkeypatch, book_of, company_of, asked):
    """Runs the command on the company; gives its standard output."""
    from revoir.cli import common
    from revoir.cli import signals as command

    if "book" not in asked:
        rows = company_of[0](seed=5)
        asked["book"] = book_of(as_of=AS_OF, rule=Activity(window_days=90), **rows)
    monkeypatch.setattr(command, "open_book", lambda files, **options: asked["book"])
    app = typer.Typer()
    app.command()(command.signals)

    def run(*options, language="en"):
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    run.book = asked["book"]
    return run


def test_json_holds_alerts_reasons_and_records(ask):
    answer = json.loads(ask("--format", "json"))
    assert answer["as_of"] == "2024-06-04"
    assert answer["horizon_days"] == 90
    assert {one["signal"] for one in answer["signals"]} == {one.name for one in signals()}
    every = all_alerts(ask.book)
    muted = {one.signal.name for one in every if one.record.muted is not None}
    expected = watch_list([one for one in every if one.signal.name not in muted])
    assert [(row["customer_id"], row["signal"]) for row in answer["alerts"]] == [
        (alert.customer_id, alert.signal.name) for alert in expected
    ]
    told = {one["signal"]: one for one in answer["signals"]}
    assert len(answer["alerts"]) == sum(told[name]["open"] for name in told if name not in muted)
    assert {name for name in told if told[name]["record"]["muted"]} == muted
    left = {one.customer_id for held in every if held.signal.name in muted for one in held.listed()}
    assert answer["not_listed"]["customers"] == len(left) > 0
    assert set(answer["not_listed"]["signals"]) == muted
    for row in answer["alerts"]:
        assert row["reason"]
        assert row["raised_on"] <= "2024-06-04"
    down = next(one for one in answer["signals"] if one["signal"] == "purchases_down")
    assert down["parameters"] == {"drop": 0.3, "period_days": 30, "quiet_days": 15}
    precision = down["record"]["precision"]
    assert precision["numerator"] / precision["denominator"] == precision["value"]
    assert precision["low"] < precision["value"] < precision["high"]
    ending = next(one for one in answer["signals"] if one["signal"] == "subscription_ending")
    assert "cannot be told" in ending["record"]["reason"]
    assert ending["record"]["precision"]["value"] is None


def test_signals_that_tell_no_more_than_silence_are_listed_on_demand(ask):
    """They filled the list: of Superstore's 793 customers 623 stood in it because of them."""
    every = json.loads(ask("--all", "--format", "json"))
    assert len(every["alerts"]) == sum(one["open"] for one in every["signals"]) > 10
    assert every["not_listed"] == {"customers": 0, "signals": []}
    muted = json.loads(ask("--format", "json"))["not_listed"]["signals"]
    named = json.loads(ask("--signal", muted[0], "--format", "json"))
    assert len(named["alerts"]) == named["signals"][0]["open"]
    assert "are to be seen to" in ask()
    assert "are to be seen to" not in ask("--all")
    rows = list(csv.DictReader(ask("--format", "csv").splitlines()))
    assert not {row["signal"] for row in rows} & set(muted)


def test_most_at_stake_comes_first(ask):
    rows = json.loads(ask("--all", "--format", "json"))["alerts"]
    stakes = [(row["right"] or 0) * (row["bought_for"] or 0) for row in rows]
    assert stakes == sorted(stakes, reverse=True)
    few = watch_list(all_alerts(ask.book), 5)
    assert [(one.customer_id, one.signal.name) for one in few] == [
        (row["customer_id"], row["signal"]) for row in rows[:5]
    ]


def test_the_table_says_who_why_and_how_well(ask):
    text = ask("--all")
    assert "alerts are open at the end of 4 Jun 2024" in text
    assert "Right in the past" in " ".join(text.split())
    assert "Purchases down, no visit" in text
    assert "a given signal" not in text


def test_one_signal_and_its_parameters(ask):
    answer = json.loads(
        ask("--signal", "complaints", "--set", "complaints.complaints=1", "--format", "json")
    )
    (only,) = answer["signals"]
    assert only["parameters"] == {"complaints": 1, "period_days": 30}
    both = json.loads(ask("--signal", "Repeated complaints", "--format", "json"))
    assert only["record"]["alerts"] > both["signals"][0]["record"]["alerts"]


def test_records_alone(ask):
    text = ask("--record")
    assert "were right" in text
    answer = json.loads(ask("--record", "--format", "json", "--horizon", "120"))
    assert "alerts" not in answer
    assert answer["horizon_days"] == 120
    rows = list(csv.DictReader(ask("--record", "--format", "csv").splitlines()))
    assert len(rows) == len(signals())
    assert "precision_low" in rows[0]


def test_health(ask):
    answer = json.loads(ask("--health", "--format", "json"))
    scores = [row["health"] for row in answer["customers"]]
    found = health_scores(ask.book)
    assert len(scores) == len(ask.book.rows(found.customers))
    assert scores == sorted(scores)
    assert [one["part"] for one in answer["parts"]] == [part.name for part in found.parts]
    assert "least healthy first" in ask("--health")
    rows = list(csv.DictReader(ask("--health", "--format", "csv").splitlines()))
    assert float(rows[0]["health"]) == pytest.approx(scores[0])


def test_the_list_is_written_to_a_file(ask, tmp_path):
    file = tmp_path / "watch.csv"
    rows = json.loads(ask("--format", "json", "-o", str(file)))["alerts"]
    written = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["customer_id"] for row in written] == [row["customer_id"] for row in rows]
    ask("--health", "-o", str(tmp_path / "health.xlsx"))
    assert (tmp_path / "health.xlsx").exists()


def test_csv_is_a_row_an_alert(ask):
    rows = list(csv.DictReader(ask("--format", "csv").splitlines()))
    assert {"customer_id", "signal", "raised_on", "reason", "right"} <= set(rows[0])


def test_what_cannot_be_raised_says_what_it_needs(ask, monkeypatch, book_of):
    from revoir.cli import signals as command

    rows = [("a", AS_OF - dt.timedelta(days=day), 10, "purchase") for day in (1, 40, 80)]
    few = book_of(as_of=AS_OF, orders=rows)
    monkeypatch.setattr(command, "open_book", lambda files, **options: few)
    answer = json.loads(ask("--format", "json"))
    lacking = {one["signal"]: one["reason"] for one in answer["lacking"]}
    assert lacking["complaints"] == "It needs contacts with customer service."
    assert lacking["detractor"] == "It needs survey answers."
    assert lacking["unsubscribed"] == "It needs visits."
    reasons = {one["signal"]: one["record"]["reason"] for one in answer["signals"]}
    assert all(reason.startswith("Not enough data") for reason in reasons.values())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--signal", "overdoe"], "overdue"),
        (["--set", "overdue.share"], "overdue.share=0.8"),
        (["--set", "overdue.share=much"], "overdue.share=much"),
        (["--set", "share=0.5"], "share=0.5"),
        (["--set", "overdue.zeal=1"], "zeal"),
        (["--set", "overdue.share=2"], "0.999"),
        (["--set", "complaints.complaints=1.5"], "whole number"),
        (["--set", "unsubscribed.x=1"], "none"),
        (["--record", "--health"], "--record, --health"),
        (["--health", "--signal", "overdue"], "--signal"),
        (["--record", "-o", "x.csv"], "--output"),
        (["--horizon", "30"], "30 days are too few"),
        (["--health", "--horizon", "30"], "30 days are too few"),
        (["--format", "xml"], "xml"),
        (["-o", "x.doc"], "x.doc"),
    ],
)
def test_wrong_usage_is_told(ask, options, says):
    with pytest.raises(UsageError) as caught:
        ask(*options)
    assert says in caught.value.text("en")
