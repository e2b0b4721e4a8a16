"""Pages of errors, in both languages and without the inside of the program."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

_CODES = {
    400: "bad_request",
    403: "not_allowed",
    404: "not_found",
    409: "not_possible",
    500: "broken",
}


def _fault(status: int, title: str, text: str) -> dict[str, Any]:
    """As `revoir_web.common.api.Problem` says it."""
    return {"error": {"code": _CODES[status], "message": title, "remedy": text, "places": []}}


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    if request.path.startswith(("/api/", "/v1/")) or "application/json" in request.headers.get(
        "Accept", ""
    ):
        return JsonResponse(_fault(status, title, text), status=status)
    return render(
        request,
        "errors/error.html",
        {"status": status, "title": title, "text": text},
        status=status,
    )


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(
        request, 400, _("This request cannot be read"), _("Go back, and send the form again.")
    )


def bad_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 when a form was sent without its token."""
    return _page(
        request,
        403,
        _("This form has expired"),
        _("Go back, reload the page and send it again. The browser must accept cookies."),
    )


def denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _page(
        request,
        403,
        _("Your role does not allow this"),
        _("Ask an owner of this installation for the right, or go back to where you were."),
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404."""
    return _page(
        request,
        404,
        _("There is nothing at this address"),
        _("It may have been moved or removed. Look for it from the dashboard."),
    )


def not_possible(request: HttpRequest, title: str, text: str) -> HttpResponse:
    """409: what is asked for is understood and allowed, and cannot be done as things are."""
    return _page(request, 409, title, text)


def broken(request: HttpRequest) -> HttpResponse:
    """500; the page stands by itself, for whatever broke may break other pages too."""
    title = _("Something that was not foreseen went wrong")
    text = _(
        "Nothing of what you typed was saved. Try again; if it comes back, tell whoever runs"
        " this installation the time at which it happened."
    )
    if request.path.startswith(("/api/", "/v1/")):
        return JsonResponse(_fault(500, title, text), status=500)
    from django.template.loader import render_to_string

    html = render_to_string("errors/broken.html", {"title": title, "text": text})
    return HttpResponse(html, status=500)
