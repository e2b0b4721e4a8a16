"""The JSON API: who calls, what is answered when something is wrong, pages, one effect a key.

Each app has a `router` in its `api.py`, made of `Router.serve`; `addresses()` mounts them all
under `/api/`. What a call may do is what its key, or the role of whoever is signed in, allows.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import IntegrityError, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja import Router as NinjaRouter
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.parser import Parser
from ninja.responses import Status
from ninja.security import HttpBearer
from ninja.security.session import SessionAuth
from ninja.utils import check_csrf

from revoir.errors import RevoirError
from revoir_web.common.answers import (
    Page,
    Paging,
    Problem,
    Refused,
    paged,
    problem,
    read_cursor,
    strict_json,
    write_cursor,
)
from revoir_web.common.models import Replay
from revoir_web.common.rights import BY_CALL, Right, may, public, requires
from revoir_web.common.words import language

__all__ = [
    "Page",
    "Paging",
    "Problem",
    "Refused",
    "Router",
    "addresses",
    "api",
    "paged",
    "problem",
    "read_cursor",
    "strict_json",
    "write_cursor",
]

PER_MINUTE = 1200
"""Calls that one key may make in a minute."""
KEY_HEADER = "Idempotency-Key"
_SAFE = ("GET", "HEAD", "OPTIONS")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


# -- Reading -----------------------------------------------------------------------------------
class _Reader(Parser):
    """JSON without what its readers disagree on: a name twice, NaN, half a character, depth."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as plain values."""
        return strict_json(request.body)


# -- Who calls ---------------------------------------------------------------------------------
class Caller:
    """A program that showed a key; it stands where a user stands."""

    is_authenticated = True
    is_active = True
    pk = None

    def __init__(self, key: Any) -> None:
        self.key = key
        self.rights: frozenset[Right] = key.rights

    def __str__(self) -> str:
        return str(self.key)


