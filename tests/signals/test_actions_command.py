"""`revoir actions`: the rules followed on a book, by the command and from Python."""

import datetime as dt
import json

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from revoir.book import Activity, Book
from revoir.errors import UsageError
from revoir.models.next_purchase import next_purchases
from revoir.signals import all_alerts
from revoir.signals.advising import _Gathered, next_actions

AS_OF = dt.date(2024, 6, 4)


@pytest.fixture(scope="module")
def asked():
    """The book that commands of this module are given, made once."""
    return {}


@pytest.fixture
def book(book_of, company_of, asked):
    if "book" not in asked:
        rows = company_of[0](seed=5)
        asked["book"] = book_of(as_of=AS_OF, rule=Activity(window_days=90), **rows)
    return asked["book"]


@pytest.fixture
def ask(monkeypatch, book):
    """Runs the command on the company; gives its standard output."""
    from revoir.cli import actions as command
    from revoir.cli import common

    monkeypatch.setattr(command, "open_book", lambda files, **options: book)
    app = typer.Typer()
    app.command()(command.actions)

    def run(*options, language="en"):
        common._chosen.clear()
        answer = CliRunner().invoke(app, ["x.csv", "--lang", language, *options])
        common._chosen.clear()
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return run


def test_every_open_alert_is_answered(book):
    found = next_actions(book)
    alerted = {row["customer_id"] for held in all_alerts(book) if held.reason is None
               for row in book.rows(held.open)}  # fmt: skip
    assert alerted
    answered = {one.customer_id for one in found.customers if one.advice.actions[0].rule == "alert"}
    assert answered == alerted
    assert found.there >= len(found.customers)
    stakes = [one.stake or 0 for one in found.customers]
    assert stakes == sorted(stakes, reverse=True)


def test_the_command_says_the_same_in_both_languages(ask, book):
    told = json.loads(ask("--format", "json"))
    found = next_actions(book)
    assert [(row["customer_id"], row["rule"]) for row in told["actions"]] == [
        (one.customer_id, action.rule) for one in found.customers for action in one.advice.actions
    ]
    assert "not been measured" in told["note"]
    french = json.loads(ask("--format", "json", language="fr"))
    assert [row["rule"] for row in french["actions"]] == [row["rule"] for row in told["actions"]]
    assert french["actions"][0]["action"] != told["actions"][0]["action"]
    table = ask()
    assert told["actions"][0]["action"].split(":")[0] in table


def test_one_customer_is_told_also_where_there_is_nothing_to_do(ask, book):
    busy = {one.customer_id for one in next_actions(book).customers}
    rows = book.columns(book.table("orders").select("customer_id"))["customer_id"].to_pylist()
    calm = next(one for one in sorted(set(rows)) if one not in busy)
    told = json.loads(ask("--format", "json", "--customer", calm))
    assert [row["rule"] for row in told["actions"]] == ["wait"]
    with pytest.raises(UsageError, match="There is no customer"):
        next_actions(book, ["nobody"])


def test_whoever_refuses_offers_gets_none(backend, book_of):
    import pyarrow as pa

    days = [dt.date(2024, 1, 1) + dt.timedelta(days=10 * number) for number in range(12)]
    orders = [(who, day, 20, "purchase") for who in ("a", "b") for day in days]
    book = book_of(as_of=AS_OF, rule=Activity(window_days=90), orders=orders)
    people = pa.table({"customer_id": ["a", "b"], "consent": [False, None]})
    held = {
        "customers": backend.create_table("who_refuses", people),
        "orders": book.table("orders"),
    }
    found = _Gathered(Book(held, settings=book.settings, as_of=AS_OF))
    assert found.known("a").reach["news"].reason is not None
    assert found.known("b").reach == {}
    # A service is no offer: what is wrong is put right whatever they agreed to.
    assert set(found.known("a").reach) == {"news"}


def test_one_customer_is_no_customers(monkeypatch, book_of, capsys):
    """“1 customers looked at”, “1 of 1 active customers has”."""
    from revoir.cli.actions import _print
    from revoir.cli.health import _scored
    from revoir.signals import health_scores

    rule = Activity(window_days=90)
    alone = book_of(as_of=AS_OF, rule=rule, orders=[("anna", AS_OF, 10, "purchase")])
    _print(alone, next_actions(alone), [], [], "en")
    assert "Actions shown: 0 of 0; customers looked at on 4 Jun 2024: 1." in capsys.readouterr().err
    told = _scored(health_scores(alone), 1).text("en")
    assert told == (
        "Active customers with a score at the end of 4 Jun 2024: 1 of 1; the least healthy first."
    )


def without_days(backend, name, rows):
    return Book({"subscriptions": backend.create_table(name, pa.Table.from_pylist(rows))})


def test_subscribers_without_any_day_are_advised_by_who_may_leave(backend):
    """A list of who left and who stayed was asked for a column of order dates."""
    rows = [
        {"customer_id": f"C{n}", "plan": "month" if n % 2 else "year", "tenure_months": n % 30,
         "monthly_amount": 20.0 + n % 7, "churned": bool((n % 2 and n % 8 != 1) or n % 20 == 0)}
        for n in range(240)
    ]  # fmt: skip
    found = next_actions(without_days(backend, "no_days_1", rows))
    assert found.as_of is None
    stakes = [one.stake for one in found.customers]
    assert stakes
    assert stakes == sorted(stakes, reverse=True)


def test_the_next_purchase_asks_for_orders_with_their_days(backend):
    rows = [{"customer_id": "a", "tenure_months": 3, "churned": False}]
    with pytest.raises(UsageError) as refused:
        next_purchases(without_days(backend, "no_days_2", rows))
    assert "days of their orders" in refused.value.text("en")
    assert "Who may leave is foretold" in refused.value.text("en")
