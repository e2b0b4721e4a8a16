"""Copies of an installation: database, lake, files and secret in one file, checked by hashes.

The database is read in its own consistent way while people work: SQLite's online backup, or COPY
inside one snapshot of PostgreSQL. Until the logs of the lake and the files of imports are copied
too, nothing that waits in the database is brought into the lake: what waits in the copy is not in
its lake, and lands once. Events are taken all the while. The files that the logs name are copied
after that: nobody changes them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO, Any

from revoir.errors import InputError, UsageError, Where
from revoir.language import msg

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_SQLITE = "database/revoir.sqlite3"


@dataclass(frozen=True)
class Copy:
    """What a backup holds.

    Attributes:
        path: The file.
        files: How many files are in it.
        size: Its size in bytes.
        rows: Rows in all tables of the database.
    """

    path: Path
    files: int
    size: int
    rows: int


def back_up(target: Path) -> Copy:
    """Write a backup of this installation; people may go on working meanwhile.

    Args:
        target: The file to write; it must not exist yet.

    Returns:
        What was written.

    Raises:
        UsageError: The file exists already.
    """
    from django.conf import settings
    from django.db import connection

    from revoir_web.common import temporary
    from revoir_web.consents import ledger

    if target.exists():
        raise UsageError(
            msg("This file exists already."),
            where=Where(file=target.name),
            remedy=msg("Give another name."),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.empty()
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:12]}.part")
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": metadata.version("revoir"),
        "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "engine": connection.vendor,
        "lake": _lake_kind(str(settings.LAKE)),
        "files": {},
        "rows": {},
    }
    with temporary.folder("draft", draft=part):
        _write(part, manifest)
        part.rename(target)
    ledger.copy_beside(target)
    rows = sum(manifest["rows"].values())
    return Copy(target, len(manifest["files"]), target.stat().st_size, rows)


def _write(part: Path, manifest: dict[str, Any]) -> None:
    from django.conf import settings

    from revoir_web.common.locks import only_one
    from revoir_web.consents import ledger
    from revoir_web.ingest.lake import INBOX, LOCK

    data, lake = Path(settings.DATA), Path(settings.LAKE)
    in_lake: list[Path] = []
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(descriptor, "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        held = _Writer(archive, manifest["files"])
        with only_one(INBOX), only_one(LOCK):
            manifest["rows"] = _write_database(held)
            if manifest["lake"] == "folder":
                in_lake = held.logs(lake, "lake")
            held.folder(data / "imports", "imports", but="spill")
        held.paths(in_lake, lake, "lake")
        held.folder(data / "files", "files")
        if (data / "secret.key").exists():
            held.file(data / "secret.key", "secret.key")
        if ledger.path().exists():
            held.file(ledger.path(), ledger.NAME)
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))


def check(source: Path) -> dict[str, Any]:
    """Read a backup through and compare every file with its hash.

    Args:
        source: The backup.

    Returns:
        Its manifest.

    Raises:
        InputError: It is no backup, or is damaged.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
            if manifest["format"] > FORMAT:
                raise _unusable(source, later=True)
            names = set(archive.namelist()) - {MANIFEST}
            if names != set(manifest["files"]) or not all(map(_inside, names)):
                raise _unusable(source)
            for name, facts in manifest["files"].items():
                with archive.open(name) as file:
                    if _hash(file) != facts["sha256"]:
                        raise _unusable(source)
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise _unusable(source) from error
    return manifest


