"""Passwords and secrets of others, unreadable in the database and its backups."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from revoir.errors import UsageError
from revoir.language import msg


def closed(text: str) -> str:
    """Encrypt a text with the key of the installation."""
    return _box().encrypt(text.encode()).decode()


def opened(text: str) -> str:
    """Decrypt what `closed` made; where nothing was kept, there is nothing.

    Raises:
        UsageError: The key of the installation is another one now.
    """
    if not text:
        return ""
    try:
        return _box().decrypt(text.encode()).decode()
    except InvalidToken:
        raise UsageError(
            msg("A kept password cannot be read: the secret key of the installation has changed."),
            remedy=msg("Type the password again."),
        ) from None


def _box() -> Fernet:
    digest = hashlib.sha256(b"revoir vault\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
