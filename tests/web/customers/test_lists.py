"""The list of customers: whatever is combined, the same rows in the same order, however found."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from django.conf import settings
from django.test import RequestFactory

from revoir_web.common import exports
from revoir_web.common.models import Job
from revoir_web.common.rights import Right
from revoir_web.customers import actions, columns, lists, queries
from revoir_web.customers.figures import write_foretold
from revoir_web.customers.models import Customer, CustomerFigures, SearchToken
from revoir_web.customers.narrowing import Condition, Narrowed

pytestmark = pytest.mark.django_db
SORTS = ("name", "orders", "revenue", "last_on", "first_on", "stake")
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"segment": "loyal"}, {"status": "lost"}, {"city": "Lyon"}, {"city": "l"},
    {"orders": "3"}, {"revenue": "40,5"}, {"since": "2024-03-01"}, {"until": "2024-03-01"},
    {"segment": "loyal", "status": "active"}, {"segment": "loyal", "city": "Lyon"},
    {"status": "lost", "city": "l", "revenue": "10"}, {"status": "active", "since": "2024-02-01"},
    {"orders": "2", "revenue": "30", "until": "2024-05-01"}, {"city": "nowhere"},
    {"stake": "20", "status": "active"},
)  # fmt: skip
FIELDS = {"name": "name_key", **{name: name for name in SORTS[1:]}}


@pytest.fixture(params=["database", "columns"])
def found_in(request: pytest.FixtureRequest, people: list[CustomerFigures], long: None) -> str:
    """Where lists are looked for."""
    if request.param == "columns":
        columns.write()
    return str(request.param)


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fifty customers are many."""
    monkeypatch.setattr(columns, "LONG", 50)
    yield
    shutil.rmtree(Path(settings.DATA) / "lists", ignore_errors=True)


@pytest.fixture
def people(company: Any) -> list[CustomerFigures]:
    draw = random.Random(11)
    begun = dt.date(2024, 1, 1)
    rows = [
        {
            "customer_id": f"C{n}",
            "name": "" if n % 9 == 0 else f"{draw.choice('aeiou')}{draw.choice('lmn')}{n % 7}",
            "city": draw.choice(("Lyon", "Lille", "Paris", "")),
        }
        for n in range(60)
    ]
    ids = actions.resolve_many(rows, source="test")
    actions.index_waiting()
    told = []
    for n, id in enumerate(ids):
        if n % 8 == 0:
            continue  # they bought nothing
        last = begun + dt.timedelta(days=draw.randrange(200))
        told.append(
            {
                "customer_id": id, "orders": draw.randint(1, 5), "revenue": draw.randint(0, 80),
                "first_on": begun + dt.timedelta(days=draw.randrange(9)), "last_on": last,
                "segment": draw.choice(("loyal", "at_risk")),
                "status": draw.choice(("active", "lost")), "rfm": "111",
            }
        )  # fmt: skip
    actions.write_figures(told)
    some = [row["customer_id"] for row in told[::2]]
    stakes = [round(draw.uniform(-5, 90), 2) for _id in some]
    write_foretold(pa.table({"customer_id": some, "stake": stakes}))
    return list(CustomerFigures.objects.all())


def asked(_rights: frozenset[Right] = frozenset({Right.SEE_PERSONAL}), **query: str) -> Any:
    request = RequestFactory().get("/customers/", query)
    request.user = SimpleNamespace(pk=1, rights=_rights, is_authenticated=True)  # type: ignore[assignment]
    return lists.customers(request)


def wanted(people: list[CustomerFigures], query: dict[str, str], sort: str) -> list[str]:
    """Keys in order by the definition: filters, those without a value last, then by the key."""

    def kept(row: CustomerFigures) -> bool:
        towns = {held.city_key for held in people if held.city_key}
        town = query.get("city", "").lower()
        last = row.last_on.isoformat() if row.last_on else None
        return (
            query.get("segment", row.segment) == row.segment
            and query.get("status", row.status) == row.status
            and (row.city_key == town or (town not in towns and row.city_key.startswith(town)))
            and row.orders >= int(query.get("orders", 0))
            and float(row.revenue) >= float(query.get("revenue", "-1").replace(",", "."))
            and ("stake" not in query or (row.stake or -1) >= float(query["stake"]))
            and ("since" not in query or bool(last and last >= query["since"]))
            and ("until" not in query or bool(last and last <= query["until"]))
        )

    field, down = FIELDS[sort.lstrip("-")], sort.startswith("-")
    rows = [row for row in people if kept(row)]
    known = [row for row in rows if getattr(row, field) not in (None, "")]
    known.sort(key=lambda row: (getattr(row, field), row.pk), reverse=down)
    unknown = sorted((row.pk for row in rows if getattr(row, field) in (None, "")), reverse=down)
    return [row.pk for row in known] + unknown


def test_rows_and_their_order_are_those_of_the_definition(
    people: list[CustomerFigures], found_in: str
) -> None:
    assert (columns.find((), "pk", down=False) is not None) == (found_in == "columns")
    for query, name, way in product(FILTERS, SORTS, ("", "-")):
        order = wanted(people, query, way + name)
        table = asked(**query, sort=way + name)
        assert table.count == len(order), (query, name)
        parts = [table.filtered[begin : begin + 20] for begin in range(0, 60, 20)]
        assert [row.pk for part in parts for row in part] == order, (query, way + name)
        rows = list(table.filtered.iterator(chunk_size=7))
        assert [row.pk for row in rows] == order, (query, way + name)


