"""Asking sources for what is new: a folder, an SFTP server, a web address, a SQL database."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from revoir.errors import RevoirError, UsageError
from revoir.language import Message, msg
from revoir_web.common import jobs, temporary, words
from revoir_web.ingest import actions, called, outside, vault, webhooks
from revoir_web.ingest.models import Import, Source, SourceFile

if TYPE_CHECKING:
    import paramiko

BYTES_MAX = 5 << 30
SECONDS = 1800.0
_CONNECT_SECONDS = 20.0
_DATABASES = ("postgresql", "postgres", "mysql", "mssql", "oracle", "snowflake", "clickhouse",
              "trino")  # fmt: skip
Progress = Callable[[Message], None]


@dataclass(frozen=True)
class Found:
    """A file of a source that was not fetched yet, and now is.

    Attributes:
        name: What it is called.
        mark: Tells this content from the next of the same name.
        path: Where its copy lies.
        shown: What it is called here: without what names somebody who was erased.
    """

    name: str
    mark: str
    path: Path
    shown: str

    @property
    def known_by(self) -> str:
        """What tells that it was fetched: never a name that is not shown."""
        return self.name[:500] if self.shown == self.name else called.hash_of(self.name[:500])


def fetch(pk: int, progress: Progress) -> dict[str, Any]:
    """Ask a source for what is new, and have it imported.

    Args:
        pk: The source.
        progress: Told what is being done.

    Returns:
        How many files were found, and the import.

    Raises:
        RevoirError: It could not be asked; it says so on its page too.
    """
    source = Source.objects.filter(pk=pk).first()
    if source is None:
        return {}
    try:
        held: Import | None = None
        if source.kind == Source.Kind.DATABASE:
            held, count = _database(source), 1
        else:
            held, count = _files(source, progress)
    except (RevoirError, outside.Unreachable, OSError) as error:
        if isinstance(error, OSError):  # a folder that may not be read, a disk that is full
            why = error.strerror or type(error).__name__
            error = outside.Unreachable(msg("It could not be reached: {why}.", why=why))
        sentence = error.why if isinstance(error, outside.Unreachable) else jobs._sentence(error)
        with transaction.atomic():
            Source.objects.filter(pk=pk).update(
                last_run_at=timezone.now(), last_error=words.to_json(sentence)
            )
            webhooks.tell("source.failed", {"source": source.name})
        if isinstance(error, RevoirError):
            raise
        raise UsageError(error.why, remedy=msg("It is asked again at its next time.")) from error
    Source.objects.filter(pk=pk).update(
        last_run_at=timezone.now(), last_error=None, last_found=count
    )
    return {"files": count, "import": str(held.pk) if held else None}


def _files(source: Source, progress: Progress) -> tuple[Import | None, int]:
    walk = {
        Source.Kind.FOLDER: _folder,
        Source.Kind.SFTP: _sftp,
        Source.Kind.URL: _url,
    }[Source.Kind(source.kind)]
    with temporary.folder("fetch") as folder:
        # An empty file, such as a till's on a day of rest, brings nothing and stops nobody.
        filled = (file for file in walk(source, folder, progress) if file.path.stat().st_size)
        found = list(islice(filled, actions.FILES_MAX))
        if not found:
            return None, 0
        held = actions.begin(
            origin=Import.Origin.SOURCE, by=source.created_by, source=source,
            lands_by_itself=source.lands_by_itself,
        )  # fmt: skip
        try:
            for file in found:
                actions.add_file(held=held, name=file.shown, content=file.path)
        except BaseException:
            # It is asked again: what was copied must not stay each time.
            actions.give_up(held=held)
            raise
    with transaction.atomic():
        if len(found) == actions.FILES_MAX:  # there may be more
            jobs.enqueue("ingest.fetch", arguments={"source": source.pk})
        SourceFile.objects.bulk_create(
            [SourceFile(source=source, name=f.known_by, mark=f.mark) for f in found],
            ignore_conflicts=True,
        )
        actions.read(held=held, by=source.created_by)
    return held, len(found)


def _is_new(source: Source, name: str, mark: str) -> bool:
    names = (name[:500], called.hash_of(name[:500]))
    return not SourceFile.objects.filter(source=source, name__in=names, mark=mark).exists()


def _wanted(source: Source, name: str) -> bool:
    plain = name.rpartition("/")[2]
    patterns = [part.strip() for part in (source.pattern or "*").split(",") if part.strip()]
    return not plain.startswith(".") and any(fnmatch.fnmatch(plain, p) for p in patterns)


# -- A folder of the server ---------------------------------------------------------------------
def folder_of(location: str) -> Path:
    """The folder that a source names, if sources may read it.

    Raises:
        UsageError: It is outside the folders that whoever runs Revoir has opened.
    """
    allowed = [Path(text).resolve() for text in settings.SOURCE_FOLDERS]
    path = (allowed[0] / location).resolve()
    if not any(path == root or root in path.parents for root in allowed):
        raise UsageError(
            msg("Sources cannot read the folder “{path}”.", path=location),
            remedy=msg(
                "Put the files below {folder}, or have REVOIR_SOURCE_FOLDERS name the folder.",
                folder=str(allowed[0]),
            ),
        )
    return path


def _folder(source: Source, target: Path, progress: Progress) -> Iterator[Found]:
    root = folder_of(source.location)
    if not root.is_dir():
        raise UsageError(
            msg("There is no folder “{path}”.", path=source.location),
            remedy=msg("Make it, or correct its path."),
        )
    for path in sorted(root.iterdir()):
        if not path.is_file() or path.is_symlink() or not _wanted(source, path.name):
            continue
        held = path.stat()
        # A file that is still being written is left for the next time.
        if time.time() - held.st_mtime < settings.SOURCE_SETTLE_SECONDS:
            continue
        mark = f"{held.st_size}:{held.st_mtime_ns}"
        if _is_new(source, path.name, mark):
            shown = called.shown(source, path.name)
            progress(msg("Reading {file}…", file=shown))
            yield Found(path.name, mark, path, shown)


# -- A web address ----------------------------------------------------------------------------
def _url(source: Source, target: Path, progress: Progress) -> Iterator[Found]:
    headers = {}
    if source.user_name or source.secret:
        pair = f"{source.user_name}:{vault.opened(source.secret) if source.secret else ''}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    progress(msg("Asking {host}…", host=urlsplit(source.location).hostname or ""))
    copy = target / "download"
    digest, size = hashlib.sha256(), 0
    with outside.ask("GET", source.location, headers=headers, seconds=SECONDS) as answer:
        if answer.status != 200:
            raise outside.Unreachable(msg("It answered {status}.", status=str(answer.status)))
        with copy.open("wb") as file:
            for chunk in answer.body:
                size += len(chunk)
                if size > BYTES_MAX:
                    raise outside.Unreachable(msg("The file is larger than 5 GB."))
                digest.update(chunk)
                file.write(chunk)
        name = PurePosixPath(urlsplit(answer.url).path).name or "download"
    if _is_new(source, name, digest.hexdigest()):
        yield Found(name, digest.hexdigest(), copy, called.shown(source, name))


# -- SFTP -----------------------------------------------------------------------------------------
def sftp_place(location: str) -> tuple[str, int, str]:
    """Host, port and folder of ``sftp://host:port/folder`` or ``host/folder``.

    Raises:
        UsageError: It names no host.
    """
    try:
        parts = urlsplit(location if "://" in location else f"sftp://{location}")
        port = parts.port or 22
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "sftp" or not parts.hostname or parts.password:
        raise UsageError(
            msg("This is no address of an SFTP server."),
            remedy=msg("Write it like sftp://host:22/folder, without a password."),
        )
    return parts.hostname, port, parts.path or "."


def key_of(location: str) -> str:
    """The key that an SFTP server shows, to be compared and then kept.

    Returns:
        Its kind and base64, as known_hosts has them.
    """
    import paramiko

    host, port, _path = sftp_place(location)
    with _transport(host, port) as transport:
        try:
            transport.start_client(timeout=_CONNECT_SECONDS)
        except (paramiko.SSHException, EOFError, OSError):
            raise outside.Unreachable(msg("It does not speak SFTP.")) from None
        key = transport.get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"


def fingerprint(key: str) -> str:
    """A server's key in the short form that people compare."""
    try:
        raw = base64.b64decode(key.split()[1])
    except (IndexError, ValueError):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


