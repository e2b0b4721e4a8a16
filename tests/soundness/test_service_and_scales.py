"""Figures of customer service and of survey scores that were sure, and wrong."""

import datetime as dt

import pytest

import revoir
from revoir.metrics.registry import measure
from revoir.models.features.compute import choose
from revoir.periods import Grain
from revoir.signals.alerts import alerts_of
from revoir.signals.health import health_scores
from revoir.signals.service import complaint_days

ORDERS = "order_id,customer_id,date,amount\n" + "".join(
    f"{n},C{n},2024-03-{n % 28 + 1:02d},20\n" for n in range(56)
)


def written(folder, **files):
    """Files of text, in a folder, read as a book."""
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text)
    return revoir.read(paths)


def figure(book, name, **asked):
    """The one figure of a metric."""
    (found,) = measure(book, name, **asked).figures
    return found


def tickets(kinds):
    """Tickets of thirty customers, with their kind where there is any."""
    head = "ticket_id,customer_id,opened_at" + (",type" if kinds else "") + "\n"
    return head + "".join(
        f"{n},C{n},2024-03-{n % 28 + 1:02d} 10:00"
        + (f",{kinds[n % len(kinds)]}" if kinds else "")
        + "\n"
        for n in range(30)
    )


def test_tickets_that_do_not_say_what_is_a_complaint_have_no_rate_of_complaints(tmp_path):
    """They had 0 complaints, sure to be fewer than 3.7, and every customer the full points."""
    book = written(tmp_path, orders=ORDERS, tickets=tickets(None))
    for name in ("complaints", "complaint_share", "complaint_rate"):
        found = figure(book, name)
        assert (found.value, found.low, found.high) == (None, None, None)
        assert "do not say which contacts are complaints" in found.reason.text("en")
    assert figure(book, "contacts").value == 30
    assert "service" not in {part.name for part in health_scores(book).parts}
    told = {one.name: reason.text("en") for one, reason in choose(book, book.as_of).left_out}
    assert told["complaints_30"] == "the data do not say which contacts are complaints"


@pytest.mark.parametrize(
    "kind",
    ["Réclamation", "Réclamations", "RECLAMATION", "Re\u0301clamation", "Complaints", "Plaintes",
     "Réclamation produit", "customer complaint", "product_complaint", "Litige livraison",
     "Claims", "Client mécontent", "Réclamation (hors litige)", "Insatisfaction"],
)  # fmt: skip
def test_a_complaint_is_one_whatever_else_its_kind_says(tmp_path, kind):
    """Only “Réclamation” and five more words, exactly so, were heard: a plural made it 0 %."""
    book = written(tmp_path, orders=ORDERS, tickets=tickets([kind, "Question"]))
    assert figure(book, "complaints").value == 15
    rate = figure(book, "complaint_rate")
    assert (rate.value, rate.note) == (pytest.approx(15 / 56), None)
    days = complaint_days(book)
    assert book.rows(days.aggregate(n=days.n.sum()))[0]["n"] == 15


@pytest.mark.parametrize(
    "kind",
    ["Compliment", "no complaint", "No-complaint", "Hors réclamation",
     "hors réclamations et litiges", "Pas une réclamation", "Sans réclamation",
     "Autre que réclamation", "not a complaint", "Auto claim", "Enquête de satisfaction"],
)  # fmt: skip
def test_what_is_no_complaint_is_none_and_the_kinds_are_named(tmp_path, kind):
    book = written(tmp_path, orders=ORDERS, tickets=tickets([kind, kind, "Question"]))
    for name in ("complaints", "complaint_share", "complaint_rate"):
        found = figure(book, name)
        assert found.value == 0
        assert f"the most frequent are: {kind}, Question." in found.note.text("en")


def test_no_more_than_five_kinds_are_named(tmp_path):
    book = written(tmp_path, orders=ORDERS, tickets=tickets([f"Kind {n}" for n in range(8)]))
    said = figure(book, "complaints").note.text("en")
    assert said.count("Kind") == 5


def test_every_engine_hears_the_same_complaints(engine):
    """The words are looked for by the engine: each has regular expressions of its own."""
    import pyarrow as pa

    from revoir.metrics.complaints import is_complaint

    kinds = {
        "RÉCLAMATION": True, "Re\u0301clamations": True, "Hors réclamation": False,
        "no complaint": False, "Claim": True, "Compliment": False, "Pas d’une plainte": False,
        "Réclamation / hors litige": True, None: False,
    }  # fmt: skip
    table = pa.table({"kind": pa.array(list(kinds), pa.string())})
    held = engine.load({"interactions": table})["interactions"]
    rows = held.select("kind", complaint=is_complaint(held)).to_pyarrow().to_pylist()
    assert {row["kind"]: row["complaint"] for row in rows} == kinds


REGULARS = "order_id,customer_id,date,amount\n" + "".join(
    f"{n}-{k},C{n},{dt.date(2023, 1, 1) + dt.timedelta(days=30 * k + n % 28)},20\n"
    for n in range(60)
    for k in range(6)
)


