"""The audit trail in words: what was done, and to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

ACTIONS: Mapping[str, Any] = {
    "alert.change": _("Alert changed"),
    "backup": _("Backup made"),
    "company.begin": _("Installation begun"),
    "company.change": _("Company's settings changed"),
    "consent.import": _("Consents imported"),
    "consent.record": _("Consent recorded"),
    "customer.change": _("Customer's profile changed"),
    "customer.change_undone": _("Change of a customer's profile undone"),
    "customer.data": _("File of a customer's data made"),
    "customer.erase": _("Customer erased"),
    "customer.identify": _("Customer told by a program"),
    "customer.merge": _("Customers merged"),
    "customer.note": _("Note written"),
    "customer.note_changed": _("Note changed"),
    "customer.note_deleted": _("Note deleted"),
    "customer.see": _("Customer looked at"),
    "customer.unmerge": _("Customers parted again"),
    "customers.list": _("List of customers looked at"),
    "digest.change": _("Digest changed"),
    "digest.make": _("Digest set up"),
    "digest.remove": _("Digest removed"),
    "digest.restore": _("Digest brought back"),
    "digest.send": _("Digest sent"),
    "events.set_aside": _("Events set aside downloaded"),
    "events.take_again": _("Events set aside taken again"),
    "export": _("File downloaded"),
    "goal.change": _("Goal changed"),
    "goal.remove": _("Goal removed"),
    "goal.set": _("Goal set"),
    "import.cancel": _("Import given up"),
    "import.confirm": _("Import confirmed"),
    "import.quarantine": _("Rows set aside downloaded"),
    "import.see": _("Import looked at"),
    "import.undo": _("Undoing of an import asked for"),
    "import.undone": _("Import undone"),
    "job.cancel": _("Job cancelled"),
    "job.retry": _("Job started again"),
    "key.create": _("API key made"),
    "key.revoke": _("API key revoked"),
    "merge.dismiss": _("Proposed merge dismissed"),
    "message.send_again": _("Message sent again"),
    "purpose.change": _("Purpose of consent changed"),
    "purpose.create": _("Purpose of consent made"),
    "report.download": _("Report downloaded"),
    "report.make": _("Report asked for"),
    "retention.change": _("Retention periods changed"),
    "notice.change": _("Notice to customers changed"),
    "retention.keep": _("Customer kept beyond the retention period"),
    "segment.change": _("Segment changed"),
    "segment.make": _("Segment made"),
    "segment.remove": _("Segment removed"),
    "segment.restore": _("Segment brought back"),
    "signal.set": _("Signal set"),
    "source.change": _("Source changed"),
    "source.create": _("Source set up"),
    "source.host_key": _("Server's key accepted"),
    "source.remove": _("Source removed"),
    "source.run": _("Source asked now"),
    "user.accept": _("Invitation accepted"),
    "user.close": _("Account closed"),
    "user.create": _("Account made"),
    "user.invite": _("Person invited"),
    "user.open": _("Account opened again"),
    "user.revoke_invitation": _("Invitation withdrawn"),
    "user.role": _("Role changed"),
    "webhook.change": _("Webhook changed"),
    "webhook.create": _("Webhook made"),
    "webhook.remove": _("Webhook removed"),
}
"""What is recorded → what stands on the page."""

OBJECTS: Mapping[str, Any] = {
    "alert": _("Alert"),
    "alerts": _("Alerts"),
    "apikey": _("API key"),
    "audit": _("Audit trail"),
    "cohorts": _("Cohorts"),
    "company": _("Company"),
    "customer": _("Customer"),
    "customers": _("Customers"),
    "digest": _("Digest"),
    "goal": _("Goal"),
    "import": _("Import"),
    "imports": _("Imports"),
    "invitation": _("Invitation"),
    "job": _("Job"),
    "mergeproposal": _("Proposed merge"),
    "messages": _("Messages"),
    "metric": _("Metric"),
    "outbox": _("Message"),
    "purpose": _("Purpose"),
    "report": _("Report"),
    "retentionrule": _("Retention period"),
    "notice": _("Notice to customers"),
    "rows": _("Rows behind a figure"),
    "savedsegment": _("Segment"),
    "segment-customers": _("Customers of a segment"),
    "signalsetting": _("Signal"),
    "source": _("Source"),
    "user": _("Account"),
    "webhookendpoint": _("Webhook"),
}
"""What an action was done to, the name of a model or of a file → its name on the page."""


def action(code: str) -> str:
    """What was done, in words."""
    return str(ACTIONS.get(code, code))


def thing(kind: str, key: str) -> str:
    """What it was done to: “Customer 12”."""
    return f"{OBJECTS.get(kind, kind)} {key}".strip()
