"""The lists of this app, as pages and exports show them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from revoir_web.common import exports, trail
from revoir_web.common.jobs import handlers, label
from revoir_web.common.models import AuditEntry, Job
from revoir_web.common.rights import Right
from revoir_web.common.tables import Column, Filter, Table
from revoir_web.common.words import language


def audit_entries(request: HttpRequest) -> Table:
    """The audit trail, newest first."""
    return Table(
        request,
        AuditEntry.objects.all(),
        [
            Column("at", _("When"), kind="moment", sort="at"),
            Column("actor_name", _("Who"), sort="actor_name", value=_actor),
            Column(
                "action", _("Action"), sort="action", value=lambda row: trail.action(row.action)
            ),
            Column("object", _("On what"), value=_object),
            Column("address", _("From where")),
            Column("details", _("Details"), value=_details),
        ],
        caption=_("Audit trail"),
        default_sort="-at",
        filters=[
            Filter(
                "action",
                _("Action"),
                _done,
                choices=sorted(trail.ACTIONS.items(), key=lambda item: str(item[1])),
            ),
            Filter("actor", _("Who"), lambda rows, text: rows.filter(actor_name__icontains=text)),
            Filter(
                "object",
                _("On what"),
                lambda rows, text: rows.filter(object_kind=text),
                choices=sorted(trail.OBJECTS.items(), key=lambda item: str(item[1])),
            ),
            Filter("from", _("From"), _since, kind="date"),
            Filter("to", _("To"), _until, kind="date"),
        ],
        export="audit",
        empty={"title": _("Nothing happened with these filters")},
    )


@exports.register("audit", Right.SEE_AUDIT)
def audit_file(request: HttpRequest) -> tuple[list[str], Any]:
    """The audit trail as a file, with the filters of the page."""
    return exports.of_table(audit_entries(request))


def jobs(request: HttpRequest) -> Table:
    """Jobs, newest first."""
    return Table(
        request,
        Job.objects.defer("arguments", "result"),
        [
            Column(
                "kind", _("Job"), sort="kind", value=lambda job: label(job.kind).text(language())
            ),
            Column("state", _("State"), sort="state", value=lambda job: job.get_state_display()),
            Column("share", _("Progress"), kind="percent"),
            Column("attempts", _("Attempts"), kind="number", sort="attempts"),
            Column("created_at", _("Asked for"), kind="moment", sort="created_at"),
            Column("finished_at", _("Ended"), kind="moment", sort="finished_at"),
        ],
        caption=_("Jobs"),
        default_sort="-created_at",
        filters=[
            Filter(
                "state",
                _("State"),
                lambda rows, text: rows.filter(state=text),
                choices=Job.State.choices,
            ),
            Filter(
                "kind",
                _("Job"),
                lambda rows, text: rows.filter(kind=text),
                choices=[
                    (kind, held.label.text(language())) for kind, held in sorted(handlers().items())
                ],
            ),
        ],
        url=lambda job: reverse("common:job", kwargs={"id": job.pk}),
        empty={"title": _("No job"), "text": _("Imports and computations will stand here.")},
    )


def _actor(entry: AuditEntry) -> str:
    return entry.actor_name or str(_("Revoir"))


def _done(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The entries of an action; of several by how they begin, which an address may ask for."""
    if text in trail.ACTIONS:
        return rows.filter(action=text)
    return rows.filter(action__startswith=text)


def _object(entry: AuditEntry) -> str:
    return trail.thing(entry.object_kind, entry.object_id)


def _details(entry: AuditEntry) -> str:
    def told(value: Any) -> str:
        if isinstance(value, list) and len(value) == 2:
            return " → ".join("—" if part is None else str(part) for part in value)
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    # PostgreSQL keeps the keys of an object in an order of its own.
    held = sorted(entry.details.items())
    return "; ".join(f"{name}: {told(value)}" for name, value in held if value is not None)


def _since(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    from django.utils.dateparse import parse_date

    day = _day(parse_date, text)
    return rows.filter(at__date__gte=day) if day else rows


def _until(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    from django.utils.dateparse import parse_date

    day = _day(parse_date, text)
    return rows.filter(at__date__lte=day) if day else rows


def _day(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
