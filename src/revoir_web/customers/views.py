from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common import audit, jobs
from revoir_web.common.rights import Right, may, requires
from revoir_web.common.tables import part
from revoir_web.common.words import language
from revoir_web.customers import actions, facts, lists, queries, seen, shown
from revoir_web.customers.forms import NoteForm, ProfileForm, ViewForm
from revoir_web.customers.models import Customer, Merge, MergeProposal, Note, ProfileChange

NOTES, PAIRS, MERGES = 20, 5, 20
"""How many a page shows of what stands beside other things."""


@requires(Right.SEE_CUSTOMERS, to_post=[Right.EDIT_CUSTOMERS])
def customer_list(request: HttpRequest) -> HttpResponse:
    """Every customer; two chosen ones may be merged."""
    if request.method == "POST":
        return _merge_chosen(request)
    seen.note(request)
    context = {
        "table": lists.customers(request),
        "views": queries.views_of(request.user),
        "view_form": ViewForm(),
        "query": _query(request),
        "pairs": lists.count_of(queries.open_proposals()),
    }
    return render(request, "customers/list.html", context)


def _merge_chosen(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.getlist("chosen")
    if len(chosen) != 2:
        messages.error(request, _("Choose two customers to merge."))
        return redirect(request.get_full_path())
    return redirect(f"{reverse('customers:compare')}?left={chosen[0]}&right={chosen[1]}")


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


@requires(Right.SEE_CUSTOMERS)
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the list as it is under a name."""
    query = request.POST.get("query", "")[:2000]
    form = ViewForm(request.POST)
    back = f"{reverse('customers:list')}?{query}" if query else reverse("customers:list")
    if not form.is_valid():
        messages.error(request, _("Give the view a name of at most 100 characters."))
        return redirect(back)
    actions.save_view(
        owner=request.user,
        name=form.cleaned_data["name"],
        query=query,
        shared=form.cleaned_data["shared"],
    )
    messages.success(request, _("The view is saved."))
    return redirect(back)


@requires(Right.SEE_CUSTOMERS)
@require_POST
def view_delete(request: HttpRequest, id: int) -> HttpResponse:
    """Forget a view of one's own."""
    view = queries.own_view(request.user, id)
    if view is None:
        raise Http404
    actions.delete_view(view=view)
    messages.success(request, _("The view is gone; the customers are not."))
    return redirect("customers:list")


@requires(Right.SEE_CUSTOMERS)
def customer_page(request: HttpRequest, id: str) -> HttpResponse:
    """Everything that is known of one customer."""
    customer = _customer(id)
    if customer.merged_into_id:
        return redirect("customers:customer", id=customer.merged_into_id)
    personal = may(request.user, Right.SEE_PERSONAL)
    if personal:
        audit.record("customer.see", object=customer)
    kind = request.GET.get("kind", "")
    profile = queries.profile(
        customer,
        kinds=[kind] if kind in lists.FACT_KINDS else list(lists.FACT_KINDS),
        since=_place(request.GET),
    )
    since = timezone.now() - dt.timedelta(days=actions.UNDO_DAYS)
    context = {
        "customer": customer,
        "profile": profile,
        "page": shown.page(profile, personal=personal, company=request.company),  # type: ignore[attr-defined]
        "personal": personal,
        "kind": kind,
        "panels": [
            {
                "template": panel.template,
                "panel": panel.context(request, customer),
                "first": panel.first,
            }
            for panel in facts.panels()
        ],
        "notes": part(request, profile.notes, _("Notes"), name="notes", per_page=NOTES),
        "pairs": part(
            request,
            profile.proposals,
            _("Customers that may be one person"),
            name="pairs",
            per_page=PAIRS,
        ),
        "note_form": NoteForm(),
        "change": queries.last_change(customer, since=since) if personal else None,
    }
    return render(request, "customers/customer.html", context)


def _place(asked: Mapping[str, str]) -> tuple[dt.datetime, int] | None:
    """Where a page of facts begins: at a moment, of which so many were on the page before."""
    try:
        at = parse_datetime(asked.get("before", ""))
    except ValueError:
        return None
    if at is None or at.year >= dt.MAXYEAR:
        return None
    given = asked.get("given", "")
    known = given.isascii() and given.isdigit() and len(given) <= len(str(queries.FACTS_MAX))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC), int(given) if known else 0


