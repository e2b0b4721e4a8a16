"""Pages of sources and of events."""

from __future__ import annotations

import json
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.accounts import actions as accounts
from revoir_web.accounts.models import ApiKey, User
from revoir_web.common import audit
from revoir_web.common.rights import Right, public, requires
from revoir_web.common.tables import part
from revoir_web.common.words import language
from revoir_web.ingest import fetching, inbox, intake, outside, planning
from revoir_web.ingest.forms import SourceForm, WriteKeyForm
from revoir_web.ingest.models import InboxEvent, SetAside, Source

IMPORTS = 10
"""Imports of a source that stand on a page."""


@public
@csrf_exempt
def call(request: HttpRequest, call: str) -> HttpResponse:
    """A call of the events' API; `middleware.Events` answers it before this is reached."""
    return intake.answer(request, call)


@requires(Right.MANAGE_SOURCES)
def sources(request: HttpRequest) -> HttpResponse:
    """Where data is fetched from by itself."""
    return render(
        request, "ingest/sources.html",
        {"sources": Source.objects.all(), "kinds": Source.Kind.choices},
    )  # fmt: skip


@requires(Right.MANAGE_SOURCES)
def new_source(request: HttpRequest, kind: str) -> HttpResponse:
    """Set up a source."""
    if kind not in Source.Kind.values:
        raise Http404
    form = SourceForm(request.POST or None, instance=Source(kind=kind))
    if request.method == "POST" and form.is_valid():
        held = planning.save_source(
            source=Source(kind=kind, created_by=cast(User, request.user)),
            fields=form.cleaned_data,
        )
        messages.success(request, _("Saved."))
        return redirect("ingest:source", id=held.pk)
    label = Source.Kind(kind).label
    return render(request, "ingest/source.html", {"form": form, "source": None, "label": label})


@requires(Right.MANAGE_SOURCES)
def source(request: HttpRequest, id: int) -> HttpResponse:
    """A source: what it is, when it was asked, what it gave."""
    held = get_object_or_404(Source, pk=id)
    form = SourceForm(request.POST or None, instance=held)
    if request.method == "POST" and form.is_valid():
        planning.save_source(source=held, fields=form.given)
        messages.success(request, _("Saved."))
        return redirect("ingest:source", id=id)
    return render(
        request, "ingest/source.html",
        {
            "form": form, "source": held, "label": held.get_kind_display(),
            "imports": part(
                request, held.imports.order_by("-created_at", "pk"), _("What it brought"),
                name="imports", per_page=IMPORTS,
            ),
            "job": planning.under_way(held),
            "fingerprint": fetching.fingerprint(held.host_key) if held.host_key else "",
        },
    )  # fmt: skip


@requires(Right.MANAGE_SOURCES)
@require_POST
def run_source(request: HttpRequest, id: int) -> HttpResponse:
    """Ask a source now."""
    held = get_object_or_404(Source, pk=id)
    planning.run_source(source=held, by=request.user)
    return redirect("ingest:source", id=id)


@requires(Right.MANAGE_SOURCES)
@require_POST
def host_key(request: HttpRequest, id: int) -> HttpResponse:
    """Look at the key that a server shows, and keep it once it was compared."""
    held = get_object_or_404(Source, pk=id, kind=Source.Kind.SFTP)
    if key := request.POST.get("key", "").strip():
        planning.keep_host_key(source=held, key=key)
        messages.success(request, _("The key is kept. Another one will not be believed."))
        return redirect("ingest:source", id=id)
    try:
        shown = fetching.key_of(held.location)
    except outside.Unreachable as error:
        messages.error(request, error.why.text(language()))
        return redirect("ingest:source", id=id)
    except RevoirError as error:
        messages.error(request, error.text(language()))
        return redirect("ingest:source", id=id)
    context = {"source": held, "key": shown, "fingerprint": fetching.fingerprint(shown)}
    return render(request, "ingest/host_key.html", context)


@requires(Right.MANAGE_SOURCES)
@require_POST
def remove_source(request: HttpRequest, id: int) -> HttpResponse:
    """Ask a source no more; what it brought stays."""
    planning.remove_source(source=get_object_or_404(Source, pk=id))
    messages.success(request, _("The source is gone; what it brought stays."))
    return redirect("ingest:sources")


@requires(Right.MANAGE_SOURCES, Right.MANAGE_KEYS)
def events(request: HttpRequest) -> HttpResponse:
    """Keys with which sites and apps send events, and how they do."""
    form = WriteKeyForm(request.POST or None)
    text = None
    if request.method == "POST" and form.is_valid():
        _key, text = accounts.create_key(
            name=form.cleaned_data["name"],
            scopes=[Right.SEND_EVENTS],
            actor=cast(User, request.user),
        )
        form = WriteKeyForm()
    keys = [key for key in ApiKey.objects.all() if Right.SEND_EVENTS in key.rights]
    context = {
        "form": form, "text": text, "keys": keys, "base": settings.BASE_URL,
        "waiting": InboxEvent.objects.count(), "set_aside": SetAside.objects.count(),
        "last_aside": SetAside.objects.order_by("-at").first(),
    }  # fmt: skip
    return render(request, "ingest/events.html", context)


@requires(Right.MANAGE_SOURCES, Right.MANAGE_KEYS)
def set_aside(request: HttpRequest) -> StreamingHttpResponse:
    """The messages of which no rows could be made, one a line, as they were sent."""
    audit.record("events.set_aside", details={"messages": SetAside.objects.count()})
    shown = language()
    lines = (
        json.dumps(
            {
                "set_aside_at": row.at.isoformat(),
                "reason": row.why.text(shown) if row.why else "",
                "type": row.kind,
                "received_at": row.received_at.isoformat(),
                "message": row.body,
            },
            ensure_ascii=False,
        )
        + "\n"
        for row in SetAside.objects.order_by("pk").iterator()
    )
    return StreamingHttpResponse(
        lines, content_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="events-set-aside.jsonl"'},
    )  # fmt: skip


@requires(Right.MANAGE_SOURCES, Right.MANAGE_KEYS)
@require_POST
def take_again(request: HttpRequest) -> HttpResponse:
    """Try the messages that were set aside once more."""
    inbox.take_again()
    messages.success(request, _("They wait for the lake again."))
    return redirect("ingest:events")
