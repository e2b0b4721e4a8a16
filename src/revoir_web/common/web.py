"""Small things about requests."""

from __future__ import annotations

from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

_current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def current_request() -> HttpRequest | None:
    """The request that is being answered (None: this is a job or a command)."""
    return _current.get()


def client_address(request: HttpRequest) -> str | None:
    """The address of whoever asks, believing only our own proxies about it."""
    near: str | None = request.META.get("REMOTE_ADDR") or None
    if near not in settings.PROXIES:
        return near
    told: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    named = [part.strip() for part in told.split(",")]
    for address in reversed([part for part in named if part]):
        if address not in settings.PROXIES:
            return address
    return near