@contextmanager
def _transport(host: str, port: int) -> Iterator[paramiko.Transport]:
    import socket

    import paramiko

    address = outside.checked(host, port)
    try:
        plain = socket.create_connection((address, port), _CONNECT_SECONDS)
    except OSError as error:
        raise outside.Unreachable(
            msg("It could not be reached: {why}.", why=error.strerror or type(error).__name__)
        ) from None
    transport = paramiko.Transport(plain)
    transport.banner_timeout = _CONNECT_SECONDS
    try:
        yield transport
    finally:
        transport.close()
        plain.close()


def _sftp(source: Source, target: Path, progress: Progress) -> Iterator[Found]:
    import paramiko

    host, port, folder = sftp_place(source.location)
    if not source.host_key:
        raise UsageError(
            msg("The key of the server is not known yet."),
            remedy=msg("Open the source, compare the key with the one of the server, and keep it."),
        )
    progress(msg("Asking {host}…", host=host))
    until = time.monotonic() + SECONDS
    try:
        with _transport(host, port) as transport:
            transport.start_client(timeout=_CONNECT_SECONDS)
            key = transport.get_remote_server_key()
            if f"{key.get_name()} {key.get_base64()}" != source.host_key.strip():
                raise UsageError(
                    msg("The server shows another key than the one that was kept."),
                    remedy=msg(
                        "Ask whoever runs it: it may be another server. Then keep the new key."
                    ),
                )
            transport.auth_password(source.user_name, vault.opened(source.secret))
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None
            client.get_channel().settimeout(_CONNECT_SECONDS)
            for entry in sorted(client.listdir_attr(folder), key=lambda held: held.filename):
                if not stat.S_ISREG(entry.st_mode or 0) or not _wanted(source, entry.filename):
                    continue
                # A file that is still being written is left for the next time.
                if time.time() - (entry.st_mtime or 0) < settings.SOURCE_SETTLE_SECONDS:
                    continue
                mark = f"{entry.st_size}:{entry.st_mtime}"
                if not _is_new(source, entry.filename, mark):
                    continue
                shown = called.shown(source, entry.filename)
                progress(msg("Fetching {file}…", file=shown))
                # Never the server's own name: "../" in it would leave the folder.
                copy = target / hashlib.sha256(entry.filename.encode()).hexdigest()
                if _copy(client, f"{folder.rstrip('/')}/{entry.filename}", entry, copy, until):
                    yield Found(entry.filename, mark, copy, shown)
    except paramiko.AuthenticationException:
        raise UsageError(
            msg("The server does not accept the user name or the password."),
            remedy=msg("Correct them on the page of the source."),
        ) from None
    except FileNotFoundError:
        raise UsageError(
            msg("There is no folder “{path}”.", path=folder),
            remedy=msg("Correct the path of the source."),
        ) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise outside.Unreachable(
            msg("It could not be reached: {why}.", why=type(error).__name__)
        ) from None


