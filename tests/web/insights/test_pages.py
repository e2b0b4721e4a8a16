"""The pages of figures: each for whoever may see it, in both languages, with its empty state."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client

from revoir.book import Book
from revoir.errors import UsageError
from revoir.reports.build import build
from revoir_web.accounts.models import User
from revoir_web.common import jobs, tables
from revoir_web.common.models import AuditEntry, Job, Schedule
from revoir_web.insights import actions, drawn, engine, files, goals, queries, questions, runs
from revoir_web.insights.models import AnalysisRun, DataState, Digest, Goal, SavedSegment, SavedView
from revoir_web.testing.calls import text_of

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]

PAGES = (
    "/",
    "/?grain=month",
    "/metrics/",
    "/metrics/?q=panier",
    "/metrics/retention_rate/",
    "/metrics/revenue/",
    "/metrics/retention_rate/rows/",
    "/cohorts/",
    "/rfm/",
    "/segments/",
    "/segments/count/",
    "/what-if/",
    "/goals/",
)


def content(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_is_there(filled: Path, as_role: AsRole, language: str) -> None:
    User.objects.update(language=language)
    client = as_role("owner")
    for address in (*PAGES, "/segments/new/", "/digests/", "/digests/new/", "/messages/"):
        assert f'lang="{language}"' in content(client, address) or "count" in address, address


def test_every_page_says_what_will_stand_there(as_role: AsRole) -> None:
    client = as_role("owner")
    for address in PAGES:
        page = content(client, address)
        assert "Pas encore de" in page or "count" in address or "rows" in address, address


def test_an_advisor_sees_figures_and_changes_none(filled: Path, as_role: AsRole) -> None:
    client = as_role("advisor")
    for address in PAGES:
        content(client, address)
    for address in ("/segments/new/", "/digests/", "/messages/"):
        content(client, address, 403)
    goal = {"metric": "revenue", "value": "3", "note": ""}
    assert client.post("/goals/", goal).status_code == 403
    assert client.post("/report/", {"form": "html"}).status_code == 403
    assert client.get("/exports/metric.csv?name=revenue").status_code == 403


def test_a_metric_that_there_is_not(filled: Path, as_role: AsRole) -> None:
    content(as_role("analyst"), "/metrics/happiness/", 404)
    content(as_role("analyst"), "/metrics/happiness/rows/", 404)


def test_a_metric_has_its_title_before_its_figures(filled: Path, as_role: AsRole) -> None:
    """In the first minute after the first import, the title was `retention_rate`."""
    # An installation that looked at its data before titles were kept has them in the catalogue.
    state = DataState.current()
    facts = dict(state.facts)
    DataState.objects.update(facts={**facts, "labels": {}})
    assert "<h1>Taux de rétention</h1>" in content(as_role("analyst"), "/metrics/retention_rate/")
    DataState.objects.update(facts=facts)
    AnalysisRun.objects.filter(kind="catalogue").delete()
    assert "<h1>Taux de rétention</h1>" in content(as_role("analyst"), "/metrics/retention_rate/")


def test_the_filters_of_a_metric_are_in_its_address(filled: Path, as_role: AsRole) -> None:
    segment = actions.save_segment(name="Web", rule='first_channel = "site"')
    client = as_role("analyst")
    address = f"/metrics/revenue/?grain=year&by=gender&segment={segment.pk}&from=2024-01-01"
    assert "hx-get" in content(client, address)
    jobs.run_waiting()
    page = content(client, address)
    assert 'hx-trigger="every' not in page
    assert "/metrics/revenue/rows/?" in page
    assert "by.gender" in page


def test_words_of_an_address_are_never_markup(filled: Path, as_role: AsRole) -> None:
    hostile = '"><script>alert(1)</script>'
    client = as_role("owner")
    for address in ("/metrics/revenue/", "/cohorts/", "/segments/count/", "/metrics/", "/rfm/"):
        for name in ("where", "rule", "q", "from", "before", "by"):
            response = client.get(address, {name: hostile})
            assert response.status_code == 200
            assert "<script>alert" not in response.content.decode()
    jobs.run_waiting()
    assert not Job.objects.filter(state=Job.State.FAILED).exists()
    page = client.get("/metrics/revenue/", {"from": hostile}).content.decode()
    assert "n’est pas une date" in page


def test_exports_are_the_figures_of_the_page(filled: Path, as_role: AsRole) -> None:
    response = as_role("manager").get("/exports/metric.csv?name=revenue")
    text = text_of(response)
    rows = list(csv.DictReader(io.StringIO(text)))
    records = runs.look("metric", {"name": "revenue"}).data
    assert records["name"] == "revenue"
    assert len(rows) > 5
    assert all(row["metric"] == "revenue" for row in rows)
    assert AuditEntry.objects.filter(action="export").exists()


def test_rows_behind_a_figure_are_gone_through_and_taken_away(
    filled: Path, as_role: AsRole
) -> None:
    address = "/metrics/revenue/rows/?from=2025-01-01&to=2026-01-01"
    client = as_role("manager")
    content(client, address)
    jobs.run_waiting()
    page = content(client, address)
    total = runs.look("rows", queries.rows_question("revenue", QueryDict(address[23:]))).data[
        "total"
    ]
    assert total > 200, "more than a page"
    assert "page=2" in page
    second = address + "&page=2"
    content(client, second)
    jobs.run_waiting()
    assert "51" in content(client, second)
    assert 'rel="prev"' in content(client, second)
    # The file of all of them is made by the worker, and again where it was swept away.
    export = "/exports/rows.{}?name=revenue&from=2025-01-01&to=2026-01-01"
    content(client, export.format("csv"), 404)
    for _time in range(2):
        assert "fichier" in content(client, address + "&file=1")
        jobs.run_waiting()
        assert "/exports/rows.csv?" in content(client, address + "&file=1")
        response = client.get(export.format("csv"))
        text = text_of(response)
        assert len(text.splitlines()) == total + 1
        workbook = client.get(export.format("xlsx"))
        assert b"".join(workbook.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
        [made] = (Path(settings.MEDIA_ROOT) / "reports").glob("*.parquet")
        made.unlink()
    content(client, export.format("csv"), 404)
    assert as_role("advisor").get(export.format("csv")).status_code == 403
    assert "file=1" not in content(as_role("advisor"), address)


# -- Segments ----------------------------------------------------------------------------------
def test_a_segment_from_its_first_letter_to_its_return(filled: Path, as_role: AsRole) -> None:
    client = as_role("analyst")
    page = content(client, "/segments/count/?rule=orders+>%3D")
    assert "error" in page
    fields = {"name": "Fidèles", "rule": "orders >=", "description": ""}
    page = client.post("/segments/new/", fields).content.decode()
    assert "La règle" in page
    assert "orders &gt;=" in page  # what was typed stays typed
    fields["rule"] = "orders >= 3"
    response = client.post("/segments/new/", fields)
    segment = SavedSegment.objects.get()
    assert response.headers["Location"] == f"/segments/{segment.pk}/"
    again = client.post("/segments/new/", fields).content.decode()
    assert "Un autre segment" in again
    content(client, f"/segments/{segment.pk}/")
    content(client, f"/segments/{segment.pk}/customers/")
    jobs.run_waiting()
    count = runs.look("segment", {"rule": "orders >= 3"}).data["count"]
    assert f"{count}" in content(client, f"/segments/{segment.pk}/")
    listed = content(client, f"/segments/{segment.pk}/customers/")
    assert listed.count("<tr>") == min(count, 50) + 1
    response = client.post(f"/segments/{segment.pk}/remove/")
    assert "Annuler" in content(client, response.headers["Location"])
    content(client, f"/segments/{segment.pk}/", 404)
    client.post(f"/segments/{segment.pk}/restore/")
    content(client, f"/segments/{segment.pk}/")


def test_segments_are_counted_page_by_page(filled: Path, as_role: AsRole) -> None:
    """From the hundred and first on nobody was told how many customers a segment had."""
    SavedSegment.objects.bulk_create(
        SavedSegment(name=f"S{n:03}", rule=f"orders >= {n}") for n in range(1, 121)
    )
    client = as_role("analyst")
    first = content(client, "/segments/")
    assert "1–50 sur\xa0120" in first
    assert 'href="/segments/?page=2"' in first
    asked = []
    for number, rows in ((1, 50), (2, 50), (3, 20)):
        lines = client.get(f"/segments/?page={number}").context["lines"]
        assert len(lines) == rows
        assert all(answer.waiting for _held, answer in lines)
        asked += [held.name for held, _answer in lines]
    assert asked == [f"S{n:03}" for n in range(1, 121)]
    last = content(client, "/segments/?page=3")
    assert "101–120 sur\xa0120" in last
    assert "page=4" not in last


def test_customers_of_a_segment_have_names_for_those_who_may_know(
    filled: Path, as_role: AsRole
) -> None:
    from revoir_web.customers.models import Customer

    segment = actions.save_segment(name="Tous", rule="orders >= 1")
    runs.ask("members", {"rule": segment.rule, "page": 1})
    jobs.run_waiting()
    first = runs.look("members", {"rule": segment.rule, "page": 1}).data["rows"][0]["id"]
    Customer.objects.create(id=first, name="Aline Rosier")
    address = f"/segments/{segment.pk}/customers/"
    assert "Aline Rosier" in content(as_role("advisor"), address)
    assert "Aline Rosier" not in content(as_role("analyst"), address)


def test_what_to_do_on_monday_leads_to_those_customers(
    filled: Path, read_book: Book, as_role: AsRole
) -> None:
    """Regulars to call, second purchases, low scores to answer: an empty list opened."""
    told = {action.rule: action.customers for action in build(read_book).actions if action.rule}
    firsts = [rule.split(" and ")[0] for rule in told]
    assert firsts == ["purchase_days >= 3", "purchase_days = 1", "nps <= 6"]
    client = as_role("advisor")
    page = content(client, "/")
    for rule, customers in told.items():
        address = f"/segments/customers/?rule={quote(rule)}"
        assert f'href="{address}"' in page
        content(client, address)
        jobs.run_waiting()
        assert f"sur {customers} clients" in content(client, address)
        content(client, address + "&page=2&file=1")
    assert "segment=late_regular" not in page


def test_a_rule_that_cannot_be_read_has_no_customers(filled: Path, as_role: AsRole) -> None:
    client = as_role("manager")
    for rule in ("", "orders >=", "x" * 9000, "%00"):
        content(client, f"/segments/customers/?rule={rule}", 404)
        content(client, f"/exports/segment-customers.csv?rule={rule}", 404)


def test_the_customers_of_a_rule_are_kept_and_brought_along(
    filled: Path, as_role: AsRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path))
    address, client = "/segments/customers/?rule=orders%20%3E%3D%201", as_role("manager")
    content(client, address + "&file=1")
    jobs.run_waiting()
    page = content(client, address + "&file=1")
    assert "/segments/new/?rule=orders%20%3E%3D%201" in page
    assert 'href="?rule=orders+%3E%3D+1&amp;page=2"' in page
    export = "/exports/segment-customers.csv?rule=orders+%3E%3D+1"
    assert f'href="{export}"' in page
    count = runs.look("members", {"rule": "orders >= 1", "page": 1}).data["count"]
    assert len(text_of(client.get(export)).splitlines()) == count + 1


def test_the_file_of_a_segment_has_every_customer(
    filled: Path, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page counted 300,000 customers, and the file ended after the first 100,000."""
    from revoir_web.customers.models import Customer

    segment = actions.save_segment(name="Tous", rule="orders >= 1")
    address, client = f"/segments/{segment.pk}/customers/", as_role("manager")
    export = f"/exports/segment-customers.{{}}?segment={segment.pk}"
    content(client, address)
    jobs.run_waiting()
    content(client, export.format("csv"), 404)
    for _time in range(2):
        assert "fichier" in content(client, address + "?file=1")
        jobs.run_waiting()
        assert export.format("xlsx") in content(client, address + "?file=1")
        [made] = (Path(settings.MEDIA_ROOT) / "reports").glob("*.parquet")
        page = runs.look("members", {"rule": segment.rule, "page": 1}).data
        Customer.objects.get_or_create(id=page["rows"][0]["id"], defaults={"name": "Aline Rosier"})
        response = client.get(export.format("csv"))
        text = text_of(response)
        lines = list(csv.reader(io.StringIO(text)))
        assert len(lines) == page["count"] + 1 > 51
        first = page["rows"][0]
        assert lines[1][:3] == [first["id"], first["last"], str(first["days"])]
        assert float(lines[1][3]) == first["amount"]
        assert lines[1][4] == "Aline Rosier"
        workbook = client.get(export.format("xlsx"))
        assert b"".join(workbook.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
        anonymous = as_role("analyst").get(export.format("csv"))
        assert b"Aline" not in b"".join(anonymous.streaming_content)  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setattr(tables, "SHEET_ROWS", page["count"] - 1)
            assert "CSV" in content(client, export.format("xlsx"), 409)
        made.unlink()
    content(client, export.format("csv"), 404)


def test_a_file_of_customers_has_no_limit(tmp_path: Path, settings: Any) -> None:
    """The file of a segment was cut at 100,000 customers."""
    settings.MEDIA_ROOT = tmp_path
    count = 100_001
    orders = pa.table(
        {
            "customer_id": [f"c{number}" for number in range(count)],
            "ordered_on": pa.array([dt.date(2024, 1, 5)] * count, pa.date32()),
            "amount": [10.0] * count,
        }
    )
    book = Book({"orders": ibis.duckdb.connect().create_table("orders", orders)})
    made = questions.answer("members-file", book, {"rule": "orders >= 1"})["data"]
    assert made["total"] == count
    assert pq.read_metadata(files.rows_of(made["file"])).num_rows == count


def test_amounts_in_several_currencies_are_added_up_in_no_list_of_customers(
    tmp_path: Path, settings: Any
) -> None:
    """The page left them out, and the file had euros and dollars as one sum."""
    settings.MEDIA_ROOT = tmp_path
    orders = pa.table(
        {
            "customer_id": ["a", "a", "b", "b", "b", "c"],
            "ordered_on": pa.array([dt.date(2024, 1, n) for n in (1, 2, 3, 4, 5, 6)], pa.date32()),
            "amount": [500.0, 1.0, 2.0, 3.0, 4.0, 900.0],
            "currency": ["EUR", "USD", "EUR", "USD", "EUR", "EUR"],
        }
    )
    book = Book({"orders": ibis.duckdb.connect().create_table("orders", orders)})
    made = questions.answer("members-file", book, {"rule": "orders >= 1"})["data"]
    rows = pq.read_table(files.rows_of(made["file"])).to_pylist()
    # Those who came most often stand first, where nobody can say who bought for most.
    assert [(row["customer_id"], row["days"], row["amount"]) for row in rows] == [
        ("b", 3, None),
        ("a", 2, None),
        ("c", 1, None),
    ]
    page = questions.answer("members", book, {"rule": "orders >= 1"})["data"]
    assert (page["mixed"], page["currency"]) == (True, None)
    assert [(row["id"], row["days"], row["amount"]) for row in page["rows"]] == [
        ("b", 3, None),
        ("a", 2, None),
        ("c", 1, None),
    ]


def test_the_customers_of_a_segment_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page of them met the rule twice: once for its rows, and once more for their count."""
    table = pa.table(
        {
            "customer_id": [f"c{number:03}" for number in range(70)],
            "ordered_on": pa.array([dt.date(2024, 1, 5)] * 70, pa.date32()),
            "amount": [10.0 + number for number in range(70)],
        }
    )
    book = Book({"orders": ibis.duckdb.connect().create_table("orders", table)})
    queried, rows_of = [], Book.rows
    monkeypatch.setattr(Book, "rows", lambda self, rows: queried.append(0) or rows_of(self, rows))
    rule = {"rule": "last_amount >= 20"}
    assert questions.answer("segment", book, rule)["data"]["count"] == 60
    before = len(queried)
    for page, rows in ((1, 50), (2, 10)):
        found = questions.answer("members", book, {**rule, "page": page})["data"]
        assert (found["count"], len(found["rows"])) == (60, rows)
    assert len(queried) == before + 2
    other = questions.answer("members", book, {"rule": "last_amount >= 70"})["data"]
    assert other["count"] == 10


def test_figures_of_a_segment_that_is_gone_are_not_those_of_everybody(
    filled: Path, as_role: AsRole
) -> None:
    """A view kept for a segment showed everybody once the segment was removed."""
    client = as_role("manager")
    held = SavedSegment.objects.create(name="Fidèles", rule="orders >= 3")
    addresses = [
        f"{path}segment={held.pk}"
        for path in ("/metrics/revenue/?", "/cohorts/?", "/metrics/revenue/rows/?",
                     "/exports/cohorts.csv?", "/exports/metric.csv?name=revenue&")
    ]  # fmt: skip
    assert client.get(addresses[0]).status_code == 200
    client.post(f"/segments/{held.pk}/remove/")
    assert {client.get(address).status_code for address in addresses} == {404}
    assert client.get("/metrics/revenue/?segment=x").status_code == 404
    assert client.get("/metrics/revenue/?segment=").status_code == 200


# -- Goals, what-if ----------------------------------------------------------------------------
def test_a_goal_of_a_year_ends_on_its_last_day(
    filled: Path, as_role: AsRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEDIA_ROOT", str(tmp_path))
    """Written as “01/01/2025 – 01/01/2026”, it seemed to hold on a day of the year after."""
    goal = {"metric": "nps", "value": "5", "start": "2025-01-01", "end": "2025-12-31"}
    client = as_role("manager")
    client.post("/goals/", goal)
    assert "01/01/2025 – 31/12/2025" in content(client, "/goals/")
    # Typed as its last day, it held until the day before and so for no year, quarter or month.
    assert Goal.objects.get().holds_on(dt.date(2025, 12, 31))
    assert not Goal.objects.get().holds_on(dt.date(2026, 1, 1))


def test_goals_are_typed_as_people_write_them(filled: Path, as_role: AsRole) -> None:
    client = as_role("manager")
    client.post("/goals/", {"metric": "retention_rate", "value": "75", "note": "plan"})
    assert Goal.objects.get().value == 0.75
    page = content(client, "/goals/")
    assert "75\N{NO-BREAK SPACE}%" in page
    client.post("/goals/", {"metric": "retention_rate", "value": "75,5", "note": "plan"})
    assert Goal.objects.get().value == 0.755
    wrong = {"metric": "retention_rate", "value": "175", "note": ""}
    assert "entre 0 et 100" in client.post("/goals/", wrong).content.decode()
    backwards = {"metric": "nps", "value": "5", "start": "2025-02-01", "end": "2025-01-01"}
    assert "end" in client.post("/goals/", backwards).context["form"].errors
    client.post(f"/goals/{Goal.objects.get().pk}/remove/")
    assert not Goal.objects.exists()


def test_goals_of_all_are_not_those_that_were_set(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """“Where nothing else is set” stood what was set for the year, and for always."""
    monkeypatch.setattr(drawn, "_line", lambda spec, name: "")
    actions.set_goal(metric="nps", value=50)
    actions.set_goal(metric="retention_rate", value=0.6, start=dt.date(2020, 1, 1))
    with engine.using() as book:
        data = questions.answer("catalogue", book, {})["data"]
    assert data["metrics"]["retention_rate"]["goal"] == 0.6, "what the figure is held against"
    told = {row["name"]: row["value"] for row in goals.defaults(SimpleNamespace(data=data))}
    assert told == {
        "retention_rate": "80\N{NO-BREAK SPACE}%", "churn_rate": "5\N{NO-BREAK SPACE}%",
        "clv_simple": "+10\N{NO-BREAK SPACE}% en un an",
    }  # fmt: skip


def test_what_if_with_numbers_of_ones_own(filled: Path, as_role: AsRole) -> None:
    page = content(
        as_role("analyst"), "/what-if/?points=2&margin=40&acquisition_cost=25&keeping_cost=5"
    )
    assert "5,0 fois" in page
    # The two columns of what keeping costs made the table wider than the page, and were empty.
    assert "Ce qui reste" in page
    assert "Ce qui reste" not in content(as_role("analyst"), "/what-if/?points=2")
    assert "wrong" in content(as_role("analyst"), "/what-if/?points=-4")


# -- Digests -----------------------------------------------------------------------------------
def make_digest(users: dict[str, User], **changes: Any) -> Digest:
    fields: dict[str, Any] = {
        "name": "Lundi",
        "metrics": ["retention_rate", "revenue"],
        "every": "week",
        "at": dt.time(8),
        "recipients": [users["manager"], users["owner"]],
    }
    return actions.make_digest(**{**fields, **changes})


def test_a_digest_goes_to_each_reader_once_in_their_language(
    filled: Path, users: dict[str, User], mailoutbox: list[Any]
) -> None:
    User.objects.filter(pk=users["owner"].pk).update(language="en")
    digest = make_digest(users)
    job = jobs.enqueue("insights.digest", arguments={"digest": digest.pk})
    jobs.run_waiting()
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING)  # a worker died at its end
    jobs.run_waiting()
    assert len(mailoutbox) == 2
    letters = {letter.to[0]: letter for letter in mailoutbox}
    french, english = letters["manager@example.com"], letters["owner@example.com"]
    assert "Taux de rétention" in french.body
    assert "Retention rate" in english.body
    assert "http" in french.body
    html = french.alternatives[0][0]
    assert "cid:figure-revenue" in html
    message = french.message()
    assert message.get_content_type() == "multipart/related"
    pictures = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert len(pictures) == 2
    assert all(part.get_payload(decode=True)[:4] == b"\x89PNG" for part in pictures)


def test_a_digest_has_a_schedule_while_it_is_sent(users: dict[str, User]) -> None:
    digest = make_digest(users, weekday=2)
    schedule = Schedule.objects.get(name=digest.schedule_name)
    assert schedule.weekday == 2
    actions.remove_digest(digest=digest)
    assert not Schedule.objects.filter(name=digest.schedule_name).exists()
    actions.restore_digest(digest=digest)
    assert Schedule.objects.filter(name=digest.schedule_name).exists()


def test_a_digest_is_set_up_and_seen(filled: Path, as_role: AsRole, users: dict[str, User]) -> None:
    client = as_role("analyst")
    fields = {
        "name": "Le mois",
        "every": "month",
        "weekday": "0",
        "day": "31",
        "at": "07:30",
        "enabled": "on",
        "metrics": ["retention_rate", "revenue"],
        "recipients": [users["analyst"].pk],
    }
    response = client.post("/digests/new/", fields)
    digest = Digest.objects.get()
    assert response.headers["Location"] == f"/digests/{digest.pk}/preview/"
    page = content(client, response.headers["Location"])
    assert "data:image/png;base64" in page
    assert "Le mois" in content(client, "/digests/")


# -- Views, the report -------------------------------------------------------------------------
def test_views_are_kept_by_whoever_made_them(as_role: AsRole, users: dict[str, User]) -> None:
    client = as_role("analyst")
    fields = {"path": "/metrics/revenue/", "query": "grain=year", "name": "Par an"}
    assert client.post("/views/save/", fields).headers["Location"] == "/metrics/revenue/?grain=year"
    view = SavedView.objects.get()
    assert queries.views_of(users["owner"], "/metrics/revenue/") == []
    assert as_role("owner").post(f"/views/{view.pk}/remove/").status_code == 404
    for path in ("//evil.example", "https://evil.example", "evil"):
        assert client.post("/views/save/", {**fields, "path": path}).status_code == 404
    client.post(f"/views/{view.pk}/remove/")
    assert not SavedView.objects.exists()
    client.post("/views/save/", {**fields, "name": "a\x00", "query": "where=\x00"})
    assert SavedView.objects.values_list("name", "query").get() == ("a", "where=")


def test_no_character_that_a_database_refuses_reaches_it(
    filled: Path, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL answered with an error to an address that held NUL."""
    asked: list[str] = []
    ask = runs.ask

    def heard(kind: str, parameters: Any = None, **options: Any) -> Any:
        asked.append(str(parameters))
        return ask(kind, parameters, **options)

    monkeypatch.setattr(runs, "ask", heard)
    client = as_role("analyst")
    told = {"where": "city = 'a\x00'", "by": "gen\x00der"}
    assert client.get("/metrics/revenue/", told).status_code == 200
    assert "'gender'" in asked[-1]
    assert "x00" not in asked[-1]


def test_a_view_is_kept_anew_where_there_are_as_many_as_there_can_be(
    users: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of one's own was refused, and two of one name were an error for ever."""
    monkeypatch.setattr(actions, "VIEWS_MAX", 2)
    user = users["analyst"]
    for name in ("a", "b"):
        actions.save_view(user=user, name=name, path="/rfm/", query="x=1")
    actions.save_view(user=user, name="a", path="/rfm/", query="x=2")
    with pytest.raises(UsageError, match="already"):
        actions.save_view(user=user, name="c", path="/rfm/", query="")
    SavedView.objects.create(user=user, name="a", path="/rfm/")
    actions.save_view(user=user, name="a", path="/rfm/", query="x=3")
    found = SavedView.objects.values_list("name", "query")
    assert sorted(found) == [("a", "x=3"), ("b", "x=1")]


def test_the_report_is_made_for_whoever_asked(filled: Path, as_role: AsRole) -> None:
    client = as_role("manager")
    response = client.post("/report/", {"form": "html"})
    address = response.headers["Location"]
    content(client, address)
    jobs.run_waiting()
    assert "Télécharger" in content(client, address)
    file = client.get(f"{address}html/")
    assert file.status_code == 200
    text = file.getvalue().decode()
    assert text.startswith('<!doctype html>\n<html lang="fr">')
    assert as_role("owner").get(f"{address}html/").status_code == 404
    assert client.get(f"{address}pdf/").status_code == 404
