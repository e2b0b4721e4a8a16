"""Every metric, cohort grid and segment gives the same figures on every engine."""

import datetime as dt
import random
from functools import cache

import pyarrow as pa
import pytest

from revoir.book import Activity, Book, Settings
from revoir.metrics.cohorts import cohorts
from revoir.metrics.lifecycle import STAGES, buyers
from revoir.metrics.registry import Question, measure, measure_many, metrics
from revoir.metrics.subscriptions import subscribers
from revoir.metrics.summary import customer_summary
from revoir.periods import Grain
from revoir.segments.rfm import movement, rfm

DAY_0 = dt.date(2022, 11, 1)
TOWNS = ("Tours", "Nantes", None)
CHANNELS = ("web", "shop")


@cache
def tables() -> dict[str, pa.Table]:
    """A small company with something in every canonical table."""
    draw = random.Random(7)
    people = [f"c{n}" for n in range(120)]
    orders = []
    for customer in people:
        day = DAY_0 + dt.timedelta(days=draw.randrange(300))
        for _ in range(draw.choice((1, 1, 2, 3, 6, 9))):
            orders.append((customer, day, draw.choice((12.5, 40.0, 99.9)), draw.choice(CHANNELS)))
            day += dt.timedelta(days=draw.choice((0, 6, 20, 45, 70, 130)))
    orders += [(None, DAY_0 + dt.timedelta(days=n * 9), 5.0, "shop") for n in range(30)]
    orders += [(people[n], DAY_0 + dt.timedelta(days=200 + n), -12.5, "web") for n in range(9)]
    moment = dt.datetime(2023, 1, 1, 9)
    waits = [moment + dt.timedelta(hours=draw.randrange(5000)) for _ in range(60)]
    started = [DAY_0 + dt.timedelta(days=draw.randrange(300)) for _ in people]
    ended = [
        d + dt.timedelta(days=draw.randrange(1, 200)) if draw.random() < 0.5 else None
        for d in started
    ]
    days = pa.date32()
    return {
        "customers": pa.table(
            {
                "customer_id": people,
                "city": pa.array([TOWNS[n % 3] for n in range(len(people))], pa.string()),
            }
        ),
        "orders": pa.table(
            {
                "order_id": [str(n) for n in range(len(orders))],
                "customer_id": pa.array([o[0] for o in orders], pa.string()),
                "ordered_on": pa.array([o[1] for o in orders], days),
                "amount": [o[2] for o in orders],
                "margin": [round(o[2] * 0.3, 2) for o in orders],
                "refunded": pa.array([None if n % 4 else 2.5 for n in range(len(orders))]),
                "channel": [o[3] for o in orders],
            }
        ),
        "subscriptions": pa.table(
            {
                "customer_id": people,
                "started_at": pa.array(started, days),
                "ended_at": pa.array(ended, days),
                "monthly_amount": [float(draw.choice((10, 25))) for _ in people],
                "plan": [draw.choice(("S", "L")) for _ in people],
            }
        ),
        "responses": pa.table(
            {
                "customer_id": people * 2,
                "responded_on": pa.array(started * 2, days),
                "question": [draw.choice(("nps", "csat", "ces", "enps")) for _ in people * 2],
                "score": [float(draw.randrange(1, 6)) + draw.choice((0, 5)) for _ in people * 2],
                "comment": pa.array([draw.choice(("oui", None)) for _ in people * 2], pa.string()),
            }
        ),
        "interactions": pa.table(
            {
                "customer_id": [draw.choice(people) for _ in waits],
                "opened_at": waits,
                "first_response_at": [w + dt.timedelta(minutes=draw.randrange(600)) for w in waits],
                "resolved_at": [
                    w + dt.timedelta(hours=draw.randrange(90)) if draw.random() < 0.95 else None
                    for w in waits
                ],
                "kind": [draw.choice(("complaint", "question")) for _ in waits],
            }
        ),
        "events": pa.table(
            {
                "customer_id": [draw.choice(people) for _ in waits * 3],
                "occurred_at": [w + dt.timedelta(days=k) for w in waits for k in range(3)],
                "event": [draw.choice(("visit", "cart")) for _ in waits * 3],
                "session_id": [str(draw.randrange(90)) for _ in waits * 3],
            }
        ),
    }


def book_on(held, **settings) -> Book:
    chosen = {"activity": Activity(window_days=92), **settings}
    return Book(held, settings=Settings(currency="EUR", **chosen), as_of=dt.date(2024, 3, 31))


@pytest.fixture(scope="session")
def reference() -> Book:
    """The same company on DuckDB, which the other engines must agree with."""
    import ibis

    backend = ibis.duckdb.connect()
    return book_on({name: backend.create_table(name, table) for name, table in tables().items()})


@pytest.fixture(scope="session")
def _answers() -> dict[tuple[object, ...], object]:
    return {}


