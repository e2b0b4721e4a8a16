"""The figures of the pages: those of the command line, as old as they say."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from django.test import Client
from django.utils import timezone

from revoir.book import Book, Settings
from revoir.language import msg
from revoir.metrics.registry import Question, measure, metric_named
from revoir.metrics.retention import members
from revoir.periods import Period
from revoir.reports.build import build
from revoir.reports.sections import breakdown_section
from revoir.store import Lake
from revoir_web.common import jobs
from revoir_web.common.models import Company, Job
from revoir_web.customers import actions as customers
from revoir_web.customers.models import CustomerFigures
from revoir_web.insights import actions, engine, facts, figures, queries, questions, runs, tasks
from revoir_web.insights.each_customer import customer_figures
from revoir_web.insights.facts import facts_of, owned_by
from revoir_web.insights.models import AnalysisRun, DataState, Goal

pytestmark = pytest.mark.django_db


def test_headline_figures_are_those_of_the_command_line(filled: Path, read_book: Book) -> None:
    expected = dict(build(read_book).headline)
    found = {row["name"]: row for row in runs.look("dashboard").data["headline"]}
    assert list(found) == list(expected)
    for name, kpi in expected.items():
        assert found[name]["value"] == pytest.approx(kpi.value, rel=1e-12), name
        assert found[name]["n"] == kpi.n
        assert found[name]["end"] == kpi.point.period.end.isoformat()


def test_changes_are_judged_on_a_metric_s_own_page_as_on_the_dashboard(read_book: Book) -> None:
    """Revenue said “no clear difference” on the dashboard alone, not on its page and in digests."""
    compared = {}
    for name, kpi in build(read_book).headline:
        own = figures._default(read_book, metric_named(name))[0]
        if own.point is not None and kpi.point is not None and own.point == kpi.point:
            compared[name] = (own.previous, own.year_before) == (kpi.previous, kpi.year_before)
    assert compared["revenue"]
    assert [name for name, same in compared.items() if not same] == []


def test_another_version_of_the_program_computes_anew(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an upgrade had mended stayed wrong on pages until the data changed."""
    assert runs.look("dashboard").fresh
    monkeypatch.setattr(engine, "_program", lambda: "99.0")
    assert not runs.look("dashboard").fresh
    assert runs.look("dashboard").result is not None


def test_tables_of_a_metric_say_what_their_amounts_and_columns_are(lake: Path) -> None:
    """Broken down, amounts had no currency; parts of MRR and of CLV were called in English."""
    with engine.using() as book:
        by_channel, mrr, clv, basket = (
            questions.answer("metric", book, asked)["fr"]
            for asked in (
                {"name": "revenue", "by": ["channel"]},
                {"name": "mrr"},
                {"name": "clv_simple"},
                {"name": "average_order_value", "by": ["category"]},
            )
        )
    assert all(row["cells"][2].endswith("€") for row in by_channel["table"]["rows"])
    assert all(row[1].endswith("€") for row in by_channel["chart"]["rows"])
    assert [name for name in mrr["table"]["columns"] if name.startswith("MRR")] == [
        "MRR des nouveaux clients", "MRR reconquis", "MRR perdu"
    ]  # fmt: skip
    assert "Hausse du MRR" in mrr["table"]["columns"]
    assert mrr["table"]["rows"][-1]["cells"][-1].endswith("€")
    assert "Panier moyen" in clv["table"]["columns"]
    assert clv["table"]["rows"][-1]["cells"][-1].endswith("%")
    # Purchases stood under “Clients”.
    assert basket["chart"]["columns"][-1] == "Dénominateur"


def test_the_first_months_of_the_data_are_marked_and_not_drawn(lake: Path) -> None:
    """Nobody can have left yet: the line began at 100 %, and its title said so."""
    with engine.using() as book:
        asked = {"name": "retention_rate", "grain": "month"}
        found = questions.answer("metric", book, asked)["en"]
        first, _ = book.span
    rows = [row["cells"] for row in found["table"]["rows"]]
    marked = [cells for cells in rows if "†" in cells[0]]
    assert marked
    assert marked == rows[1 : len(marked) + 1]
    assert len(marked) < len(rows) - 3
    (why,) = found["table"]["partly"]
    assert why.startswith(f"The data begin on {first.day} {first:%b %Y}, less than")
    by_period = {row[0]: row for row in found["chart"]["rows"]}
    for cells in marked:
        assert by_period[cells[0].removesuffix(" †")][-1] == "no"
        assert cells[0].removesuffix(" †") not in found["chart"]["title"]
    assert {by_period[cells[0]][-1] for cells in rows[len(marked) + 1 : -1]} == {"yes"}


