from __future__ import annotations

import base64
from collections.abc import Mapping

from django.db import transaction

from revoir_web.common import audit, jobs
from revoir_web.messaging.models import Outbox


@transaction.atomic
def send(
    *,
    to: str,
    subject: str,
    text: str,
    key: str,
    html: str = "",
    kind: str = "message",
    images: Mapping[str, bytes] | None = None,
) -> Outbox:
    """Put an e-mail in the outbox, in the transaction of the caller; a job delivers it.

    Args:
        to: The address.
        subject: One line.
        text: The message for readers without HTML.
        key: What makes it the same message: a second call with it sends nothing.
        html: The message for the others ("": there is none).
        kind: What it is, for the list of messages: "digest", …
        images: PNG pictures that the HTML shows as ``cid:<name>``, by name.

    Returns:
        The message, as it was put there the first time.
    """
    found, made = Outbox.objects.get_or_create(
        key=key,
        defaults={
            "to": to,
            # A line end in a subject would begin another header.
            "subject": " ".join(subject.split())[:250],
            "text": text,
            "html": html,
            "kind": kind,
            "images": {
                name: base64.b64encode(data).decode() for name, data in (images or {}).items()
            },
        },
    )
    if made:
        jobs.enqueue(
            "messaging.deliver", arguments={"message": found.pk}, key=f"deliver:{found.pk}"
        )
    return found


@transaction.atomic
def send_again(*, message: Outbox) -> None:
    """Try a message that failed once more."""
    changed = Outbox.objects.filter(pk=message.pk, state=Outbox.State.FAILED).update(
        state=Outbox.State.WAITING, error=None
    )
    if changed:
        message.refresh_from_db()
        jobs.enqueue(
            "messaging.deliver",
            arguments={"message": message.pk},
            key=f"deliver:{message.pk}:{message.attempts}",
        )
        audit.record("message.send_again", object=message)
