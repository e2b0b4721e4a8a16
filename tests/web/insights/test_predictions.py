"""Pages and calls of what comes next: what the core says, in words, with its record."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client
from django.utils import timezone

from revoir.book import Book
from revoir.language import Money, written
from revoir.metrics.registry import measure
from revoir.models.churn import churn
from revoir.models.clv import clv
from revoir.models.next_purchase import next_purchases
from revoir.models.recommend import recommend
from revoir.signals.health import Band, Check, health_scores
from revoir.store import Lake
from revoir_web.common import jobs
from revoir_web.common.models import AuditEntry, Company, Job
from revoir_web.customers import actions
from revoir_web.customers.models import Customer, CustomerFigures
from revoir_web.insights import advice, engine, foresight, predictions, questions, runs
from revoir_web.insights.models import AnalysisRun, DataState, PredictionRun

pytestmark = pytest.mark.django_db
PATHS = {
    "departures": "/departures/",
    "worth": "/worth/",
    "next": "/next/",
    "products": "/products/",
    "health": "/health/",
}


def test_the_list_is_the_one_of_the_core(read_book: Book, foretold: dict[str, Any]) -> None:
    found = churn(read_book)
    ranked = found.ranked(limit=100)
    assert found.reason is None
    data = foretold["departures"]["data"]
    assert data["there"] == found.customers.num_rows
    assert [row["id"] for row in data["customers"]] == [one.customer_id for one in ranked]
    assert data["customers"][0]["probability"] == pytest.approx(ranked[0].probability)
    for language in ("fr", "en"):
        words = foretold["departures"][language]
        assert len(words["customers"]) == len(ranked)
        assert words["record"]
        assert any(row["reasons"] for row in words["customers"])


def test_those_who_are_overdue_come_before_those_who_are_due(
    read_book: Book, foretold: dict[str, Any]
) -> None:
    held = next_purchases(read_book).customers.to_pylist()
    rows = foretold["next"]["data"]["customers"]
    late = [row["id"] for row in rows if row["overdue"]]
    assert late == [row["id"] for row in rows][: len(late)]
    assert set(late) <= {row["customer_id"] for row in held if row["overdue"]}
    assert len(late) == min(100, sum(row["overdue"] for row in held))
    assert all(row["low"] <= row["next"] <= row["high"] for row in rows if row["next"])
    soon = next_purchases(read_book, horizon_days=14).customers.to_pylist()
    due = {row["customer_id"] for row in soon if row["returns"] >= 0.5 and not row["overdue"]}
    assert foretold["next"]["data"]["due"] == len(due)
    assert {row["id"] for row in rows if not row["overdue"]} <= due


def test_worth_is_that_of_the_core(read_book: Book, foretold: dict[str, Any]) -> None:
    found = clv(read_book)
    data = foretold["worth"]["data"]
    assert data["total"]["value"] == pytest.approx(found.worth.total.value)
    first = found.customers.slice(0, 1).to_pylist()[0]
    assert data["customers"][0]["id"] == first["customer_id"]
    assert data["customers"][0]["clv"] == pytest.approx(first["clv"])
    assert "70" not in foretold["worth"]["fr"]["columns"]
    assert len(foretold["worth"]["fr"]["customers"][0]["cells"]) == len(
        foretold["worth"]["fr"]["columns"]
    )


def test_what_was_bought_and_the_simple_form_stand_beside_worth(
    read_book: Book, foretold: dict[str, Any]
) -> None:
    found, data = clv(read_book), foretold["worth"]["data"]
    first = found.customers.slice(0, 1).to_pylist()[0]
    assert data["customers"][0]["historic"] == pytest.approx(first["historic"])
    assert data["customers"][0]["total"] == pytest.approx(first["historic"] + first["clv"])
    assert data["mean"] == pytest.approx(found.mean)
    [figure] = measure(read_book, "clv_simple").figures
    assert data["simple"]["value"] == pytest.approx(figure.value)
    assert len(foretold["worth"]["en"]["average"]) == 2


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_show_the_list_and_its_record(
    stored: dict[str, Any],
    as_role: Callable[[str], Client],
    kind: str,
    language: str,
) -> None:
    client = as_role("manager")
    client.cookies["language"] = language
    page = client.get(PATHS[kind], headers={"accept-language": language}).content.decode()
    shown = stored[kind]["fr" if '<html lang="fr"' in page else "en"]
    text = re.sub(r"<[^>]+>", " ", page)
    sentences = [*shown.get("record", []), *shown.get("why", []), shown.get("sentence") or ""]
    sentences.append(shown.get("check") or "")
    for sentence in sentences:
        assert sentence.split(",")[0] in text
    for name in ("bands", "parts", "pairs", "methods"):
        for row in shown.get(name, {}).get("rows", []):
            assert row[0].replace("'", "&#x27;").replace("&", "&") in page or row[0] in text
    customers = shown.get("customers", [])
    if kind in ("departures", "next"):
        assert page.count('<th scope="row">') == len(customers)


def test_where_nothing_is_foretold_of_anybody_nobody_is_called_gone(company: Company) -> None:
    """Of a customer of yesterday: “no purchase yet, or they count as gone”; the data were few."""
    few, enough = PredictionRun(customers=0), PredictionRun(customers=9)
    assert "not enough yet" in advice._nothing(few, None).text("en")
    assert "count as gone" in advice._nothing(enough, None).text("en")


def test_who_may_not_see_persons_sees_numbers(
    stored: dict[str, Any], as_role: Callable[[str], Client]
) -> None:
    [pk] = actions.resolve_many([{"customer_id": "X1", "name": "Zoé Secret"}], source="test")
    for kind in ("departures", "worth", "next"):
        run = AnalysisRun.objects.get(kind=kind)
        run.result["data"]["customers"][0]["id"] = pk
        run.save()
        assert "Zoé Secret" in as_role("manager").get(PATHS[kind]).content.decode()
        page = as_role("analyst").get(PATHS[kind]).content.decode()
        assert "Zoé Secret" not in page
        assert pk[-8:] in page


def test_going_through_names_is_on_the_trail(
    stored: dict[str, Any], as_role: Callable[[str], Client]
) -> None:
    from django.core.cache import caches

    caches["process"].clear()
    for role, lines in (("analyst", 0), ("manager", 1)):
        client = as_role(role)
        client.get(PATHS["departures"])
        client.get(PATHS["departures"])
        client.get(PATHS["health"])
        assert AuditEntry.objects.filter(action="customers.list").count() == lines
    assert AuditEntry.objects.get(action="customers.list").details["page"] == "insights:departures"


def test_the_api_tells_the_same(stored: dict[str, Any], as_role: Callable[[str], Client]) -> None:
    client = as_role("manager")
    told = client.get("/api/departures").json()
    data = stored["departures"]["data"]
    assert told["state"] == "fresh"
    assert [row["customer"] for row in told["customers"]] == [r["id"] for r in data["customers"]]
    assert any(row["reasons"] for row in told["customers"])
    for address, kind in (("/api/next-purchases", "next"), ("/api/clv", "worth")):
        told = client.get(address).json()
        assert [row["customer"] for row in told["customers"]] == [
            row["id"] for row in stored[kind]["data"]["customers"]
        ]
    assert told["total"] == stored["worth"]["data"]["total"]
    assert told["mean"] == stored["worth"]["data"]["mean"]
    assert told["simple"]["value"] == stored["worth"]["data"]["simple"]["value"]
    assert told["customers"][0]["historic"] == stored["worth"]["data"]["customers"][0]["historic"]
    told = client.get("/api/products").json()
    assert told["method"] == stored["products"]["data"]["method"]
    assert told["pairs"] == stored["products"]["data"]["pairs"]
    assert told["record"]


def test_programs_are_told_what_the_health_score_is_made_of(
    stored: dict[str, Any], read_book: Book, as_role: Callable[[str], Client]
) -> None:
    """The page alone said how good the score was."""
    bands = (Band(0, 40, 90, 30, (0.24, 0.44)), Band(41, 100, 110, 11, (0.05, 0.17)))
    check = Check(dt.date(2025, 1, 1), 90, bands, auc=0.71, difference=(0.12, 0.35))
    answer = predictions.health(health_scores(read_book), check)
    state = DataState.current()
    runs.keep(
        "health", {}, version=state.lake_version, began=state.noticed_at,
        settings_hash=engine.settings_hash(), result=json.loads(json.dumps(answer)),
    )  # fmt: skip
    told = as_role("analyst").get("/api/health").json()
    assert (told["state"], told["auc"], told["horizon_days"]) == ("fresh", 0.71, 90)
    assert (told["day"], told["reason"]) == ("2025-01-01", None)
    assert told["record"] == check.sentence().text("fr")
    assert [(row["label"], row["meaning"], row["weight"]) for row in told["parts"]] == [
        (part.label.text("fr"), part.meaning.text("fr"), part.weight)
        for part in health_scores(read_book).parts
    ]
    assert [tuple(row.values()) for row in told["bands"]] == [
        (band.low, band.high, band.customers, band.left, *band.interval) for band in bands
    ]


def test_too_little_data_is_said(company: Any) -> None:
    import ibis

    book = Book(
        {
            "orders": ibis.memtable(
                {
                    "order_id": ["1", "2"], "customer_id": ["a", "b"],
                    "ordered_on": ["2024-01-01", "2024-02-01"], "amount": [1.0, 2.0],
                }
            ).cast({"ordered_on": "date"})
        }
    )  # fmt: skip
    for kind, (_told, part) in foresight.PARTS.items():
        made = part(book)
        assert made.answer["data"].get("customers", []) == []
        # A score is a weighted mean, whatever is known; how good it is, nobody can say.
        assert made.answer["fr"]["check" if kind == "health" else "reason"], kind


# -- Runs ----------------------------------------------------------------------------------------
def test_a_run_keeps_what_the_models_say_of_every_customer(
    computed: PredictionRun, read_book: Book
) -> None:
    left = {row["customer_id"]: row for row in churn(read_book).customers.to_pylist()}
    worth = {row["customer_id"]: row for row in clv(read_book).customers.to_pylist()}
    soon = {row["customer_id"]: row for row in next_purchases(read_book).customers.to_pylist()}
    scores = read_book.columns(health_scores(read_book).customers).to_pylist()
    score = {row["customer_id"]: row["health"] for row in scores}
    figures = {row.pk: row for row in CustomerFigures.objects.all()}
    assert computed.customers == len(figures)
    assert set(figures) == set(left) | set(worth) | set(soon) | set(score)
    for key, row in figures.items():
        one = foresight.of_customer(computed, key)
        assert one is not None
        for name, table, column, digits in (
            ("leaves", left, "probability", 3), ("clv", worth, "clv", 2),
            ("stake", left, "stake", 2),
        ):  # fmt: skip
            expected = table.get(key, {}).get(column)
            assert one[name] == expected
            held = None if expected is None else round(expected, digits)
            assert getattr(row, name) == held
        assert row.next_on == one["next_on"] == soon[key]["next_on"]
        assert one["health"] == score.get(key)
        assert row.health == (None if key not in score else round(score[key], 1))


def test_products_of_a_run_are_those_of_the_core(computed: PredictionRun, read_book: Book) -> None:
    table = recommend(read_book, top=foresight.RECOMMENDED).products
    key = table["customer_id"][0].as_py()
    expected = [row["product_id"] for row in table.to_pylist() if row["customer_id"] == key]
    one = foresight.of_customer(computed, key)
    assert one is not None
    assert [row["product_id"] for row in one["products"]] == expected
    assert len(expected) == foresight.RECOMMENDED


def test_who_is_foretold_no_more_has_nothing(computed: PredictionRun) -> None:
    import pyarrow as pa

    from revoir_web.customers.figures import write_foretold

    key = CustomerFigures.objects.exclude(clv=None).first().pk
    write_foretold(pa.table({"customer_id": [key], "clv": [5.0]}))
    held = CustomerFigures.objects.get(pk=key)
    assert (held.clv, held.leaves, held.next_on, held.health) == (5, None, None, None)
    others = CustomerFigures.objects.exclude(pk=key)
    assert not others.exclude(clv=None, leaves=None, next_on=None, health=None).exists()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_of_a_customer_says_what_comes_next(
    computed: PredictionRun, as_role: Callable[[str], Client], language: str
) -> None:
    from revoir_web.accounts.models import User

    key = CustomerFigures.objects.exclude(leaves=None).exclude(clv=None).first().pk
    one = foresight.of_customer(computed, key)
    assert one is not None
    client = as_role("advisor")
    User.objects.update(language=language)
    client.cookies["language"] = language
    page = client.get(f"/customers/{key}/", headers={"accept-language": language}).content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert f"{one['leaves']:.0%}".rstrip("%") in text
    assert one["products"][0]["product"] in text
    for name in ("clv", "clv_historic", "clv_total"):
        language_of = "fr" if '<html lang="fr"' in page else "en"
        assert written(Money(one[name], "EUR", 0), language_of) in html.unescape(page)
    assert ("Ce qui vient" if '<html lang="fr"' in page else "What comes next") in text


def test_lists_are_narrowed_and_sorted_by_what_is_foretold(
    computed: PredictionRun, as_role: Callable[[str], Client]
) -> None:
    client = as_role("manager")
    rows = list(CustomerFigures.objects.exclude(leaves=None).order_by("-leaves", "-pk"))
    half = rows[len(rows) // 2].leaves
    told = client.get(f"/api/customers?leaves_min={half}&sort=-leaves&limit=200").json()["items"]
    assert [row["id"] for row in told] == [row.pk for row in rows if row.leaves >= half][:200]
    assert told[0]["figures"]["leaves"] == rows[0].leaves
    page = client.get(f"/customers/?leaves={100 * half:.1f}&sort=-leaves&columns=name").content
    assert rows[0].pk in page.decode()
    assert rows[-1].pk not in page.decode()
    staked = sorted((row for row in rows if row.stake), key=lambda row: (-row.stake, row.pk))
    told = client.get("/api/customers?stake_min=1&sort=-stake&limit=200").json()["items"]
    assert [row["figures"]["stake"] for row in told] == [
        row.stake for row in staked if row.stake >= 1
    ][:200]
    day = min(row.next_on for row in rows if row.next_on)
    told = client.get(f"/api/customers?next_to={day}").json()["items"]
    assert {row["id"] for row in told} == {row.pk for row in rows if row.next_on == day}
    scored = CustomerFigures.objects.exclude(health=None)
    worst = scored.order_by("health").first().health
    low = client.get(f"/api/customers?health_max={worst}&limit=200").json()["items"]
    assert {row["id"] for row in low} == {row.pk for row in scored.filter(health=worst)}


def test_the_api_tells_of_one_customer(
    computed: PredictionRun, as_role: Callable[[str], Client]
) -> None:
    key = CustomerFigures.objects.exclude(leaves=None).exclude(clv=None).first().pk
    told = as_role("advisor").get(f"/api/customers/{key}/predictions").json()
    one = foresight.of_customer(computed, key)
    assert one is not None
    assert told["leaves"] == one["leaves"]
    assert told["clv_historic"] == one["clv_historic"] > 0
    assert told["clv_total"] == pytest.approx(one["clv_historic"] + one["clv"])
    assert told["next_on"] == (one["next_on"] and one["next_on"].isoformat())
    assert [row["product"] for row in told["products"]] == [
        row["product_id"] for row in one["products"]
    ]
    assert as_role("advisor").get("/api/customers/nobody/predictions").status_code == 404


def test_the_api_says_what_to_do_and_what_a_refusal_holds_back(
    computed: PredictionRun, as_role: Callable[[str], Client]
) -> None:
    mean = computed.facts["departures"]["mean"]
    sure = CustomerFigures.objects.filter(leaves__gte=max(0.6, mean)).first()
    assert sure is not None
    one = foresight.of_customer(computed, sure.pk)
    assert one is not None
    address = f"/api/customers/{sure.pk}/predictions"
    told = as_role("advisor").get(address).json()
    # Nobody knows an address of theirs, so nothing may be done, and it is said what would be.
    assert [action["rule"] for action in told["next_actions"]] == ["no_contact"]
    assert told["held_back"][0]["rule"] == "leaving"
    assert told["held_back"][0]["refusal"]
    Customer.objects.filter(pk=sure.pk).update(email="zoe@example.org")
    told = as_role("advisor").get(address).json()
    first = told["next_actions"][0]
    assert first["rule"] == "leaving"
    assert f"{one['leaves']:.0%}".rstrip("%") in first["reason"]
    assert f"{mean:.0%}".rstrip("%") in first["reason"]
    assert first["channels"]
    assert one["stake"] == pytest.approx(one["leaves"] * one["worth"])
    # News need an agreement: a product is not proposed without.
    assert all(action["rule"] != "product" for action in told["next_actions"])


def test_an_upgrade_that_is_due_is_proposed(company: Any, settings: Any, tmp_path: Path) -> None:
    import pyarrow as pa

    settings.DATA = str(tmp_path)
    day = dt.date(2026, 3, 1)
    due = pa.table(
        {
            "customer_id": ["a", "b", "a"], "product_id": ["2", "1", "1"],
            "product": ["Théière", "Bouilloire", "Bouilloire"], "since": [day] * 3,
            "due_on": [day + dt.timedelta(days=n) for n in (9, 1, 2)], "given": [True] * 3,
            "offer_id": ["3", None, None], "offer": ["Théière en fonte", None, None],
        }
    )  # fmt: skip
    run = runs.keep_predictions(
        number="u1", version="v", settings_hash="h", as_of=day, began=timezone.now(), customers=1,
        facts={},
    )  # fmt: skip
    foresight.write("u1", [foresight.Part({}, upgrades=due)], pa.table({"customer_id": ["a"]}))
    told = foresight.of_customer(run, "a")
    assert told is not None
    assert [row["product_id"] for row in told["upgrades"]] == ["1", "2"]
    customer = Customer.objects.create(pk="a", name="Zoé", email="zoe@example.org")
    [action] = advice.of_customer(customer, run, told).actions
    assert action.rule == "upgrade"
    assert action.text.text("en") == "Propose what follows “Bouilloire”."
    assert "3 Mar 2026" in action.reason.text("en")


def test_the_first_page_part_says_what_to_do_in_both_languages(
    computed: PredictionRun, as_role: Callable[[str], Client]
) -> None:
    from revoir_web.accounts.models import User

    calm = CustomerFigures.objects.filter(leaves__lt=0.3, next_on__isnull=False).first()
    assert calm is not None
    client = as_role("advisor")
    for language, heading in (("fr", "Que faire maintenant"), ("en", "What to do now")):
        User.objects.update(language=language)
        client.cookies["language"] = language
        page = client.get(f"/customers/{calm.pk}/", headers={"accept-language": language})
        assert heading in page.content.decode()
    customer = Customer.objects.get(pk=calm.pk)
    customer.erased_at = timezone.now()
    customer.save()
    page = client.get(f"/customers/{calm.pk}/", headers={"accept-language": "en"})
    assert "This person was erased: there is nobody to contact." in page.content.decode()


@pytest.mark.parametrize("path", ["/worth/", "/next/", "/products/", "/health/", "/predictions/"])
def test_the_menu_says_where_one_is(
    company: Any, as_role: Callable[[str], Client], path: str
) -> None:
    page = as_role("manager").get(path).content.decode()
    menu = page.split("<main")[0]  # once for wide screens, once for narrow ones
    assert set(re.findall(r'<a href="([^"]+)" aria-current="page">', menu)) == {"/worth/"}


def test_runs_are_listed(computed: PredictionRun, as_role: Callable[[str], Client]) -> None:
    page = as_role("analyst").get("/predictions/").content.decode()
    assert page.count('<th scope="row" rowspan="2">') == 1, "buyers and subscribers"
    facts = computed.facts["departures"]
    assert f"{facts['auc']:.2f}" in page.replace(",", ".")
    assert facts["slope"] is not None


def test_files_of_old_runs_go(computed: PredictionRun) -> None:
    import pyarrow as pa

    for number in ("a1", "a2", "a3"):
        foresight.write(number, [], pa.table({"customer_id": ["x"]}))
    left = {path.name for path in engine.folder_of("a3").parent.iterdir()}
    assert left == {"a2", "a3"}
    assert foresight.of_customer(computed, "x") is None


def test_predictions_are_asked_for_once_and_not_all_the_time(computed: PredictionRun) -> None:
    assert runs.foresee_soon() is None
    PredictionRun.objects.update(seconds=600)
    runs.notice("other data")
    job = runs.foresee_soon()
    assert job is not None
    assert runs.foresee_soon() == job
    assert job.not_before == computed.computed_at + dt.timedelta(seconds=12_000)


def test_what_comes_in_while_predictions_are_made_is_asked_for_once_more(
    computed: PredictionRun,
) -> None:
    Job.objects.all().delete()
    runs.notice("other data")
    job = runs.foresee_soon()
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    runs.notice("yet other data")
    assert runs.foresee_soon() == job  # one at a time
    assert runs.ask("worth").job == job
    # The job itself asks again at its end; one that never came to its end is passed over.
    runs.release_predictions(job.pk)
    after = runs.foresee_soon()
    assert after is not None
    assert after != job
    Job.objects.filter(pk=after.pk).update(state=Job.State.CANCELLED)
    again = runs.foresee_soon()
    assert again is not None
    assert again not in (job, after)
    assert again.state == Job.State.WAITING


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_at_once_get_one_computation(company: Any) -> None:
    import threading

    from django.db import connection

    runs.notice("data")
    gate, found = threading.Barrier(6), []

    def ask(number: int) -> None:
        try:
            gate.wait()
            job = runs.foresee_soon() if number % 2 else runs.ask("worth").job
            found.append(job and job.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert set(found) == {Job.objects.get(kind="insights.foresee").pk}


def test_answers_of_an_earlier_program_do_not_count(computed: PredictionRun) -> None:
    old = timezone.now() - dt.timedelta(days=runs.KEPT_DAYS + 1)
    AnalysisRun.objects.create(
        key="of an earlier format", kind="worth", settings_hash="h", computed_at=old
    )
    assert runs.are_foretold()
    assert runs.prune([]) == 1
    kept = AnalysisRun.objects.filter(kind__in=runs.FORETOLD).count()
    assert kept == len(runs.FORETOLD) + len(runs.APART)


def test_predictions_whose_files_are_gone_are_made_again(computed: PredictionRun) -> None:
    import shutil

    assert runs.are_foretold()
    shutil.rmtree(engine.folder_of(computed.number))
    assert not runs.are_foretold()


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Europe/Paris", "Etc/GMT-14"])
def test_a_day_begins_where_the_company_is(
    computed: PredictionRun, company: Any, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.engine, "settings_hash", lambda: computed.settings_hash)
    company.timezone = zone
    company.save()
    now = timezone.now().astimezone(company.zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for computed_at, same_day in ((midnight, True), (midnight - dt.timedelta(seconds=1), False)):
        PredictionRun.objects.update(computed_at=computed_at)
        assert runs.are_foretold() == same_day


def test_a_new_day_brings_new_predictions(computed: PredictionRun) -> None:
    began = computed.computed_at - dt.timedelta(days=1)
    PredictionRun.objects.update(computed_at=began)
    job = runs.foresee_soon()
    assert job is not None
    wait = (job.not_before - timezone.now()).total_seconds()
    assert 0 < wait <= runs.QUIET_SECONDS


def test_who_looks_does_not_wait_for_the_time_to_come(
    stored: dict[str, Any], as_role: Callable[[str], Client]
) -> None:
    AnalysisRun.objects.filter(kind="worth").delete()
    page = as_role("manager").get("/worth/").content.decode()
    assert 'role="status"' in page
    held = Job.objects.get(kind="insights.foresee")
    assert held.not_before <= timezone.now()
    as_role("manager").get("/worth/")
    assert Job.objects.filter(kind="insights.foresee").count() == 1


def test_segments_speak_of_what_is_foretold(computed: PredictionRun) -> None:
    rule = "risque_de_depart > 0.5 et clv >= 20"
    expected = CustomerFigures.objects.filter(leaves__gt=0.5, clv__gte=20).count()
    engine.forget()
    with engine.using() as book:
        answer = questions.answer("segment", book, {"rule": rule})
    assert abs(answer["data"]["count"] - expected) <= 1  # figures of lists are rounded
    assert expected > 0


def test_counts_that_spoke_of_earlier_predictions_are_forgotten(computed: PredictionRun) -> None:
    began = timezone.now()
    for rule in ("health < 40", "orders > 2"):
        runs.keep("segment", {"rule": rule}, version="v", settings_hash="h", began=began, result={})
    runs.keep_predictions(
        number="b1", version="v", settings_hash="h", as_of=began.date(), began=began,
        customers=0, facts={},
    )  # fmt: skip
    assert runs.look("segment", {"rule": "health < 40"}).run is None
    assert runs.look("segment", {"rule": "orders > 2"}).run is not None


def test_without_orders_the_others_are_foretold(
    tmp_path: Path, settings: Any, company: Company, as_role: Callable[[str], Client]
) -> None:
    """One model that asks for orders took the predictions of all others with it."""
    settings.LAKE, settings.DATA = str(tmp_path / "lake"), str(tmp_path)
    first = dt.date(2022, 1, 1)
    started = [first + dt.timedelta(days=7 * n) for n in range(120)]
    ended = [day + dt.timedelta(days=90 + 5 * (n % 60)) if n % 3 else None
             for n, day in enumerate(started)]  # fmt: skip
    plans = pa.table(
        {
            "customer_id": [f"s{n:03}" for n in range(120)],
            "started_at": pa.array(started, pa.date32()),
            "ended_at": pa.array(ended, pa.date32()),
            "monthly_amount": pa.array([10.0] * 120),
        }
    )
    Lake.create(tmp_path / "lake").append("subscriptions", plans, batch="plans")
    Customer.objects.bulk_create(Customer(id=f"s{n:03}") for n in range(120))
    engine.forget()
    runs.notice(engine.version())
    jobs.enqueue("insights.foresee")
    jobs.run_waiting()
    # One alone: an answer that says what is lacking is an answer, and is not asked for again.
    job = Job.objects.get(kind="insights.foresee")
    assert job.state == Job.State.DONE, job.error
    run = PredictionRun.objects.get()
    assert run.facts["worth"]["total"]["value"] > 0
    assert "orders" in json.dumps(run.facts["next"]["reason"])
    told = AnalysisRun.objects.get(kind="next")
    assert told.error
    client = as_role("manager")
    for path in PATHS.values():
        assert client.get(path).status_code == 200
    assert "Apportez des commandes" in client.get(PATHS["next"]).content.decode()
    engine.forget()
