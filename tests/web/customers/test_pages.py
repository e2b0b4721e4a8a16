"""The pages of customers: list, 360°, pairs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from revoir_web.common.models import AuditEntry
from revoir_web.customers import actions, facts, queries
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    Identifier,
    MergeProposal,
    SavedView,
)
from revoir_web.customers.narrowing import Narrowed
from revoir_web.insights.queries import labels

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture
def shop(company: Any) -> list[str]:
    rows = [
        {"customer_id": "C1", "first_name": "Zoé", "last_name": "Lévy", "email": "zoe@example.com",
         "city": "Lyon", "postcode": "69001", "phone": "0612345678"},
        {"customer_id": "C2", "name": "Zoe Levy", "city": "Lyon", "postcode": "69001"},
        {"customer_id": "C3", "name": "Jean <b>Petit</b>", "city": "Saint-Étienne"},
        {"customer_id": "C4", "name": "Nom " + "très " * 30 + "long"},
        {"customer_id": "C5"},
    ]  # fmt: skip
    ids = actions.resolve_many(rows, source="test")
    actions.index_waiting()
    actions.propose_merges()
    figures = [
        {"customer_id": ids[0], "orders": 4, "revenue": 400, "last_on": dt.date(2026, 1, 2),
         "first_on": dt.date(2025, 1, 2), "gap_days": 60, "segment": "champions",
         "status": "active", "rfm": "555"},
        {"customer_id": ids[1], "orders": 1, "revenue": Decimal("20.50"), "segment": "champions",
         "last_on": dt.date(2024, 1, 2), "first_on": dt.date(2024, 1, 2), "status": "lost"},
        {"customer_id": ids[2], "orders": 2, "revenue": 90, "last_on": dt.date(2025, 6, 2),
         "first_on": dt.date(2025, 1, 2), "segment": "at_risk", "status": "late"},
    ]  # fmt: skip
    assert actions.write_figures(figures) == 3
    assert actions.write_figures(figures) == 0
    return ids


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = []

    def give(
        customer_ids: Sequence[str],
        *,
        limit: int,
        before: dt.datetime | None,
        kinds: Container[str] | None,
    ) -> Sequence[Mapping[str, Any]]:
        return [
            fact
            for fact in held
            if fact["id"] in customer_ids
            and (before is None or facts.aware(fact["at"]) < before)
            and (kinds is None or fact["kind"] in kinds)
        ][:limit]

    monkeypatch.setattr(facts, "_PROVIDERS", [*facts._PROVIDERS, give])
    return held


def names(response: Any) -> list[str]:
    return [line["cells"][0].text for line in response.context["table"].lines]


def test_the_list_sorts_filters_and_searches(as_role: SignIn, shop: list[str]) -> None:
    client = as_role("manager")
    url = reverse("customers:list")
    page = client.get(url)
    assert page.status_code == 200
    assert names(page)[:3] == ["Zoé Lévy", "Jean <b>Petit</b>", "Zoe Levy"]
    assert "<b>Petit" not in page.content.decode()
    # What is not known stands at the end, whichever way.
    for sort in ("last_on", "-last_on"):
        assert set(names(client.get(url, {"sort": sort}))[3:]) == {
            "Nom " + "très " * 30 + "long", "№\u00a0C5",
        }  # fmt: skip
    assert names(client.get(url, {"sort": "last_on"}))[0] == "Zoe Levy"
    assert names(client.get(url, {"segment": "at_risk"})) == ["Jean <b>Petit</b>"]
    assert names(client.get(url, {"status": "lost"})) == ["Zoe Levy"]
    assert names(client.get(url, {"city": "saint etienne"})) == ["Jean <b>Petit</b>"]
    assert names(client.get(url, {"orders": "2", "sort": "orders"})) == [
        "Jean <b>Petit</b>", "Zoé Lévy",
    ]  # fmt: skip
    assert names(client.get(url, {"since": "2025-12-01"})) == ["Zoé Lévy"]
    for words in ("lev zo", "ZOÉ", "zoe@exa", "C1", "06 12 34", "0612345678"):
        assert "Zoé Lévy" in names(client.get(url, {"q": words})), words
    assert names(client.get(url, {"q": "personne"})) == []
    assert client.get(url, {"q": "\x00%_'\""}).status_code == 200
    assert (
        client.get(url, {"city": "%", "orders": "1e999", "since": "x", "page": "999"}).status_code
        == 200
    )


def test_customers_whose_names_are_hidden_can_be_told_apart(
    as_role: SignIn, shop: list[str]
) -> None:
    """Each line of the list and of its file was called “•••”; other lists give their numbers."""
    client = as_role("analyst")
    page = client.get(reverse("customers:list")).content.decode()
    for id in shop[:2]:
        assert f'<a href="{reverse("customers:customer", args=[id])}">№\xa0{id[-8:]}</a>' in page
    file = client.get("/exports/customers.csv?columns=name,email")
    lines = file.getvalue().decode()
    assert f"№\xa0{shop[0][-8:]}" in lines


def test_an_analyst_sees_figures_and_no_person(as_role: SignIn, shop: list[str]) -> None:
    client = as_role("analyst")
    page = client.get(reverse("customers:list"), {"columns": "name,email,phone,city,revenue"})
    assert "Lévy" not in page.content.decode()
    assert "zoe@" not in page.content.decode()
    page = client.get(reverse("customers:customer", args=[shop[0]]))
    assert page.status_code == 200
    body = page.content.decode()
    assert "Lévy" not in body
    assert "zoe@" not in body
    assert ">C1<" not in body
    assert not AuditEntry.objects.filter(action="customer.see").exists()
    assert client.get(reverse("customers:edit", args=[shop[0]])).status_code == 403
    lines = b"".join(
        client.get(reverse("common:export", args=["customers", "csv"])).streaming_content  # type: ignore[attr-defined]
    )
    assert "Lévy".encode() not in lines


def test_the_page_of_a_customer(
    as_role: SignIn,
    shop: list[str],
    happened: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bought, due = dt.date(2025, 4, 2), dt.date(2025, 12, 31)
    boiler = facts.Owned("Chaudière X", 1, bought, due)
    teas = [facts.Owned(f"Thé {n}", 2, bought, None) for n in range(22)]
    monkeypatch.setattr(facts, "_OWNING", [lambda _ids: [*teas, boiler]])
    happened += [
        {"id": shop[0], "at": dt.datetime(2026, 1, 2, 9), "kind": "order", "title": "Commande 1",
         "amount": Decimal(100), "currency": "EUR", "details": {}},
        {"id": shop[0], "at": dt.date(2025, 5, 2), "kind": "response", "title": "NPS 9",
         "amount": None, "currency": None, "details": {"text": "Très bien"}},
    ]  # fmt: skip
    client = as_role("advisor")
    url = reverse("customers:customer", args=[shop[0]])
    page = client.get(url)
    body = page.content.decode()
    for text in (
        "Zoé Lévy",
        "zoe@example.com",
        "+33 6 12 34 56 78",
        "Commande 1",
        "Très bien",
        "Chaudière X",
    ):
        assert text in body, text
    assert page.context["page"]["products"][0]["late"]
    assert len(page.context["page"]["more_products"]) == 3
    assert {row["name"]: row["tone"] for row in page.context["profile"].metrics}[
        "orders"
    ] == "better"
    assert AuditEntry.objects.filter(action="customer.see", object_id=shop[0]).count() == 1
    assert [
        row["title"] for row in client.get(url, {"kind": "order"}).context["page"]["timeline"]
    ] == ["Commande 1 – 100,00\xa0€"]
    assert (
        client.get(url, {"before": "2025-05-01T00:00:00+00:00"}).context["page"]["timeline"] == []
    )
    assert client.get(url, {"before": "nonsense"}).status_code == 200
    assert client.get(reverse("customers:customer", args=["x"])).status_code == 404
    # Of whom nothing is known, everything is empty and says so.
    assert client.get(reverse("customers:customer", args=[shop[4]])).status_code == 200


def test_every_fact_is_on_a_page(
    as_role: SignIn,
    shop: list[str],
    happened: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Contacts before the last sixty facts were not there, and the last ones of a day neither."""
    monkeypatch.setattr(queries, "FACTS", 4)
    new, old = dt.datetime(2026, 1, 2), dt.datetime(2025, 1, 2)
    happened += [
        {"id": shop[0], "at": new if n < 6 else old, "kind": "order", "title": f"O{n}",
         "amount": None, "currency": None, "details": {}}
        for n in range(7)
    ]  # fmt: skip
    happened.append({**happened[-1], "kind": "interaction", "title": "Contact"})
    client, url = as_role("manager"), reverse("customers:customer", args=[shop[0]])
    [entry] = client.get(url, {"kind": "interaction"}).context["page"]["timeline"]
    assert entry["title"] == "Contact"
    told: list[str] = []
    query = "kind=order"
    while query:
        page = client.get(f"{url}?kind=order&{query}").context["page"]
        told += [entry["title"] for entry in page["timeline"]]
        query = page["older"]
    assert told == [f"O{n}" for n in range(7)]


