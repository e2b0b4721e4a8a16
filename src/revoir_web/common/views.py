from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir_web.common import actions, jobs, lists
from revoir_web.common.forms import CompanyForm
from revoir_web.common.models import Company, Job
from revoir_web.common.rights import Right, may, requires


@requires(Right.MANAGE_COMPANY)
def company(request: HttpRequest) -> HttpResponse:
    """What the company says of itself."""
    form = CompanyForm(request.POST or None, instance=Company.current())
    if request.method == "POST" and form.is_valid():
        actions.change_company(fields=form.given)
        messages.success(request, _("Saved."))
        return redirect("common:company")
    return render(request, "common/company.html", {"form": form})


@requires(Right.SEE_AUDIT)
def audit_trail(request: HttpRequest) -> HttpResponse:
    """Who saw, changed or exported what."""
    return render(request, "common/audit.html", {"table": lists.audit_entries(request)})


@requires(Right.SEE_JOBS)
def job_list(request: HttpRequest) -> HttpResponse:
    """What is done in the background."""
    return render(request, "common/jobs.html", {"table": lists.jobs(request)})


@requires()
def job(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """How far a job is; a fragment for pages that watch it."""
    held = _visible_job(request, id)
    if request.headers.get("HX-Request"):
        response = render(request, "components/job.html", {"job": held})
        if held.ended:
            response["HX-Trigger"] = "job-ended"
        return response
    page = jobs.page_of(request.user, held)
    context = {"job": held, "label": jobs.label(held.kind), "page": page}
    return render(request, "common/job.html", context)


@requires()
@require_POST
def job_cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Stop a job."""
    held = _visible_job(request, id)
    actions.stop_job(job=held, actor=request.user)
    return redirect(jobs.page_of(request.user, held) or job_url(held))


@requires(Right.SEE_JOBS)
@require_POST
def job_retry(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ask again for a job that failed."""
    held = get_object_or_404(Job, pk=id)
    actions.retry_job(job=held, actor=request.user)
    return redirect("common:job", id=id)


def _visible_job(request: HttpRequest, id: uuid.UUID) -> Job:
    """A job that the user may see: one of theirs, or any with the right."""
    held = get_object_or_404(Job, pk=id)
    if held.created_by != request.user.pk and not may(request.user, Right.SEE_JOBS):
        raise Http404
    return held


def job_url(held: Job) -> str:
    """The address of a job."""
    return reverse("common:job", kwargs={"id": held.pk})
