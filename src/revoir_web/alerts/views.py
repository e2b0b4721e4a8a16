from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError, UsageError
from revoir.language import msg
from revoir_web.accounts.models import User
from revoir_web.alerts import actions, lists, queries
from revoir_web.alerts.forms import AlertForm, SignalForm
from revoir_web.alerts.models import Alert, SignalSetting, SignalState
from revoir_web.common import audit
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.words import language
from revoir_web.customers import seen
from revoir_web.insights import runs
from revoir_web.insights.models import DataState

SNOOZES = {"snooze-7": 7, "snooze-30": 30}


@requires(Right.SEE_CUSTOMERS, to_post=[Right.EDIT_CUSTOMERS])
def inbox(request: HttpRequest) -> HttpResponse:
    """What there is to do, most at stake first; chosen alerts are handled together."""
    if request.method == "POST":
        return _handle_chosen(request)
    seen.note(request)
    context = {
        "table": lists.alerts(request),
        "state": lists.state_of(request),
        "colleagues": queries.colleagues(),
        "outcomes": Alert.Outcome.choices,
        "unlisted": queries.unlisted(),
        **_looked_at(),
    }
    return render(request, "alerts/list.html", context)


def _looked_at() -> dict[str, Any]:
    """Whether there is anything to look at, and whether it was."""
    return {
        "has_data": bool(DataState.current().lake_version),
        "looked": SignalState.objects.exclude(looked_at=None).exists(),
        "watching": queries.under_way(),
        "refreshing": runs.refresh_under_way(),
    }


def _handle_chosen(request: HttpRequest) -> HttpResponse:
    back = redirect(request.get_full_path())
    chosen = [int(key) for key in request.POST.getlist("chosen") if _is_key(key)]
    if not chosen:
        messages.error(request, _("Choose alerts first."))
        return back
    try:
        changed = actions.handle(alerts=chosen, fields=_asked(request), actor=request.user)
    except RevoirError as error:
        messages.error(request, error.text(language()))
        return back
    if not changed:
        messages.info(request, _("Nothing was changed."))
        return back
    told = ngettext("%(n)s alert is changed.", "%(n)s alerts are changed.", len(changed))
    messages.success(request, told % {"n": len(changed)})
    return back


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What is to be done with the chosen alerts."""
    action = request.POST.get("action", "")
    if action in SNOOZES:
        return {"snoozed_until": actions.today() + dt.timedelta(days=SNOOZES[action])}
    match action:
        case "take":
            return {"owner": request.user}
        case "give":
            key = request.POST.get("owner", "")
            return {"owner": get_object_or_404(User, pk=int(key)) if _is_key(key) else None}
        case "close":
            outcome = request.POST.get("outcome", "")
            if not outcome:
                raise UsageError(msg("An alert is closed with an outcome."))
            return {"outcome": outcome}
        case "reopen":
            return {"outcome": "", "snoozed_until": None}
    raise UsageError(msg("Nothing is done by “{name}”.", name=action))


@requires(Right.EDIT_CUSTOMERS)
@require_POST
def watch(request: HttpRequest) -> HttpResponse:
    """Look at every signal now."""
    job = actions.watch_soon(by=request.user.pk)
    return redirect("common:job", id=job.pk)


@requires(Right.SEE_CUSTOMERS, to_post=[Right.EDIT_CUSTOMERS])
def alert(request: HttpRequest, id: int) -> HttpResponse:
    """One alert: why, how often such alerts were right, and what was done."""
    held = get_object_or_404(Alert.objects.select_related("customer", "owner"), pk=id)
    personal = may(request.user, Right.SEE_PERSONAL)
    form = AlertForm(request.POST or None, instance=get_object_or_404(Alert, pk=id))
    if request.method == "POST" and form.is_valid():
        try:
            changed = actions.handle(alerts=[id], fields=form.given, actor=request.user)
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
            return redirect("alerts:alert", id=id)
    if personal:
        audit.record("customer.see", object=held.customer, details={"alert": held.pk})
    context = {
        "alert": held,
        "name": held.customer.label if personal else held.customer.short,
        "personal": personal,
        "signal": queries.signal(held.signal),
        "label": queries.labels().get(held.signal, held.signal),
        "state": queries.state_text(held),
        "history": queries.history(held),
        "form": form if personal and may(request.user, Right.EDIT_CUSTOMERS) else None,
    }
    return render(request, "alerts/alert.html", context)


# -- Signals -----------------------------------------------------------------------------------
@requires(Right.SEE_CUSTOMERS)
def signals(request: HttpRequest) -> HttpResponse:
    """What is looked for, and how often each signal was right."""
    return render(request, "alerts/signals.html", {"signals": queries.signals(), **_looked_at()})


@requires(Right.SEE_CUSTOMERS, to_post=[Right.EDIT_GOALS])
def signal(request: HttpRequest, name: str) -> HttpResponse:
    """One signal with its record; managers switch it off and set its parameters."""
    state = get_object_or_404(SignalState, pk=name)
    setting = SignalSetting.objects.filter(signal=name).first()
    form = SignalForm(
        request.POST if request.method == "POST" else None, state=state, setting=setting
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_signal(
                state=state,
                fields=form.fields_given,
                values=form.values,
                actor=request.user,
            )
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("Saved. Alerts are looked for anew."))
            return redirect("alerts:signal", name=name)
    context = {
        "told": queries.signal(name),
        "setting": setting,
        "form": form if may(request.user, Right.EDIT_GOALS) else None,
    }
    return render(request, "alerts/signal.html", context)


@requires(Right.SEE_CUSTOMERS, Right.EDIT_GOALS)
@require_POST
def signal_reset(request: HttpRequest, name: str) -> HttpResponse:
    """Let the parameters of a signal be as they come."""
    state = SignalState.objects.filter(pk=name).first()
    if state is None:
        raise Http404
    as_they_come = {held["name"]: None for held in state.parameters}
    actions.set_signal(state=state, values=as_they_come, actor=request.user)
    messages.success(request, _("The parameters are as they come."))
    return redirect("alerts:signal", name=name)