def test_what_is_known_by_the_day_alone_has_no_time(
    as_role: SignIn, shop: list[str], happened: list[dict[str, Any]]
) -> None:
    """Every order of a sheet with days alone was said to be of midnight, “à 00 h 00”."""
    of_paris = {"day": dt.datetime(2026, 1, 4, 23, 0), "noon": dt.datetime(2026, 2, 4, 11, 30)}
    happened += [
        {"id": shop[0], "at": at, "kind": "order", "title": title, "amount": None,
         "currency": None, "details": {}}
        for title, at in of_paris.items()
    ]  # fmt: skip
    page = as_role("manager").get(reverse("customers:customer", args=[shop[0]])).content.decode()
    assert ">05/01/2026</time>" in page
    assert not re.search(r"00\sh\s00", page)
    assert re.search(r"12\sh\s30", page)


def test_amounts_that_are_not_counted_are_named(
    as_role: SignIn, shop: list[str], happened: list[dict[str, Any]]
) -> None:
    """Who had bought for 150 francs was said to have bought for 0.00 €, without a word."""
    address = reverse("customers:customer", args=[shop[0]])
    assert "CHF" not in as_role("manager").get(address).content.decode()
    happened.append(
        {"id": shop[0], "at": dt.datetime(2026, 1, 2, 9), "kind": "order", "title": "Commande 1",
         "amount": Decimal(150), "currency": "CHF", "details": {}}
    )  # fmt: skip
    page = as_role("manager").get(address)
    assert page.context["page"]["not_counted"] == ["CHF"]
    assert re.search(r'<p class="small">[^<]*EUR[^<]*CHF', page.content.decode())


