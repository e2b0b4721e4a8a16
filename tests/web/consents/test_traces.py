"""Whoever is erased is found wherever they are named, and nobody else is taken for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from revoir_web.common.models import Job, Replay
from revoir_web.consents import erasure, traces
from revoir_web.consents.models import Erasure
from revoir_web.consents.traces import Erased, Finder
from revoir_web.customers import actions as customers
from revoir_web.customers.models import Customer, Note, Verbatim
from revoir_web.customers.text import phone_spellings
from revoir_web.ingest import forgetting
from revoir_web.ingest.models import InboxEvent

KEYS = [
    ("external", "user-1"), ("external", "100234"), ("email", "ana@example.com"),
    ("phone", "+33612345678"),
]  # fmt: skip
ANA = Erased(
    ids=["0" * 32],
    keys=KEYS,
    values=[
        "user-1", "100234", "ana@example.com", *phone_spellings("+33612345678"), "Ana Groß",
        "Groß Ana", "3 rue du Port",
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "user-1",
        "called user-1, who is happy",
        "/c/user-1/orders",
        "(ANA@example.com)",
        "write to <ana@example.com>.",
        "-ana@example.com",
        "mailto:ana@example.com?subject=x",
        "q=ana%20groß&mail=%20ana@example.com",
        "Mme ANA GROSS a appelé",
        "ana groß",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "tél0612345678",
        "+33 6 12 34 56 78",
        "au 3 RUE DU PORT, svp",
        '{"text": "Hello\\nana@example.com\\tuser-1"}',
        '{"text": "\\u00a006 12 34 56 78"}',
    ],
)
def test_a_person_is_found(text: str) -> None:
    assert ANA.named_in(text)
    assert "…" in ANA.without(text)


@pytest.mark.parametrize(
    "text",
    [
        "user-12",
        "called user-12 on Monday",
        "superuser-1",
        "1002345",
        "mariana@example.com",
        "jean.ana@example.com",
        "jean-ana@example.com",
        "ana@example.community",
        "Ana Großmann",
        "Juana Groß",
        "10612345678",
        "06 12 34 56 789",
        "13 rue du Port",
        "3 rue du Portail",
    ],
)
def test_somebody_else_is_not_taken_for_them(text: str) -> None:
    """A part of another's number or address was taken for the person's own."""
    assert not ANA.named_in(text)
    assert ANA.without(text) == text


def test_an_ellipsis_stands_for_the_name_and_for_nothing_else() -> None:
    assert ANA.without("ß: ANA GROSS, user-12 and ana groß (user-1)!") == "ß: …, user-12 and … (…)!"
    assert ANA.without("İİ ana@example.com İ") == "İİ … İ"


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("export Ana Groß.csv", "export ….csv"),
        ("export_ana-GROSS_2024.csv", "export_…_2024.csv"),
        ("Groß+Ana.xlsx", "….xlsx"),
        ("ana@example.com.json", "….json"),
        ("Tél 06-12-34-56-78.csv", "Tél ….csv"),
        ("Juana Groß.csv", "Juana Groß.csv"),
        ("Ana_Großmann.csv", "Ana_Großmann.csv"),
        ("100234.csv", "100234.csv"),
    ],
)
def test_a_file_is_called_after_somebody_in_many_ways(name: str, left: str) -> None:
    assert ANA.without_in_file_name(name) == left
    assert ANA.in_file_name(name) == (name != left)


_LETTERS = st.text("aAbß1-. @", min_size=1, max_size=6)


@given(st.lists(_LETTERS, min_size=1, max_size=12), st.text("aAbß1-. @\\n%2", max_size=40))
def test_many_are_found_as_one_by_one(values: list[str], text: str) -> None:
    low = text.casefold()
    sides = rf"(?:(?<![^\W_])|{traces._ESCAPE})", r"(?![^\W_])"
    alone = any(re.search(re.escape(v.casefold()).join(sides), low) for v in values)
    assert any(True for _place in Finder(values).places(text)) == alone


def test_names_that_begin_alike_for_long_are_a_pattern_all_the_same() -> None:
    finder = Finder("x" * length for length in range(6, 200))
    assert [end - begin for begin, end in finder.places(f"{'x' * 150} {'x' * 5}")] == [150]


# -- Messages ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("theirs", "body"),
    [
        (True, {"userId": "user-1"}),
        (True, {"userId": 100234}),
        (True, {"anonymousId": "v", "properties": {"ref": ["user-1"]}}),
        (True, {"userId": "b", "traits": {"customer_id": "100234"}}),
        (True, {"userId": "b", "properties": {"q": "is it Ana Groß?"}}),
        (True, {"userId": "b", "properties": {"q": "Hi\nana@example.com"}}),
        (True, {"userId": "b", "context": {"phone": "06 12 34 56 78"}}),
        (False, {"userId": "user-12", "properties": {"order_id": "A", "total": 50}}),
        (False, {"userId": "b", "properties": {"order_id": "100234", "total": 100234}}),
        (False, {"userId": "b", "properties": {"order_id": "O-user-1-7"}}),
    ],
)
def test_messages_of_others_stay(theirs: bool, body: dict[str, Any]) -> None:
    """An order of user-12 that had been acknowledged went when user-1 was erased."""
    assert forgetting._in_message(ANA, [json.dumps(body)]) is theirs


def test_a_message_may_lie_as_deep_as_one_is_taken_in() -> None:
    body = '{"userId":"b","properties":' + '{"a":' * 450 + '"user-1"' + "}" * 451
    assert forgetting._in_message(ANA, [body])


# -- Files -------------------------------------------------------------------------------------
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le"])
def test_a_file_is_read_in_what_it_is_written_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("é;name\n7;Ana Groß\n", encoding=encoding)
    assert forgetting._in_text(path, ANA)
    path.write_text("é;name\n7;Juana Groß\nuser-12;x\n", encoding=encoding)
    assert not forgetting._in_text(path, ANA)


def test_a_name_is_found_where_pieces_of_a_file_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_OVERLAP", 20)
    path = tmp_path / "a.csv"
    for size in range(15, 40):
        monkeypatch.setattr(forgetting, "_CHUNK", size)
        for text, there in (
            ("user-1", True), ("x" * 30 + " user-1", True), ("user-1\n" + "x" * 70, True),
            ("x" * 50 + ";user-1;" + "y" * 50, True), ("user-12", False),
            ("x" * 50 + "user-1;" + "y" * 50, False), ("x" * 50 + ";user-12" + "y" * 50, False),
        ):  # fmt: skip
            path.write_text(text)
            assert forgetting._in_text(path, ANA) is there, (size, text)


# -- In the database ---------------------------------------------------------------------------
@pytest.fixture
def two(tmp_path: Path, settings: Any) -> tuple[Customer, Customer]:
    """Two customers of whom the one's number is the begin of the other's."""
    settings.DATA = tmp_path
    ids = customers.resolve_many([{"customer_id": "user-1"}, {"customer_id": "user-12"}], source="")
    held = Customer.objects.in_bulk(ids)
    return held[ids[0]], held[ids[1]]


def message(user: str) -> InboxEvent:
    body = json.dumps({"userId": user, "event": "Order Completed"})
    return InboxEvent.objects.create(
        key_id=1, kind="track", received_at="2026-01-01T00:00:00Z", body=body
    )


@pytest.mark.django_db
def test_what_others_said_and_did_stays(two: tuple[Customer, Customer]) -> None:
    """The message was deleted, and the note read: called …2 on Monday."""
    gone, other = two
    kept, lost = message("user-12"), message("user-1")
    note = Note.objects.create(customer=other, text="called user-12 on Monday")
    named = Note.objects.create(customer=other, text="knows USER-1 well")
    job = Job.objects.create(kind="x", state=Job.State.DONE, arguments={"who": "user-12"})
    about = Job.objects.create(kind="x", state=Job.State.DONE, result={"customer": gone.pk})
    Replay.objects.create(key="a", body='{"external_id": "user-12"}')
    Replay.objects.create(key="b", body='{"external_id": "user-1"}')
    erasure.erase_persons(customers=[gone], reason=Erasure.Reason.REQUEST)
    assert list(InboxEvent.objects.values_list("pk", flat=True)) == [kept.pk] != [lost.pk]
    note.refresh_from_db()
    named.refresh_from_db()
    assert (note.text, named.text) == ("called user-12 on Monday", "knows … well")
    left = set(Job.objects.values_list("pk", flat=True))
    assert job.pk in left
    assert about.pk not in left
    assert Replay.objects.get().key == "a"


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.django_db
def test_what_comes_between_the_look_and_the_erasure_is_found(
    two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    gone, other = two
    real = erasure._erase_part

    def first(*given: Any) -> Any:
        message("user-1")
        message("user-12")
        Note.objects.create(customer=other, text="knows user-1 well")
        customers.change_note(note=changed, text="sister of user-1", actor=None)
        Job.objects.create(kind="x", state=Job.State.DONE, arguments={"who": "user-1"})
        Job.objects.filter(pk=running.pk).update(
            state=Job.State.DONE, result={"who": "user-1"}, finished_at="2100-01-01T00:00:00Z"
        )
        # What they are known by since was not looked for: everything is looked through once more.
        if told:
            row = {"customer_id": "user-1", "email": "ana@example.com"}
            customers.resolve_many([row], source="")
        return real(*given)

    running = Job.objects.create(kind="x", state=Job.State.RUNNING)
    Job.objects.filter(pk=running.pk).update(created_at="2020-01-01T00:00:00Z")
    early = Note.objects.create(customer=other, text="writes from ana@example.com")
    changed = Note.objects.create(customer=other, text="has a sister")
    monkeypatch.setattr(erasure, "_erase_part", first)
    erasure.erase_persons(customers=[gone], reason=Erasure.Reason.REQUEST)
    assert InboxEvent.objects.count() == 1
    early.refresh_from_db()
    assert early.text == ("writes from …" if told else "writes from ana@example.com")
    others = Note.objects.exclude(pk=early.pk).order_by("pk").values_list("text", flat=True)
    assert list(others) == ["sister of …", "knows … well"]
    assert not Job.objects.filter(kind="x").exists()


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL lets others write while it reads"
)
@pytest.mark.django_db
def test_what_is_long_to_look_through_is_read_while_others_may_write(
    two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a million comments nobody else could write for two minutes."""
    gone, other = two
    words = [Verbatim(customer=other, kind="response", row=n, text=f"no {n}") for n in range(50)]
    Verbatim.objects.bulk_create(words)
    read: list[str] = []
    real = Finder.places

    def places(self: Finder, text: str) -> Any:
        read.append(text)
        return real(self, text)

    monkeypatch.setattr(Finder, "places", places)
    looked = erasure._looked_for([gone.pk])
    assert sum(text.startswith("no ") for text in read) == 50
    read.clear()
    erasure._erase_part([gone.pk], Erasure.Reason.REQUEST, None, looked)
    assert not [text for text in read if text.startswith("no ")]
