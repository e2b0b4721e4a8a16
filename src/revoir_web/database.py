"""The application database: which one, and SQLite in a version that keeps what it wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from revoir.errors import UsageError
from revoir.language import msg


def use_sound_sqlite() -> None:
    """Put the SQLite of the wheel in the place of the system's, where there is one.

    Versions 3.7.0 to 3.51.2 may lose committed pages when a write-ahead log is reset while
    another process reads. This must run before Django loads its database backend.
    """
    try:
        import pysqlite3
    except ImportError:
        return
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


def configuration(url: str) -> dict[str, Any]:
    """The entry of Django's DATABASES for an address.

    Args:
        url: ``sqlite:///path`` or ``postgresql://user:password@host:port/name?option=value``.

    Returns:
        The settings of one database.

    Raises:
        UsageError: It is another kind of database, or names none.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        if not parts.path.strip("/"):
            raise _unknown(url)
        return _sqlite(Path("/" + unquote(parts.path).lstrip("/")))
    if parts.scheme in ("postgres", "postgresql"):
        options: dict[str, Any] = dict(parse_qsl(parts.query))
        # A socket's folder cannot stand where a host stands: it is the option `host`.
        host = options.pop("host", None) or unquote(parts.hostname or "")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(options.pop("port", None) or parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    raise _unknown(url)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A transaction that begins with a read and then writes would fail with "database is
            # locked" whatever the timeout: take the write lock at once.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # What is acknowledged is on the disk; what is deleted is not.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                " PRAGMA cache_size=-2000; PRAGMA temp_store=MEMORY"
            ),
        },
    }


def _unknown(url: str) -> UsageError:
    return UsageError(
        msg("REVOIR_DATABASE_URL: “{kind}” is not a database that is known.", kind=url[:12]),
        remedy=msg("Write sqlite:///folder/revoir.sqlite3 or postgresql://user@host/name."),
    )