def unpack(
    source: Path, data: Path, lake: str | None, erasures: Iterable[Path] = ()
) -> dict[str, Any]:
    """Put the files of a backup into an empty data folder; the database comes by `load`.

    Args:
        source: The backup.
        data: The folder; absent, or empty but for a list of erasures.
        lake: Folder of the lake (None: inside the data folder).
        erasures: Lists of erasures besides those in the folder, in the backup and beside it.

    Returns:
        The manifest, with `erasures_known`: whether there was a list besides the backup's own.

    Raises:
        InputError: It is no backup, or is damaged; nothing was written.
        UsageError: The folder holds something.
    """
    from revoir_web.consents import ledger

    manifest = check(source)
    if data.exists() and any(path.name != ledger.NAME for path in data.iterdir()):
        raise UsageError(
            msg(
                "The folder {folder} is not empty: a backup never replaces data.", folder=data.name
            ),
            remedy=msg("Give another folder, or move this one away."),
        )
    place = Path(lake) if lake else data / "lake"
    if place.exists() and any(place.iterdir()):
        raise UsageError(
            msg("The lake is not empty: a backup never replaces data."),
            remedy=msg("Give another folder, or move this one away."),
        )
    lines, known = ledger.gather(source, [data / ledger.NAME, *erasures])
    data.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        for name in manifest["files"]:
            top, _, rest = name.partition("/")
            # The parts of a PostgreSQL database stay inside until `load` reads them.
            if top == "database" and name != _SQLITE:
                continue
            path = place / rest if top == "lake" else data / _name_in_data(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with archive.open(name) as packed, os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(packed, file, _CHUNK)
    ledger.keep(data, lines)
    return {**manifest, "erasures_known": known}


def load(source: Path, manifest: dict[str, Any]) -> None:
    """Bring the database of a backup in, and make sure that every row is there.

    Args:
        source: The backup, unpacked into the data folder that Django is set up on.
        manifest: As `unpack` gave it.

    Raises:
        UsageError: The backup is of another kind of database, or this one holds something.
        InputError: Rows are missing.
    """
    from django.db import connection

    if manifest["engine"] != connection.vendor:
        raise UsageError(
            msg(
                "This backup is of {held}, and REVOIR_DATABASE_URL is of {here}.",
                held=manifest["engine"],
                here=connection.vendor,
            ),
            remedy=msg("Give a database of the same kind."),
        )
    if connection.vendor == "postgresql":
        _load_postgresql(source)
    if _counts() != manifest["rows"]:
        raise InputError(msg("Rows are missing: the backup was not brought in whole."))


class _Writer:
    """Adds files to an archive and notes their hash."""

    def __init__(self, archive: zipfile.ZipFile, files: dict[str, Any]) -> None:
        self._archive = archive
        self._files = files

    def stream(self, name: str, chunks: Iterable[bytes]) -> None:
        """Add what comes in pieces."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as packed:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                packed.write(chunk)
        self._files[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def file(self, path: Path, name: str) -> None:
        """Add a file."""
        with path.open("rb") as file:
            self.stream(name, iter(lambda: file.read(_CHUNK), b""))

    def folder(self, folder: Path, name: str, *, but: str = "") -> None:
        """Add every file of a folder, but for folders of one name."""
        self.paths(
            [path for path in _files(folder) if but not in path.relative_to(folder).parts],
            folder,
            name,
        )

    def logs(self, lake: Path, name: str) -> list[Path]:
        """Add the logs of a lake, and tell which files there are besides."""
        # What a Delta log names was written before it: the logs are copied first, so that
        # nothing in the copy names a file that came too late for it.
        logs = [path for path in _files(lake) if "_delta_log" in path.parts]
        self.paths(logs, lake, name)
        return [path for path in _files(lake) if "_delta_log" not in path.parts]

    def paths(self, paths: Iterable[Path], folder: Path, name: str) -> None:
        """Add files of a folder; those that others remove meanwhile are left out."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                self.file(path, f"{name}/{path.relative_to(folder).as_posix()}")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _write_database(held: _Writer) -> dict[str, int]:
    from django.db import connection

    if connection.vendor == "postgresql":
        return _write_postgresql(held)
    import sqlite3  # by now settings have put the sound one in the place of the system's

    from revoir_web.common import temporary

    with temporary.folder("backup") as folder:
        path = folder / "copy.sqlite3"
        connection.ensure_connection()
        live: Any = connection.connection
        copy = sqlite3.connect(path)
        with contextlib.closing(copy):
            live.backup(copy)
            if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise InputError(msg("The database is damaged: restore an earlier backup."))
            rows = {
                name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in _tables()
            }
        held.file(path, _SQLITE)
    return rows


def _write_postgresql(held: _Writer) -> dict[str, int]:
    from django.db import connection, transaction

    rows = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name in _tables():
            columns = _columns(cursor, name)
            listed = ", ".join(f'"{column}"' for column in columns)
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            rows[name] = cursor.fetchone()[0]

            def pieces(text: str = f'COPY "{name}" ({listed}) TO STDOUT') -> Iterator[bytes]:
                with cursor.cursor.copy(text) as copy:
                    for piece in copy:
                        yield bytes(piece)

            held.stream(f"database/{name}.columns", [json.dumps(columns).encode()])
            held.stream(f"database/{name}.copy", pieces())
    return rows


def _load_postgresql(source: Path) -> None:
    from django.core.management import call_command
    from django.db import connection, transaction

    if connection.introspection.table_names():
        raise UsageError(
            msg("The database is not empty: a backup never replaces data."),
            remedy=msg("Give an empty database in REVOIR_DATABASE_URL."),
        )
    with zipfile.ZipFile(source) as archive:
        _migrate_to(_applied(archive))
        call_command("createcachetable", verbosity=0)
        held = {
            name.removeprefix("database/").removesuffix(".copy")
            for name in archive.namelist()
            if name.startswith("database/") and name.endswith(".copy")
        }
        # Foreign keys are checked at the end of a transaction: the order of tables is free.
        with transaction.atomic(), connection.cursor() as cursor:
            emptied = ", ".join(f'"{name}"' for name in sorted(held & set(_tables())))
            cursor.execute(f"TRUNCATE {emptied} CASCADE")
            for name in sorted(held):
                columns = json.loads(archive.read(f"database/{name}.columns"))
                listed = ", ".join(f'"{column}"' for column in columns)
                with (
                    archive.open(f"database/{name}.copy") as packed,
                    cursor.cursor.copy(f'COPY "{name}" ({listed}) FROM STDIN') as copy,
                ):
                    while piece := packed.read(_CHUNK):
                        copy.write(piece)
            _set_sequences(cursor, held)


def _applied(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """The migrations that the copied database had."""
    columns = json.loads(archive.read("database/django_migrations.columns"))
    lines = archive.read("database/django_migrations.copy").decode().splitlines()
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]
    return [(row["app"], row["name"]) for row in rows]


def _migrate_to(applied: list[tuple[str, str]]) -> None:
    """Make the tables as they were when the copy was made."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    known = executor.loader.graph.nodes
    if any(node not in known for node in applied):
        raise UsageError(
            msg("This backup was made by a later version of Revoir."),
            remedy=msg("Install that version first."),
        )
    executor.migrate(applied)


def _set_sequences(cursor: Any, names: Iterable[str]) -> None:
    for name in names:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = %s AND is_identity = 'YES'",
            [name],
        )
        for (column,) in cursor.fetchall():
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('\"{name}\"', %s),"
                f' (SELECT coalesce(max("{column}"), 0) + 1 FROM "{name}"), false)',
                [column],
            )


def _tables() -> list[str]:
    """The tables of the database, but for what can be made again and is of one moment."""
    from django.db import connection

    left_out = {"revoir_cache"}
    return sorted(set(connection.introspection.table_names()) - left_out)


def _columns(cursor: Any, name: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position",
        [name],
    )
    return [row[0] for row in cursor.fetchall()]


def _counts() -> dict[str, int]:
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for name in _tables():
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            found[name] = cursor.fetchone()[0]
    return found


def _name_in_data(name: str) -> str:
    return "revoir.sqlite3" if name == _SQLITE else name


def _lake_kind(lake: str) -> str:
    return "bucket" if "://" in lake and not lake.startswith("file://") else "folder"


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _hash(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _unusable(source: Path, *, later: bool = False) -> InputError:
    if later:
        return InputError(
            msg("This backup was made by a later version of Revoir."),
            where=Where(file=source.name),
            remedy=msg("Install that version first."),
        )
    return InputError(
        msg("This file is no backup of Revoir, or it is damaged."),
        where=Where(file=source.name),
        remedy=msg("Take another copy of it."),
    )
