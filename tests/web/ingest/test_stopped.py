"""A landing that is stopped, fails or is killed leaves nothing that a later one trips over."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from revoir.errors import UsageError
from revoir.language import msg
from revoir.store import Lake
from revoir_web.accounts.models import User
from revoir_web.common import jobs
from revoir_web.common.models import Job
from revoir_web.consents.erasure import erase_persons
from revoir_web.customers.models import Customer, Verbatim
from revoir_web.ingest import actions, landing, tasks, understanding
from revoir_web.ingest.models import Import, WebhookDelivery, WebhookEndpoint

from .conftest import bring_in, each_step, lake, work

pytestmark = pytest.mark.django_db(transaction=True)
State = Import.State
HEAD = "order_id,customer_id,date,amount,total\n"
LINES = "order_id,customer_id,date,product,quantity,unit_price\n"


def rows(begin: int, end: int, amount: int = 10, total: int = 99) -> str:
    """One order a customer."""
    return "".join(
        f"J{n},C{n},2024-01-{n % 28 + 1:02d},{amount}.00,{total}.00\n" for n in range(begin, end)
    )


def lines(begin: int, end: int) -> str:
    return "".join(f"J{n},C{n},2024-01-{n % 28 + 1:02d},tea,1,10.00\n" for n in range(begin, end))


def stopping(at: str) -> Any:
    """Press Stop when a job tells a step that begins so."""

    def stop(job: jobs.Running, number: int, words: str) -> None:
        del number
        if words.startswith(at):
            jobs.cancel(Job.objects.get(pk=job.pk))
            job.renew()

    return each_step(stop)


def confirm(held: Import) -> Import:
    actions.confirm(held=held, again=True)
    work()
    return looked_at(held)


def looked_at(held: Import) -> Import:
    """The import as its page finds it."""
    held.refresh_from_db()
    return actions.settle(held)


def correct(held: Import) -> Import:
    """Say that the other column is the amount, and have the files read again."""
    told = understanding.kept(held)
    assert told is not None
    is_now = {column["header"]: column["target"] for column in told["files"][0]["columns"]}
    amount, other = "amount", "total"
    if is_now["total"] == "orders.amount":
        amount, other = other, amount
    text = (
        "files:\n- columns:\n    order_id: order_id\n    customer_id: customer_id\n"
        f"    date: ordered_at\n    {other}: amount\n    {amount}: ignore\n"
    )
    actions.read(held=held, mapping=text)
    work()
    return looked_at(held)


def orders() -> tuple[int, int, float]:
    """How many rows, how many order numbers, how much money."""
    with suppress(Exception):
        [(count, different, amount)] = lake(
            "SELECT count(*), count(DISTINCT order_id), coalesce(sum(amount), 0) FROM orders"
        )
        return count, different, float(amount)
    return 0, 0, 0.0


def test_what_landed_meanwhile_is_not_doubled(company: object) -> None:
    """A landing stopped and confirmed again appended rows that a later file had brought."""
    first = bring_in(HEAD + rows(0, 20), land=False)
    with stopping("Writing orders"):
        assert confirm(first).state == State.READ
    assert bring_in(HEAD + rows(0, 40), "both.csv").state == State.LANDED
    assert orders() == (40, 40, 400)
    assert confirm(first).state == State.LANDED
    assert first.landed is not None
    assert first.landed["orders"] == {"new": 0, "changed": 0, "unchanged": 20}
    assert orders() == (40, 40, 400)


def test_a_mapping_that_is_corrected_after_a_stop_counts(company: object) -> None:
    """What had been made of the files with the wrong mapping was brought in all the same."""
    held = bring_in(HEAD + rows(0, 20), land=False)
    with stopping("Writing orders"):
        confirm(held)
    assert correct(held).state == State.READ
    assert confirm(held).state == State.LANDED
    assert orders() == (20, 20, 1980)


def test_giving_up_after_a_stop_takes_out_what_had_come_in(company: object) -> None:
    """Half of the import stayed in the lake for ever: undoing refused what was given up."""
    held = bring_in(LINES + lines(0, 20), land=False)
    with stopping("Writing order lines"):
        assert confirm(held).state == State.READ
    assert orders() == (0, 0, 0)
    assert not Customer.objects.exists()
    actions.cancel(held=held)
    work()
    assert looked_at(held).state == State.CANCELLED
    assert not held.folder.exists()


class Killed(BaseException):
    """Nothing in the program hears of it."""


@contextmanager
def killed(at: str) -> Iterator[None]:
    """The worker dies when it tells a step that begins so, and the next one is asked to stop."""

    def die(job: jobs.Running, number: int, words: str) -> None:
        del job, number
        if words.startswith(at):
            raise Killed

    with each_step(die), suppress(Killed):
        yield
    past = timezone.now()
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=past)


def half_landed(text: str, name: str = "half.csv") -> Import:
    """An import whose worker was killed between orders and their lines, and then stopped."""
    held = bring_in(text, name, land=False)
    actions.confirm(held=held, again=True)
    with killed("Writing order lines"):
        work()
    held.refresh_from_db()
    assert held.job is not None
    jobs.cancel(held.job)
    work()
    assert looked_at(held).state == State.READ
    assert orders()[0] == 20
    return held


def test_half_of_one_that_was_killed_goes_when_it_is_given_up(company: object) -> None:
    held = half_landed(LINES + lines(0, 20))
    actions.cancel(held=held)
    held.refresh_from_db()
    assert held.state == State.UNDOING
    work()
    assert looked_at(held).state == State.CANCELLED
    assert orders() == (0, 0, 0)
    assert not Customer.objects.exists()
    assert not held.folder.exists()
    with pytest.raises(UsageError):
        actions.undo(held=held)


def test_half_of_one_that_was_killed_is_nothing_that_others_compare_with(company: object) -> None:
    half = half_landed(LINES + lines(0, 20))
    second = bring_in(LINES + lines(0, 30), "second.csv")
    assert second.landed is not None
    assert second.landed["orders"] == {"new": 30, "changed": 0, "unchanged": 0}
    actions.cancel(held=half)
    work()
    assert looked_at(half).state == State.CANCELLED
    assert orders() == (30, 30, 300)
    assert Customer.objects.count() == 30


def test_half_of_one_that_was_killed_goes_when_it_is_read_again(company: object) -> None:
    half = half_landed(LINES + lines(0, 20))
    actions.read(held=half)
    work()
    assert looked_at(half).state == State.READ
    assert orders() == (0, 0, 0)
    assert confirm(half).state == State.LANDED
    assert orders() == (20, 20, 200)
    assert lake("SELECT count(*) FROM order_lines") == [(20,)]
    assert half.landed is not None
    assert half.landed["orders"]["new"] == 20
    assert half.undone is None


@pytest.mark.parametrize("way", ["erased", "old"])
def test_half_of_one_that_was_killed_goes_with_its_files(company: object, way: str) -> None:
    half = half_landed(LINES + lines(0, 20))
    if way == "erased":
        erase_persons(customers=[Customer.objects.get(identifiers__value="C3")], reason="asked")
        assert not half.folder.exists()
    else:
        long_ago = timezone.now() - dt.timedelta(days=tasks.KEPT_DAYS + 1)
        Import.objects.update(updated_at=long_ago)
        jobs.enqueue("ingest.tidy")
    work()
    assert looked_at(half).state == State.CANCELLED
    assert not half.folder.exists()
    assert orders() == (0, 0, 0)


def test_a_landing_that_fails_for_good_leaves_nothing(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Lake, table: str, *args: Any, **options: Any) -> Any:
        if table == "order_lines":
            raise UsageError(msg("The disk of the server is full."))
        return append(self, table, *args, **options)

    append = Lake.append
    monkeypatch.setattr(Lake, "append", full)
    held = bring_in(LINES + lines(0, 20), land=False)
    assert confirm(held).state == State.READ
    assert held.failure is not None
    assert orders() == (0, 0, 0)
    monkeypatch.setattr(Lake, "append", append)
    assert confirm(held).state == State.LANDED
    assert orders() == (20, 20, 200)


def test_whoever_is_told_of_failures_hears_of_a_landing_s(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a reading that failed in a foreseen way was told, and one that was given up too."""
    WebhookEndpoint.objects.create(
        name="w", url="https://8.8.8.8/", kinds=["import.failed"], secret="", enabled=True
    )
    held = bring_in(LINES + lines(0, 20), land=False)
    with stopping("Looking up"):
        assert confirm(held).state == State.READ
    assert not WebhookDelivery.objects.exists()

    def full(self: Lake, *args: Any, **options: Any) -> Any:
        raise UsageError(msg("The disk of the server is full."))

    monkeypatch.setattr(Lake, "append", full)
    assert confirm(held).state == State.READ
    assert looked_at(held).state == State.READ
    assert [told.kind for told in WebhookDelivery.objects.all()] == ["import.failed"]
    actions.cancel(held=held)
    actions.has_failed(held=held, error=msg("The disk of the server is full."))
    assert WebhookDelivery.objects.count() == 1