def test_a_list_is_narrowed_by_a_long_town(as_role: SignIn, shop: list[str]) -> None:
    town = "Llanfair" * 40
    Customer.objects.filter(pk=shop[0]).update(city=town)
    actions.index([shop[0]])
    client = as_role("manager")
    for asked in (town, town[:90], town[:200]):
        assert names(client.get(reverse("customers:list"), {"city": asked})) == ["Zoé Lévy"]
    columns = client.get(reverse("customers:list"), {"columns": "name,city"})
    assert town in columns.content.decode()


def test_a_choice_that_is_no_more_is_shown_as_it_is_asked_for(
    as_role: SignIn, shop: list[str]
) -> None:
    """A list of nobody, and “All” in the field: the segment of the address had no customers."""
    page = as_role("manager").get(reverse("customers:list"), {"segment": "gone"})
    assert page.context["table"].count == 0
    assert re.search(r'<option value="gone" selected>', page.content.decode())


def test_columns_of_a_file_are_named_as_people_write(as_role: SignIn, shop: list[str]) -> None:
    """“connu_par” stood beside “Téléphone”, and “True” for yes."""
    Customer.objects.filter(pk=shop[0]).update(attributes={"connu_par": "amis", "pro": True})
    page = as_role("manager").get(reverse("customers:customer", args=[shop[0]])).content.decode()
    assert "<dt>Connu par</dt><dd>amis</dd>" in page
    assert "<dt>Pro</dt><dd>oui</dd>" in page


def test_an_amount_that_is_not_known_is_not_nothing(as_role: SignIn, shop: list[str]) -> None:
    """Of who had bought for francs alone the list said 0 €, and the mean of their segment too."""
    figures = {"orders": 2, "revenue": None, "segment": "at_risk", "status": "active"}
    actions.write_figures([{"customer_id": shop[3], **figures}])
    client = as_role("manager")
    rows = client.get(reverse("customers:list")).context["table"].lines
    amounts = {line["row"].pk: line["cells"][4].text for line in rows}
    assert (amounts[shop[3]], amounts[shop[2]]) == ("—", "90\xa0€")
    told = {row["name"]: row for row in queries.profile(Customer.objects.get(pk=shop[3])).metrics}
    assert set(told) == {"orders"}
    other = {row["name"]: row for row in queries.profile(Customer.objects.get(pk=shop[2])).metrics}
    assert (other["revenue"]["mean"], other["basket"]["mean"]) == (90, 45)
    call = client.get(f"/api/customers/{shop[3]}").json()
    assert call["figures"]["revenue"] is None


