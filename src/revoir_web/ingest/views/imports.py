"""Pages of imports."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common import audit, jobs
from revoir_web.common.models import Job
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.words import from_json, language
from revoir_web.ingest import actions, exports, lists, meanings, understanding
from revoir_web.ingest.models import Import, Upload

State = Import.State


@requires(Right.IMPORT_DATA)
def imports(request: HttpRequest) -> HttpResponse:
    """What was imported, and what became of it."""
    return render(request, "ingest/imports.html", {"table": lists.imports(request)})


@requires(Right.IMPORT_DATA)
def new(request: HttpRequest) -> HttpResponse:
    """Choose files."""
    if request.method != "POST":
        return render(request, "ingest/new.html", {"uploads": [], "held": None})
    held = actions.begin(by=request.user)
    if request.FILES:
        return _received(request, held)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(_told(held))
    messages.error(request, _("Choose one or more files."))
    held.delete()
    return redirect("ingest:new")


@requires(Right.IMPORT_DATA)
@require_POST
def add_files(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Add files to an import."""
    return _received(request, get_object_or_404(Import, pk=id))


def _received(request: HttpRequest, held: Import) -> HttpResponse:
    by_script = request.headers.get("Accept") == "application/json"
    uploads: list[Upload] = []
    try:
        for file in request.FILES.getlist("files"):
            uploads.append(
                actions.add_file(held=held, name=file.name or "", content=file.file or file)
            )
        if not by_script:
            actions.read(held=held, by=request.user)
    except RevoirError as error:
        if by_script:
            return JsonResponse({"error": error.text(language())}, status=409)
        messages.error(request, error.text(language()))
    if by_script:
        return JsonResponse(_told(held, uploads))
    return redirect("ingest:import", id=held.pk)


def _told(held: Import, uploads: list[Upload] | None = None) -> dict[str, Any]:
    return {
        "id": str(held.pk),
        "url": reverse("ingest:import", args=[held.pk]),
        "files_url": reverse("ingest:add-files", args=[held.pk]),
        "read_url": reverse("ingest:read", args=[held.pk]),
        "files": [
            {
                "id": str(upload.pk),
                "name": upload.name,
                "size": upload.size,
                "remove_url": reverse("ingest:remove-file", args=[held.pk, upload.pk]),
            }
            for upload in uploads or ()
        ],
    }


@requires(Right.IMPORT_DATA)
@require_POST
def remove_file(request: HttpRequest, id: uuid.UUID, file: uuid.UUID) -> HttpResponse:
    """Take a file out of an import."""
    upload = get_object_or_404(Upload.objects.select_related("held"), pk=file, held_id=id)
    return _done(request, upload.held, lambda: actions.remove_file(held=upload.held, upload=upload))


