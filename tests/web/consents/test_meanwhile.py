"""What is written while a person is being erased does not bring them back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from revoir.errors import UsageError
from revoir_web.consents import erasure
from revoir_web.consents.models import Erasure
from revoir_web.customers import actions as customers
from revoir_web.customers import blocklist, indexing, profiles, resolving
from revoir_web.customers.models import (
    Customer,
    CustomerFigures,
    ErasedIdentifier,
    Identifier,
    SearchToken,
)

ANA = {"customer_id": "C-77", "name": "Ana Exemple", "email": "ana@example.com", "city": "Lyon"}
BEN = {"customer_id": "C-78", "name": "Ben Autre", "email": "ben@example.com"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA = tmp_path


def erase(id: str) -> None:
    """What the page does."""
    erasure.erase_persons(customers=[Customer.objects.get(pk=id)], reason=Erasure.Reason.REQUEST)


def is_gone(id: str) -> bool:
    """Whether nothing but the number is left."""
    held = Customer.objects.get(pk=id)
    told = (held.name, held.email, held.city, held.name_key, held.attributes)
    left = Identifier.objects.filter(value__in=ANA.values()).exists()
    return held.erased_at is not None and told == ("", "", "", "", {}) and not left


def before(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, does: Callable[[], None]
) -> None:
    """Let something happen once, just before a function is called."""
    real = getattr(module, name)

    def first(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, name, real)
        does()
        return real(*given, **named)

    monkeypatch.setattr(module, name, first)


@pytest.mark.django_db
def test_an_import_does_not_bring_back_whom_it_had_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name, address and identifiers were written to the row that had just been emptied."""
    [id] = customers.resolve_many([ANA], source="test")
    before(monkeypatch, resolving, "_bring_up_to_date", lambda: erase(id))
    told = {**ANA, "phone": "0612345678", "remark": "tall"}
    found = customers.resolve_many([told, BEN], source="import:1")
    assert found[0] == ""
    assert found[1] not in ("", id)
    assert is_gone(id)
    assert not Identifier.objects.exclude(customer=found[1]).exists()
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_an_import_does_not_bring_back_whom_it_is_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody made and erased meanwhile was made anew."""
    made: list[str] = []

    def came_and_went() -> None:
        made.extend(customers.resolve_many([ANA], source="events"))
        erase(made[0])

    before(monkeypatch, resolving, "_create", came_and_went)
    found = customers.resolve_many([ANA, BEN], source="import:1")
    assert found[0] == ""
    assert Customer.objects.get(pk=found[1]).name == "Ben Autre"
    assert is_gone(made[0])
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_new_erasure_alone_is_looked_for(django_assert_num_queries: Any) -> None:
    ErasedIdentifier.objects.create(hash=blocklist.hash_of("email", "ana@example.com"))
    persons = [resolving.Person(keys={("email", "ana@example.com"): None})]
    with django_assert_num_queries(2):
        assert blocklist.mark(persons) == 1
    assert persons[0].blocked
    with django_assert_num_queries(1):
        assert blocklist.mark(persons, seen=1) == 1


# -- Two connections ---------------------------------------------------------------------------
class Elsewhere(threading.Thread):
    """Something that another connection does at the same time."""

    def __init__(self, does: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.does, self.error = does, None
        self.start()

    def run(self) -> None:
        try:
            self.does()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def end(self) -> None:
        self.join(30)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Erasures that wait, in their transaction, until they may go on."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(found: erasure.Erased) -> int:
        begun.set()
        assert go_on.wait(30)
        return 0

    monkeypatch.setitem(erasure._ERASERS, "test.slow", wait)
    yield begun, go_on
    go_on.set()


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_for_an_erasure_that_has_begun(
    slow: tuple[threading.Event, threading.Event],
) -> None:
    """The row was read before the erasure was over, and written after it."""
    [id] = customers.resolve_many([ANA], source="test")
    begun, go_on = slow
    erasing = Elsewhere(lambda: erase(id))
    assert begun.wait(30)
    threading.Timer(0.5, go_on.set).start()
    assert customers.resolve_many([{**ANA, "city": "Nice"}], source="import:1") == [""]
    erasing.end()
    assert is_gone(id)


@pytest.mark.django_db(transaction=True)
def test_a_note_of_whoever_is_being_erased_is_not_changed(
    slow: tuple[threading.Event, threading.Event],
) -> None:
    """The customer was looked at without a lock, and the note was gone when it was written."""
    [id] = customers.resolve_many([ANA], source="test")
    note = customers.add_note(customer=Customer.objects.get(pk=id), text="called", actor=None)
    begun, go_on = slow
    erasing = Elsewhere(lambda: erase(id))
    assert begun.wait(30)
    threading.Timer(0.5, go_on.set).start()
    with pytest.raises(UsageError):
        customers.change_note(note=note, text="called twice", actor=None)
    erasing.end()
    assert is_gone(id)


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_an_import_that_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The erasure emptied the row, and the import filled it again."""
    [id] = customers.resolve_many([ANA], source="test")
    started: list[Elsewhere] = []

    def start() -> None:
        started.append(Elsewhere(lambda: erase(id)))
        started[0].join(0.5)
        assert started[0].is_alive()

    before(monkeypatch, profiles, "update", start)
    assert customers.resolve_many([{**ANA, "city": "Nice"}], source="import:1") == [id]
    started[0].end()
    assert is_gone(id)


@pytest.mark.django_db(transaction=True)
def test_words_that_find_a_person_do_not_outlive_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words were read of a row, and written after it had been emptied."""
    [id] = customers.resolve_many([ANA], source="test")
    started: list[Elsewhere] = []

    def start() -> None:
        started.append(Elsewhere(lambda: erase(id)))
        started[0].join(0.5)

    before(monkeypatch, indexing, "_shared_addresses", start)
    customers.index_waiting()
    started[0].end()
    assert is_gone(id)
    assert not SearchToken.objects.exists()
    assert not CustomerFigures.objects.exists()
