from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.common import audit
from revoir_web.common.rights import Right, public, requires
from revoir_web.common.tables import PAGE, part
from revoir_web.common.words import language
from revoir_web.consents import actions, links, lists, portability, queries
from revoir_web.consents.forms import (
    NewPurposeForm,
    NoticeForm,
    PurposeForm,
    RefusalForm,
    RuleForm,
)
from revoir_web.consents.models import Channel, Consent, Erasure, Notice, Purpose, RetentionRule
from revoir_web.customers.models import Customer


# -- Settings ----------------------------------------------------------------------------------
@requires(Right.MANAGE_COMPANY)
def purposes(request: HttpRequest) -> HttpResponse:
    """What data is used for, and how long it is kept."""
    form = RuleForm(request.POST or None, instance=RetentionRule.current())
    if request.method == "POST" and form.is_valid():
        actions.change_rule(fields=form.given, actor=request.user)
        messages.success(request, _("Saved."))
        return redirect("consents:purposes")
    context = {
        "purposes": [
            {
                "purpose": held,
                "name": held.name(language()),
                "text": held.text(language()),
                "channels": [Channel(code).label for code in held.channels],
            }
            for held in Purpose.objects.all()
        ],
        "form": form,
        "notice": Notice.current().text(language()),
        "kept": queries.how_long(RetentionRule.current()),
        "announced": Customer.objects.filter(erase_on__isnull=False).count(),
        "erased": Erasure.objects.count(),
    }
    return render(request, "consents/purposes.html", context)


@requires(Right.MANAGE_COMPANY)
def purpose_new(request: HttpRequest) -> HttpResponse:
    """A purpose more."""
    return _purpose(request, NewPurposeForm(request.POST or None))


@requires(Right.MANAGE_COMPANY)
def purpose_edit(request: HttpRequest, id: int) -> HttpResponse:
    """Change a purpose; what customers said of it stays."""
    held = get_object_or_404(Purpose, pk=id)
    return _purpose(request, PurposeForm(request.POST or None, instance=held))


def _purpose(request: HttpRequest, form: PurposeForm) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        actions.save_purpose(purpose=form.instance, fields=form.given, actor=request.user)
        messages.success(request, _("Saved."))
        return redirect("consents:purposes")
    return render(request, "consents/purpose.html", {"form": form})


@requires(Right.MANAGE_COMPANY)
def notice(request: HttpRequest) -> HttpResponse:
    """Change what customers read of what their data is used for."""
    form = NoticeForm(request.POST or None, instance=Notice.current())
    if request.method == "POST" and form.is_valid():
        actions.change_notice(fields=form.given, actor=request.user)
        messages.success(request, _("Saved."))
        return redirect("consents:purposes")
    context = {"form": form, "kept": queries.how_long(RetentionRule.current())}
    return render(request, "consents/notice.html", context)


@requires(Right.ERASE_CUSTOMERS, Right.SEE_PERSONAL)
def retention(request: HttpRequest) -> HttpResponse:
    """Who will be erased and when, and the record of erasures."""
    context = {"table": lists.announced(request), "done": lists.erasures(request)}
    return render(request, "consents/retention.html", context)


# -- One customer ------------------------------------------------------------------------------
def _customer(id: str) -> Customer:
    return get_object_or_404(Customer, pk=id, erased_at=None, merged_into=None)


@requires(Right.EDIT_CUSTOMERS, Right.SEE_PERSONAL)
def customer_consents(request: HttpRequest, id: str) -> HttpResponse:
    """Write down what a customer said."""
    customer = _customer(id)
    form = RefusalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.change_preferences(
                customer=customer,
                wanted=_wanted(request, customer),
                source="page",
                proof=form.cleaned_data["proof"],
                actor=request.user,
            )
        except RevoirError as error:
            form.add_error(None, error.text(language()))
        else:
            messages.success(request, _("Saved.") if made else _("Nothing was changed."))
            return redirect("customers:customer", id=id)
    said = Consent.objects.filter(customer=customer).select_related("purpose")
    history = part(request, said, _("Everything they said"), name="history", per_page=PAGE)
    context = {
        "customer": customer,
        "form": form,
        "groups": _groups(customer),
        "history": [
            {"consent": held, "purpose": held.purpose.name(language())} for held in history.shown
        ],
        "pages": history,
        "link": links.preferences_url(customer),
    }
    return render(request, "consents/customer.html", context)


