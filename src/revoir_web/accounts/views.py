from __future__ import annotations

import datetime as dt
from typing import Any, cast

from allauth.account import views as account_views
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from revoir.errors import RevoirError
from revoir_web.accounts import actions, forms, welcome
from revoir_web.accounts.models import ApiKey, Invitation, User
from revoir_web.accounts.rights import ROLES, Right, Role, public, requires
from revoir_web.common.forms import WelcomeCompanyForm, known_language
from revoir_web.common.words import language

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def _program(told: str) -> str:
    """What a browser says of itself, in two words."""
    names = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS"}
    found = [next((n for n in known if n in told), "") for known in (_BROWSERS, _SYSTEMS)]
    return ", ".join(names.get(name, name) for name in found if name) or told[:40]


def _labels(rights: frozenset[Right]) -> list[str]:
    """The rights in the order in which they are declared."""
    return [right.label for right in Right if right in rights]


def _user(request: HttpRequest) -> User:
    """The signed-in user of a view that requires one."""
    return cast(User, request.user)


@public
@never_cache
def welcome_page(request: HttpRequest) -> HttpResponse:
    """First start: the company, and the first account."""
    if not welcome.needed():
        return redirect("account_login")
    if not welcome.accepted(request.POST.get("token") or request.GET.get("token", "")):
        return render(request, "accounts/welcome_closed.html", status=403)
    start = {"language": language(), "currency": "EUR", "timezone": "Europe/Paris"}
    company = WelcomeCompanyForm(request.POST or None, initial=start, prefix="company")
    account = forms.FirstAccount(request.POST or None, prefix="account")
    if request.method == "POST" and all([company.is_valid(), account.is_valid()]):
        try:
            user = actions.begin(company=company.cleaned_data, **account.cleaned_data)
        except RevoirError as error:
            account.add_error(None, error.text(language()))
        else:
            welcome.spend()
            login(request, user, backend=_BACKEND)
            return redirect("/")
    token = request.POST.get("token") or request.GET["token"]
    context = {"company_form": company, "account_form": account, "token": token}
    return render(request, "accounts/welcome.html", context)


@public
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in; where nobody can yet, begin."""
    if request.method == "GET" and welcome.needed():
        return redirect("accounts:welcome")
    answer: HttpResponseBase = account_views.login(request)
    return answer


@public
@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Someone who was invited takes their place."""
    invitation = actions.invitation_of(token)
    if invitation is None:
        return render(request, "accounts/invitation_ended.html", status=410)
    with translation.override(invitation.language):
        form = forms.NewPassword(request.POST or None, email=invitation.email)
        if request.method == "POST" and form.is_valid():
            try:
                user = actions.accept_invitation(invitation=invitation, **form.cleaned_data)
            except RevoirError as error:
                form.add_error(None, error.text(language()))
            else:
                login(request, user, backend=_BACKEND)
                messages.success(request, _("Welcome. Protect your account with a second factor."))
                return redirect("accounts:account")
        return render(request, "accounts/accept.html", {"form": form, "invitation": invitation})