@requires(Right.IMPORT_DATA)
@require_POST
def read(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Have the files read."""
    held = get_object_or_404(Import, pk=id)
    return _done(request, held, lambda: actions.read(held=held, by=request.user))


@requires(Right.IMPORT_DATA)
def one(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One import: choosing, reading, what was understood, what came of it."""
    held = actions.settle(get_object_or_404(Import, pk=id))
    uploads = list(held.uploads.select_related("held"))
    context: dict[str, Any] = {"held": held, "uploads": uploads, "job": held.job}
    if held.state == State.UPLOADING:
        return render(request, "ingest/new.html", context)
    understood = understanding.kept(held)
    if understood is not None:
        context |= _shown(request, held, understood)
        audit.record("import.see", object=held)
    context["before"] = actions.same_files(held) if held.state == State.READ else []
    context["landed"] = [
        {"table": meanings.table_label(table), **counts}
        for table, counts in (held.landed or {}).items()
    ]
    context["stay"] = [
        {"why": _WHY[name](), "customers": count}
        for name, count in ((held.undone or {}).get("stay") or {}).items()
        if name in _WHY
    ]
    return render(request, "ingest/import.html", context)


_WHY = {
    "facts": lambda: _("orders, events or answers of theirs came in another way"),
    "others": lambda: _("another file, an event or a program has spoken of them"),
    "notes": lambda: _("there is a note about them"),
    "changes": lambda: _("their profile was corrected by hand"),
    "merges": lambda: _("they were merged with another entry"),
    "consents": lambda: _("they said what they agree to"),
    "alerts": lambda: _("somebody has seen to an alert of theirs"),
}


def _shown(request: HttpRequest, held: Import, understood: dict[str, Any]) -> dict[str, Any]:
    masked = not may(request.user, Right.SEE_PERSONAL)
    editable = held.state in (State.READ, State.FAILED)
    files = []
    for place, file in enumerate(understood["files"]):
        examples = understanding.examples(held, place) if not masked else {}
        files.append(
            {
                "place": place,
                "told": file,
                "name": file["file"] if not file["sheet"] else f"{file['file']} · {file['sheet']}",
                "table": meanings.table_label(file["table"]),
                "why": from_json(file["why"]),
                "notes": [] if masked else [from_json(note) for note in file["notes"]],
                "columns": [_column(choice) for choice in meanings.choices(file, examples)],
                "targets": meanings.target_choices(file["table"]),
                "chosen_table": "orders" if file["table"] == "order_lines" else file["table"],
                "quarantine": [_quarantined(row, masked=masked) for row in file["quarantine"]],
                "download": may(request.user, Right.SEE_PERSONAL)
                and understanding.quarantine_of(held, place).is_file(),
            }
        )
    return {
        "files": files,
        "editable": editable,
        "unread": [file["name"] for file in files if file["told"].get("rows_unread")],
        "tables": meanings.table_choices(),
        "formats": meanings.format_choices(),
        "notes": [from_json(note) for note in understood["notes"]],
        "samples": [_sample(sample, masked=masked) for sample in understood["samples"]],
    }


def _column(choice: meanings.Choice) -> dict[str, Any]:
    column = choice.column
    return {
        "place": choice.place,
        "header": choice.header,
        "chosen": choice.chosen,
        "format": choice.format,
        "meaning": meanings.target_label(column["target"]),
        "attribute": choice.chosen == meanings.ATTRIBUTE,
        "ignored": choice.chosen == meanings.IGNORE,
        "sure": column["confidence"],
        "doubtful": bool(column["target"]) and column["confidence"] < 0.8,
        "reason": from_json(column["reason"]),
        "written": meanings.format_label(column["format"]),
        "examples": choice.examples,
    }


def _quarantined(row: dict[str, Any], *, masked: bool) -> dict[str, Any]:
    return {
        "line": row["line"],
        "column": row["column"],
        "value": "•••" if masked and row["value"] else row["value"],
        "reason": from_json(row["reason"]),
        "remedy": from_json(row["remedy"]),
    }


def _sample(sample: dict[str, Any], *, masked: bool) -> dict[str, Any]:
    personal = {sample["columns"].index(name) for name in sample["personal"]}
    rows = [
        [
            "•••" if masked and place in personal and cell else understanding.shown(cell)
            for place, cell in enumerate(row)
        ]
        for row in sample["rows"]
    ]
    headings = [
        meanings.target_label(f"{sample['table']}.{name}") or name for name in sample["columns"]
    ]
    return {"table": meanings.table_label(sample["table"]), "headings": headings, "rows": rows}


@requires(Right.IMPORT_DATA)
@require_POST
def change_mapping(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Read the files again, with other meanings of their columns."""
    held = get_object_or_404(Import, pk=id)
    understood = understanding.kept(held)
    if understood is None:
        raise Http404
    data = request.POST.dict()
    entries = [meanings.chosen(file, place, data) for place, file in enumerate(understood["files"])]
    text = meanings.dumped(entries)
    return _done(
        request,
        held,
        lambda: actions.read(held=held, mapping=text, by=request.user),
    )


@requires(Right.IMPORT_DATA)
def preview(request: HttpRequest, id: uuid.UUID, place: int) -> HttpResponse:
    """What the first rows of a file would come to with the meanings that are chosen now."""
    held = get_object_or_404(Import, pk=id)
    understood = understanding.kept(held)
    if understood is None or place >= len(understood["files"]):
        raise Http404
    if request.method == "POST":
        entry = meanings.chosen(understood["files"][place], place, request.POST.dict())
        job = jobs.enqueue(
            "ingest.preview",
            arguments={"held": str(held.pk), "place": place, "mapping": meanings.dumped([entry])},
            by=request.user.pk,
        )
    else:
        try:
            job = get_object_or_404(Job, pk=uuid.UUID(request.GET.get("job", "")))
        except ValueError:
            raise Http404 from None
    context: dict[str, Any] = {"held": held, "place": place, "job": job}
    path = held.folder / "preview" / f"{place}.json"
    # What another attempt left says nothing of one that failed.
    if job.state == Job.State.DONE and path.is_file():
        told = json.loads(path.read_text(encoding="utf-8"))
        masked = not may(request.user, Right.SEE_PERSONAL)
        context["told"], context["fault"] = told, from_json(told.get("error"))
        context["samples"] = [_sample(s, masked=masked) for s in told.get("samples", ())]
        if file := told.get("file"):
            context["table"] = meanings.table_label(file["table"])
            context["quarantine"] = [_quarantined(r, masked=masked) for r in file["quarantine"][:5]]
    return render(request, "ingest/_preview.html", context)


@requires(Right.IMPORT_DATA)
@require_POST
def confirm(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Bring an import into the lake."""
    held = get_object_or_404(Import, pk=id)
    again = request.POST.get("again") == "yes"
    return _done(
        request,
        held,
        lambda: actions.confirm(held=held, by=request.user, again=again),
    )


@requires(Right.IMPORT_DATA)
@require_POST
def cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Give an import up."""
    held = get_object_or_404(Import, pk=id)
    return _done(request, held, lambda: actions.cancel(held=held, by=request.user))


@requires(Right.IMPORT_DATA)
@require_POST
def undo(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Take an import out of the lake."""
    held = get_object_or_404(Import, pk=id)
    return _done(request, held, lambda: actions.undo(held=held, by=request.user))


@requires(Right.IMPORT_DATA, Right.SEE_PERSONAL)
def quarantine(request: HttpRequest, id: uuid.UUID, place: int) -> HttpResponseBase:
    """The rows of a file that were not accepted, to be corrected and uploaded again."""
    return exports.quarantine_file(get_object_or_404(Import, pk=id), place)


def _done(request: HttpRequest, held: Import, act: Any) -> HttpResponse:
    """Do something to an import and show it; what cannot be done is said there."""
    by_script = request.headers.get("Accept") == "application/json"
    try:
        act()
    except RevoirError as error:
        if by_script:
            return JsonResponse({"error": error.text(language())}, status=409)
        messages.error(request, error.text(language()))
    if by_script:
        return JsonResponse({"url": reverse("ingest:import", args=[held.pk])})
    return redirect("ingest:import", id=held.pk)