def test_columns_of_tables_begin_with_a_capital() -> None:
    """“connu_par” and “at the start” stood beside “Taux de rétention”."""
    days = [dt.date(2024, month, 5) for month in (1, 1, 2, 3)]
    orders = pa.table(
        {
            "customer_id": ["a", "b", "a", "c"],
            "ordered_on": pa.array(days, pa.date32()),
            "amount": [10.0, 20.0, 30.0, 40.0],
            "connu_par": ["amis", "presse", "amis", "presse"],
        }
    )
    book = Book({"orders": ibis.duckdb.connect().create_table("orders", orders)})
    for name in ("revenue", "retention_rate"):
        asked = {"name": name, "by": ["connu_par"]}
        columns = questions.answer("metric", book, asked)["fr"]["table"]["columns"]
        assert "Connu par" in columns
        assert all(column[0].isupper() for column in columns), columns
    whose = {"name": "revenue", "from": "2024-01-01", "to": "2024-04-01"}
    columns = questions.answer("rows", book, whose)["fr"]["columns"]
    assert all(column[0].isupper() for column in columns), columns


def test_a_group_alone_is_not_drawn(read_book: Book) -> None:
    """A shop of one currency: “Retention rate by currency”, a single point."""
    section = breakdown_section(read_book, "first_channel", figures._frame(read_book))
    alone = dataclasses.replace(section, rows=section.rows[:1])
    assert figures._breakdown(section, "fr") is not None
    assert figures._breakdown(alone, "fr") is None


def test_two_goals_of_one_moment_are_one_again(company: Company) -> None:
    """After a double click on PostgreSQL the goal of that period could be changed no more."""
    for value in (0.7, 0.8):
        Goal.objects.create(metric="retention_rate", value=value)
    actions.set_goal(metric="retention_rate", value=0.9, note="n")
    assert list(Goal.objects.values_list("value", "note")) == [(0.9, "n")]
    actions.set_goal(metric="retention_rate", value=0.9, start=dt.date(2026, 1, 1))
    assert Goal.objects.count() == 2


def test_who_asks_now_does_not_wait_for_a_computation_of_later(company: Company) -> None:
    """With events coming in, a goal was compared with the figures a quarter of an hour later."""
    later = timezone.now() + dt.timedelta(minutes=14)
    jobs.enqueue("insights.refresh", key="insights.refresh:events:1", not_before=later)
    job = runs.refresh_soon()
    assert job.not_before <= timezone.now()
    assert runs.refresh_soon().pk == job.pk


def test_a_metric_by_group_is_that_of_the_command_line(filled: Path, read_book: Book) -> None:
    question = {"name": "retention_rate", "by": ["first_channel"], "grain": "quarter"}
    asked = runs.ask("metric", question)
    assert asked.waiting
    assert asked.result is None
    jobs.run_waiting()
    found = runs.ask("metric", question).result["records"]
    from revoir.periods import Grain

    expected = measure(
        read_book, "retention_rate", by=["first_channel"], grain=Grain.QUARTER
    ).records("fr")
    assert [row["value"] for row in found] == pytest.approx([row["value"] for row in expected])


def test_rows_behind_a_retention_rate_add_up_to_it(filled: Path, read_book: Book) -> None:
    period = Period(dt.date(2025, 7, 1), dt.date(2026, 1, 1))
    question = Question(period.start, period.end)
    parts = (
        measure(read_book, "retention_rate", start=period.start, end=period.end).figures[0].parts
    )
    table = members(read_book, question, period)
    rows = read_book.rows(table.group_by("became").aggregate(n=table.count()))
    assert {row["became"]: row["n"] for row in rows} == {
        name: parts[name] for name in ("kept", "lost", "new", "returned") if parts[name]
    }


def test_rows_behind_revenue_add_up_to_it(filled: Path) -> None:
    asked = {"name": "revenue", "from": "2025-07-01", "to": "2025-08-01"}
    runs.ask("rows", asked)
    runs.ask("metric", asked)
    jobs.run_waiting()
    rows, figure = runs.look("rows", asked), runs.look("metric", asked)
    amount = rows.data["names"].index("amount")
    found, page = list(rows.data["rows"]), 1
    while len(found) < rows.data["total"]:
        page += 1
        runs.ask("rows", {**asked, "page": page})
        jobs.run_waiting()
        more = runs.look("rows", {**asked, "page": page}).data["rows"]
        assert more, page
        found += more
    assert len(found) == rows.data["total"]
    assert len({tuple(row) for row in found}) == len(found), "none twice"
    total = figure.result["records"][0]["value"]
    assert sum(row[amount] for row in found) == pytest.approx(total)