def test_customers_are_compared_with_a_segment_where_they_are_in_one(
    as_role: SignIn, shop: list[str]
) -> None:
    """“Mean of the segment” stood above figures of a customer in no segment."""
    actions.write_figures([{"customer_id": shop[3], "orders": 1, "revenue": 9, "segment": ""}])
    client = as_role("manager")
    page = client.get(reverse("customers:customer", args=[shop[3]])).content.decode()
    assert "Moyenne du segment" not in page
    assert "9,00\xa0€" in page
    other = client.get(reverse("customers:customer", args=[shop[0]])).content.decode()
    assert "Moyenne du segment" in other


def test_what_a_customer_bought_for_is_not_called_revenue(as_role: SignIn, shop: list[str]) -> None:
    """Revenue is less what was returned, and this is not: the list added up to more."""
    client = as_role("manager")
    list_page = client.get(reverse("customers:list")).content.decode()
    page = client.get(reverse("customers:customer", args=[shop[0]])).content.decode()
    for shown in (list_page, page):
        assert "Acheté en tout" in shown
        assert "Chiffre d’affaires<" not in shown


def test_a_profile_is_corrected_and_put_back(as_role: SignIn, shop: list[str]) -> None:
    client = as_role("manager")
    url = reverse("customers:edit", args=[shop[0]])
    held = {
        "name": "Zoé Lévy", "first_name": "Zoé", "last_name": "Martin", "email": "z@example.com",
        "phone": "06 99 99 99 99", "city": "Paris",
    }  # fmt: skip
    wrong = client.post(url, {**held, "email": "not an address"})
    assert wrong.status_code == 200
    assert "not an address" in wrong.content.decode()
    assert client.post(url, held).status_code == 302
    zoe = Customer.objects.get(pk=shop[0])
    assert (zoe.name, zoe.phone) == ("Zoé Martin", "+33699999999")
    assert actions.resolve_many([{"email": "z@example.com"}], source="t") == [shop[0]]
    assert names(client.get(reverse("customers:list"), {"q": "martin"})) == ["Zoé Martin"]
    assert CustomerFigures.objects.get(pk=shop[0]).city_key == "paris"
    entry = AuditEntry.objects.get(action="customer.change")
    assert "Martin" not in str(entry.details)
    change = zoe.changes.get()
    undo = reverse("customers:undo", args=[shop[0], change.pk])
    assert client.post(undo).status_code == 302
    zoe.refresh_from_db()
    assert (zoe.name, zoe.email) == ("Zoé Lévy", "zoe@example.com")
    assert actions.resolve_many([{"email": "zoe@example.com"}], source="t") == [shop[0]]
    # A second time there is nothing to undo, and it says so.
    page = client.post(undo, follow=True)
    assert "changée depuis" in page.content.decode() or "changed again" in page.content.decode()


def test_notes(as_role: SignIn, shop: list[str]) -> None:
    advisor, manager = as_role("advisor"), as_role("manager")
    advisor.post(reverse("customers:note-add", args=[shop[0]]), {"text": "Préfère le matin"})
    note = Customer.objects.get(pk=shop[0]).notes.get()
    url = reverse("customers:note-delete", args=[shop[0], note.pk])
    assert manager.post(url).status_code == 403
    assert advisor.post(url).status_code == 302
    assert (
        advisor.post(reverse("customers:note-add", args=[shop[0]]), {"text": ""}).status_code == 302
    )


def test_the_words_of_a_note_are_changed_on_the_page(
    as_role: SignIn, users: Any, shop: list[str]
) -> None:
    """Who had mistyped deleted the note and wrote it anew: only programs could change one."""
    zoe = Customer.objects.get(pk=shop[0])
    note = actions.add_note(customer=zoe, text="Préfère le matn", actor=users["advisor"])
    advisor, manager, owner = as_role("advisor"), as_role("manager"), as_role("owner")
    page, url = (
        reverse("customers:customer", args=[zoe.pk]),
        reverse("customers:note-edit", args=[zoe.pk, note.pk]),
    )
    assert url in advisor.get(page).content.decode()
    assert "Préfère le matn" in advisor.get(url).content.decode()
    assert advisor.post(url, {"text": "Préfère le matin"}).status_code == 302
    # Words that are not there, or too many, are said on the page and stay typed.
    for text in (" ", "x" * 5001):
        wrong = advisor.post(url, {"text": text})
        assert wrong.context["form"].errors["text"]
    note.refresh_from_db()
    assert (note.text, note.author) == ("Préfère le matin", users["advisor"])
    # What nobody typed anew changes nothing, not even the trail.
    advisor.post(url, {"text": note.text, "initial-text": note.text})
    assert AuditEntry.objects.filter(action="customer.note_changed").count() == 1
    # Somebody else's is changed by whoever manages people.
    assert url not in manager.get(page).content.decode()
    assert manager.get(url).status_code == manager.post(url, {"text": "x"}).status_code == 403
    assert owner.post(url, {"text": "Plutôt le soir"}).status_code == 302
    told = AuditEntry.objects.filter(action="customer.note_changed", object_id=zoe.pk)
    assert [entry.actor_id for entry in told] == [users["owner"].pk, users["advisor"].pk]
    assert not any(entry.details for entry in told), "the trail outlives the person"
    elsewhere = reverse("customers:note-edit", args=[shop[1], note.pk])
    assert owner.get(elsewhere).status_code == 404


