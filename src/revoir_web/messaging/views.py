from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir_web.common.rights import Right, requires
from revoir_web.messaging import actions, lists
from revoir_web.messaging.models import Outbox


@requires(Right.MANAGE_COMPANY)
def message_list(request: HttpRequest) -> HttpResponse:
    """What was sent, and what became of it."""
    return render(request, "messaging/list.html", {"table": lists.messages(request)})


@requires(Right.MANAGE_COMPANY)
def message(request: HttpRequest, id: int) -> HttpResponse:
    """One message as it was written."""
    held = get_object_or_404(Outbox, pk=id)
    return render(request, "messaging/message.html", {"held": held})


@requires(Right.MANAGE_COMPANY)
@require_POST
def message_again(request: HttpRequest, id: int) -> HttpResponse:
    """Try a failed message once more."""
    actions.send_again(message=get_object_or_404(Outbox, pk=id))
    messages.success(request, _("It will be sent again."))
    return redirect("messaging:message", id=id)
