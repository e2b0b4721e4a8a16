"""Pages of webhooks."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common.rights import Right, requires
from revoir_web.common.tables import part
from revoir_web.common.words import language
from revoir_web.ingest import lists, webhooks
from revoir_web.ingest.forms import WebhookForm
from revoir_web.ingest.models import WebhookDelivery, WebhookEndpoint

_OFFERED = [kind for kind in webhooks.KINDS if kind not in webhooks.OF_PERSONS]
"""What a new address is told of unless somebody chooses."""
FAILED = 10
"""Failed deliveries that stand on a page, to be tried again."""


@requires(Right.MANAGE_WEBHOOKS)
def webhooks_page(request: HttpRequest) -> HttpResponse:
    """Addresses that are told what happens."""
    form = WebhookForm(request.POST or None, initial={"kinds": _OFFERED})
    secret = None
    if request.method == "POST" and form.is_valid():
        held = form.cleaned_data
        try:
            _endpoint, secret = webhooks.create(
                name=held["name"], url=held["url"], kinds=held["kinds"],
                by=request.user,
            )  # fmt: skip
            form = WebhookForm(initial={"kinds": _OFFERED})
        except RevoirError as error:
            form.add_error("url", error.text(language()))
    endpoints = [
        {
            "held": endpoint,
            "kinds": [
                str(webhooks.KINDS[kind]) for kind in endpoint.kinds if kind in webhooks.KINDS
            ],
            "last": endpoint.last,
        }
        for endpoint in WebhookEndpoint.objects.annotate(last=Max("deliveries__tried_at"))
    ]
    return render(
        request, "ingest/webhooks.html", {"form": form, "endpoints": endpoints, "secret": secret}
    )


@requires(Right.MANAGE_WEBHOOKS)
def webhook(request: HttpRequest, id: int) -> HttpResponse:
    """An address: what it is told, and what it answered."""
    held = get_object_or_404(WebhookEndpoint, pk=id)
    form = WebhookForm(request.POST or None, instance=held)
    if request.method == "POST" and form.is_valid():
        webhooks.change(endpoint=held, fields=form.given, by=request.user)
        messages.success(request, _("Saved."))
        return redirect("ingest:webhook", id=id)
    context = {
        "form": form, "endpoint": held, "table": lists.deliveries(request, held),
        "failed": part(
            request, held.deliveries.filter(state=WebhookDelivery.State.FAILED),
            _("Failed"), name="failed", per_page=FAILED,
        ),
    }  # fmt: skip
    return render(request, "ingest/webhook.html", context)


@requires(Right.MANAGE_WEBHOOKS)
@require_POST
def test(request: HttpRequest, id: int) -> HttpResponse:
    """Send an address something to try it out."""
    webhooks.test(endpoint=get_object_or_404(WebhookEndpoint, pk=id))
    messages.success(request, _("A test is on its way: its outcome stands in the log below."))
    return redirect("ingest:webhook", id=id)


@requires(Right.MANAGE_WEBHOOKS)
@require_POST
def remove(request: HttpRequest, id: int) -> HttpResponse:
    """Tell an address nothing any more."""
    webhooks.remove(endpoint=get_object_or_404(WebhookEndpoint, pk=id), by=request.user)
    messages.success(request, _("The address is told nothing any more."))
    return redirect("ingest:webhooks")


@requires(Right.MANAGE_WEBHOOKS)
@require_POST
def again(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Try a delivery again that was given up."""
    delivery = get_object_or_404(WebhookDelivery, pk=id)
    webhooks.again(delivery=delivery)
    return redirect("ingest:webhook", id=delivery.endpoint_id)