class _Key(HttpBearer):
    """`Authorization: Bearer rvr_…`: a key made on the page of API keys."""

    def __init__(self, rights: frozenset[Right]) -> None:
        super().__init__()
        self.needed = rights

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The caller, if the key is good and allows the call."""
        caller: Any = request.user
        return _allowed(caller, self.needed) if isinstance(caller, Caller) else None


class _Session(SessionAuth):
    """The session of whoever is signed in; writes need the token of the page."""

    def __init__(self, rights: frozenset[Right]) -> None:
        super().__init__(csrf=False)  # the guard has asked for it
        self.needed = rights

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """The user, if their role allows the call."""
        return _allowed(request.user, self.needed) if request.user.is_authenticated else None


_Key.__name__, _Session.__name__ = "ApiKey", "Session"


def _allowed(caller: Any, needed: frozenset[Right]) -> Any:
    for right in needed:
        check_may(caller, right)
    return caller


def check_may(caller: Any, right: Right) -> None:
    """Refuse a call of whoever has not a right.

    Raises:
        Refused: They have not.
    """
    if not may(caller, right):
        raise Refused(
            403,
            "not_allowed",
            _("This call needs the right “%(right)s”.") % {"right": right.label},
            _("Use a key with the scope %(scope)s.") % {"scope": right.value},
        )


def _sign_in(request: HttpRequest) -> None:
    """Put whoever calls in `request.user`; a key counts before a session."""
    told = request.headers.get("Authorization", "")
    if told:
        kind, _space, text = told.partition(" ")
        key = None
        if kind.lower() == "bearer" and "\x00" not in text:
            key = apps.get_model("accounts", "ApiKey").found(text.strip())
        if key is None:
            raise Refused(
                401,
                "unknown_key",
                _("This key is not known, or no longer."),
                _("Make another on the page of API keys, and send it as a bearer token."),
            )
        _count(key)
        key.used()
        request.user = Caller(key)  # type: ignore[assignment]
    elif request.user.is_authenticated:
        if request.method not in _SAFE and check_csrf(request) is not None:
            raise Refused(
                403,
                "no_token",
                _("A page must send its token with what it changes."),
                _("Programs sign in with a key instead of a session."),
            )
    else:
        raise Refused(
            401,
            "sign_in",
            _("This call needs a key."),
            _("Send the header %(header)s, followed by a key.")
            % {"header": "Authorization: Bearer"},
        )


def _count(key: Any) -> None:
    cache = caches["default"]
    name = f"api:{key.prefix}:{int(timezone.now().timestamp()) // 60}"
    limit = getattr(settings, "API_PER_MINUTE", PER_MINUTE)
    cache.add(name, 0, 120)
    try:
        count = cache.incr(name)
    except ValueError:  # another process emptied the cache between the two
        return
    if count > limit:
        raise Refused(
            429,
            "too_many_calls",
            _("This key has made too many calls in this minute."),
            _("Wait a minute; ask for more rows a page instead of more pages."),
        )


# -- One effect a key --------------------------------------------------------------------------
def _replayable(request: HttpRequest) -> str | None:
    told = request.headers.get(KEY_HEADER)
    if told is None or request.method in _SAFE:
        return None
    if not _KEY.fullmatch(told):
        raise Refused(
            400,
            "bad_idempotency_key",
            _("%(header)s is not 1 to 200 visible ASCII characters.") % {"header": KEY_HEADER},
        )
    caller: Any = request.user
    who = caller.key.prefix if isinstance(caller, Caller) else f"user {caller.pk}"
    return hashlib.sha256(f"{who}\0{told}".encode()).hexdigest()


def _fingerprint(request: HttpRequest) -> str:
    told = hashlib.sha256(f"{request.method} {request.get_full_path()}\0".encode())
    if request.content_type != "multipart/form-data":
        told.update(request.body)
        return told.hexdigest()
    # What stands between the parts is another text each time. All of it is read here, before any
    # transaction begins: nobody waits for a slow sender.
    for name, values in sorted(request.POST.lists()):
        told.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            told.update(repr((name, file.name, file.size)).encode())
            for chunk in file.chunks():
                told.update(chunk)
            file.seek(0)
    return told.hexdigest()


def _once(request: HttpRequest, key: str, call: Callable[[], HttpResponse]) -> HttpResponse:
    """Do a call whose key was not seen; give the answer of then where it was.

    The key and the effect are one transaction: neither stands without the other.
    """
    print_ = _fingerprint(request)
    try:
        with transaction.atomic():
            kept = Replay.objects.create(key=key, fingerprint=print_)
            response = call()
            if response.status_code >= 400:
                # Nothing was done: the same key may be tried again.
                transaction.set_rollback(True)
            else:
                kept.status = response.status_code
                kept.body = response.content.decode("utf-8")
                kept.save(update_fields=["status", "body"])
            return response
    except IntegrityError:
        earlier = Replay.objects.filter(key=key).first()
        if earlier is None:
            raise
    if earlier.fingerprint != print_:
        raise Refused(
            422,
            "idempotency_key_used",
            _("This %(header)s was sent with another call.") % {"header": KEY_HEADER},
            _("Give each call a key of its own."),
        )
    response = HttpResponse(
        earlier.body, status=earlier.status, content_type="application/json; charset=utf-8"
    )
    response["Idempotent-Replay"] = "true"
    return response


# -- Around every call -------------------------------------------------------------------------
def _guard(views: dict[str, Callable[..., HttpResponse]]) -> Callable[..., HttpResponseBase]:
    @csrf_exempt
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        view = views.get(request.method or "")
        try:
            if "\x00" in request.get_full_path() or "%00" in request.get_full_path():
                raise Refused(400, "nul", _("An address cannot hold the character NUL."))
            _sign_in(request)
            if view is None:
                return HttpResponseNotAllowed(sorted(views))
            key = _replayable(request)
            if key is None:
                return view(request, *args, **kwargs)
            return _once(request, key, lambda: view(request, *args, **kwargs))
        except RequestDataTooBig:
            return problem(
                413,
                "too_large",
                _("The body is too large for this call."),
                _("Send it in several calls, or upload files by an import."),
            )
        except Refused as refused:
            return _refusal(request, refused)

    guarded.declared = BY_CALL  # type: ignore[attr-defined]
    return guarded


def _refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    response = problem(refused.status, refused.code, refused.message, refused.remedy)
    if refused.status == 429:
        response["Retry-After"] = str(60 - timezone.now().second)
    if refused.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


class Router(NinjaRouter):
    """The calls of one app."""

    def serve(
        self,
        method: str,
        route: str,
        *,
        rights: Iterable[Right],
        gives: Any,
        status: int = 200,
        summary: str,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a call: its right, and everything that it may answer.

        Args:
            method: GET, POST, PATCH, PUT or DELETE.
            route: Below `/api`, such as ``/customers/{id}``.
            rights: All of them are needed; of a key they are its scopes.
            gives: The schema of the answer (None: there is no body).
            status: Of the answer when all is well.
            summary: What the call does, for those who read the documentation.

        Returns:
            The decorator. Raise `Refused`, `Http404` or a `RevoirError` for what goes wrong.
        """
        needed = frozenset(rights)
        answers: dict[int, Any] = {status: gives}
        answers |= dict.fromkeys((400, 401, 403, 404, 409, 413, 422, 429), Problem)
        extra: dict[str, Any] = {"x-rights": sorted(needed)}
        if method not in _SAFE:
            extra["parameters"] = [_IDEMPOTENCY]
        declare = self.api_operation(
            [method],
            route,
            auth=[_Key(needed), _Session(needed)],
            response=answers,
            summary=summary,
            openapi_extra=extra,
        )

        def keep(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def call(request: HttpRequest, **values: Any) -> Any:
                given = function(request, **values)
                return given if isinstance(given, HttpResponseBase) else Status(status, given)

            # Annotations are texts that only the function's own module can read.
            call.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]
            declare(call)
            return function

        return keep