def test_a_pair_is_merged_and_parted_again(
    as_role: SignIn, shop: list[str], happened: list[dict[str, Any]]
) -> None:
    happened.append(
        {"id": shop[1], "at": dt.datetime(2024, 1, 2), "kind": "order", "title": "Commande 7",
         "amount": None, "currency": None, "details": {}}
    )  # fmt: skip
    client = as_role("manager")
    pair = MergeProposal.objects.get()
    assert pair.reason == "name"
    assert client.get(reverse("customers:merges")).status_code == 200
    url = reverse("customers:proposal", args=[pair.pk])
    page = client.get(url).content.decode()
    assert "Lévy" in page
    assert "400,00\xa0€" in page, "an amount has its currency"
    side = "left" if pair.left_id == shop[0] else "right"
    assert client.post(url, {"decision": side}).status_code == 302
    from revoir_web.customers import queries

    assert queries.aliases() == {shop[1]: shop[0]}
    assert actions.resolve_many([{"customer_id": "C2"}], source="t") == [shop[0]]
    assert not CustomerFigures.objects.filter(pk=shop[1]).exists()
    page = client.get(reverse("customers:customer", args=[shop[0]]))
    assert "Commande 7" in page.content.decode()
    for name in ("customers:customer", "customers:edit"):
        there = client.get(reverse(name, args=[shop[1]]), follow=True)
        assert there.context["customer"].pk == shop[0]
    merge = page.context["profile"].merges[0]
    assert client.post(reverse("customers:merge-undo", args=[merge.pk])).status_code == 302
    assert queries.aliases() == {}
    assert actions.resolve_many([{"customer_id": "C2"}], source="t") == [shop[1]]
    assert set(queries.search("levy")) == {shop[0], shop[1]}
    pair.refresh_from_db()
    assert pair.state == "open"
    assert client.post(url, {"decision": "apart"}).status_code == 302
    assert actions.propose_merges() == 0


def test_two_chosen_rows_are_compared(as_role: SignIn, shop: list[str]) -> None:
    client = as_role("manager")
    url = reverse("customers:list")
    answer = client.post(url, {"action": "merge", "chosen": [shop[0], shop[2]]}, follow=True)
    assert answer.status_code == 200
    assert "Petit" in answer.content.decode()
    assert client.post(url, {"action": "merge", "chosen": [shop[0]]}).status_code == 302
    analyst = as_role("analyst")
    assert analyst.post(url, {"chosen": shop[:2]}).status_code == 403
    assert "data-selection" in as_role("manager").get(url).content.decode()
    assert "data-selection" not in analyst.get(url).content.decode(), "nobody is offered a refusal"
    # A number that goes on was an error of the program.
    longer = {"left": f"{shop[0]}0", "right": shop[1]}
    assert as_role("manager").get(reverse("customers:compare"), longer).status_code == 404


def test_a_view_is_kept_under_a_name(as_role: SignIn, shop: list[str]) -> None:
    manager, analyst = as_role("manager"), as_role("analyst")
    manager.post(
        reverse("customers:view-save"), {"name": "Lyon", "query": "city=lyon", "shared": "on"}
    )
    manager.post(
        reverse("customers:view-save"),
        {"name": "Lyon", "query": "city=lyon&sort=name", "shared": "on"},
    )
    view = SavedView.objects.get()
    assert "city=lyon&amp;sort=name" in analyst.get(reverse("customers:list")).content.decode()
    assert analyst.post(reverse("customers:view-delete", args=[view.pk])).status_code == 404
    assert manager.post(reverse("customers:view-delete", args=[view.pk])).status_code == 302
    assert not SavedView.objects.exists()


