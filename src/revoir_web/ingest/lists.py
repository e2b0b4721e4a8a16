from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from revoir_web.common import exports
from revoir_web.common.rights import Right
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.ingest.models import Import, WebhookDelivery, WebhookEndpoint


def imports(request: HttpRequest) -> Table:
    """What was imported, the last first."""
    return Table(
        request,
        Import.objects.select_related("created_by", "source"),
        [
            Column("title", _("Files"), value=lambda row: row.title or _("No file yet")),
            Column("state", _("State"), value=lambda row: row.get_state_display()),
            Column("created_at", _("When"), kind="moment", sort="created_at"),
            Column("rows_in", _("Rows"), kind="number", digits=0),
            Column("rows_accepted", _("Accepted"), kind="number", digits=0),
            Column("rows_quarantined", _("In quarantine"), kind="number", digits=0),
            Column("rows_duplicate", _("Duplicates"), kind="number", digits=0),
            Column(
                "by", _("By"),
                value=lambda row: str(row.source or row.created_by or row.get_origin_display()),
            ),
        ],
        caption=_("Imports"),
        default_sort="-created_at",
        filters=[
            Filter(
                "state", _("State"), lambda rows, value: rows.filter(state=value),
                choices=[(state.value, str(state.label)) for state in Import.State],
            )
        ],
        url=lambda row: reverse("ingest:import", args=[row.pk]),
        export="imports",
        empty={
            "title": _("Nothing has been imported yet"),
            "text": _(
                "Bring the customers and orders of your till, shop or spreadsheet: CSV, Excel,"
                " Parquet or JSON, as they are."
            ),
            "url": reverse("ingest:new"),
            "action": _("Import data"),
        },
    )  # fmt: skip


@exports.register("imports", Right.IMPORT_DATA)
def imports_file(request: HttpRequest) -> tuple[list[str], Iterator[list[Any]]]:
    """The history of imports as a file."""
    return exports.of_table(imports(request))


def deliveries(request: HttpRequest, endpoint: WebhookEndpoint) -> Table:
    """What an address was told, the last first."""
    return Table(
        request,
        WebhookDelivery.objects.filter(endpoint=endpoint),
        [
            Column("kind", _("Of what")),
            Column("state", _("State"), value=lambda row: row.get_state_display()),
            Column("created_at", _("When"), kind="moment", sort="created_at"),
            Column("attempts", _("Attempts"), kind="number", digits=0),
            Column("status", _("Answer"), value=lambda row: str(row.status or "")),
            Column("error", _("What went wrong"), value=_why),
            Column("next_at", _("Next attempt"), kind="moment"),
        ],
        caption=_("Deliveries"),
        default_sort="-created_at",
        empty={
            "title": _("Nothing was sent yet"),
            "text": _("Send a test to see whether the address answers."),
        },
    )


def _why(row: WebhookDelivery) -> str:
    from revoir_web.common.words import language

    return row.failure.text(language()) if row.failure else ""