@public
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak another language: kept in the account, or in a cookie for whoever has none."""
    code = known_language(request.POST.get("language"))
    back = request.POST.get("next", "/")
    # Only a path of ours: never the address of somebody else.
    response = redirect(
        back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    )
    if request.user.is_authenticated:
        user = _user(request)
        actions.save_preferences(user=user, fields={"language": code})
    from django.conf import settings

    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=365 * 86_400,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
        httponly=True,
    )
    return response


@requires(Right.MANAGE_PEOPLE)
def people(request: HttpRequest) -> HttpResponse:
    """Who works with Revoir, and what they may do."""
    form = forms.Invite(request.POST or None, initial={"language": language(), "role": "analyst"})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            invitation = actions.invite(
                email=given["email"],
                role=Role(given["role"]),
                language=given["language"],
                actor=_user(request),
            )
        except RevoirError as error:
            form.add_error("email", error.text(language()))
        else:
            messages.success(
                request,
                _("The invitation is on its way to %(address)s.") % {"address": invitation.email},
            )
            return redirect("accounts:people")
    invitations = [held for held in Invitation.objects.filter(accepted_at=None) if held.open]
    refused = actions.refused(invitations)
    protected = set(Authenticator.objects.filter(type="totp").values_list("user_id", flat=True))
    context = {
        "form": form,
        "users": [
            {"user": user, "second_factor": user.pk in protected}
            for user in User.objects.order_by("-is_active", "name")
        ],
        "invitations": [{"held": held, "why": refused.get(held.pk)} for held in invitations],
        "roles": [{"label": role.label, "rights": _labels(ROLES[role])} for role in Role],
        "role_choices": Role.choices,
    }
    return render(request, "accounts/people.html", context)


@requires(Right.MANAGE_PEOPLE)
@require_POST
def person_change(request: HttpRequest, id: int) -> HttpResponse:
    """Give someone another role, close their account or open it again."""
    user = get_object_or_404(User, pk=id)
    role, active = request.POST.get("role"), request.POST.get("active")
    try:
        actions.change_person(
            user=user,
            role=Role(role) if role in Role.values else None,
            active=active == "1" if active in ("0", "1") else None,
            actor=_user(request),
        )
    except RevoirError as error:
        messages.error(request, error.text(language()))
    else:
        messages.success(request, _("Saved."))
    return redirect("accounts:people")


@requires(Right.MANAGE_PEOPLE)
@require_POST
def invitation_revoke(request: HttpRequest, id: int) -> HttpResponse:
    """End an invitation."""
    invitation = get_object_or_404(Invitation, pk=id)
    actions.revoke_invitation(invitation=invitation, actor=_user(request))
    messages.success(request, _("The invitation has ended."))
    return redirect("accounts:people")


@requires()
def account(request: HttpRequest) -> HttpResponse:
    """My account: how I am shown things, how I am protected, where I am signed in."""
    user = _user(request)
    form = forms.Preferences(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        actions.save_preferences(user=user, fields=form.given)
        translation.activate(user.language)
        messages.success(request, _("Saved."))
        return redirect("accounts:account")
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "form": form,
        "second_factor": "totp" in kinds,
        "sessions": [
            {
                "session": held,
                "program": _program(held.user_agent),
                "current": held.session_key == request.session.session_key,
            }
            for held in UserSession.objects.purge_and_list(user)
        ],
        "rights": _labels(user.rights),
    }
    return render(request, "accounts/account.html", context)


@requires()
@require_POST
def sessions_end(request: HttpRequest) -> HttpResponse:
    """End one of my sessions, or all but this one."""
    user = _user(request)
    if request.POST.get("session"):
        chosen = request.POST["session"]
        held = get_object_or_404(
            UserSession, pk=chosen if chosen.isdecimal() else 0, user_id=user.pk
        )
        held.end()
    else:
        actions.end_sessions(user=user, keep=request.session.session_key)
    messages.success(request, _("Signed out there."))
    return redirect("accounts:account")


@requires(Right.MANAGE_KEYS)
def keys(request: HttpRequest) -> HttpResponse:
    """The keys of programs."""
    form = forms.NewKey(request.POST or None, initial={"days": 0})
    told: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        ends = timezone.now() + dt.timedelta(days=given["days"]) if given["days"] else None
        key, text = actions.create_key(
            name=given["name"],
            scopes=[Right(scope) for scope in given["scopes"]],
            actor=_user(request),
            expires_at=ends,
        )
        # The answer to the form itself: the text is kept nowhere, not even in a session.
        told = {"new_key": key, "new_text": text}
        form = forms.NewKey(initial={"days": 0})
    held = [{"key": key, "scopes": _labels(key.rights)} for key in ApiKey.objects.all()]
    response = render(request, "accounts/keys.html", {"form": form, "keys": held, **told})
    response["Cache-Control"] = "no-store"
    return response


@requires(Right.MANAGE_KEYS)
@require_POST
def key_revoke(request: HttpRequest, id: int) -> HttpResponse:
    """End a key."""
    actions.revoke_key(key=get_object_or_404(ApiKey, pk=id), actor=_user(request))
    messages.success(request, _("The key has ended."))
    return redirect("accounts:keys")


@public
def no_such_page(request: HttpRequest) -> HttpResponse:
    """Pages of allauth that there are not here: sign-up, other e-mail addresses."""
    raise Http404