def test_an_export_has_the_rows_of_the_list(people: list[CustomerFigures]) -> None:
    query = {"status": "active", "sort": "-last_on", "columns": "orders,last_on,name"}
    _headings, rows = exports.of_table(asked(frozenset(), **query))
    by_key = {row.pk: row for row in people}
    order = wanted(people, {"status": "active"}, "-last_on")
    told = list(rows)
    # In the order of the table's columns; numbers stand for names that one may not see.
    assert [row[1] for row in told] == [by_key[key].orders for key in order]
    assert [row[2] for row in told] == [by_key[key].last_on for key in order]
    assert [row[0] for row in told] == [by_key[key].customer.short for key in order]


def test_the_list_of_the_api_has_the_same_rows(
    people: list[CustomerFigures], found_in: str
) -> None:
    keys = sorted(row.pk for row in people)
    rows = Narrowed()
    assert [row.pk for row in rows[:10]] == keys[:10]
    after = rows.where(Condition("pk", "after", keys[9]))
    assert [row.pk for row in after[:5]] == keys[10:15]
    before = rows.where(Condition("pk", "before", keys[9])).by("pk", down=True)
    assert [row.pk for row in before[:20]] == keys[8::-1]
    assert after.where(Condition("pk", "before", "0")).count() == 0


def test_a_long_list_follows_what_was_changed(
    people: list[CustomerFigures], long: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No slot ends between the two changes.
    monkeypatch.setattr(columns, "SLOT_SECONDS", 1_000_000)
    assert columns.write() == 60
    moved, *others = (row.pk for row in people if row.city_key == "lyon")
    customer = Customer.objects.get(pk=moved)
    actions.update_profile(customer=customer, fields={"name": "Zz Last", "city": "Nîmes"})
    actions.merge(winner=customer, loser=Customer.objects.get(pk=others[0]))
    # One job for all that changed in a slot of time.
    waiting = Job.objects.get(kind="customers.columns", state=Job.State.WAITING)
    assert waiting.not_before > waiting.created_at
    # Rows are those of now, whoever is gone is not shown, and the order follows.
    assert others[0] not in [row.pk for row in asked(city="Lyon").filtered[:60]]
    columns.write()
    assert [row.pk for row in asked(city="nîmes").filtered[:60]] == [moved]
    assert asked(sort="-name").filtered[:1][0].pk == moved
    assert asked(city="Lyon").count == len(others) - 1
    assert {path.name for path in (Path(settings.DATA) / "lists").iterdir()} >= {"current"}
    assert len(list((Path(settings.DATA) / "lists").glob("*/key.npy"))) <= 2


def test_few_customers_need_no_columns(people: list[CustomerFigures]) -> None:
    assert columns.write() == 60
    columns.changed()
    columns.begin()
    assert columns.find((), "pk", down=False) is None
    assert not Job.objects.filter(kind="customers.columns").exists()


def test_columns_that_are_gone_are_made_again(people: list[CustomerFigures], long: None) -> None:
    columns.write()
    root = Path(settings.DATA) / "lists"
    shutil.rmtree(root / (root / "current").read_text())
    assert asked(city="Lyon").count == len(wanted(people, {"city": "Lyon"}, "name"))
    shutil.rmtree(root)
    columns.begin()
    assert Job.objects.filter(kind="customers.columns").count() == 1


def test_a_search_is_sorted_and_narrowed_like_any_list(people: list[CustomerFigures]) -> None:
    begins = [row for row in people if row.name_key.startswith("a")]
    for sort in ("-revenue", "name", "last_on"):
        table = asked(q="a", sort=sort)
        assert [line["row"].pk for line in table.lines] == wanted(begins, {}, sort)[:50]
        assert table.count == len(begins)
        narrow = asked(q="a", sort=sort, segment="loyal", page="9")
        assert narrow.count == len(wanted(begins, {"segment": "loyal"}, sort))
    assert asked(q="nobody").lines == []
    assert asked(q="nobody").count == 0


def test_other_words_are_looked_for_in_the_name_of_today(company: Any) -> None:
    rows = [
        {"customer_id": "A", "name": "Zoé Martin", "email": "shop@example.com"},
        {"customer_id": "B", "name": "Paul Martin", "email": "shop@example.com"},
        {"customer_id": "C", "name": "Martine Zola", "company": "Zinc et Fils"},
    ]
    ids = actions.resolve_many(rows, source="test")
    actions.index_waiting()
    zoe, other, zola = ids
    assert set(queries.search("martin z")) == {zoe, zola}
    assert set(queries.search("zo martin")) == {zoe, zola}
    assert queries.search("zinc") == [zola]
    actions.update_profile(customer=Customer.objects.get(pk=other), fields={"name": "Léa Zouk"})
    assert queries.search("zouk lea") == [other]
    assert queries.search("paul martin") == []
    assert CustomerFigures.objects.get(pk=other).name_key == "lea zouk"
    assert set(SearchToken.objects.filter(customer=other).values_list("name_key", flat=True)) == {
        "lea zouk"
    }


def test_a_count_that_takes_long_is_made_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """Ten thousand pairs among a million customers were counted anew for each page of the list."""
    monkeypatch.setattr(lists, "COUNT_LONG_SECONDS", 60)
    with django_assert_num_queries(2):
        assert [lists.count_of(queries.open_proposals()) for _ in range(2)] == [0, 0]
    monkeypatch.setattr(lists, "COUNT_LONG_SECONDS", 0)
    with django_assert_num_queries(1):
        assert [lists.count_of(queries.open_proposals()) for _ in range(2)] == [0, 0]