def _copy(
    client: paramiko.SFTPClient,
    path: str,
    entry: paramiko.SFTPAttributes,
    copy: Path,
    until: float,
) -> bool:
    """Copy a file, and tell whether it stayed as it was all the while."""
    size = 0
    try:
        with client.open(path, "rb") as remote, copy.open("wb") as file:
            remote.prefetch()
            while chunk := remote.read(1 << 16):
                size += len(chunk)
                if size > BYTES_MAX or time.monotonic() > until:
                    raise outside.Unreachable(msg("The file is too large, or comes too slowly."))
                file.write(chunk)
        after = client.stat(path)
    except FileNotFoundError:
        return False
    # The server's clock may be wrong: how old a file seems to be is not enough.
    return (size, after.st_size, after.st_mtime) == (entry.st_size, entry.st_size, entry.st_mtime)


# -- A SQL database -----------------------------------------------------------------------------
def database_url(source: Source) -> str:
    """The URL that the reader takes: with user, password and query.

    Raises:
        UsageError: It is no database on a server, or leads inside a network.
    """
    try:
        parts = urlsplit(source.location)
        port = parts.port or 5432
    except ValueError:
        parts, port = urlsplit(""), 0
    scheme = parts.scheme.partition("+")[0]
    if scheme not in _DATABASES or not parts.hostname or parts.password:
        raise UsageError(
            msg("This is no address of a database server."),
            remedy=msg("Write it like postgresql://host:5432/shop, without user and password."),
        )
    _held_to(parts, outside.checked(parts.hostname, port))
    user = quote(source.user_name, safe="")
    secret = f":{quote(vault.opened(source.secret), safe='')}" if source.secret else ""
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{user}{secret}@{host}" if user else host
    url = urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    asked = source.query.strip()
    if not asked:
        return url
    kind = "query" if len(asked.split()) > 1 else "table"
    return f"{url}?{kind}={quote(asked)}"