def _wanted(request: HttpRequest, customer: Customer) -> dict[str, bool]:
    """What somebody chose otherwise than the page showed it to them.

    What was said elsewhere since, or is new, is not theirs to take back or to refuse unseen.
    """
    shown = any(name.startswith("was.") for name in request.POST)
    wanted = {held.field: held.field in request.POST for held in queries.standing(customer)}
    return {
        field: chosen
        for field, chosen in wanted.items()
        if not shown or request.POST.get(f"was.{field}") == ("no" if chosen else "yes")
    }


def _groups(customer: Customer) -> list[dict[str, Any]]:
    """What may be chosen, by purpose."""
    groups: dict[int, dict[str, Any]] = {}
    for held in queries.standing(customer):
        purpose = held.purpose
        group = groups.setdefault(
            purpose.pk,
            {
                "name": purpose.name(language()),
                "text": purpose.text(language()),
                "choices": [],
            },
        )
        group["choices"].append(held)
    return list(groups.values())


@requires(Right.EXPORT_DATA, Right.SEE_PERSONAL)
def customer_data(request: HttpRequest, id: str) -> HttpResponse:
    """Everything that is held of a customer, as the file that they have a right to."""
    customer = _customer(id)
    held = portability.archive(customer)
    audit.record("customer.data", object=customer, details={"bytes": len(held)})
    response = HttpResponse(held, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{customer.pk[-8:]}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@requires(Right.ERASE_CUSTOMERS, Right.SEE_PERSONAL)
def customer_erase(request: HttpRequest, id: str) -> HttpResponse:
    """Forget a customer, after a word was typed."""
    customer = _customer(id)
    word = _("ERASE")
    wrong = False
    if request.method == "POST":
        wrong = request.POST.get("confirm", "").strip() != word
        if not wrong:
            try:
                actions.erase_persons(
                    customers=[customer], reason=Erasure.Reason.REQUEST, actor=request.user
                )
            except RevoirError as error:
                messages.error(request, error.text(language()))
            else:
                messages.success(request, _("The person is erased."))
            return redirect("customers:customer", id=id)
    context = {"customer": customer, "word": word, "wrong": wrong}
    return render(request, "consents/erase.html", context, status=422 if wrong else 200)


@requires(Right.ERASE_CUSTOMERS, Right.SEE_PERSONAL)
@require_POST
def customer_keep(request: HttpRequest, id: str) -> HttpResponse:
    """Begin the clock of a customer anew."""
    actions.keep_longer(customer=_customer(id), actor=request.user)
    messages.success(request, _("The clock of this person begins anew today."))
    return redirect("consents:retention")


# -- What customers themselves reach by their link ---------------------------------------------
@public
@never_cache
@csrf_exempt  # the signature in the address says who it is; there is no session to ride on
def preferences(request: HttpRequest, signed: str) -> HttpResponse:
    """A customer's own choices."""
    customer = links.customer_of(signed)
    if customer is None:
        return render(request, "consents/no_preferences.html", status=404)
    code = _language(request, customer)
    with translation.override(code):
        if request.method == "POST":
            nothing = "stop" in request.POST
            every = [held.field for held in queries.standing(customer)]
            actions.change_preferences(
                customer=customer,
                wanted=dict.fromkeys(every, False) if nothing else _wanted(request, customer),
                source="preferences",
                proof=_("Page of preferences (%(language)s)")
                % {"language": dict(settings.LANGUAGES)[code]},
            )
            messages.success(request, _("Your choices are saved, and hold from now on."))
            return redirect("consents:preferences", signed=signed)
        context = {
            "groups": _groups(customer),
            "address": _hidden(customer.email),
            "notice": Notice.current().text(code),
            "kept": queries.how_long(RetentionRule.current()),
            "LANGUAGE_CODE": code,
        }
        return render(request, "consents/preferences.html", context)


@public
@csrf_exempt
def stop(request: HttpRequest, signed: str) -> HttpResponse:
    """Stop all e-mail at once, as mail programs ask for it (RFC 8058)."""
    customer = links.customer_of(signed)
    if customer is None:
        raise Http404
    if request.method != "POST":
        return redirect("consents:preferences", signed=signed)
    wanted = {
        held.field: False for held in queries.standing(customer) if held.channel == Channel.EMAIL
    }
    actions.change_preferences(
        customer=customer,
        wanted=wanted,
        source="preferences",
        proof=f"List-Unsubscribe {timezone.now().date().isoformat()}",
    )
    return HttpResponse(status=200)


def _language(request: HttpRequest, customer: Customer) -> str:
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and customer.language in ("fr", "en"):
        return customer.language
    return language()


def _hidden(address: str) -> str:
    """An address that its owner recognises and nobody else learns."""
    name, at, host = address.partition("@")
    return f"{name[:1]}…{name[-1:]}@{host}" if at else ""
