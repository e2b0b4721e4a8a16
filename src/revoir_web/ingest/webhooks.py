"""Telling other programs what happened: signed, tried again, never into our own network."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir_web.accounts.models import User
from revoir_web.common import audit, jobs, words
from revoir_web.ingest import outside, vault
from revoir_web.ingest.models import WebhookDelivery, WebhookEndpoint

REFUSED, ERASED = "consent.refused", "customer.erased"
KINDS: dict[str, Any] = {
    "import.landed": _("An import was brought in"),
    "import.undone": _("An import was undone"),
    "import.failed": _("An import failed"),
    "source.failed": _("A source could not be asked"),
    REFUSED: _("A customer refused"),
    ERASED: _("Customers were erased"),
    "alerts.raised": _("Alerts were raised"),
}
"""What addresses can be told of."""
OF_PERSONS = (REFUSED, ERASED)
"""What tells which customers: by their number in Revoir, and nothing else."""
TEST = "test"
SECONDS = 15.0
WAITS_SECONDS = (30, 120, 600, 3600, 6 * 3600, 18 * 3600, 24 * 3600)
"""After each failure; then, after the two days that the page promises, it is given up."""
SIGNATURE = "Revoir-Signature"


def signature(secret: str, moment: int, body: bytes) -> str:
    """The header that proves who sent a delivery, and when.

    Args:
        secret: The secret of the address.
        moment: Seconds since 1970.
        body: What is sent.

    Returns:
        ``t=…,v1=…``: HMAC-SHA256 of the time, a dot and the body.
    """
    mark = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={mark}"


def create(*, name: str, url: str, kinds: list[str], by: Any) -> tuple[WebhookEndpoint, str]:
    """Make an address that is told.

    Returns:
        The address, and the secret that deliveries are signed with, which is told this once.

    Raises:
        UsageError: The address leads inside a network, or is none.
    """
    check(url)  # before the transaction: while a name is looked up, others write
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.create(
            name=name, url=url, kinds=[kind for kind in KINDS if kind in kinds],
            secret=vault.closed(secret),
            created_by=by if isinstance(by, User) else None,
        )  # fmt: skip
        audit.record("webhook.create", actor=by, object=endpoint, details={"kinds": endpoint.kinds})
    return endpoint, secret


def change(*, endpoint: WebhookEndpoint, fields: dict[str, Any], by: Any) -> None:
    """Change an address that is told.

    Args:
        endpoint: Which; it is read again, so that what somebody else changes meanwhile stays.
        fields: Names that change, and values.
        by: Who does it.
    """
    if "url" in fields:  # one that leads nowhere any more can still be put out of use
        check(fields["url"])
    with transaction.atomic():
        held = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        changed = audit.apply(held, fields)
        if changed:
            audit.record("webhook.change", actor=by, object=held, details=changed)
    endpoint.refresh_from_db()


@transaction.atomic
def remove(*, endpoint: WebhookEndpoint, by: Any) -> None:
    """Tell an address nothing any more, and forget what it was told."""
    audit.record("webhook.remove", actor=by, object=endpoint)
    endpoint.delete()


def check(url: str) -> None:
    """Refuse an address that leads inside a network.

    Raises:
        UsageError: It does, or is no address.
    """
    try:
        outside._connection(url, time.monotonic() + 5)
    except outside.Unreachable as error:
        raise UsageError(error.why, remedy=msg("Check the address.")) from None


@transaction.atomic
def tell(kind: str, facts: dict[str, Any]) -> int:
    """Tell every address that wants to know, once the caller's transaction stands.

    Args:
        kind: One of `KINDS`.
        facts: Plain values; of persons nothing but their number in Revoir.

    Returns:
        How many are told.
    """
    endpoints = [e for e in WebhookEndpoint.objects.filter(enabled=True) if kind in e.kinds]
    for endpoint in endpoints:
        _ask_for(endpoint, kind, facts)
    return len(endpoints)


@transaction.atomic
def test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send an address something to try it out."""
    return _ask_for(endpoint, TEST, {"text": "Bonjour, Revoir."})


@transaction.atomic
def again(*, delivery: WebhookDelivery) -> None:
    """Try a delivery again that was given up; one that waits is tried at its time, and once."""
    state = WebhookDelivery.State
    if WebhookDelivery.objects.filter(pk=delivery.pk, state=state.FAILED).update(
        state=state.WAITING, attempts=0
    ):
        jobs.enqueue("ingest.deliver", arguments={"delivery": str(delivery.pk)})
    delivery.refresh_from_db()


def _ask_for(endpoint: WebhookEndpoint, kind: str, facts: dict[str, Any]) -> WebhookDelivery:
    delivery = WebhookDelivery(endpoint=endpoint, kind=kind)
    delivery.body = json.dumps(
        {
            "id": str(delivery.pk),
            "type": kind,
            "created_at": timezone.now().isoformat(),
            "data": facts,
        }
    )
    delivery.save(force_insert=True)
    jobs.enqueue("ingest.deliver", arguments={"delivery": str(delivery.pk)})
    return delivery


def deliver(pk: str) -> dict[str, Any]:
    """Send a delivery, and ask for another attempt when it fails.

    Whoever is told finds the same `id` in every attempt, and does what it says once.
    """
    delivery = WebhookDelivery.objects.select_related("endpoint").filter(pk=pk).first()
    if delivery is None or delivery.state != WebhookDelivery.State.WAITING:
        return {}
    endpoint = delivery.endpoint
    if not endpoint.enabled and delivery.kind != TEST:
        WebhookDelivery.objects.filter(pk=pk).update(state=WebhookDelivery.State.FAILED)
        return {}
    body = delivery.body.encode()
    status: int | None = None
    failure: Message | None = None
    try:
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(vault.opened(endpoint.secret), int(time.time()), body),
            "Revoir-Delivery": str(delivery.pk),
        }
        with outside.ask(
            "POST", endpoint.url, headers=headers, body=body, seconds=SECONDS, redirects=0
        ) as answer:
            status = answer.status
        if not 200 <= status < 300:
            failure = msg("It answered {status}.", status=str(status))
    except outside.Unreachable as error:
        failure = error.why
    except UsageError as error:
        failure = error.what
    with transaction.atomic():
        delivery.refresh_from_db()
        delivery.attempts += 1
        delivery.status = status
        delivery.tried_at = timezone.now()
        delivery.error = words.to_json(failure)
        delivery.next_at = None
        if failure is None:
            delivery.state = WebhookDelivery.State.DELIVERED
        elif delivery.kind == TEST or delivery.attempts > len(WAITS_SECONDS):
            delivery.state = WebhookDelivery.State.FAILED
        else:
            wait = WAITS_SECONDS[delivery.attempts - 1]
            delivery.next_at = timezone.now() + dt.timedelta(seconds=wait)
            jobs.enqueue(
                "ingest.deliver",
                arguments={"delivery": str(delivery.pk)},
                not_before=delivery.next_at,
            )
        delivery.save()
    return {"status": status}
