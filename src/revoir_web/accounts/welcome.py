"""The token of the first start: whoever sees the terminal of the server may begin, nobody else."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from django.conf import settings

from revoir_web.accounts.models import User


def _path() -> Path:
    return Path(settings.DATA) / "welcome.token"


def needed() -> bool:
    """Whether nobody has begun yet."""
    return not User.objects.exists()


def token() -> str:
    """The token, made when there is none yet."""
    path = _path()
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = secrets.token_urlsafe(18)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made)
        return made


def accepted(text: str) -> bool:
    """Whether a text is the token."""
    return bool(text) and hmac.compare_digest(text.encode(), token().encode())


def spend() -> None:
    """Make the token worthless."""
    _path().unlink(missing_ok=True)