def test_no_customer_yet(as_role: SignIn) -> None:
    page = as_role("manager").get(reverse("customers:list"))
    assert page.status_code == 200
    assert 'class="empty"' in page.content.decode()


def test_whom_nothing_else_names_is_called_by_the_company_s_number(
    as_role: SignIn, company: Any, django_assert_max_num_queries: Any
) -> None:
    """A file of numbers alone gave lists in which no shop knew anybody."""
    ids = actions.resolve_many([{"customer_id": f"17{n:03d}"} for n in range(40)], source="test")
    CustomerFigures.objects.bulk_create([CustomerFigures(customer_id=id) for id in ids])
    called = {f"№\u00a017{n:03d}" for n in range(40)}
    with django_assert_max_num_queries(4):
        assert {row.customer.label for row in Narrowed()[0:50]} == called
    with django_assert_max_num_queries(16):
        assert {row.customer.label for row in Narrowed().iterator(chunk_size=10)} == called
    with django_assert_max_num_queries(4):
        assert set(labels(ids, named=True).values()) == called
    page = reverse("customers:customer", args=[ids[3]])
    assert "№\u00a017003" in as_role("manager").get(page).content.decode()
    masked = as_role("analyst").get(page).content.decode()
    assert f"№\u00a0{ids[3][-8:]}" in masked
    assert "17003" not in masked


# -- Lists that are longer than their place --------------------------------------------------------
def test_every_note_number_and_pair_of_a_customer_can_be_reached(
    as_role: SignIn, shop: list[str]
) -> None:
    """The page stopped at 20 notes, 20 numbers and 5 pairs, and did not say so."""
    zoe = Customer.objects.get(pk=shop[0])
    for number in range(45):
        actions.add_note(customer=zoe, text=f"note n°{number:02}", actor=None)
    MergeProposal.objects.all().delete()
    others = actions.resolve_many([{"customer_id": f"D{n}"} for n in range(12)], source="test")
    actions.propose([(zoe.pk, other) for other in others], reason=MergeProposal.Reason.ALIAS)
    more = [Identifier(customer=zoe, kind="device", value=f"appareil-{n:02}") for n in range(30)]
    Identifier.objects.bulk_create(more)
    client, url = as_role("advisor"), reverse("customers:customer", args=[zoe.pk])
    pages = [client.get(url, {"notes.page": n, "pairs.page": n}).content.decode() for n in "123"]
    notes = [re.findall(r"<article[^>]*><p>note n°(\d\d)", page) for page in pages]
    assert [len(some) for some in notes] == [20, 20, 5]
    assert sorted(text for some in notes for text in some) == [f"{n:02}" for n in range(45)]
    assert "notes.page=2" in pages[0]
    pairs = [re.findall(r'href="(/customers/merges/\d+/)"', page) for page in pages]
    assert len({pair for page in pairs for pair in page}) == 12
    assert set(re.findall(r"appareil-\d\d", pages[0])) == {held.value for held in more}
    told = as_role("owner").get(f"/api/customers/{zoe.pk}/profile").json()
    assert len(told["may_be"]) == 12


def test_every_merge_can_be_undone_on_a_page(as_role: SignIn, shop: list[str]) -> None:
    others = actions.resolve_many([{"customer_id": f"D{n}"} for n in range(25)], source="test")
    winner = Customer.objects.get(pk=shop[0])
    for other in Customer.objects.filter(pk__in=others):
        actions.merge(winner=winner, loser=other)
    client, url = as_role("owner"), reverse("customers:merges")
    pages = [client.get(url, {"done.page": n}).content.decode() for n in "12"]
    assert len({key for page in pages for key in re.findall(r"/merges/(\d+)/undo/", page)}) == 25


def test_a_search_that_finds_too_many_says_so(
    as_role: SignIn, shop: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_role("owner")
    assert "pas davantage" not in page_of(client, "?q=z")
    monkeypatch.setattr(queries, "FOUND_MAX", 2)
    monkeypatch.setattr(queries.search, "__defaults__", (2,))
    assert "trouve plus de 2 clients, et n’en regarde pas davantage" in page_of(client, "?q=z")


def page_of(client: Client, query: str) -> str:
    answer = client.get(reverse("customers:list") + query, headers={"accept-language": "en"})
    return answer.content.decode()