def test_a_question_is_asked_of_the_worker_once(filled: Path) -> None:
    first = runs.ask("segment", {"rule": "orders >= 2"})
    second = runs.ask("segment", {"rule": "orders >= 2"})
    assert first.job == second.job
    assert jobs.run_waiting() == 1
    answered = runs.ask("segment", {"rule": "orders >= 2"})
    assert answered.fresh
    assert answered.job is None
    assert answered.data["count"] + runs_count("not (orders >= 2)") == answered.data["total"]


def runs_count(rule: str) -> int:
    runs.ask("segment", {"rule": rule})
    jobs.run_waiting()
    return int(runs.look("segment", {"rule": rule}).data["count"])


def test_a_question_that_is_not_well_put_is_answered_in_words(filled: Path) -> None:
    runs.ask("segment", {"rule": "colour_of_eyes = 3"})
    jobs.run_waiting()
    asked = runs.ask("segment", {"rule": "colour_of_eyes = 3"})
    assert asked.error is not None
    assert "colour_of_eyes" in asked.error.text("fr")
    assert asked.job is None  # it is not asked again and again


def test_stale_answers_are_shown_until_there_are_new_ones(
    filled: Path, as_role: Callable[[str], Client]
) -> None:
    DataState.objects.update(noticed_at=timezone.now() + dt.timedelta(seconds=1))
    page = as_role("analyst").get("/")
    assert page.status_code == 200
    assert "Les données ou les réglages ont changé depuis" in page.content.decode()
    assert "37" in page.content.decode() or "%" in page.content.decode()


def test_a_change_of_settings_asks_for_new_figures(filled: Path) -> None:
    from revoir_web.common.actions import change_company

    assert runs.look("dashboard").fresh
    change_company(fields={"activity_window_days": 90})
    assert not runs.look("dashboard").fresh
    assert Job.objects.filter(kind="insights.refresh", state=Job.State.WAITING).count() == 1
    change_company(fields={"activity_window_days": 91})
    assert Job.objects.filter(kind="insights.refresh").count() == 1  # once for several changes


def test_a_window_of_the_company_is_one_of_purchases_alone(lake: Path, company: Company) -> None:
    """Under Settings, a window made subscribers count as lost."""
    company.activity_window_days = 90
    company.save()
    with engine.using() as book:
        rule = book.settings.activity
        assert book.has("subscriptions", "started_at")
        assert rule is not None
        assert (rule.window_days, rule.subscription) == (90, True)