def checked_again(url: str) -> str:
    """Look once more, directly before it is connected to, where the host of a database is.

    Args:
        url: As `database_url` gave it: some time ago, and its name may lead elsewhere by now.

    Returns:
        The URL to connect to, held to the very address that was looked at.

    Raises:
        UsageError: The host leads inside a network, there is none of this name, or its driver
            would look for it once more.
    """
    # What is asked for stays at the end: a query takes all that follows it.
    base, _mark, asked = url.partition("?")
    parts = urlsplit(base)
    try:
        address = outside.checked(parts.hostname or "", parts.port or 5432)
    except outside.Unreachable as error:
        raise UsageError(error.why, remedy=msg("Correct the address.")) from None
    held = _held_to(parts, address)
    return held + (f"{'&' if '?' in held else '?'}{asked}" if asked else "")


def _held_to(parts: SplitResult, address: str) -> str:
    """The URL of a database with the only address to connect to.

    A name may lead elsewhere when a driver looks for it, however shortly after we did.

    Raises:
        UsageError: The driver of such databases takes no address beside a name.
    """
    scheme, url = parts.scheme.partition("+")[0], urlunsplit(parts)
    if scheme in ("postgresql", "postgres"):
        return f"{url}?hostaddr={address}"
    if parts.hostname == address:
        return url
    if scheme == "mysql":
        who, at, _host = parts.netloc.rpartition("@")
        place = f"[{address}]" if ":" in address else address
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit(parts._replace(netloc=f"{who}{at}{place}{port}"))
    raise UsageError(
        msg("The name of a database of the kind “{kind}” is not believed.", kind=scheme),
        remedy=msg("Write the address of its server, such as {address}.", address=address),
    )


def _database(source: Source) -> Import:
    try:
        url = database_url(source)
    except outside.Unreachable as error:
        raise UsageError(error.why, remedy=msg("Correct the address.")) from None
    with transaction.atomic():
        held = actions.begin(
            origin=Import.Origin.SOURCE, by=source.created_by, source=source,
            lands_by_itself=source.lands_by_itself,
        )  # fmt: skip
        held.location = vault.closed(url)
        held.title = source.name
        held.save()
        actions.read(held=held, by=source.created_by)
    return held