def test_a_preview_that_fails_shows_none_of_before(
    company: object, as_role: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = bring_in(HEAD + rows(0, 5), land=False)
    client, url = as_role("manager"), reverse("ingest:preview", args=[held.pk, 0])

    def preview() -> str:
        answer = client.post(url, {"table-0": "orders"})
        job = Job.objects.filter(kind="ingest.preview").latest("created_at")
        assert str(job.pk) in answer.content.decode()
        with translation.override(None):  # as in a process of its own
            work()
        return client.get(url, {"job": str(job.pk)}).content.decode()

    failed = 'class="error"'
    assert failed not in preview()

    def refused(*arguments: object, **options: object) -> None:
        raise UsageError(msg("The disk of the server is full."))

    with monkeypatch.context() as patch:
        patch.setattr("revoir.reading.read_tables", refused)
        for language, told in (("en", "disk of the server"), ("fr", "disque du serveur")):
            User.objects.update(language=language)
            assert told in preview()

    def broken(*arguments: object) -> None:
        raise OSError

    monkeypatch.setattr(understanding, "preview", broken)
    assert "serveur" not in preview()
    assert failed in preview()


def test_who_is_killed_before_the_copies_are_gone_leaves_none(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of customers lay there for a month, where no erasure looked."""
    held = bring_in(HEAD + rows(0, 5), land=False)

    def killed(self: object) -> None:
        raise jobs.Lost

    with monkeypatch.context() as patch:
        patch.setattr(actions, "drop_copies", killed)
        assert confirm(held).state == State.LANDED
    assert (held.folder / "files").is_dir()
    Job.objects.filter(pk=held.job_id).update(lease_until=timezone.now() - dt.timedelta(minutes=1))
    work()
    assert not (held.folder / "files").exists()


def test_a_file_that_comes_while_the_others_are_read_is_refused(company: object) -> None:
    """It stood among the files of the import, and none of its rows were in."""
    held = actions.begin()
    actions.add_file(held=held, name="a.csv", content=io.BytesIO((HEAD + rows(0, 5)).encode()))

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if State(Import.objects.get(pk=held.pk).state) == State.UPLOADING:
                actions.read(held=Import.objects.get(pk=held.pk))
            return super().read(size)

    with pytest.raises(UsageError):
        actions.add_file(held=held, name="b.csv", content=Slow((HEAD + rows(5, 9)).encode()))
    assert [upload.name for upload in held.uploads.all()] == ["a.csv"]
    assert len(list(held.folder.glob("files/*"))) == 1
    with pytest.raises(UsageError):
        actions.remove_file(held=held, upload=held.uploads.get())


def test_words_of_half_of_one_are_not_taken_for_said(company: object) -> None:
    """Who says the same as a landing that never ends has said it."""
    text = "reponse_id;client_id;date_reponse;nps;commentaire\nR1;C1;03/01/2025;9;Bien\n"
    half = bring_in(text, "nps.csv", land=False)
    actions.confirm(held=half)

    def die(**arguments: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        patch.setattr(actions, "has_landed", die)
        work()
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=timezone.now())
    assert Verbatim.objects.count() == 1
    half.refresh_from_db()
    assert half.job is not None
    jobs.cancel(half.job)
    work()
    assert looked_at(half).state == State.READ
    bring_in(text, "again.csv")
    actions.cancel(held=half)
    work()
    assert [line.text for line in Verbatim.objects.all()] == ["Bien"]


def test_whoever_lost_the_job_writes_nothing_any_more(company: object) -> None:
    """A worker that waited for another import wrote after its job was another's."""
    held = bring_in(HEAD + rows(0, 20), land=False)
    actions.confirm(held=held)
    job = jobs.claim()
    assert job is not None
    late = jobs.Running(job)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    work()
    held.refresh_from_db()
    assert held.state == State.LANDED
    actions.undo(held=held)
    work()
    with pytest.raises(jobs.Lost):
        landing.land(
            held, batch="late", resolve=lambda people: people, progress=lambda message: None,
            fence=late.fence, finish=lambda landed: None,
        )  # fmt: skip
    assert orders() == (0, 0, 0)
    other = bring_in(HEAD + rows(0, 5), "other.csv")
    with pytest.raises(jobs.Lost):
        landing.take_out(other, progress=lambda message: None, fence=late.fence)
    assert orders()[0] == 5


def test_a_stopped_reading_keeps_no_files(company: object) -> None:
    """The page said that nothing was kept, and the files stayed for a month."""
    held = bring_in(HEAD + rows(0, 5), land=False)
    actions.read(held=held)
    held.refresh_from_db()
    assert held.job is not None
    jobs.cancel(held.job)
    assert looked_at(held).state == State.CANCELLED
    assert not held.folder.exists()


class Play:
    """Two imports that overlap, and what is done to them at random.

    Args:
        seed: Of the chances.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        texts = (rows(0, 8, 1, 2), rows(4, 12, 3, 4))
        self.held = [bring_in(HEAD + text, f"{n}.csv", land=False) for n, text in enumerate(texts)]
        self.spans = ((0, 8), (4, 12))
        self.values = [[1, 2], [3, 4]]
        self.landed: list[int] = []
        """Those that are in, in the order in which they came."""

    def act(self) -> None:
        """Do one thing to one of them."""
        which = self.chance.randrange(2)
        held = looked_at(self.held[which])
        ways = {
            State.READ: [self.confirm, self.confirm, self.stop, self.stop, self.kill,
                         self.correct, self.give_up],
            State.LANDED: [self.undo, self.stop_undoing],
        }.get(State(held.state), [])  # fmt: skip
        if ways:
            self.chance.choice(ways)(which, held)
        self.look(which)

    def confirm(self, which: int, held: Import) -> None:
        confirm(held)

    def stop(self, which: int, held: Import) -> None:
        at = self.chance.randint(1, 8)

        def stop(job: jobs.Running, number: int, words: str) -> None:
            if number == at:
                jobs.cancel(Job.objects.get(pk=job.pk))
                job.renew()

        with each_step(stop):
            confirm(held)

    def kill(self, which: int, held: Import) -> None:
        at = self.chance.randint(1, 8)

        def die(job: jobs.Running, number: int, words: str) -> None:
            if number == at:
                raise Killed

        actions.confirm(held=held, again=True)
        with each_step(die), suppress(Killed):
            work()
        if self.chance.random() < 0.5:
            held.refresh_from_db()
            assert held.job is not None
            jobs.cancel(held.job)
        else:
            # The other may be faster than whoever takes the job up again.
            other = looked_at(self.held[1 - which])
            if other.state == State.READ and self.chance.random() < 0.5:
                confirm(other)
                self.look(1 - which)
        Job.objects.filter(state=Job.State.RUNNING).update(lease_until=timezone.now())
        work()

    def correct(self, which: int, held: Import) -> None:
        correct(held)
        self.values[which].reverse()

    def give_up(self, which: int, held: Import) -> None:
        if self.chance.random() < 0.3:
            actions.cancel(held=held)
            work()

    def undo(self, which: int, held: Import) -> None:
        actions.undo(held=held)
        work()

    def stop_undoing(self, which: int, held: Import) -> None:
        with stopping("Looking for customers"):
            self.undo(which, held)
        if looked_at(held).state == State.LANDED:
            self.undo(which, held)

    def look(self, which: int) -> None:
        """See what has become of one."""
        state = looked_at(self.held[which]).state
        if state != State.LANDED and which in self.landed:
            self.landed.remove(which)
        elif state == State.LANDED and which not in self.landed:
            self.landed.append(which)

    def end(self) -> None:
        """Let go of what is not in, and compare."""
        for which, held in enumerate(self.held):
            if looked_at(held).state in (State.READ, State.FAILED):
                actions.cancel(held=held)
                work()
            assert looked_at(held).state in (State.LANDED, State.UNDONE, State.CANCELLED)
            self.look(which)
        expected: dict[str, float] = {}
        for which in self.landed:
            begin, end = self.spans[which]
            expected |= {f"J{n}": self.values[which][0] for n in range(begin, end)}
        found = lake("SELECT order_id, amount FROM orders") if orders()[0] else []
        assert sorted(found) == sorted(expected.items())
        assert Customer.objects.count() == len(expected)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_the_lake_says_what_the_imports_that_stand_say(
    company: object, seed: int
) -> None:
    play = Play(seed)
    for _turn in range(7):
        play.act()
    play.end()


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 140))
def test_whatever_is_done_many_times(company: object, seed: int) -> None:
    play = Play(seed)
    for _turn in range(12):
        play.act()
    play.end()


def test_a_job_of_the_past_that_is_begun_again_does_nothing(company: object) -> None:
    """An import that had been given up became one that was brought in, without a row."""
    held = bring_in(HEAD + rows(0, 5), land=False)
    with stopping("Writing orders"):
        confirm(held)
    first = held.job
    assert first is not None
    actions.cancel(held=held)
    jobs.retry(first)
    work()
    first.refresh_from_db()
    assert first.state == Job.State.FAILED
    assert looked_at(held).state == State.CANCELLED
    other = bring_in(HEAD + rows(0, 5), "other.csv")
    landing_of_it = other.job
    assert landing_of_it is not None
    actions.undo(held=other)
    undoing = looked_at(other).job
    assert undoing is not None
    jobs.cancel(undoing)
    assert looked_at(other).state == State.LANDED
    for old in (landing_of_it, undoing):
        Job.objects.filter(pk=old.pk).update(state=Job.State.CANCELLED)
        jobs.retry(old)
        work()
        assert looked_at(other).state == State.LANDED
    assert orders() == (5, 5, 50)


def test_the_page_says_what_is_so_and_what_to_do(
    company: object, as_role: Callable[[str], Client]
) -> None:
    def page(held: Import) -> str:
        url = reverse("ingest:import", args=[held.pk])
        return as_role("manager").get(url).content.decode()

    held = bring_in(LINES + lines(0, 20), land=False)
    assert 'class="notice' not in page(held)
    with stopping("Writing order lines"):
        confirm(held)
    assert 'id="stopped"' in page(held)
    assert 'id="half"' not in page(held)
    held = half_landed(LINES + lines(0, 20), "killed.csv")
    assert 'id="half"' in page(held)
    assert confirm(held).state == State.LANDED
    assert 'id="half"' not in page(held)
    with stopping("Looking for customers"):
        actions.undo(held=held)
        work()
    assert looked_at(held).state == State.LANDED
    assert 'id="half-undone"' in page(held)
    assert 'class="lead"' not in page(held)
    actions.undo(held=held)
    work()
    assert looked_at(held).state == State.UNDONE
    assert 'id="half-undone"' not in page(held)


def test_whoever_stops_an_import_goes_on_from_its_page(
    company: object, as_role: Callable[[str], Client]
) -> None:
    """They stood before a job that was cancelled, which offered to do the same again."""
    client = as_role("manager")
    held = bring_in(HEAD + rows(0, 5), land=False)
    job = actions.confirm(held=held)
    url = reverse("ingest:import", args=[held.pk])
    assert client.post(reverse("common:job-cancel", args=[job.pk])).headers["Location"] == url
    page = client.get(reverse("common:job", args=[job.pk])).content.decode()
    assert f'href="{url}"' in page
    assert reverse("common:job-retry", args=[job.pk]) not in page
    # Whoever sees the job and not the import is led nowhere.
    page = as_role("analyst").get(reverse("common:job", args=[job.pk])).content.decode()
    assert url not in page