@pytest.fixture
def expected(request, reference, _answers):
    """What the test's question gives on DuckDB: asked once, for all engines."""
    given = {**request.node.callspec.params, "_running_engine": None}
    asked = (request.node.originalname, repr(sorted(given.items())))

    def answer(ask):
        if asked not in _answers:
            _answers[asked] = ask(reference)
        return _answers[asked]

    return answer


@pytest.fixture
def book(engine) -> Book:
    return book_on(engine.load(tables()))


def same(records, expected):
    assert len(records) == len(expected)
    for record, wanted in zip(records, expected, strict=True):
        assert record.keys() == wanted.keys()
        for name, value in wanted.items():
            if isinstance(value, int | float | dict):
                assert record[name] == pytest.approx(value), (name, record)
            else:
                assert record[name] == value, (name, record)


QUESTIONS = {
    "whole": {},
    "months": {"grain": Grain.MONTH, "start": dt.date(2023, 1, 1), "end": dt.date(2023, 7, 1)},
    "year": {"start": dt.date(2023, 3, 1), "end": dt.date(2024, 3, 1)},
}


def test_every_metric(book, expected):
    names = [metric.name for metric in metrics()]

    def figures(of):
        return {
            (when, name): result.records()
            for when, asked in QUESTIONS.items()
            for name, result in measure_many(of, names, Question(**asked)).items()
        }

    mine, theirs = figures(book), expected(figures)
    assert mine.keys() == theirs.keys() == {(when, name) for when in QUESTIONS for name in names}
    for question, records in theirs.items():
        same(mine[question], records)


def test_the_rows_behind_figures(book, expected):
    """Buyers by stage and subscribers by what became of them: as many as the figure says."""
    start, end = dt.date(2023, 4, 1), dt.date(2023, 7, 1)
    question = Question(start, end)

    def rows(of):
        stages = {stage: of.rows(buyers(of, question, stage)) for stage in STAGES}
        for stage, found in stages.items():
            asked = {"start": start, "end": end, "grain": Grain.QUARTER}
            assert len(found) == measure(of, f"lifecycle_{stage}", **asked).figures[0].value
        told = of.rows(subscribers(of, question, "net_revenue_retention"))
        kept = measure(of, "net_revenue_retention", start=start, end=end).figures[0]
        at_end, at_start = (sum(row[name] or 0 for row in told) for name in ("at_end", "at_start"))
        assert at_end == pytest.approx(kept.numerator)
        assert at_start == pytest.approx(kept.denominator)
        return sorted((row["customer_id"], row["became"], row["at_end"]) for row in told)

    assert rows(book) == expected(rows)


ORDER_METRICS = (
    "retention_rate",
    "repurchase_rate",
    "average_order_value",
    "revenue",
    "lifecycle_returning",
    "days_between_purchases",
    "clv_simple",
)


@pytest.mark.parametrize(
    "asked",
    [
        {"by": ["city"]},
        {"by": ["channel", "city"]},
        {"by": ["segment"]},
        {"by": ["first_channel"]},
        {"where": 'city = "Tours" and amount > 20'},
        {"where": "orders.last_365_days >= 2"},
    ],
    ids=lambda asked: str(next(iter(asked.values()))),
)
def test_broken_down_and_filtered(book, expected, asked):
    def figures(of):
        question = {**QUESTIONS["year"], **asked}
        return [measure(of, name, **question).records() for name in ORDER_METRICS]

    for mine, theirs in zip(figures(book), expected(figures), strict=True):
        same(mine, theirs)


def test_weeks_quarters_and_fiscal_years(book, expected):
    def figures(of):
        begun = {month: of.with_settings(fiscal_year_start_month=month) for month in (1, 9)}
        return [
            measure(begun[month], name, grain=grain).records()
            for grain in (Grain.WEEK, Grain.QUARTER, Grain.YEAR)
            for month in begun
            for name in ("retention_rate", "revenue", "mrr")
        ]

    for mine, theirs in zip(figures(book), expected(figures), strict=True):
        same(mine, theirs)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"start": "recurring"},
        {"presence": "on_or_after"},
        {"start": "recurring", "presence": "on_or_after", "share_of": "previous"},
        {"measure": "revenue", "mean": "simple"},
        {"measure": "margin", "by": ["channel"]},
        {"grain": Grain.QUARTER, "where": 'channel = "web"'},
    ],
    ids=str,
)
def test_cohorts(book, expected, options):
    def grid(of):
        found = cohorts(of, **options)
        return found.records(), found.mean

    (mine, mean), (theirs, expected_mean) = grid(book), expected(grid)
    same(mine, theirs)
    assert mean == pytest.approx(expected_mean)


def test_segments_and_summary(book, expected):
    before, after = dt.date(2023, 7, 1), dt.date(2024, 1, 1)

    def segments(of):
        rows = of.rows(customer_summary(of))
        return {
            "cutoffs": rfm(of).cutoffs,
            "summary": rfm(of).summary(),
            "movement": movement(of, before, after).counts(),
        }, sorted(rows, key=lambda row: row["customer_id"])

    (mine, my_rows), (theirs, their_rows) = segments(book), expected(segments)
    assert mine == theirs
    same(my_rows, their_rows)
