"""Who may do what: every page and every call declares its right, and none is open by oversight."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Right(enum.StrEnum):
    """Something that a role, or the scope of a key, allows."""

    SEE_DASHBOARD = "see_dashboard"
    SEE_CUSTOMERS = "see_customers"
    SEE_PERSONAL = "see_personal"
    EDIT_CUSTOMERS = "edit_customers"
    ERASE_CUSTOMERS = "erase_customers"
    IMPORT_DATA = "import_data"
    EXPORT_DATA = "export_data"
    EDIT_GOALS = "edit_goals"
    EDIT_SEGMENTS = "edit_segments"
    EDIT_DIGESTS = "edit_digests"
    SEE_JOBS = "see_jobs"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_COMPANY = "manage_company"
    MANAGE_KEYS = "manage_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"
    SEE_AUDIT = "see_audit"
    SEND_EVENTS = "send_events"
    """For keys alone: to write events."""

    @property
    def label(self) -> str:
        """What people call it, in the language of whoever is being answered."""
        return str(_LABELS[self])


_LABELS: dict[Right, Any] = {
    Right.SEE_DASHBOARD: gettext_lazy("See the figures"),
    Right.SEE_CUSTOMERS: gettext_lazy("See customers"),
    Right.SEE_PERSONAL: gettext_lazy("See who customers are"),
    Right.EDIT_CUSTOMERS: gettext_lazy("Change customers"),
    Right.ERASE_CUSTOMERS: gettext_lazy("Erase customers"),
    Right.IMPORT_DATA: gettext_lazy("Import data"),
    Right.EXPORT_DATA: gettext_lazy("Export data"),
    Right.EDIT_GOALS: gettext_lazy("Set goals"),
    Right.EDIT_SEGMENTS: gettext_lazy("Write segments"),
    Right.EDIT_DIGESTS: gettext_lazy("Set up digests"),
    Right.SEE_JOBS: gettext_lazy("See jobs"),
    Right.MANAGE_SOURCES: gettext_lazy("Manage sources of data"),
    Right.MANAGE_PEOPLE: gettext_lazy("Manage people"),
    Right.MANAGE_COMPANY: gettext_lazy("Change the company's settings"),
    Right.MANAGE_KEYS: gettext_lazy("Manage API keys"),
    Right.MANAGE_WEBHOOKS: gettext_lazy("Manage webhooks"),
    Right.SEE_AUDIT: gettext_lazy("See the audit trail"),
    Right.SEND_EVENTS: gettext_lazy("Send events"),
}

View = Callable[..., HttpResponseBase]
PUBLIC = "public"
SIGNED_IN = "signed in"
BY_CALL = "by call"
"""The view asks for itself: each method of an address of the API has rights of its own."""


def requires(*rights: Right, to_post: Iterable[Right] = ()) -> Callable[[View], View]:
    """Declare the rights of a view; without any, whoever is signed in may see it.

    Args:
        rights: All of them are needed.
        to_post: These too, where something is sent to a page that others may only see.

    Returns:
        The decorator. Whoever is not signed in is asked to (401 for a fragment or JSON), whoever
        lacks a right gets the page of error 403.
    """
    to_write = (*rights, *to_post)

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_sign_in(request)
            wanted = to_write if request.method == "POST" else rights
            if not all(may(request.user, right) for right in wanted):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.declared = frozenset(rights) or SIGNED_IN  # type: ignore[attr-defined]
        guarded.declared_to_post = frozenset(to_write) or SIGNED_IN  # type: ignore[attr-defined]  # a mark on the view
        return guarded

    return declare


def public(view: View) -> View:
    """Declare that anybody may see a view."""
    view.declared = PUBLIC  # type: ignore[attr-defined]
    return view


def may(user: Any, right: Right) -> bool:
    """Whether a user has a right; nobody who is not signed in has any."""
    return bool(user.is_authenticated and right in user.rights)


def declared(
    view: Any, name: str | None = None, *, method: str = "GET"
) -> frozenset[Right] | str | None:
    """What a view declares: rights, `SIGNED_IN`, `PUBLIC`, or None: nothing.

    Args:
        view: The function that the resolver gives.
        name: The full name of its address, for views that are not ours.
        method: Sending something may ask for more than seeing the page.
    """
    held: frozenset[Right] | str | None = getattr(view, "declared", None)
    if method == "POST":
        held = getattr(view, "declared_to_post", held)
    return held if held is not None else _FOREIGN.get(name or "")


_FOREIGN: dict[str, frozenset[Right] | str] = {}


def declare_foreign(names: Mapping[str, frozenset[Right] | str]) -> None:
    """Declare the rights of views of other packages, which check them themselves.

    Args:
        names: Full name of the address → rights, `SIGNED_IN` or `PUBLIC`.
    """
    _FOREIGN.update(names)


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead someone who is not signed in to where they can; programs get 401."""
    # Django's views of sign-in need the user model, which needs this module.
    from django.contrib.auth.views import redirect_to_login

    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": _("Sign in first.")}, status=401)
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=401)
        here = request.headers.get("HX-Current-URL", "/")
        answer["HX-Redirect"] = redirect_to_login(here)["Location"]
        return answer
    if request.method not in ("GET", "HEAD"):
        messages.warning(
            request,
            _("Your session had ended, and nothing of what you sent was saved: send it again."),
        )
        return redirect_to_login(_page_of_the_form(request))
    return redirect_to_login(request.get_full_path())


def _page_of_the_form(request: HttpRequest) -> str:
    """The page that something was sent from; many addresses take forms and show nothing."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}):
        return "/"
    return urlsplit(told)._replace(scheme="", netloc="").geturl() or "/"
