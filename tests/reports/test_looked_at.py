"""What readers of real reports would not have believed; each was seen on a file."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from revoir.book import Activity, Book
from revoir.language import msg
from revoir.metrics.activity import rule_in_words
from revoir.metrics.registry import metric_named
from revoir.metrics.result import Figure
from revoir.periods import Grain, Period, add_months
from revoir.reports import drawing
from revoir.reports.answers import Detractors, actions_of, leaving
from revoir.reports.build import build
from revoir.reports.charts import breakdown, gaps, lifecycle, rfm_map
from revoir.reports.figures import Change, Goal, Kpi, Point
from revoir.reports.headline import judged_revenue, relative_error
from revoir.reports.html import to_html
from revoir.reports.insights import insights_of, of_leavers
from revoir.reports.model import (
    Breakdown,
    BreakdownRow,
    CohortRow,
    CohortSection,
    GapsSection,
    Group,
    Leavers,
    LifecycleRow,
    LifecycleSection,
    Report,
    RfmSection,
    SegmentRow,
)
from revoir.reports.remarks import nobody_new_since, of_the_ranking
from revoir.reports.view import change_shown, gathered, headline
from revoir.reports.xlsx import write_xlsx
from revoir.segments.names import SEGMENTS
from revoir.segments.rules import customers_matching

NOW = Period(dt.date(2024, 4, 1), dt.date(2024, 7, 1))
YEAR_BEFORE = Period(dt.date(2023, 4, 1), dt.date(2023, 7, 1))


def kpi(name: str, value: float, change: Change | None, **more: object) -> Kpi:
    metric = metric_named(name)
    point = Point(NOW, True, value)
    made = Kpi(metric.name, metric.label, metric.unit, None, metric.better, point)
    return dataclasses.replace(made, year_before=change, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "base"),
    [
        ("repeat_revenue_share", 0.988, 0.985),
        ("gross_revenue_retention", 0.88, 0.90),
        ("median_first_response_hours", 16.6, 7.3),
        ("mrr", 6993.0, 5673.0),
    ],
)
def test_a_change_without_an_interval_is_neither_better_nor_worse(
    name: str, value: float, base: float
):
    """Superstore: +0.2 points of the revenue of returning customers were “better”."""
    change = Change(YEAR_BEFORE, base, value - base, (value - base) / base, None)
    shown = change_shown(kpi(name, value, change), change)
    assert (shown.tone, shown.word) == ("neutral", None)
    assert insights_of({name: kpi(name, value, change)}, None, None, None) == ()


def test_no_change_at_all_has_no_word():
    change = Change(YEAR_BEFORE, 0.0, 0.0, None, False)
    assert change_shown(kpi("churn_rate", 0.0, change), change).word is None


def quarter(period: Period, amounts: dict[str, list[float]]) -> dict[str, Figure]:
    """The figures of a quarter in which these customers spent these amounts."""
    spent = [amount for basket in amounts.values() for amount in basket]
    mean = sum(spent) / len(spent)
    residuals = [sum(basket) - mean * len(basket) for basket in amounts.values()]
    half = 1.96 * sum(one**2 for one in residuals) ** 0.5 / len(spent)
    return {
        "average_order_value": Figure(
            period, True, mean, sum(spent), float(len(spent)), mean - half, mean + half
        ),
        "customers": Figure(period, True, float(len(amounts))),
        "revenue": Figure(period, True, sum(spent)),
    }


def drawn(chance: random.Random, buyers: int) -> dict[str, list[float]]:
    made = {}
    for number in range(buyers):
        orders = 1
        while chance.random() < 0.4:
            orders += 1
        made[f"c{number}"] = [chance.lognormvariate(3, 0.6) for _ in range(orders)]
    return made


def test_revenue_that_chance_moves_is_seldom_told():
    """Buyers drawn from one law in both years: some five in a hundred are told, not more."""
    chance = random.Random(11)
    told = 0
    for _ in range(400):
        # The number of buyers is drawn, too.
        sizes = [round(chance.gauss(150, 150**0.5)) for _ in range(2)]
        now, before = (
            quarter(period, drawn(chance, size))
            for period, size in zip((NOW, YEAR_BEFORE), sizes, strict=True)
        )
        figures = {name: {NOW: now[name], YEAR_BEFORE: before[name]} for name in now}
        errors = [relative_error(figures, period) for period in (NOW, YEAR_BEFORE)]
        values = [one["revenue"].value for one in (now, before)]
        spread = sum((e * v) ** 2 for e, v in zip(errors, values, strict=True)) ** 0.5  # type: ignore[operator]
        told += abs(values[0] - values[1]) > 1.96 * spread  # type: ignore[operator]
    assert 0.01 <= told / 400 <= 0.09


def test_revenue_is_judged_where_its_basket_has_an_interval(report: Report):
    headlined = dict(report.headline)
    assert headlined["revenue"].year_before is not None
    assert headlined["revenue"].year_before.clear is not None
    alone = kpi("revenue", 90.0, Change(YEAR_BEFORE, 100.0, -10.0, -0.1, None))
    assert judged_revenue(alone, {}).year_before == alone.year_before


def test_revenue_against_the_month_before_is_not_judged():
    change = Change(YEAR_BEFORE, 100.0, 50.0, 0.5, True)
    shown = dataclasses.replace(kpi("revenue", 150.0, None), previous=change)
    assert change_shown(shown, change).tone == "neutral"


def segment(key: str, customers: int, days: float, share: float = 0.1) -> SegmentRow:
    known = SEGMENTS[key]
    return SegmentRow(
        key, known.label, known.advice, customers, 0.1, 1000.0, share, days, 3.0, 50.0
    )  # fmt: skip


def segments(*rows: SegmentRow) -> RfmSection:
    return RfmSection(rows, (), {(1, 1): 1, (5, 5): 999}, 5, msg("Segments"))


def rhythm(window: int, third_quartile: int) -> GapsSection:
    bands = ((0, 30, 2), (30, 60, 1))
    return GapsSection(
        bands, 3, 20, third_quartile, 4, window, msg("rule"), None, msg("title")
    )  # fmt: skip


def test_customers_who_are_still_active_have_not_gone_silent():
    """Superstore: “have stopped buying” after 160 days, where a quarter of returns takes 266."""
    held = segments(segment("at_risk", 133, 196), segment("cannot_lose_them", 34, 160))
    told = insights_of({}, None, held, None, window_days=550)
    assert not any("silent" in one.text.text("en") for one in told)
    for_active = actions_of(None, held, {}, None, anonymous_share=None, window_days=550)
    assert not any(one.segment in ("at_risk", "cannot_lose_them") for one in for_active)
    for_gone = actions_of(None, held, {}, None, anonymous_share=None, window_days=150)
    assert [one.segment for one in for_gone] == ["cannot_lose_them", "at_risk"]
    (said,) = (one for one in insights_of({}, None, held, None, window_days=150))
    assert said.text.text("en").startswith("“At risk”, “Cannot lose them”: 167 customers have")


def test_names_of_segments_that_the_activity_rule_contradicts_are_explained():
    late = of_the_ranking([segment("loyal", 753, 346)], rhythm(183, 70))
    assert late is not None
    assert "in “Loyal”, half or more have bought nothing for 183 days" in late.text("en")
    early = of_the_ranking([segment("at_risk", 133, 196)], rhythm(550, 266))
    assert early is not None
    assert "where one repeat purchase in four takes 266 days or more" in early.text("en")
    plain = [segment("loyal", 9, 20), segment("at_risk", 9, 120)]
    assert of_the_ranking(plain, rhythm(183, 70)) is None


def left(once: tuple[int, int], again: tuple[int, int], due: int = 3) -> Leavers:
    return Leavers(
        NOW, Group(*once), Group(*again), due, 20, late=90, late_after_days=40,
        late_amount=100.0, window_days=92,
    )  # fmt: skip


def test_a_handful_is_neither_the_weakness_nor_the_first_thing_to_do():
    """Complete Journey: 13 of 287 leavers had bought once, and headed the weaknesses."""
    grocery = left((23, 13), (1706, 274), due=8)
    assert grocery.once_leave_more
    assert list(of_leavers(grocery)) == []
    said = [one.text("en") for one in leaving({}, grocery, None).sentences]
    assert "95% of them had bought several times." in said
    best = segments(segment("champions", 370, 2))
    done = actions_of(grocery, best, {}, None, anonymous_share=None, window_days=45)
    assert [one.segment or one.figures[0] for one in done] == [
        "leavers.late", "champions", "leavers.due",
    ]  # fmt: skip


def test_a_table_of_one_group_is_not_drawn(report: Report):
    """CDNOW: “once – 0 – 0 – —”."""
    alone = dataclasses.replace(report, leavers=left((0, 0), (500, 30)))
    assert "Avaient acheté" not in to_html(alone, "fr")
    assert "Avaient acheté" in to_html(dataclasses.replace(report, leavers=left((9, 1), (5, 1))))


def test_how_many_were_lost_says_of_how_many():
    """Telco: 1,869 customers lost, and not of how many."""
    start = Point(None, True, 0.735, 0.72, 0.75, 5174.0, 7043.0)
    known = dataclasses.replace(
        kpi("retention_rate", 0.735, None), point=start, parts={"lost": 1869.0}
    )
    (first, *_) = leaving({"retention": known}, None, None).sentences
    assert "1,869 customers of 7,043" in first.text("en")
    assert first.text("fr").endswith(", sur 7\u202f043.")


def test_one_goal_missed_is_one_weakness():
    """“82 % kept: goal met” and “12.6 % lost: goal missed” stood side by side."""
    kept = kpi("retention_rate", 0.82, None, goal=Goal(0.8, met=True, sure=True))
    lost = kpi("churn_rate", 0.126, None, goal=Goal(0.05, met=False, sure=True))
    told = insights_of({"retention": kept, "churn_rate": lost}, None, None, None)
    assert [one.figures for one in told] == [("headline.retention",)]
    alone = insights_of({"churn_rate": lost}, None, None, None)
    assert [one.figures for one in alone] == [("headline.churn_rate",)]


def cohorts(rates: list[float], grain: Grain, size: int = 400) -> CohortSection:
    months = {Grain.MONTH: 1, Grain.QUARTER: 3}[grain]
    rows = []
    for place, share in enumerate(rates):
        start = add_months(dt.date(2021, 1, 1), months * place)
        cells = (1.0, share)
        rows.append(
            CohortRow(
                Period(start, add_months(start, months)),
                size, cells, (float(size), share * size), (True, True),
            )
        )  # fmt: skip
    return CohortSection(grain, tuple(rows), (1.0, 0.4), msg("Cohorts"))


def test_new_customers_of_christmas_are_compared_with_those_of_christmas():
    """The invented shop: six quarters with two Christmases against six with one."""
    seasonal = [0.45, 0.45, 0.45, 0.25] * 3
    told = insights_of({}, None, None, cohorts(seasonal, Grain.QUARTER))
    assert told == ()
    worse = insights_of({}, None, None, cohorts([*seasonal[:8], 0.3, 0.3, 0.3, 0.1], Grain.QUARTER))
    assert "won in 2023" in worse[0].text.text("en")
    assert "won in 2022" in worse[0].text.text("en")


def test_a_file_that_nobody_joins_is_not_judged_by_its_sums(make_book: Callable[..., Book]):
    """CDNOW: revenue 30 % lower, of customers who were all won in the first three months."""
    chance = random.Random(5)
    rows = []
    for number in range(300):
        day = dt.date(2022, 1, 1) + dt.timedelta(days=chance.randrange(80))
        while day <= dt.date(2023, 12, 31):
            rows.append((f"c{number}", day, 20.0))
            if chance.random() < 0.12:
                break
            day += dt.timedelta(days=chance.randrange(10, 60))
    rows.append(("c0", dt.date(2023, 12, 31), 20.0))
    made = build(make_book(rows, window_days=92), language="en")
    assert any("Nobody is new since 31 Mar 2022" in one.text("en") for one in made.warnings)
    shown = {name: headline(name, one) for name, one in made.headline}
    assert {one.tone for one in shown["revenue"].changes} == {"neutral"}
    assert not any("Revenue:" in one.text.text("en") for one in made.insights)
    assert made.lifecycle is not None
    assert "None of the buyers" in made.lifecycle.title.text("en")


def test_a_shop_that_customers_join_is_judged(report: Report):
    assert report.cohorts is not None
    assert not any("Nobody is new" in one.text("en") for one in report.warnings)


def test_a_group_too_small_is_no_closed_group():
    few = cohorts([0.4], Grain.MONTH, size=5)
    frame = type("Frame", (), {"current": Period(dt.date(2023, 1, 1), dt.date(2023, 2, 1))})()
    assert nobody_new_since(few, frame) is None
    assert nobody_new_since(cohorts([0.4], Grain.MONTH), frame) == dt.date(2021, 1, 31)


def test_a_quarter_that_lacks_its_last_day_says_so(make_book: Callable[..., Book]):
    """Superstore ends on 30 December, and its last quarter did not count."""
    rows = [
        (f"c{number // 3}", dt.date(2021, 1, 1) + dt.timedelta(days=number), 10.0)
        for number in range(1094)
    ]
    made = build(make_book(rows, window_days=92), language="en")
    (said,) = [one.text("en") for one in made.warnings]
    assert said.startswith("The data end 1 day before the end of the period that began on")
    assert "--" not in said, "it is read on pages too, where there are no options"
    assert made.nearly_over == dt.date(2023, 12, 31)
    assert (
        build(make_book([*rows, ("z", dt.date(2023, 12, 31), 1.0)], window_days=92)).warnings == ()
    )


def life(*rows: tuple[bool, int, int]) -> LifecycleSection:
    months = [add_months(dt.date(2024, 1, 1), place) for place in range(len(rows) + 1)]
    made = tuple(
        LifecycleRow(Period(*days), complete, buyers, 0, 0, dormant)
        for days, (complete, buyers, dormant) in zip(pairwise(months), rows, strict=True)
    )
    return LifecycleSection(Grain.MONTH, made, msg("Lifecycle"))


def test_nobody_is_silent_in_a_month_of_one_day(report: Report, tmp_path: Path):
    """Complete Journey: one day of January, and a bar of 1,500 silent customers."""
    section = life((True, 1500, 300), (False, 20, 1480))
    chart = lifecycle(section, "en")
    below = [bar for bar in chart.spec(900)["layer"][0]["data"]["values"] if bar["to"] < 0]
    assert [bar["to"] for bar in below] == [-300]
    assert [row[4] for row in chart.rows] == ["300", "—"]
    write_xlsx(dataclasses.replace(report, lifecycle=section), tmp_path / "r.xlsx", language="en")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Lifecycle"]
    assert [sheet["F2"].value, sheet["F3"].value] == [300, None]


def test_few_are_counted_in_whole_ticks():
    """“1, 1, 0, −1” down an axis of one customer."""
    axes = [
        lifecycle(life((True, 1, 1)), "en").spec(900)["layer"][0]["encoding"]["y"]["axis"],
        gaps(rhythm(45, 40), "en").spec(900)["layer"][0]["encoding"]["y"]["axis"],
    ]
    assert [axis["values"] for axis in axes] == [[-1, 0, 1], [0, 1, 2]]
    many = lifecycle(life((True, 90, 10)), "en").spec(900)["layer"][0]["encoding"]["y"]["axis"]
    assert "values" not in many


def test_a_few_customers_are_not_none_of_them():
    drawn_map = rfm_map(segments(segment("champions", 1000, 3)), "en").spec(500)
    shares = {one["count"]: one["share"] for one in drawn_map["data"]["values"]}
    assert shares == {"1": "<\xa01%", "999": "100%"}


def test_groups_have_their_figure_beside_them(report: Report):
    layers = breakdown(report.breakdowns[0], "en").spec(900)["layer"]
    assert any(layer["mark"]["type"] == "text" for layer in layers)


def test_coming_back_is_not_the_word_for_goods_sent_back(report: Report):
    """« 3 838 retours et remboursements », and « trois retours sur quatre » of customers."""
    assert report.gaps is not None
    page = re.sub(r"<[^>]+>", " ", to_html(report, "fr"))
    assert "retours sur quatre" not in page
    assert (
        "réachats"
        in gaps(report.gaps, "fr").spec(900)["layer"][0]["encoding"]["y"]["axis"]["title"]
    )


def test_any_one_of_several_conditions_makes_a_customer_active():
    rule = rule_in_words(Activity(window_days=183, subscription=True, event_window_days=31))
    assert rule.text("en").endswith(
        "a purchase within the last 183 days, a running subscription or a visit within the last 31"
        " days."
    )
    assert ", un abonnement en cours ou " in rule.text("fr")
    alone = rule_in_words(Activity(window_days=183))
    assert alone.text("en") == "Active means: a purchase within the last 183 days."


def test_several_columns_are_columns():
    notes = [
        msg(
            "Column {header}: dates are read with the {order} first, as their values show.",
            header=name,
            order=msg("day"),
        )
        for name in ("Date", "Début")
    ]
    assert gathered(notes)[0].text("fr").startswith("Colonnes Date, Début\xa0:")
    assert gathered(notes[:1])[0].text("fr").startswith("Colonne Date\xa0:")


def test_scores_say_who_gave_them_and_rates_what_they_are_made_of():
    nps = kpi(
        "nps", 53.6, None, n=6782.0,
        parts={"promoters": 4249.0, "passives": 1920.0, "detractors": 613.0},
    )  # fmt: skip
    assert headline("nps", nps).parts.text("en") == "62.7% gave 9 or 10, 9.0% gave 6 or less"  # type: ignore[union-attr]
    kept = kpi(
        "retention_rate", 0.5, None,
        parts={"start": 2.0, "kept": 1.0, "lost": 1.0, "new": 0.0, "returned": 3.0},
    )  # fmt: skip
    assert headline("r", kept).parts.text("fr") == (  # type: ignore[union-attr]
        "gardés\xa0: 1, perdus\xa0: 1, gagnés\xa0: 0, reconquis\xa0: 3"
    )


def test_only_answers_in_words_are_said_to_speak(make_book: Callable[..., Book]):
    """Jardinerie: 613 low scores, 299 of them with the comment “NA”."""
    scores = [3, 5, 6, 9, 10, 9]
    table = pa.table(
        {
            "customer_id": [f"c{place}" for place in range(6)],
            "question": ["nps"] * 6,
            "score": pa.array([float(score) for score in scores]),
            "comment": ["NA", "Trop d’attente", " ", None, "Bien", "NA"],
            "responded_on": pa.array([dt.date(2024, 1, 2)] * 6, pa.date32()),
        }
    )
    made = build(make_book(tables={"responses": table}), language="en")
    assert made.actions[0].customers == 3
    assert made.actions[0].why.text("en").startswith("1 of these answers says why in words")
    shown = kpi("nps", 0.0, None, parts={"detractors": 3.0})
    (silent,) = actions_of(
        None, None, {"nps": shown}, None, anonymous_share=None, detractors=Detractors(3, 0)
    )
    assert silent.why.text("en") == "An answer from you may keep the customer."


def test_who_scored_low_is_listed_by_the_rule_of_the_action(make_book: Callable[..., Book]):
    """“Answer the 92 customers who scored 6 or less” led nowhere."""
    told = [
        ("a", 3, "2024-03-02"), ("a", 9, "2024-03-09"),  # happier since
        ("b", 9, "2024-03-02"), ("b", 2, "2024-03-09"),
        ("c", 6, "2024-03-03"), ("d", 0, "2022-03-01"), ("d", None, "2024-03-03"),
        *((f"happy{place}", 10, "2024-07-05") for place in range(20)),
    ]  # fmt: skip
    table = pa.table(
        {
            "customer_id": [row[0] for row in told],
            "question": ["nps"] * len(told),
            "score": pa.array([row[1] for row in told], pa.float64()),
            "comment": ["Trop lent"] * len(told),
            "responded_on": pa.array([dt.date.fromisoformat(row[2]) for row in told]),
        }
    )
    book = make_book(tables={"responses": table})
    first = build(book, language="en").actions[0]
    assert first.title.text("en") == "Answer the 2 customers who scored 6 or less."
    assert first.why.text("en").startswith("2 of these answers say why")
    assert first.rule is not None
    listed = book.rows(customers_matching(book, first.rule))
    assert {row["customer_id"] for row in listed} == {"b", "c"}


def test_subscriptions_alone_are_told_by_plan(make_book: Callable[..., Book]):
    """Telco: the contract explains who leaves, and had to be asked for."""
    plans = ["monthly"] * 200 + ["yearly"] * 200
    gone = [place % 2 == 0 for place in range(200)] + [place % 20 == 0 for place in range(200)]
    table = pa.table(
        {
            "customer_id": [f"c{place}" for place in range(400)],
            "plan": plans,
            "churned": gone,
        }
    )
    made = build(make_book(tables={"subscriptions": table}), language="en")
    assert [one.column for one in made.breakdowns] == ["plan"]
    said = " ".join(one.text("en") for one in made.answers[1].sentences)
    assert "50% of the customers of “monthly” (plan) stayed, against 95%" in said
    assert build(make_book([("a", dt.date(2024, 1, 1), 5.0)]), language="en").breakdowns == ()


def test_a_figure_without_a_value_says_why_once(make_book: Callable[..., Book]):
    """“Not enough data: 0 where at least 1 is needed”, and a remark on its margin."""
    days = [dt.date(2024, 1, 5) + dt.timedelta(days=60 * place) for place in range(7)]
    made = build(make_book([("a", day, 20.0) for day in days]), language="en")
    for _, one in made.headline:
        if one.value is None:
            assert one.note is None
            assert one.reason is not None
            assert "0 where at least" not in one.reason.text("en")


def test_a_figure_stands_once_in_the_workbook(make_book: Callable[..., Book], tmp_path: Path):
    """Jardinerie: its score twice, and a sheet of no line."""
    table = pa.table({"question": ["nps"] * 9, "score": pa.array([9.0] * 5 + [3.0] * 4)})
    made = build(make_book(tables={"responses": table}), language="en")
    write_xlsx(made, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    names = [row[0] for row in book["Figures"].iter_rows(min_row=2, values_only=True)]
    assert names.count("Net Promoter Score (NPS)") == 1
    assert "By period" not in book.sheetnames


def test_labels_at_the_end_are_apart_and_within_the_drawing():
    """Superstore: “nouveaux” was cut by the upper edge."""
    section = LifecycleSection(
        Grain.MONTH,
        (LifecycleRow(Period(dt.date(2024, 1, 1), dt.date(2024, 2, 1)), True, 0, 1, 9, 8),),
        msg("Lifecycle"),
    )
    layers = lifecycle(section, "en").spec(900)["layer"]
    ends = sorted(one["middle"] for one in layers[-1]["data"]["values"])
    line = (10 + 8) / 230 * 12  # of text, in customers
    assert ends[-1] <= 10 - line / 2
    assert min(upper - lower for lower, upper in pairwise(ends)) >= line


def test_labels_of_weeks_do_not_touch():
    """“13 Jan 202520 Jan 2025” along an axis of weeks."""
    week = dt.timedelta(days=7)
    start = dt.date(2025, 1, 6)
    rows = tuple(
        LifecycleRow(Period(start + n * week, start + (n + 1) * week), True, 9, 9, 9, 9)
        for n in range(12)
    )
    chart = lifecycle(LifecycleSection(Grain.WEEK, rows, msg("Lifecycle")), "en")
    axis = chart.spec(920)["layer"][0]["encoding"]["x"]["axis"]
    step = int(re.search(r"% (\d+) == 0", axis["labelExpr"]).group(1))  # type: ignore[union-attr]
    letters = max(len(row[0]) for row in chart.rows)
    assert step * (920 - 130) / 12 >= 6 * letters + 4


def test_an_axis_of_shares_names_no_per_cent_twice() -> None:
    """72 %, 72 %, 73 %, 73 %: ticks of half a per cent, written without decimals."""
    metric = metric_named("retention_rate")
    rows = (
        BreakdownRow("Male", 3555, 0.738, 0.724, 0.752),
        BreakdownRow("Female", 3488, 0.731, 0.716, 0.745),
    )
    section = Breakdown(
        "gender", metric.name, metric.label, metric.unit, None, rows, 0, metric.label
    )
    made = breakdown(section, "en")
    drawn = drawing.svg(made.spec(made.width), "en", "groups", made.title)
    ticks = re.findall(r">(\d+%)<", drawn)
    assert len(ticks) >= 3
    assert len(set(ticks)) == len(ticks)
