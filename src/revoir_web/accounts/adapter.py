"""How allauth does here: nobody signs up, people are invited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in without sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """An account comes from an invitation or the command line."""
        return False


def typed_address(request: Any, credentials: Any = None) -> str | None:
    """The address that someone tried to sign in with, for the lock-out."""
    held = (credentials or {}).get("email") or (credentials or {}).get("username")
    if held is None and request is not None:
        held = request.POST.get("login")
    return str(held).strip().lower() if held else None
