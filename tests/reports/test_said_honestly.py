"""What small, odd and unfinished data make the report say, in every format."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pypdf
import pytest

from revoir.book import Book
from revoir.language import Message, msg
from revoir.metrics.registry import metric_named
from revoir.periods import Period
from revoir.reports.answers import keeping, leaving
from revoir.reports.build import build
from revoir.reports.charts import trend
from revoir.reports.figures import Goal, Kpi, Point
from revoir.reports.html import to_html, trend_title
from revoir.reports.model import Group, Leavers, Report
from revoir.reports.pdf import write_pdf
from revoir.reports.plain import to_plain
from revoir.reports.view import gathered, headline
from revoir.reports.xlsx import write_xlsx

QUARTER = Period(dt.date(2024, 1, 1), dt.date(2024, 4, 1))


def rate(name: str, value: float, low: float, high: float, goal: Goal) -> Kpi:
    metric = metric_named(name)
    point = Point(QUARTER, True, value, low, high, value * 100, 100)
    return Kpi(
        metric.name, metric.label, metric.unit, None, metric.better, point, n=100, goal=goal
    )  # fmt: skip


def test_a_goal_missed_within_the_margin_of_error_is_not_plainly_missed():
    close = rate("retention_rate", 0.78, 0.69, 0.85, Goal(0.8, met=False, sure=False))
    text, tone = headline("retention", close).goal or ("", "")
    assert isinstance(text, Message)
    assert text.text("en") == "Goal 80%: below, but within the margin of error"
    assert tone == "neutral"
    said = " ".join(sentence.text("en") for sentence in keeping({"retention": close}).sentences)
    assert "below the goal of 80%, but within the margin of error" in said
    lost = rate("churn_rate", 0.06, 0.03, 0.12, Goal(0.05, met=False, sure=False))
    shown = headline("churn_rate", lost).goal
    assert shown is not None
    assert shown[0].text("fr") == "Objectif 5\xa0%\xa0: au-dessus, mais dans la marge d’erreur"
    far = rate("retention_rate", 0.5, 0.4, 0.6, Goal(0.8, met=False, sure=True))
    assert headline("retention", far).goal[1] == "worse"  # type: ignore[index]


def test_a_rate_of_few_customers_says_how_little_it_says():
    few = rate("retention_rate", 1.0, 0.44, 1.0, Goal(0.8, met=True, sure=False))
    said = [sentence.text("en") for sentence in keeping({"retention": few}).sentences]
    assert any("between 44% and 100%" in sentence for sentence in said)


def test_nobody_who_left_is_an_answer():
    nobody = Leavers(
        QUARTER, Group(2, 0), Group(5, 0), 0, 20, late=0, late_after_days=40, late_amount=0.0,
        window_days=92,
    )  # fmt: skip
    answer = leaving({}, nobody, None)
    assert "Nobody left" in answer.sentences[0].text("en")
    assert "7" in answer.sentences[0].text("fr")


def test_periods_are_long_in_sentences_and_short_on_axes(report: Report):
    assert report.trend is not None
    title = trend_title(report.trend)
    assert re.match(r"Entre .+ et .+, de \d+\s% à \d+\s% des clients", title.text("fr"))
    assert not re.search(r"\bT[1-4] \d{4}|\bQ[1-4] \d{4}", title.text("fr") + title.text("en"))
    drawn = trend(report.trend, title, "fr")
    long = ("trimestre", "janvier", "juillet")
    assert not any(name in cell for row in drawn.rows for cell in row for name in long)


def test_the_trend_draws_complete_periods_alone(report: Report):
    assert report.trend is not None
    last = dataclasses.replace(report.trend.series[-1], complete=False)
    open_one = dataclasses.replace(report.trend, series=(*report.trend.series[:-1], last))
    drawn = trend(open_one, trend_title(open_one), "en")
    assert len(drawn.rows) == len(open_one.series)
    values = drawn.spec(700)["layer"][1]["data"]["values"]
    assert len(values) == len(open_one.series) - 1


def test_the_workbook_holds_the_breakdowns(report: Report, tmp_path: Path):
    path = tmp_path / "r.xlsx"
    write_xlsx(report, path, language="en")
    sheet = openpyxl.load_workbook(path)["By group"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    section = report.breakdowns[0]
    assert {row[2]: (row[4], row[5]) for row in rows} == {
        one.group: (one.customers, pytest.approx(one.value)) for one in section.rows
    }
    assert {row[1] for row in rows} == {"channel"}
    assert sheet["F2"].number_format == "0.0%"


def test_the_workbook_holds_the_what_if(report: Report, tmp_path: Path):
    path = tmp_path / "r.xlsx"
    write_xlsx(report, path, language="fr")
    sheet = openpyxl.load_workbook(path)["Et si"]
    assert report.what_if is not None
    assert sheet["D2"].value == pytest.approx(report.what_if.scenarios[0].revenue)


def test_the_pdf_has_the_small_lines_of_the_page(report: Report, tmp_path: Path):
    def drawings(of: Report) -> int:
        path = tmp_path / "r.pdf"
        write_pdf(of, path, "en")
        pages = pypdf.PdfReader(path).pages
        return sum(len(page["/Resources"].get("/XObject", {})) for page in pages)  # type: ignore[attr-defined]

    bare = tuple((name, dataclasses.replace(kpi, series=())) for name, kpi in report.headline)
    lines = sum(len(kpi.series) >= 3 for _, kpi in report.headline)
    assert lines >= 5
    assert drawings(report) - drawings(dataclasses.replace(report, headline=bare)) == lines


def test_notes_of_several_columns_are_one():
    notes = [msg("Column {header}: day first.", header=name) for name in ("a", "b", "a")]
    other = msg("The encoding is {encoding}.", encoding="utf-8")
    told = [note.text("en") for note in gathered([notes[0], other, *notes[1:]])]
    assert told == ["Column a, b: day first.", "The encoding is utf-8."]


def test_cutoffs_say_which_score_reaches_how_far(report: Report):
    assert report.rfm is not None
    recency, frequency, amount = (line.text("fr") for line in report.rfm.cutoffs)
    assert re.search(r"note 5 jusqu’à \d+, note 4 jusqu’à", recency)
    assert recency.endswith("note 1 au-delà.")
    assert frequency.endswith("note 5 au-delà.")
    assert "€" in amount


def test_subscriptions_alone_have_a_trend_and_something_to_do(make_book: Callable[..., Book]):
    chance = random.Random(3)
    starts = [dt.date(2021, 1, 1) + dt.timedelta(days=chance.randrange(1000)) for _ in range(300)]
    ends = [
        end if (end := start + dt.timedelta(days=30 + chance.randrange(700))).year < 2024 else None
        for start in starts
    ]
    table = pa.table(
        {
            "customer_id": [f"s{place}" for place in range(300)],
            "started_at": pa.array(starts, pa.date32()).cast(pa.timestamp("us")),
            "ended_at": pa.array(ends, pa.date32()).cast(pa.timestamp("us")),
            "reason": [chance.choice(("price", "move")) if end else None for end in ends],
        }
    )
    made = build(make_book(tables={"subscriptions": table}), language="en")
    assert made.trend is not None
    assert {"churn_rate", "customers_active", "customers_lost"} <= dict(made.headline).keys()
    assert "reason given most" in made.actions[0].title.text("en")


def test_one_customer_gives_no_rate_of_a_hundred(make_book: Callable[..., Book]):
    days = [dt.date(2023, 1, 5) + dt.timedelta(days=40 * place) for place in range(14)]
    made = build(make_book([("a", day, 20.0) for day in days]), language="fr")
    assert made.cohorts is not None
    assert "sur 100" not in made.cohorts.title.text("fr")
    # All of one customer stayed: there is no scenario, and a sentence says so.
    assert made.what_if is None
    assert "Tous les clients sont restés" in made.missing["what_if"].text("fr")
    page = to_html(made, "fr")
    assert "1\xa0clients" not in page
    assert "1 clients" not in page


def test_a_breakdown_without_any_rate_is_a_sentence(report: Report, tmp_path: Path):
    section = report.breakdowns[0]
    rows = tuple(dataclasses.replace(row, value=None, low=None, high=None) for row in section.rows)
    bare = dataclasses.replace(
        report, breakdowns=(dataclasses.replace(section, rows=rows),), insights=()
    )
    assert "Aucun groupe n’a assez de clients" in to_html(bare, "fr")
    write_pdf(bare, tmp_path / "r.pdf", "fr")
    assert to_plain(bare)["breakdowns"][0]["rows"][0]["value"] is None
