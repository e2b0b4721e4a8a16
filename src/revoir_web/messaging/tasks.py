"""Delivery: each message leaves once, later when the server is away, never after a refusal."""

from __future__ import annotations

import base64
import smtplib
from email.mime.image import MIMEImage
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.utils import timezone

from revoir.language import Message, msg
from revoir_web.common import jobs, words
from revoir_web.common.rights import Right
from revoir_web.consents.erasure import eraser
from revoir_web.consents.traces import Erased, Texts, delete
from revoir_web.messaging.models import Outbox

RETRIES = 4


@jobs.handler(
    "messaging.deliver",
    right=Right.MANAGE_COMPANY,
    label=msg("Sending of a message"),
    retries=RETRIES,
)
def deliver(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Hand one message to the mail server.

    A worker that dies between the server's answer and the note of it sends the message twice:
    e-mail offers nothing better. Both carry the same Message-ID, by which servers know them.
    """
    held = Outbox.objects.filter(pk=arguments["message"], state=Outbox.State.WAITING).first()
    if held is None:
        return {"sent": False}
    Outbox.objects.filter(pk=held.pk).update(attempts=F("attempts") + 1)
    try:
        _letter(held).send()
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if 500 <= code < 600:
            _failed(held, msg("The mail server refuses this address ({code}).", code=str(code)))
            return {"sent": False}
        _note(held, _UNREACHABLE)
        raise
    except smtplib.SMTPSenderRefused as error:
        sentence = msg("The mail server refuses the sender ({code}).", code=str(error.smtp_code))
        _failed(held, sentence)
        return {"sent": False}
    except (smtplib.SMTPException, OSError):
        _note(held, _UNREACHABLE)
        raise
    except Exception as error:  # such as an address that no letter can be written to
        kind = type(error).__name__
        _note(held, msg("Something that was not foreseen went wrong ({kind}).", kind=kind))
        raise
    Outbox.objects.filter(pk=held.pk).update(
        state=Outbox.State.SENT, sent_at=timezone.now(), error=None, images={}
    )
    return {"sent": True}


_UNREACHABLE = msg("The mail server cannot be reached.")


def _note(held: Outbox, sentence: Message) -> None:
    """Keep why it has not left; after the last attempt, it has failed."""
    if Outbox.objects.filter(pk=held.pk, attempts__gt=RETRIES).exists():
        _failed(held, sentence)
    else:
        Outbox.objects.filter(pk=held.pk).update(error=words.to_json(sentence))


def _failed(held: Outbox, sentence: Message) -> None:
    Outbox.objects.filter(pk=held.pk).update(
        state=Outbox.State.FAILED, error=words.to_json(sentence)
    )


class _Letter(EmailMultiAlternatives):
    """Pictures belong to the HTML: they are no attachments beside it."""

    mixed_subtype = "related"


def _letter(held: Outbox) -> EmailMultiAlternatives:
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    letter = _Letter(
        held.subject,
        held.text,
        to=[held.to],
        headers={
            "Message-ID": f"<revoir-{held.pk}-{int(held.queued_at.timestamp())}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if held.html:
        letter.attach_alternative(held.html, "text/html")
    for name, data in held.images.items():
        letter.attach(_picture(name, base64.b64decode(data)))
    return letter


def _picture(name: str, data: bytes) -> MIMEImage:
    picture = MIMEImage(data, "png")
    picture.add_header("Content-ID", f"<{name}>")
    picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
    return picture


_LETTERS = Texts(Outbox, ("to", "subject", "text", "html"))


@eraser("messaging.outbox", look=lambda found: found.look(_LETTERS))
def forget(found: Erased) -> int:
    """Messages to persons who are erased, or that name them, go."""
    return delete(Outbox.objects.all(), found.rows(_LETTERS))
