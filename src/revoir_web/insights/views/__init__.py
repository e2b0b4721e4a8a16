"""Pages of figures, of groups of customers, and of plans."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from revoir_web.accounts.models import User


def user_of(request: HttpRequest) -> User:
    """Who is signed in; views that declare a right have somebody."""
    return cast("User", request.user)
