"""What the environment says: one place that reads it, checks it and names what is wrong."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from revoir.errors import UsageError
from revoir.language import Message, msg

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_MIN = 50
"""Characters of a secret key, as Django's own check wants it."""


@dataclass(frozen=True)
class Environment:
    """The settings of one installation.

    Attributes:
        data: The folder that holds the database, the lake, uploads and the secret key.
        database_url: Where the application database is.
        lake: Folder or bucket of the lake.
        secret_key: What signatures are made with.
        allowed_hosts: Names that the application answers to.
        base_url: The address that people type, without a slash at its end.
        email_url: How e-mail leaves (see `email`).
        email_from: The sender of messages.
        debug: Whether errors are shown and cookies travel without TLS.
        proxies: Addresses whose X-Forwarded headers are believed.
        worker_threads: How many jobs one worker runs at a time.
        private_networks: Networks inside that sources and webhooks may reach.
        source_folders: Folders that sources may read; the first is where paths begin.
    """

    data: Path
    database_url: str
    lake: str
    secret_key: str
    allowed_hosts: tuple[str, ...]
    base_url: str
    email_url: str
    email_from: str
    debug: bool
    proxies: tuple[str, ...]
    worker_threads: int
    private_networks: tuple[str, ...]
    source_folders: tuple[str, ...]

    @property
    def tls(self) -> bool:
        """Whether people reach the application over HTTPS."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The name in the address that people type."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def local(self) -> bool:
        """Whether only this machine reaches the application."""
        return self.host in LOOPBACK


def read(environ: Mapping[str, str] | None = None) -> Environment:
    """Read the environment; the secret key is made on the first use.

    Args:
        environ: Variables (None: those of the process).

    Returns:
        The settings.

    Raises:
        UsageError: A variable is not understood.
    """
    given = os.environ if environ is None else environ
    data = Path(given.get("REVOIR_DATA") or "revoir-data").resolve()
    base_url = (given.get("REVOIR_BASE_URL") or "http://127.0.0.1:8000").rstrip("/")
    address = urlsplit(base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UsageError(
            msg("REVOIR_BASE_URL: “{url}” is not an address.", url=base_url),
            remedy=msg("Write it as people type it, such as https://revoir.example.com."),
        )
    hosts = tuple(filter(None, (given.get("REVOIR_ALLOWED_HOSTS") or "").split(",")))
    return Environment(
        data=data,
        database_url=given.get("REVOIR_DATABASE_URL") or f"sqlite://{data / 'revoir.sqlite3'}",
        lake=given.get("REVOIR_LAKE") or str(data / "lake"),
        secret_key=given.get("REVOIR_SECRET_KEY") or _kept_secret(data),
        allowed_hosts=tuple(name.strip() for name in hosts) or _default_hosts(address.hostname),
        base_url=base_url,
        email_url=given.get("REVOIR_EMAIL_URL") or "console:",
        email_from=given.get("REVOIR_EMAIL_FROM") or f"revoir@{address.hostname}",
        debug=_truth(given, "REVOIR_DEBUG"),
        proxies=tuple((given.get("REVOIR_PROXIES") or "127.0.0.1,::1").split(",")),
        worker_threads=_count(given, "REVOIR_WORKER_THREADS", 2),
        private_networks=_networks(given.get("REVOIR_PRIVATE_NETWORKS") or ""),
        source_folders=tuple(
            filter(None, (given.get("REVOIR_SOURCE_FOLDERS") or str(data / "drop")).split(","))
        ),
    )


def faults(env: Environment) -> list[Message]:
    """What of these settings is unsafe for an installation that others reach.

    Args:
        env: The settings.

    Returns:
        One sentence a fault, each with its remedy; empty when the settings are sound.
    """
    found = []
    if env.debug and not env.local:
        found.append(msg("REVOIR_DEBUG shows the inside of the program to visitors. Take it away."))
    if not env.tls and not env.local:
        found.append(
            msg(
                "REVOIR_BASE_URL begins with http: passwords would travel unencrypted. Give it an"
                " https address, and put a server that speaks TLS in front."
            )
        )
    if "*" in env.allowed_hosts and not env.local:
        found.append(
            msg("REVOIR_ALLOWED_HOSTS answers to every name. Name the hosts, with commas.")
        )
    if len(env.secret_key) < SECRET_MIN or len(set(env.secret_key)) < 5:
        found.append(
            msg(
                "REVOIR_SECRET_KEY is too short. Give 50 characters that nobody can guess, or take"
                " the variable away: one is made and kept in the data folder."
            )
        )
    return found


def email(url: str) -> dict[str, Any]:
    """Django's e-mail settings for an address.

    Args:
        url: ``smtp://user:password@host:port?tls=1``, ``smtps://…``, ``console:``, ``memory:``
            or ``file:///folder``.

    Returns:
        Settings by name.

    Raises:
        UsageError: There is no such way.
    """
    parts = urlsplit(url)
    backend = "django.core.mail.backends.{}.EmailBackend"
    match parts.scheme:
        case "console":
            return {"EMAIL_BACKEND": backend.format("console")}
        case "memory":
            return {"EMAIL_BACKEND": backend.format("locmem")}
        case "file":
            return {
                "EMAIL_BACKEND": backend.format("filebased"),
                "EMAIL_FILE_PATH": unquote(parts.path),
            }
        case "smtp" | "smtps":
            options = dict(parse_qsl(parts.query))
            secure = parts.scheme == "smtps"
            return {
                "EMAIL_BACKEND": backend.format("smtp"),
                "EMAIL_HOST": parts.hostname or "localhost",
                "EMAIL_PORT": parts.port or (465 if secure else 587 if "tls" in options else 25),
                "EMAIL_HOST_USER": unquote(parts.username or ""),
                "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
                "EMAIL_USE_SSL": secure,
                "EMAIL_USE_TLS": options.get("tls") == "1" and not secure,
                "EMAIL_TIMEOUT": 20,
            }
    raise UsageError(
        msg("REVOIR_EMAIL_URL: “{kind}” is not a way to send e-mail.", kind=parts.scheme),
        remedy=msg("Write smtp://user:password@host:587?tls=1."),
    )


def _default_hosts(host: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((host, *LOOPBACK)))


def _truth(given: Mapping[str, str], name: str) -> bool:
    return (given.get(name) or "").lower() in ("1", "true", "yes", "on")


def _networks(text: str) -> tuple[str, ...]:
    """Networks such as 10.0.0.0/8, with commas."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in found:
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise UsageError(
                msg("REVOIR_PRIVATE_NETWORKS: “{text}” is not a network.", text=part),
                remedy=msg("Write networks like 10.0.0.0/8, with commas."),
            ) from None
    return found


def _count(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(
            msg("{name}: “{text}” is not a count.", name=name, text=text),
            remedy=msg("Give one or more."),
        )
    return int(text)


def uploads(data: Path) -> Path:
    """The folder where files wait while they come in or go out, for the owner alone.

    It is not the system's: that one is in memory in many a container, and large files fill it.

    Args:
        data: The data folder.
    """
    folder = data / "tmp" / "uploads"
    for part in (folder.parent, folder):
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _kept_secret(data: Path) -> str:
    """The key in the data folder; made once, by whichever process comes first."""
    path = data / "secret.key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        data.mkdir(parents=True, exist_ok=True)
    made = data / f"secret.key.{os.getpid()}"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        # A link fails where a rename would replace: of two processes that begin together, one wins.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text(encoding="ascii").strip()