def answers(question, scores):
    """Sixty answers to one question, with these scores in turn."""
    return "response_id,customer_id,response_date,question,score\n" + "".join(
        f"{n},C{n},2023-06-20,{question},{scores[n % len(scores)]}\n" for n in range(60)
    )


OF_A_HUNDRED, OF_TEN = (20, 40, 60, 2, 95, 10), (5, 10, 8, 2, 9, 4)


@pytest.mark.parametrize(
    ("question", "signal", "scores"),
    [
        ("csat", "negative_sentiment", OF_A_HUNDRED),
        ("csat", "negative_sentiment", OF_TEN),
        ("ces", "negative_sentiment", OF_A_HUNDRED),
        ("ces", "negative_sentiment", OF_TEN),
        ("nps", "detractor", OF_A_HUNDRED),
    ],
)
def test_scores_on_another_scale_are_in_no_health_and_raise_no_alert(
    tmp_path, question, signal, scores
):
    """A 20 of 100 was full marks for satisfaction, and 2 of 100 “Satisfaction 2.0 of 5”."""
    book = written(tmp_path, orders=REGULARS, answers=answers(question, scores))
    assert figure(book, question).value is None
    assert "satisfaction" not in {part.name for part in health_scores(book).parts}
    alerts = alerts_of(book, signal)
    assert "outside the scale" in alerts.reason.text("en")


def test_scores_on_their_scale_are_in_health_beside_others_that_are_not(tmp_path):
    wide = "response_id,customer_id,response_date,csat,nps\n" + "".join(
        f"{n},C{n},2023-06-20,{(20, 2)[n % 2]},{(10, 0)[n % 2]}\n" for n in range(60)
    )
    book = written(tmp_path, orders=REGULARS, answers=wide)
    held = {row["customer_id"]: row for row in book.rows(health_scores(book).customers)}
    assert held["C0"]["satisfaction"] > 0 == held["C1"]["satisfaction"]
    assert alerts_of(book, "detractor").reason is None


def test_satisfaction_asked_after_a_contact_keeps_to_its_scale_as_well(tmp_path):
    rows = "ticket_id,customer_id,opened_at,resolved_at,satisfaction_ticket\n" + "".join(
        f"{n},C{n},2023-06-19 10:00,2023-06-19 12:00,{(20, 2)[n % 2]}\n" for n in range(60)
    )
    book = written(tmp_path, orders=REGULARS, tickets=rows)
    assert "satisfaction" not in {part.name for part in health_scores(book).parts}
    assert "outside the scale" in alerts_of(book, "negative_sentiment").reason.text("en")


def asked_of_all(name, scores):
    """Two hundred and forty answers to one question over a year, with these scores in turn."""
    return f"response_id,customer_id,response_date,{name}\n" + "".join(
        f"R{n},C{n},2024-{n % 12 + 1:02d}-{n % 20 + 1:02d},{scores[n % len(scores)]}\n"
        for n in range(240)
    )


def told_of(book):
    """What reading its files says."""
    return " ".join(note.text("en") for file in book.reading.files for note in file.notes)


@pytest.mark.parametrize("name", ["nps", "enps", "ces"])
def test_answers_from_1_to_5_are_on_no_longer_scale(tmp_path, name):
    """240 answers of 3, 4 and 5 were an NPS of −100, surely, and an effort of 4.3 of seven."""
    book = written(tmp_path, answers=asked_of_all(name, (5, 4, 5, 3, 4, 5)))
    for asked in ({}, {"start": dt.date(2024, 2, 1), "end": dt.date(2024, 3, 1)}):
        found = figure(book, name, **asked)
        assert (found.value, found.low) == (None, None)
        assert "None of the 240 answers is above 5" in found.reason.text("en")
    assert f"Column {name}: none of the 240 answers is above 5 on the scale" in told_of(book)


@pytest.mark.parametrize("scores", [(5, 4, 0, 3, 4, 5), (5, 4, 6, 3, 4, 5)])
def test_customers_may_all_be_detractors(tmp_path, scores):
    """Nobody answers 0 or 6 on a scale from 1 to 5; a month may be without them by chance."""
    book = written(tmp_path, answers=asked_of_all("nps", scores))
    assert figure(book, "nps").value == -100
    february = figure(book, "nps", start=dt.date(2024, 2, 1), end=dt.date(2024, 3, 1))
    assert february.value == -100
    assert "none of the" not in told_of(book)


WAITS = ("first_response_hours", "resolution_hours")


def waits_of_days(zone_hour=""):
    head = "ticket_id,customer_id,opened_at,first_response_at,resolved_at\n"
    return head + "".join(
        f"{n},C{n},2024-03-{n + 1:02d}{zone_hour},2024-03-{n + 1:02d},2024-03-{n + 2:02d}\n"
        for n in range(20)
    )


