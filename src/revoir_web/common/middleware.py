"""What happens around every request."""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from revoir_web.common import monitoring, pages, rights, web
from revoir_web.common.models import Company

Next = Callable[[HttpRequest], HttpResponseBase]
_log = structlog.get_logger("revoir.web")
_QUIET = ("/healthz", "/readyz", "/prometheus", "/static/")


class Observed:
    """One line in the log and one count a request, by the name of its address, not its text."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and tell how it went."""
        begun = time.perf_counter()
        held = web._current.set(request)
        try:
            with structlog.contextvars.bound_contextvars(request=uuid.uuid4().hex[:12]):
                response = self.get_response(request)
                seconds = time.perf_counter() - begun
                match = request.resolver_match
                route = match.route if match else "unknown"
                monitoring.count_request(request.method or "", route, response.status_code, seconds)
                if not request.path.startswith(_QUIET):
                    _log.info(
                        "request",
                        method=request.method,
                        route=route,
                        status=response.status_code,
                        ms=round(seconds * 1000, 1),
                        user=getattr(getattr(request, "user", None), "pk", None),
                    )
                return response
        finally:
            web._current.reset(held)


class Preferences:
    """The language and time zone that a page is written in."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the user's language and the company's time zone."""
        if request.path.startswith(_QUIET):
            return self.get_response(request)
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        company = Company.current()
        request.company = company  # type: ignore[attr-defined]
        with timezone.override(company.zone):
            return self.get_response(request)


class Declared:
    """No view is reached that does not say who may see it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Stop at a view that declares nothing, and at the door of a foreign one."""
        match = request.resolver_match
        name = match.view_name if match else None
        held = rights.declared(view, name)
        if held is None:
            raise ImproperlyConfigured(f"{name or view} declares no right")
        if held != rights.BY_CALL and "%00" in request.META.get("QUERY_STRING", ""):
            request.GET = _without_nul(request.GET)  # type: ignore[assignment]  # as Django sets it
        if held == rights.PUBLIC or hasattr(view, "declared"):
            return None
        if not request.user.is_authenticated:
            return rights.ask_to_sign_in(request)
        return None


def _without_nul(told: QueryDict) -> QueryDict:
    """What an address asks for, without the character that PostgreSQL neither keeps nor seeks."""
    kept = QueryDict(mutable=True)
    for name, held in told.lists():
        kept.setlist(name.replace("\x00", ""), [text.replace("\x00", "") for text in held])
    return kept


class Overtaken:
    """Who makes what somebody else has made at the same moment is told so, as after a double click.

    What is looked up before it is made can be made in between: then the database refuses it.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """409 where the database has refused a second one; where it was stands in the log."""
        if not isinstance(error, IntegrityError):
            return None
        # Its words hold values: an address, for instance.
        _log.error("overtaken", where="".join(traceback.format_tb(error.__traceback__)))
        return pages.not_possible(
            request,
            _("This is there already, or was changed at this moment"),
            _("Look whether it is as you wanted it; if not, do it again."),
        )
