"""Other programs are told of persons who refuse and who are erased, so that they do the same.

They are told by the number that a customer has in Revoir and in its API, which outlives erasure:
what else a person is known by is not kept in deliveries.
"""

from __future__ import annotations

from revoir_web.consents.actions import on_refusal
from revoir_web.consents.erasure import eraser
from revoir_web.consents.models import Consent
from revoir_web.consents.traces import Erased
from revoir_web.ingest import webhooks


@on_refusal
def _tell_refusal(line: Consent) -> None:
    webhooks.tell(
        webhooks.REFUSED,
        {"customer": line.customer_id, "purpose": line.purpose.code, "channel": line.channel,
         "at": line.at.isoformat()},
    )  # fmt: skip


@eraser("ingest.told")
def _tell_erasure(persons: Erased) -> int:
    webhooks.tell(webhooks.ERASED, {"customers": sorted(persons.ids)})
    return 0