@pytest.mark.parametrize("name", WAITS)
def test_days_do_not_tell_how_many_hours_went_by(tmp_path, name):
    """Tickets with days alone were answered after 0 hours, and settled after exactly 24."""
    book = written(tmp_path, tickets=waits_of_days())
    for asked in (name, f"median_{name}"):
        found = figure(book, asked)
        assert found.value is None
        assert "The data hold days, not times" in found.reason.text("en")
    assert figure(written(tmp_path, tickets=waits_of_days(" 00:01")), "resolution_hours").value > 23


def test_days_of_a_warehouse_do_not_tell_the_hours_on_any_engine(engine):
    import pyarrow as pa

    from revoir.book import Book

    days = [dt.datetime(2024, 3, n) for n in range(1, 21)]
    table = pa.table({"opened_at": days, "resolved_at": [d + dt.timedelta(1) for d in days]})
    book = Book(engine.load({"interactions": table}))
    assert figure(book, "resolution_hours").value is None
    table = pa.table({"opened_at": days, "resolved_at": [d + dt.timedelta(hours=9) for d in days]})
    assert figure(Book(engine.load({"interactions": table})), "resolution_hours").value == 9


def still_open(column="resolved_at"):
    """Two tickets a day over half a year: one ends after a day, one after forty, if by the end."""
    last, number = dt.datetime(2024, 7, 10), 0
    rows = f"ticket_id,customer_id,opened_at,{column}\n"
    for day in range(180):
        opened = dt.datetime(2024, 1, 1, 9) + dt.timedelta(day)
        for days in (1, 40):
            number += 1
            ended = opened + dt.timedelta(days)
            said = f"{ended:%Y-%m-%d %H:%M}" if ended <= last else ""
            rows += f"{number},C{number},{opened:%Y-%m-%d %H:%M},{said}\n"
    return rows + "z,Z,2024-07-10 00:00,\n"


@pytest.mark.parametrize("column", ["resolved_at", "first_response_at"])
def test_tickets_that_are_still_open_do_not_make_recent_months_look_better(tmp_path, column):
    """June was 24 hours after months of 492: its slow tickets were left out, being open."""
    name = dict(zip(("first_response_at", "resolved_at"), WAITS, strict=True))[column]
    book = written(tmp_path, tickets=still_open(column))
    months = measure(book, name, grain=Grain.MONTH).figures
    hours = [None if f.value is None else round(f.value) for f in months]
    assert hours == [492, 492, 492, 492, 484, None, None]
    assert months[5].parts == {"settled": 28, "open": 28}
    assert "28 contacts of the period are still open" in months[5].reason.text("en")
    middle = measure(book, f"median_{name}", grain=Grain.MONTH).figures
    assert [f.value for f in middle[4:]] == [492, None, None]
    assert middle[4].parts == {"settled": 61, "open": 1}
    assert "still open" in middle[5].reason.text("en")


def test_the_median_counts_open_tickets_as_the_longest_on_every_engine(engine):
    """Of five tickets, three took 1, 2 and 9 hours and two are open: the middle one took 9."""
    import pyarrow as pa

    from revoir.book import Book

    opened = dt.datetime(2024, 3, 1, 9)
    ends = [opened + dt.timedelta(hours=n) for n in (1, 2, 9)] + [None, None]
    table = pa.table({"opened_at": [opened] * 5, "resolved_at": pa.array(ends, pa.timestamp("us"))})
    book = Book(engine.load({"interactions": table}))
    assert figure(book, "median_resolution_hours").value == 9
    found = figure(book, "resolution_hours")
    assert (found.value, found.numerator, found.denominator) == (None, 12, 3)
    table = table.slice(1)
    found = figure(Book(engine.load({"interactions": table})), "median_resolution_hours")
    assert (found.value, found.parts) == (None, {"settled": 2, "open": 2})


def test_what_was_settled_without_an_answer_waits_for_none(tmp_path):
    rows = "ticket_id,customer_id,opened_at,first_response_at,resolved_at\n" + "".join(
        f"{n},C{n},2024-03-{n + 1:02d} 09:00,{answer},2024-03-{n + 2:02d} 09:00\n"
        for n in range(20)
        for answer in [f"2024-03-{n + 1:02d} 11:00" if n % 2 else ""]
    )
    found = figure(written(tmp_path, tickets=rows), "first_response_hours")
    assert (found.value, found.parts) == (2, {"settled": 10, "open": 0})


def test_tickets_without_any_end_have_no_wait(tmp_path):
    rows = "ticket_id,customer_id,opened_at,resolved_at\n" + "".join(
        f"{n},C{n},2024-03-{n + 1:02d} 09:00,\n" for n in range(20)
    )
    book = written(tmp_path, tickets=rows)
    for name in ("resolution_hours", "median_resolution_hours"):
        found = figure(book, name)
        assert found.value is None
        assert "open" not in found.reason.text("en")