def test_refresh_computes_what_is_out_of_date_and_nothing_else(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [(tasks.msg("The dashboard"), "metric", {"name": "revenue"})]
    monkeypatch.setattr(tasks, "standing", lambda facts: few)
    # A slow machine would be at the predictions before it is through here.
    monkeypatch.setattr(runs, "foresee_soon", lambda: None)
    runs.refresh_soon()
    jobs.run_waiting()
    state = DataState.current()
    assert state.refreshed_at is not None
    assert state.facts["currency"] == "EUR"
    first = AnalysisRun.objects.get()
    job = runs.refresh_soon()
    jobs.run_waiting()
    job.refresh_from_db()
    assert job.result is not None
    assert job.result["computed"] == 0
    assert AnalysisRun.objects.get().computed_at == first.computed_at
    actions.set_goal(metric="revenue", value=1.0)
    jobs.run_waiting()
    assert AnalysisRun.objects.get().computed_at > first.computed_at


def test_questions_are_answered_while_figures_of_customers_are_written(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from revoir_web.customers import figures

    monkeypatch.setattr(tasks, "standing", lambda facts: [])
    free: list[bool] = []

    def write(rows: Any, *, complete: bool, tell: Any, **kept: Any) -> int:
        def other() -> None:
            free.append(engine._lock.acquire(blocking=False))
            engine._lock.release()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert complete
        tell(1, rows.num_rows)
        return 0

    monkeypatch.setattr(figures, "write_figures", write)
    DataState.objects.update(refreshed_at=None)
    runs.refresh_soon()
    jobs.run_waiting()
    assert free == [True]


@pytest.mark.parametrize("merged", [False, True])
def test_the_last_day_is_one_of_the_company_where_subscriptions_have_planned_ends(
    tmp_path: Path, settings: Any, company: Company, merged: bool
) -> None:
    """The book was opened in Paris's zone: the last morning of a company in Auckland was lost."""
    from revoir_web.customers.models import Customer

    company.timezone = "Pacific/Auckland"
    company.save()
    settings.LAKE = str(tmp_path / "lake")
    evening = dt.datetime(2024, 5, 10, 20, 0)  # the morning of 11 May in Auckland, in UTC
    visits = pa.table({"customer_id": ["a", "b"], "event": ["visit"] * 2,
                       "occurred_at": [evening - dt.timedelta(days=9), evening]})  # fmt: skip
    plans = pa.table({"customer_id": ["a"], "started_at": [dt.datetime(2024, 1, 4, 11, 0)],
                      "ended_at": [dt.datetime(2999, 1, 4, 11, 0)]})  # fmt: skip
    lake = Lake.create(tmp_path / "lake")
    lake.append("events", visits, batch="events")
    lake.append("subscriptions", plans, batch="subscriptions")
    if merged:
        Customer.objects.create(id="c", merged_into=Customer.objects.create(id="a"))
    engine.forget()
    with engine.using() as book:
        assert book.as_of == dt.date(2024, 5, 11)
        assert book.rows(book.table("events").aggregate(n=lambda t: t.count()))[0]["n"] == 2
    company.timezone = "Europe/Paris"
    company.save()
    with engine.using() as book:
        assert book.as_of == dt.date(2024, 5, 10)
    with engine.apart() as book:
        assert book.as_of == dt.date(2024, 5, 10)
    engine.forget()


def test_answers_after_the_last_order_count_as_in_the_report() -> None:
    """Their page ended with the orders, and the rows behind it did."""
    days = [dt.date(2024, 3, 31) - dt.timedelta(days=n) for n in range(500)]
    orders = pa.table({"customer_id": [f"c{n % 20}" for n in range(500)], "ordered_on": days,
                       "amount": [20.0] * 500})  # fmt: skip
    later = [dt.date(2024, 1, 1) + dt.timedelta(days=9 * n) for n in range(30)]
    answers = pa.table({"customer_id": [f"c{n % 20}" for n in range(30)], "responded_on": later,
                        "question": ["nps"] * 30, "score": [9.0] * 30})  # fmt: skip
    backend = ibis.duckdb.connect()
    book = Book({"orders": backend.create_table("orders", orders),
                 "responses": backend.create_table("responses", answers)})  # fmt: skip
    expected = dict(build(book).headline)
    for name in ("nps", "repurchase_rate"):
        kpi = figures._default(book, metric_named(name))[0]
        assert (kpi.value, kpi.n) == (expected[name].value, expected[name].n)
        assert kpi.point.period == expected[name].point.period
    assert kpi.point.period.end == dt.date(2024, 4, 1)
    nps = figures._default(book, metric_named("nps"))[0]
    period = nps.point.period
    assert (nps.n, period.end) == (28, dt.date(2024, 9, 1))
    asked = {"name": "nps", "from": period.start.isoformat(), "to": period.end.isoformat()}
    assert questions.answer("rows", book, asked)["data"]["total"] == 28


def test_merged_persons_count_as_one(lake: Path, read_book: Book) -> None:
    from revoir_web.customers.models import Customer

    ids = [
        row["customer_id"]
        for row in read_book.rows(read_book.table("orders").select("customer_id").distinct())
    ]
    one, two = sorted(filter(None, ids))[:2]
    kept = Customer.objects.create(id=one)
    Customer.objects.create(id=two, merged_into=kept)
    with engine.using() as book:
        orders = book.rows(
            book.table("orders").group_by("customer_id").aggregate(n=lambda t: t.count())
        )
        counted = {row["customer_id"]: row["n"] for row in orders}
    before = read_book.rows(
        read_book.table("orders").group_by("customer_id").aggregate(n=lambda t: t.count())
    )
    known = {row["customer_id"]: row["n"] for row in before}
    assert two not in counted
    assert counted[one] == known[one] + known[two]
    assert sum(counted.values()) == sum(known.values())


def test_facts_of_a_customer_are_all_there_and_newest_first(lake: Path, read_book: Book) -> None:
    orders = read_book.table("orders")
    rows = read_book.rows(
        orders.filter(orders.customer_id.notnull()).select("customer_id", "order_id")
    )
    key = rows[0]["customer_id"]
    found = facts_of(key, limit=500)
    assert {fact["id"] for fact in found if fact["kind"] == "order"} == {
        row["order_id"] for row in rows if row["customer_id"] == key
    }
    assert [fact["at"] for fact in found] == sorted((fact["at"] for fact in found), reverse=True)
    orders_alone = [fact for fact in found if fact["kind"] == "order"]
    assert facts_of(key, limit=500, kinds=["order", "consent"]) == orders_alone
    page = facts_of([key], limit=2)
    rest = facts_of([key], limit=500, before=page[-1]["at"])
    assert all(fact["at"] < page[-1]["at"] for fact in rest)
    assert facts_of("nobody") == []


def test_what_a_customer_owns_is_all_that_they_bought(lake: Path, read_book: Book) -> None:
    """It was what the last sixty facts told: the quantity of a page, another one page by page."""
    lines = read_book.table("order_lines")
    lines = lines.filter(lines.customer_id.notnull() & lines["product"].notnull())
    per = lines.group_by("customer_id", name=lines["product"])
    told = read_book.rows(
        per.aggregate(n=lines.quantity.sum(), last=lines.ordered_on.max(), lines=lines.count())
    )
    count: dict[str, int] = {}
    for row in told:
        count[row["customer_id"]] = count.get(row["customer_id"], 0) + row["lines"]
    key = max(count, key=lambda id: count[id])
    assert count[key] > 100
    own = {row["name"]: row for row in told if row["customer_id"] == key and row["n"] > 0}
    found = owned_by([key])
    assert {held.product: (held.quantity, held.since) for held in found} == {
        name: (float(row["n"]), row["last"]) for name, row in own.items()
    }
    assert [held.since for held in found] == sorted((held.since for held in found), reverse=True)
    assert owned_by(["nobody"]) == []


def test_what_came_back_or_was_cancelled_is_not_owned(settings: Any, tmp_path: Path) -> None:
    day, due = dt.date(2026, 1, 5), dt.date(2028, 1, 5)
    rows = [
        ("Bouilloire", "purchase", 2, day, due), ("Bouilloire", "return", 1, day, None),
        ("Théière", "cancelled", 1, day, None), ("Mug", "purchase", 1, day, None),
        ("Mug", "return", -1, day, None), ("Thé", "purchase", None, day, None),
    ]  # fmt: skip
    names = ("product", "kind", "quantity", "ordered_on", "upgrade_on")
    table = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    table |= {"customer_id": ["a"] * len(rows), "line_id": [f"L{n}" for n in range(len(rows))]}
    lines = pa.table(table).cast(
        pa.schema(
            {**dict.fromkeys(names[:2], pa.string()), "quantity": pa.float64(),
             **dict.fromkeys(names[3:], pa.date32()), "customer_id": pa.string(),
             "line_id": pa.string()}
        )
    )  # fmt: skip
    Lake.create(tmp_path / "lake").append("order_lines", lines, batch="one")
    settings.LAKE = str(tmp_path / "lake")
    facts.forget()
    found = owned_by(["a", "b"])
    facts.forget()
    assert [(held.product, held.quantity, held.due) for held in found] == [
        ("Bouilloire", 1, due), ("Thé", 1, None),
    ]  # fmt: skip


def test_where_everything_was_undone_there_is_no_data(
    settings: Any,
    tmp_path: Path,
    as_role: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The computation failed, the figures of before stayed, and pages spoke of rows set aside."""
    settings.LAKE = str(tmp_path / "lake")
    # Only what follows an undoing is of interest, and one figure is as good as all.
    monkeypatch.setattr(runs, "foresee_soon", lambda: None)
    monkeypatch.setattr(tasks, "standing", lambda _facts: [(msg("The dashboard"), "dashboard", {})])
    [id] = customers.resolve_many([{"customer_id": "C1"}], source="program")
    customers.index_waiting()
    days = pa.array([dt.date(2024, month, 1) for month in range(1, 13)], pa.date32())
    orders = {"order_id": [f"A{n}" for n in range(12)], "customer_id": [id] * 12,
              "ordered_on": days, "amount": [9.0] * 12}  # fmt: skip
    shop = Lake.create(settings.LAKE)
    shop.append("orders", pa.table(orders), batch="one")
    engine.forget()
    jobs.enqueue("insights.refresh")
    jobs.run_waiting()
    assert CustomerFigures.objects.get(pk=id).orders == 12
    client = as_role("owner")
    assert client.get("/").context["has_data"]
    shop.undo("one")
    runs.ask("dashboard", {"grain": "month"})
    again = jobs.enqueue("insights.refresh")
    jobs.run_waiting()
    again.refresh_from_db()
    assert (again.state, again.result) == ("done", {"computed": 0, "customers": True})
    assert CustomerFigures.objects.get(pk=id).orders == 0
    for path in ("/", "/metrics/", "/departures/", "/what-if/", "/rfm/"):
        page = client.get(path)
        assert not page.context["has_data"], path
        assert "/imports/new/" in page.content.decode(), path
    jobs.enqueue("insights.refresh")
    jobs.run_waiting()
    assert not Job.objects.filter(state="failed").exists()
    shop.append("orders", pa.table(orders), batch="two")
    jobs.enqueue("insights.refresh")
    jobs.run_waiting()
    assert client.get("/").context["has_data"]
    assert CustomerFigures.objects.get(pk=id).orders == 12
    engine.forget()


def test_figures_of_customers_add_up(lake: Path, read_book: Book) -> None:
    with engine.using() as book:
        table = customer_figures(book)
    assert table is not None
    orders = read_book.table("orders")
    bought = orders.filter((orders.kind == "purchase") & orders.customer_id.notnull())
    expected = read_book.rows(bought.aggregate(amount=bought.amount.sum(), n=bought.count()))[0]
    assert float(sum(table["revenue"].to_pylist())) == pytest.approx(float(expected["amount"]))
    assert sum(table["orders"].to_pylist()) == expected["n"]
    rows = table.select(["orders", "status", "rfm", "last_contact_on"]).to_pylist()
    assert {row["status"] for row in rows if row["orders"]} <= {"new", "active", "late", "lost"}
    assert all(len(row["rfm"]) == (3 if row["orders"] else 0) for row in rows)
    assert {row["status"] for row in rows if not row["orders"]} <= {"prospect"}
    assert all(row["last_contact_on"] for row in rows)


@pytest.mark.parametrize("visits", [False, True])
def test_an_amount_in_another_currency_is_not_nothing(visits: bool) -> None:
    """Who had bought for francs alone was said to have bought for 0 €."""
    days = pa.array([dt.date(2024, 1, n) for n in (1, 2, 3)], pa.date32())
    orders = pa.table(
        {"customer_id": ["a", "b", "b"], "ordered_on": days, "amount": [50.0, 80.0, 20.0],
         "currency": ["EUR", "CHF", "CHF"]}
    )  # fmt: skip
    engine = ibis.duckdb.connect()
    tables = {"orders": engine.create_table("orders", orders)}
    if visits:
        seen = {"customer_id": ["b", "c"], "occurred_at": [dt.datetime(2024, 1, 4)] * 2}
        tables["events"] = engine.create_table("events", pa.table({**seen, "event": ["visit"] * 2}))
    table = customer_figures(Book(tables, settings=Settings(currency="EUR")))
    assert table is not None
    told = {row["customer_id"]: row["revenue"] for row in table.to_pylist()}
    assert told == {"a": 50, "b": None, **({"c": 0} if visits else {})}


def test_what_if_is_arithmetic() -> None:
    base: dict[str, Any] = {
        "at_start": 1000.0,
        "retention": 0.7,
        "spend": 50.0,
        "revenue": 100_000.0,
        "margin": 0.4,
        "acquisition_cost": 25.0,
        "years": 1.0,
    }
    found = queries.what_if(base, {"points": 5.0, "keeping_cost": 5.0})
    assert found["customers"] == 50
    assert found["revenue"] == 2500
    assert found["profit"] == 1000
    assert found["clv"] == pytest.approx(50 / 0.25 * 0.4)
    assert found["cost"] == 250
    assert found["net"] == 750
    assert found["winning"] == 1250
    assert found["times"] == 5


def test_a_refresh_that_another_worker_does_is_left_to_it(lake: Path) -> None:
    first, second = jobs.enqueue("insights.refresh"), jobs.enqueue("insights.refresh")
    held = jobs.claim()
    assert held is not None
    assert held.pk == first.pk
    jobs.run_waiting()
    second.refresh_from_db()
    assert (second.state, second.result) == (Job.State.DONE, {"computed": 0})
    assert not AnalysisRun.objects.exists()
    later = Job.objects.get(state=Job.State.WAITING)
    assert later.not_before > timezone.now()
