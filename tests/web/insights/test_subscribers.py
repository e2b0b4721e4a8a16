"""Subscribers are foretold apart, where there are buyers too: pages, calls and one customer."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory

import revoir
from revoir.book import Book
from revoir.datasets.shop import shop
from revoir.models.churn import churn
from revoir.models.contract_clv import contract_clv
from revoir_web.customers.models import Customer
from revoir_web.insights import advice, foresight, panel, runs
from revoir_web.insights.models import AnalysisRun, PredictionRun

pytestmark = pytest.mark.django_db
CUSTOMERS = 800
"""So many that enough contracts have ended to learn from."""


@pytest.fixture(scope="module")
def subscribed(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A larger shop, whose contracts are foretold beside the purchases of the small one."""
    folder = tmp_path_factory.mktemp("subscribed") / "files"
    shop(3, customers=CUSTOMERS).write(folder, "fr")
    return revoir.read(folder, settings=revoir.Settings(currency="EUR"))


@pytest.fixture(scope="module")
def of_contracts(subscribed: Book) -> dict[str, foresight.Part]:
    """What models say of its subscribers."""
    return {kind: part(subscribed) for kind, (_told, part) in foresight.CONTRACTS.items()}


def test_both_lists_are_those_of_the_core(
    computed: PredictionRun,
    subscribed: Book,
    as_role: Callable[[str], Client],
) -> None:
    client = as_role("manager")
    ranked = churn(subscribed, kind="subscriptions").ranked(limit=100)
    told = client.get("/api/departures?of=subscriptions").json()
    assert [row["customer"] for row in told["customers"]] == [one.customer_id for one in ranked]
    assert ranked
    assert told["customers"][0]["reasons"]
    buyers = client.get("/api/departures").json()
    assert buyers["customers"] != told["customers"]
    assert buyers["definition"] != told["definition"]
    worth = client.get("/api/clv?of=subscriptions").json()
    assert worth["total"]["value"] == pytest.approx(contract_clv(subscribed).total.value)
    assert client.get("/api/clv?of=visits").status_code == 422


@pytest.mark.parametrize("path", ["/departures/", "/worth/"])
def test_a_switch_stands_where_there_are_both(
    computed: PredictionRun,
    as_role: Callable[[str], Client],
    path: str,
) -> None:
    client = as_role("manager")

    def current(query: str = "") -> list[str]:
        page = client.get(f"{path}{query}").content.decode()
        content = page[page.index('aria-label="Prévisions"') :]
        return re.findall(r'<a href="([^"]*)" aria-current="page">([^<]*)<', content)

    other = f"{path}?of=subscriptions"
    name = {"/departures/": "À sauver", "/worth/": "Valeur"}[path]
    assert current() == [(path, name), (path, "Acheteurs")]
    assert current("?of=subscriptions") == [(other, name), (other, "Abonnés")]
    AnalysisRun.objects.filter(parameters=runs.SUBSCRIBERS).delete()
    # Nobody waits for what no computation gives.
    assert current() == current("?of=subscriptions") == [(path, name)]
    assert client.get("/api/departures?of=subscriptions").status_code == 404
    assert client.get("/next/?of=subscriptions").status_code == 200


def test_the_card_of_contracts_is_kept_and_shown(
    computed: PredictionRun,
    subscribed: Book,
    as_role: Callable[[str], Client],
) -> None:
    """It was made with each run and thrown away."""
    client = as_role("analyst")
    address = f"/predictions/{computed.number}/"
    of_contracts = f"{address}?of=subscriptions"
    card = churn(subscribed, kind="subscriptions").card
    page = client.get(of_contracts).content.decode()
    assert card.refusal is not None, "too few have left"
    assert card.refusal.text("fr") in html.unescape(page)
    for value in (*card.by_fold, max(card.drift.values())):
        assert f"{value:.2f}" in page.replace(",", ".")
    assert 'href="/departures/?of=subscriptions"' in page
    assert re.findall(r'<a href="([^"]*)" aria-current="page">Abonnés<', page) == [of_contracts]
    of_buyers = client.get(address).context["shown"]
    assert client.get(f"{address}?of=visits").context["shown"] == of_buyers
    assert client.get(of_contracts).context["shown"] != of_buyers
    for path, link in (("/departures/", address), ("/departures/?of=subscriptions", of_contracts)):
        assert f'href="{link}"' in client.get(path).content.decode()
    [run] = client.get("/predictions/").context["runs"]
    assert [one["card_url"] for one in run["leaving"]] == [address, of_contracts]
    shown = client.get("/predictions/").content.decode()
    assert "Abonnés\N{NO-BREAK SPACE}: <a" in shown
    [told] = client.get("/api/predictions").json()["items"]
    assert told["subscribers"] == {"model": "rule", "auc": None, "slope": None, "has_card": True}
    assert told["has_card"] is True
    found = client.get("/api/predictions/last/card?of=subscriptions").json()
    assert found["by_fold"] == pytest.approx(card.by_fold)
    assert found["definition"] != client.get("/api/predictions/last/card").json()["definition"]
    assert client.get("/api/predictions/last/card?of=visits").status_code == 422
    computed.cards.filter(kind="contract_departures").delete()
    assert client.get(of_contracts).status_code == 404
    assert "Abonnés" not in client.get(address).content.decode()


def test_who_has_a_contract_sees_its_risk(
    computed: PredictionRun,
    as_role: Callable[[str], Client],
) -> None:
    import pyarrow.parquet as pq

    from revoir_web.insights import engine

    rows = pq.read_table(engine.folder_of(computed.number) / "customers.parquet").to_pylist()
    held = next(row for row in rows if row["contract_leaves"] is not None and row["contract_clv"])
    without = next(row for row in rows if row["contract_leaves"] is None and row["leaves"])
    client = as_role("advisor")
    told = client.get(f"/api/customers/{held['customer_id']}/predictions").json()
    assert told["contract_leaves"] == held["contract_leaves"]
    assert told["contract_clv"] == held["contract_clv"]
    for row, there in ((held, True), (without, False)):
        shown = panel.context(
            RequestFactory().get("/"), Customer.objects.get(pk=row["customer_id"])
        )
        kinds = [one["kind"] for one in shown["rows"] if one["value"]]
        assert ("contract_departures" in kinds, "contract_worth" in kinds) == (there, there)
        assert client.get(f"/customers/{row['customer_id']}/").status_code == 200


def test_where_there_are_no_contracts_nothing_is_kept_of_them(
    computed: PredictionRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from revoir_web.common import jobs
    from revoir_web.insights.models import DataState

    assert runs.told_apart("departures")
    assert runs.are_foretold()
    DataState.objects.update(lake_version="another")
    monkeypatch.setattr(foresight, "has_both", lambda _book: False)
    monkeypatch.setattr(foresight, "PARTS", {})
    jobs.enqueue("insights.foresee")
    jobs.run_waiting()
    assert not runs.told_apart("departures")
    assert not runs.told_apart("worth")


def test_the_next_action_knows_of_a_contract(company: Any) -> None:
    said = {"paid_in": "subscriptions", "mean": 0.1}
    run = PredictionRun(customers=9, as_of=company.today, facts={"contract_departures": said})
    told = {"leaves": None, "next_on": None, "contract_leaves": 0.8, "contract_worth": 120.0,
            "contract_stake": 96.0}  # fmt: skip
    customer = Customer.objects.create(name="Zoé", name_key="zoe", email="zoe@example.com")
    found = advice.of_customer(customer, run, told)
    rules = [action.rule for action in found.actions]
    assert rules == ["leaving"] or [one.rule for one, _why in found.held_back] == ["leaving"]
