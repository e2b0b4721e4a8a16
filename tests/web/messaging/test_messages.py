"""Messages leave once, to a real server; what a server refuses or cannot take is said."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction
from django.test import Client

from revoir.language import msg
from revoir_web.common import jobs, words
from revoir_web.common.models import Company, Job
from revoir_web.common.rights import Right
from revoir_web.messaging import actions, tasks
from revoir_web.messaging.models import Outbox
from revoir_web.testing.calls import Api

pytestmark = pytest.mark.django_db
PNG = bytes.fromhex("89504e470d0a1a0a") + b"picture"


class Server:
    """Takes messages, but for addresses that begin with "no"; says that it is busy to "later"."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.busy = 0

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("no"):
            return "550 no such mailbox"
        if address.startswith("later") and self.busy:
            self.busy -= 1
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append(letter)
        return "250 OK"


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    held = Server()
    with socket.socket() as free:  # the server asks itself whether it is there: by number
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(held, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield held
    controller.stop()


def send(**changes: Any) -> Outbox:
    fields: dict[str, Any] = {
        "to": "aline@example.com",
        "subject": "Vos chiffres – été",
        "text": "71 % de vos clients sont restés.",
        "key": "one",
    }
    return actions.send(**{**fields, **changes})


def test_a_message_leaves_once_however_often_it_is_asked_for(server: Server) -> None:
    html = '<p>71 %</p><img src="cid:line" alt="">'
    first = send(html=html, images={"line": PNG})
    assert send(subject="Another") == first
    jobs.run_waiting()
    Job.objects.update(state=Job.State.WAITING)  # as if its worker had died after the sending
    jobs.run_waiting()
    assert len(server.letters) == 1
    letter = server.letters[0]
    assert letter["Subject"] == "Vos chiffres – été"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_body(("plain",)).get_content().strip() == "71 % de vos clients sont restés."
    assert letter.get_body(("html",)).get_content().strip() == html
    picture = next(part for part in letter.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<line>"
    assert picture.get_content() == PNG
    first.refresh_from_db()
    assert first.state == Outbox.State.SENT
    assert first.sent_at is not None
    assert first.images == {}


def test_nothing_is_sent_when_the_caller_gives_up(server: Server) -> None:
    with transaction.atomic():
        send()
        transaction.set_rollback(True)
    jobs.run_waiting()
    assert not server.letters
    assert not Outbox.objects.exists()


def test_what_cannot_be_written_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, company: Company
) -> None:
    """The job had failed, and its message stood there as one that waits."""

    def broken(self: object) -> None:
        raise ValueError("an address that is none")

    monkeypatch.setattr(tasks._Letter, "send", broken)
    held = send()
    for _attempt in range(tasks.RETRIES + 1):
        Job.objects.update(not_before=held.queued_at)
        jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.FAILED
    assert held.failure is not None
    assert "ValueError" in held.failure.text("en")


def test_an_address_that_is_refused_is_not_tried_again(server: Server) -> None:
    held = send(to="nobody@example.com")
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.FAILED
    assert held.failure is not None
    assert "550" in held.failure.text("fr")
    assert Job.objects.get(kind="messaging.deliver").state == Job.State.DONE


def test_a_server_that_is_busy_is_asked_again(server: Server) -> None:
    server.busy = 1
    held = send(to="later@example.com")
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.WAITING
    assert Job.objects.get().state == Job.State.WAITING
    Job.objects.update(not_before=Job.objects.get().created_at)
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.SENT
    assert held.attempts == 2
    assert len(server.letters) == 1


def test_a_server_that_is_away_is_said_and_can_be_tried_again(
    settings: Any, company: Company
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    held = send()
    for _ in range(6):
        Job.objects.filter(state=Job.State.WAITING).update(not_before=Job.objects.get().created_at)
        jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.FAILED
    assert Job.objects.get().state == Job.State.FAILED
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    actions.send_again(message=held)
    jobs.run_waiting()
    held.refresh_from_db()
    assert held.state == Outbox.State.SENT


def test_programs_see_what_became_of_messages_and_send_them_again(
    settings: Any, company: Company
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    sent, lost = send(to="a@example.com", key="1"), send(to="b@example.com", key="2")
    Outbox.objects.filter(pk=lost.pk).update(
        state=Outbox.State.FAILED, error=words.to_json(msg("It was refused."))
    )
    Job.objects.filter(arguments={"message": lost.pk}).delete()
    jobs.run_waiting()
    call = Api(Right.MANAGE_COMPANY, Right.SEE_PERSONAL)
    assert [(row["id"], row["to"]) for row in call.everything("/messages?limit=1")] == [
        (lost.pk, "b@example.com"),
        (sent.pk, "a@example.com"),
    ]
    assert Api(Right.MANAGE_COMPANY)("get", f"/messages/{lost.pk}").json()["to"] is None
    assert Api(Right.SEE_PERSONAL)("get", "/messages").status_code == 403
    [told] = call("get", "/messages?state=failed").json()["items"]
    assert (told["id"], told["error"]) == (lost.pk, "It was refused.")
    assert "text" not in told, "it may hold what only its reader should know"
    again = call("post", f"/messages/{lost.pk}/again", {}).json()
    assert (again["state"], again["error"]) == ("waiting", None)
    jobs.run_waiting()
    assert call("get", f"/messages/{lost.pk}").json()["state"] == "sent"
    unchanged = call("post", f"/messages/{sent.pk}/again", {}).json()
    assert unchanged["state"] == "sent"
    assert call("get", "/messages/999").status_code == 404


def test_no_header_can_be_slipped_in(server: Server) -> None:
    send(subject="Bonjour\r\nBcc: all@example.com")
    jobs.run_waiting()
    assert server.letters[0]["Bcc"] is None
    assert server.letters[0]["Subject"] == "Bonjour Bcc: all@example.com"


def test_owners_alone_see_what_was_sent(as_role: Callable[[str], Client]) -> None:
    held = send(subject="<b>Hé</b>")
    client = as_role("owner")
    assert "&lt;b&gt;Hé" in client.get("/messages/").content.decode()
    assert "71 %" in client.get(f"/messages/{held.pk}/").content.decode()
    assert as_role("manager").get("/messages/").status_code == 403
    Outbox.objects.update(state=Outbox.State.FAILED)
    assert client.post(f"/messages/{held.pk}/again/").status_code == 302
    held.refresh_from_db()
    assert held.state == Outbox.State.WAITING