def _customer(id: str) -> Customer:
    return get_object_or_404(Customer, pk=id)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def customer_edit(request: HttpRequest, id: str) -> HttpResponse:
    """Change what is known of a customer."""
    customer = _customer(id)
    if customer.erased_at is not None or customer.merged_into_id:
        return redirect("customers:customer", id=id)
    form = ProfileForm(request.POST or None, instance=_customer(id))
    if request.method == "POST" and form.is_valid():
        try:
            change = actions.update_profile(
                customer=customer, fields=form.given, actor=request.user
            )
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("Saved.") if change else _("Nothing was changed."))
            return redirect("customers:customer", id=customer.pk)
    return render(request, "customers/edit.html", {"form": form, "customer": customer})


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
@require_POST
def customer_undo(request: HttpRequest, id: str, change: int) -> HttpResponse:
    """Put back what the last change replaced."""
    held = get_object_or_404(ProfileChange, pk=change, customer=id)
    _try(request, _("The change is undone."), actions.undo_update, change=held)
    return redirect("customers:customer", id=id)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
@require_POST
def note_add(request: HttpRequest, id: str) -> HttpResponse:
    """Write about a customer."""
    form = NoteForm(request.POST)
    if form.is_valid():
        _try(
            request,
            _("The note is there."),
            actions.add_note,
            customer=_customer(id),
            text=form.cleaned_data["text"],
        )
    else:
        messages.error(request, _("Write something, of at most 5,000 characters."))
    return redirect("customers:customer", id=id)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def note_edit(request: HttpRequest, id: str, note: int) -> HttpResponse:
    """Write other words in the place of a note's: one's own, or any as for `note_delete`."""
    held = _note(request, id, note)
    form = NoteForm(request.POST or None, instance=held)
    if request.method == "POST" and form.is_valid():
        try:
            if form.given:
                actions.change_note(note=held, text=form.given["text"], actor=request.user)
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("Saved.") if form.given else _("Nothing was changed."))
            return redirect("customers:customer", id=id)
    return render(request, "customers/note.html", {"form": form, "customer": held.customer})


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
@require_POST
def note_delete(request: HttpRequest, id: str, note: int) -> HttpResponse:
    """Take a note away: one's own, or any with the right to manage people."""
    actions.delete_note(note=_note(request, id, note), actor=request.user)
    messages.success(request, _("The note is gone."))
    return redirect("customers:customer", id=id)


def _note(request: HttpRequest, id: str, note: int) -> Note:
    held = get_object_or_404(Note.objects.select_related("customer"), pk=note, customer=id)
    if not queries.may_change(request.user, held):
        raise PermissionDenied
    return held


# -- Customers that may be one -----------------------------------------------------------------
@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def merges(request: HttpRequest) -> HttpResponse:
    """Pairs to decide, and what was merged lately."""
    if request.method == "POST":
        job = jobs.enqueue("customers.index", arguments={}, by=request.user.pk)
        return redirect("common:job", id=job.pk)
    rows = Merge.objects.select_related("winner", "loser", "by")
    done = part(request, rows, _("Merged lately"), name="done", per_page=MERGES)
    return render(
        request, "customers/merges.html", {"table": lists.proposals(request), "done": done}
    )


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def proposal(request: HttpRequest, id: int) -> HttpResponse:
    """Two customers side by side, to decide whether they are one."""
    held = get_object_or_404(MergeProposal.objects.select_related("left", "right"), pk=id)
    return _decide(request, held.left, held.right, held)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def compare(request: HttpRequest) -> HttpResponse:
    """Two chosen customers side by side."""
    chosen = [request.GET.get(side, "") for side in ("left", "right")]
    held = Customer.objects.in_bulk(chosen)
    if len(held) != 2:
        raise Http404
    return _decide(request, held[chosen[0]], held[chosen[1]], None)


def _decide(
    request: HttpRequest, left: Customer, right: Customer, held: MergeProposal | None
) -> HttpResponse:
    if request.method == "POST":
        after = "customers:merges"
        match request.POST.get("decision"):
            case "left":
                _try(request, _("Merged."), actions.merge, winner=left, loser=right)
            case "right":
                _try(request, _("Merged."), actions.merge, winner=right, loser=left)
            case "apart" if held is not None:
                actions.dismiss(proposal=held, actor=request.user)
                messages.success(request, _("They stay two customers."))
        return redirect(after)
    audit.record("customer.see", object=left)
    audit.record("customer.see", object=right)
    context = {
        "proposal": held,
        "left": left,
        "right": right,
        "rows": shown.side_by_side(left, right),
    }
    return render(request, "customers/compare.html", context)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
@require_POST
def merge_undo(request: HttpRequest, id: int) -> HttpResponse:
    """Make two customers of one again."""
    held = get_object_or_404(Merge, pk=id)
    _try(request, _("They are two customers again."), actions.undo_merge, merge=held)
    return redirect("customers:merges")


def _try(request: HttpRequest, done: str, action: Any, **arguments: Any) -> None:
    """Do something for whoever asks, and tell them how it went."""
    try:
        action(**arguments, actor=request.user)
    except RevoirError as error:
        messages.error(request, error.text(language()))
    else:
        messages.success(request, done)
