"""Goals, digests, saved views, the report as a file."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common.models import Job
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.words import language
from revoir_web.insights import actions, exports, files, lists, queries, runs
from revoir_web.insights import digests as letters
from revoir_web.insights import goals as held_goals
from revoir_web.insights.forms import DigestForm, GoalForm
from revoir_web.insights.models import DataState, Digest, Goal, SavedView
from revoir_web.insights.views import user_of


# -- Goals -------------------------------------------------------------------------------------
@requires(Right.SEE_DASHBOARD, to_post=[Right.EDIT_GOALS])
def goals(request: HttpRequest) -> HttpResponse:
    """What the figures are to reach."""
    asked = runs.look("catalogue")
    allowed = may(request.user, Right.EDIT_GOALS)
    form = GoalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_goal(**form.cleaned_data, by=user_of(request))
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("The goal is set; the figures are being compared with it."))
            return redirect("insights:goals")
    context = {
        "asked": asked,
        "goals": held_goals.listed(),
        "defaults": held_goals.defaults(asked),
        "form": form if allowed else None,
        **queries.freshness(asked, DataState.current()),
    }
    return render(request, "insights/goals.html", context)


@requires(Right.EDIT_GOALS)
@require_POST
def goal_remove(request: HttpRequest, id: int) -> HttpResponse:
    """Take a goal away; the page offers to set it again."""
    goal = get_object_or_404(Goal, pk=id)
    actions.remove_goal(goal=goal, by=user_of(request))
    messages.success(request, _("The goal is taken away."))
    return redirect("insights:goals")


# -- Digests -----------------------------------------------------------------------------------
@requires(Right.EDIT_DIGESTS)
def digests(request: HttpRequest) -> HttpResponse:
    """What is sent to whom, and when."""
    removed = queries.number_of(request.GET.get("removed"))
    context = {
        "table": lists.digests(request),
        "removed": Digest.objects.filter(pk=removed, removed_at__isnull=False).first(),
    }
    return render(request, "insights/digests.html", context)


@requires(Right.EDIT_DIGESTS)
def digest_new(request: HttpRequest) -> HttpResponse:
    """Set up a digest."""
    return _digest(request, None)


@requires(Right.EDIT_DIGESTS)
def digest(request: HttpRequest, id: int) -> HttpResponse:
    """Change a digest."""
    return _digest(request, get_object_or_404(Digest, pk=id, removed_at=None))


def _digest(request: HttpRequest, held: Digest | None) -> HttpResponse:
    initial = None if held else {"metrics": letters.PROPOSED, "recipients": [request.user.pk]}
    form = DigestForm(
        request.POST if request.method == "POST" else None, instance=held, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        by = user_of(request)
        if held is None:
            kept = actions.make_digest(**form.given, by=by)
        else:
            kept = actions.change_digest(digest=held, fields=form.given, by=by)
        messages.success(request, _("The digest is kept."))
        return redirect("insights:digest-preview", id=kept.pk)
    context = {"form": form, "held": held, "has_data": bool(DataState.current().lake_version)}
    return render(request, "insights/digest.html", context)


@requires(Right.EDIT_DIGESTS)
def digest_preview(request: HttpRequest, id: int) -> HttpResponse:
    """What a digest says today."""
    held = get_object_or_404(Digest, pk=id, removed_at=None)
    letter = letters.letter(held, user_of(request), with_pictures=False)
    return render(request, "insights/digest_preview.html", {"held": held, "letter": letter})


@requires(Right.EDIT_DIGESTS)
@require_POST
def digest_send(request: HttpRequest, id: int) -> HttpResponse:
    """Send it to oneself, now."""
    held = get_object_or_404(Digest, pk=id, removed_at=None)
    actions.send_digest_now(digest=held, user=user_of(request))
    messages.success(request, _("It is on its way to your address."))
    return redirect("insights:digest-preview", id=held.pk)


@requires(Right.EDIT_DIGESTS)
@require_POST
def digest_remove(request: HttpRequest, id: int) -> HttpResponse:
    """Put a digest away; the next page can bring it back."""
    held = get_object_or_404(Digest, pk=id, removed_at=None)
    actions.remove_digest(digest=held, by=user_of(request))
    return redirect(f"{reverse('insights:digests')}?removed={held.pk}")


@requires(Right.EDIT_DIGESTS)
@require_POST
def digest_restore(request: HttpRequest, id: int) -> HttpResponse:
    """Bring back a digest that was put away."""
    held = get_object_or_404(Digest, pk=id, removed_at__isnull=False)
    actions.restore_digest(digest=held, by=user_of(request))
    messages.success(request, _("The digest is back."))
    return redirect("insights:digests")


# -- Views -------------------------------------------------------------------------------------
@requires(Right.SEE_DASHBOARD)
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep a page with its filters."""
    path, query, name = (
        request.POST.get(field, "").replace("\x00", "") for field in ("path", "query", "name")
    )
    query, name = query[:5000], " ".join(name.split())[:100]
    known = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    if not known or len(path) > 200:
        raise Http404
    if name:
        try:
            actions.save_view(user=user_of(request), name=name, path=path, query=query)
        except RevoirError as error:
            messages.error(request, error.text(language()))
        else:
            messages.success(request, _("The view is kept."))
    return redirect(f"{path}?{query}" if query else path)


@requires(Right.SEE_DASHBOARD)
@require_POST
def view_remove(request: HttpRequest, id: int) -> HttpResponse:
    """Forget one of one's own views."""
    view = get_object_or_404(SavedView, pk=id, user=user_of(request))
    path = view.path
    actions.remove_view(view=view)
    return redirect(path)


# -- The report --------------------------------------------------------------------------------
@requires(Right.SEE_DASHBOARD, Right.EXPORT_DATA)
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Make the report as a file."""
    form, grain = request.POST.get("form", "html"), request.POST.get("grain", "")
    if form not in files.KINDS or grain not in ("", "month", "quarter"):
        raise Http404
    job = actions.make_report(form=form, language=language(), grain=grain, by=user_of(request))
    return redirect("insights:report-made", id=job.pk)


@requires(Right.SEE_DASHBOARD, Right.EXPORT_DATA)
def report_made(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """How far the report is, and the file once it is made."""
    job = get_object_or_404(Job, pk=id, kind="insights.report", created_by=request.user.pk)
    context = {"job": job, "form": job.arguments["form"], "made": job.state == Job.State.DONE}
    return render(request, "insights/report.html", context)


@requires(Right.SEE_DASHBOARD, Right.EXPORT_DATA)
def report_file(request: HttpRequest, id: uuid.UUID, form: str) -> HttpResponseBase:
    """The report as a file."""
    job = get_object_or_404(Job, pk=id, kind="insights.report", created_by=request.user.pk)
    if form != job.arguments["form"]:
        raise Http404
    return exports.report_file(job)