_IDEMPOTENCY = {
    "in": "header",
    "name": KEY_HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "description": "The same key with the same call has its effect once, for 24 hours.",
}

api = NinjaAPI(
    title="Revoir",
    version="1",
    description="Every call needs a key (`Authorization: Bearer …`) whose scopes allow it.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    parser=_Reader(),
)


@api.exception_handler(Refused)
def _on_refusal(request: HttpRequest, error: Any) -> HttpResponse:
    return _refusal(request, error)


@api.exception_handler(ValidationError)
def _on_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    places = [
        {"where": [str(part) for part in held["loc"]], "message": held["msg"]}
        for held in error.errors
    ]
    return problem(
        422,
        "invalid",
        _("Some values of this call are not as declared."),
        _("Mend the named places; the documentation of the call says what goes there."),
        places,
    )


@api.exception_handler(RevoirError)
def _on_known_error(request: HttpRequest, error: Any) -> HttpResponse:
    remedy = error.remedy.text(language()) if error.remedy else None
    return problem(409, "not_possible", error.what.text(language()), remedy)


@api.exception_handler(Http404)
def _on_missing(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(404, "not_found", _("There is nothing at this address"))


@api.exception_handler(PermissionDenied)
def _on_denied(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(403, "not_allowed", _("Your role does not allow this"))


@api.exception_handler(AuthenticationError)
def _on_stranger(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(401, "sign_in", _("This call needs a key."))


@api.exception_handler(HttpError)
def _on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error.__cause__, Refused):  # what `strict_json` refused
        return _refusal(request, error.__cause__)
    return problem(error.status_code, "bad_request", _("This request cannot be read"))


# -- Addresses ---------------------------------------------------------------------------------
@lru_cache
def schema(code: str) -> dict[str, Any]:
    """What can be called, as OpenAPI; it takes most of a second to make.

    Args:
        code: The language that it is read in.
    """
    with override(code):
        return dict(api.get_openapi_schema(path_prefix="api/"))


@public
def openapi(request: HttpRequest) -> JsonResponse:
    """What can be called, as OpenAPI."""
    return JsonResponse(schema(language()))


def addresses() -> list[URLPattern]:
    """The addresses of every app's calls, below `/api/`."""
    # Imported here: both need what stands above.
    from revoir_web.common.calls import router as own
    from revoir_web.common.reference import reference

    if not api._router_registrations[1:]:
        api.add_router("", own, tags=["common"])
        for config in apps.get_app_configs():
            name = f"{config.name}.api"
            if config.name.startswith("revoir_web.") and importlib.util.find_spec(name):
                router = getattr(importlib.import_module(name), "router", None)
                if router is not None:
                    api.add_router("", router, tags=[config.label])
    found = [
        path("docs", requires()(reference), name="docs"),
        path("openapi.json", openapi, name="openapi"),
    ]
    views: dict[str, dict[str, Callable[..., HttpResponse]]] = {}
    for bound in api._get_bound_routers():
        for route, held in bound.path_operations.items():
            by_method = views.setdefault(route.lstrip("/"), {})
            view = held.get_view()
            # An address may have its methods from several apps.
            by_method |= {
                method: view for operation in held.operations for method in operation.methods
            }
    for route, by_method in views.items():
        name = re.sub(r"[{}:/]+", "-", route).strip("-")
        pattern = route.replace("{", "<").replace("}", ">")
        found.append(path(pattern, _guard(by_method), name=name))
    return found
