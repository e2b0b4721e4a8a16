"""What accounts keep of every request."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.middleware import UserSessionsMiddleware
from django.core.cache import caches
from django.http import HttpRequest

SEEN_SECONDS = 60
"""How often it is written that a session goes on."""


class Seen(UserSessionsMiddleware):  # type: ignore[misc]  # allauth has no types
    """When each session was last seen, to the minute.

    A write at every request would make every page wait for whoever else writes.
    """

    def __call__(self, request: HttpRequest) -> Any:
        """Note the session where it is new, from elsewhere, or was not noted for a while."""
        key = request.session.session_key
        if key and request.user.is_authenticated:
            known = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_USER_AGENT")
            where = hash(tuple(request.META.get(name) for name in known))
            if not caches["process"].add(f"accounts.seen:{key}:{where}", True, SEEN_SECONDS):
                return self.get_response(request)
        return super().__call__(request)
