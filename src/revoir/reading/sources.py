"""From a file, folder, pattern or URL to raw tables."""

from __future__ import annotations

import contextlib
import difflib
import glob
import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from revoir.engines import is_database_url, without_password
from revoir.errors import InputError, UsageError, Where
from revoir.language import Message, msg
from revoir.reading.raw import RawTable
from revoir.reading.scratch import Scratch

if TYPE_CHECKING:
    import duckdb

UNPACKED_LIMIT = 20 << 30
"""Bytes that a compressed file may unpack to."""

_RATIO_LIMIT = 200
_RATIO_FROM = 256 << 20
_CHUNK = 1 << 20
_DATA_SUFFIXES = frozenset(
    [
        ".csv",
        ".tsv",
        ".tab",
        ".txt",
        ".psv",
        ".dat",
        ".xlsx",
        ".xlsm",
        ".xlsb",
        ".xls",
        ".ods",
        ".parquet",
        ".pq",
        ".json",
        ".jsonl",
        ".ndjson",
        ".gz",
        ".zip",
        ".db",
        ".sqlite",
        ".sqlite3",
        ".duckdb",
        ".htm",
        ".html",
    ]
)
_ASIDE_NAMES = frozenset(("readme", "license", "licence", "licence", "notice", "changelog"))
_FOREIGN = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"{\\rtf", "RTF"),
)


def raw_tables(
    locations: Sequence[str | Path],
    connection: duckdb.DuckDBPyConnection,
    *,
    sheet: str | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    progress: Callable[[Message], None] | None = None,
) -> list[RawTable]:
    """Read files and database tables as they are, before anybody says what they mean.

    Args:
        locations: Files, folders, patterns (``orders/*.csv``) and database URLs.
        connection: The DuckDB connection that receives the cells.
        sheet: The only sheet of workbooks that is wanted.
        header: Whether files have a header row; None: look.
        delimiter: What separates the cells of text files; None: look.
        encoding: Encoding of text files; None: look.
        progress: Told what is being read.

    Returns:
        A table for each file, sheet and database table, in the order of the locations.

    Raises:
        InputError: A location cannot be used at all.
        UsageError: An option makes no sense.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(
            msg("The delimiter “{delimiter}” is not one character.", delimiter=delimiter)
        )
    tables: list[RawTable] = []
    aside: list[Message] = []
    with tempfile.TemporaryDirectory(prefix="revoir-") as folder, _in_order(connection):
        scratch = Scratch(connection, Path(folder), sheet, header, delimiter, encoding, progress)
        for location in locations:
            if isinstance(location, str) and is_database_url(location):
                from revoir.reading.databases import read_database

                tables.extend(read_database(location, scratch))
                continue
            if isinstance(location, str) and "://" in location:
                raise _elsewhere(location)
            paths = _paths(Path(location), aside)
            for path in paths:
                scratch.say(msg("Reading {file}…", file=path.name))
                try:
                    tables.extend(read_file(path, path.name, scratch))
                except InputError as error:
                    if len(paths) == 1 or not _is_empty(path):
                        raise
                    aside.append(msg("{file} was left out: {why}", file=path.name, why=error.what))
    if not tables:
        raise InputError(
            msg("There is nothing to read."),
            where=Where(file=", ".join(str(location) for location in locations)),
            remedy=msg("Name a CSV, Excel, Parquet or JSON file."),
        )
    tables[0].notes.extend(aside)
    return tables


def _elsewhere(location: str) -> InputError:
    return InputError(
        msg("This is the address of a file elsewhere, and nothing is fetched."),
        where=Where(file=without_password(location)),
        remedy=msg("Download the file, and name it."),
    )


@contextlib.contextmanager
def _in_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Rows keep the order of the file, which their line numbers stand on."""
    row = connection.execute("select current_setting('preserve_insertion_order')").fetchone()
    kept = bool(row and row[0])
    if not kept:
        connection.execute("set preserve_insertion_order = true")
    try:
        yield
    finally:
        if not kept:
            connection.execute("set preserve_insertion_order = false")


def _is_empty(path: Path) -> bool:
    with path.open("rb") as source:
        return not source.read(_CHUNK).strip(b"\0\r\n\t \x1a\xef\xbb\xbf\xff\xfe")


def _paths(location: Path, aside: list[Message]) -> list[Path]:
    """The files that a location names."""
    name = location.name or str(location)
    if location.is_dir():
        found = [
            path
            for path in sorted(location.rglob("*"))
            if path.is_file()
            and not any(p.startswith(".") for p in path.relative_to(location).parts)
        ]
        data = [path for path in found if _is_data(path)]
        if not data:
            raise InputError(
                msg("The folder holds no file that can be read."),
                where=Where(file=name),
                remedy=msg("Name a CSV, Excel, Parquet or JSON file."),
            )
        aside.extend(
            msg("{file} was left out: it is no table.", file=path.name)
            for path in found
            if path not in set(data)
        )
        return data
    if location.exists():
        return [location]
    if glob.has_magic(str(location)):
        matches = [Path(match) for match in sorted(glob.glob(str(location), recursive=True))]  # noqa: PTH207 (absolute patterns)
        files = [path for path in matches if path.is_file()]
        if files:
            return files
        raise InputError(
            msg("No file matches this pattern."),
            where=Where(file=str(location)),
            remedy=msg("Check the folder and the pattern."),
        )
    raise _missing(location)


def _is_data(path: Path) -> bool:
    return path.suffix.lower() in _DATA_SUFFIXES and path.stem.lower() not in _ASIDE_NAMES


def _missing(location: Path) -> InputError:
    beside: list[str] = []
    if location.parent.is_dir():
        with contextlib.suppress(OSError):
            beside = [path.name for path in location.parent.iterdir()]
    near = difflib.get_close_matches(location.name, beside, n=1)
    remedy = msg("Did you mean “{file}”?", file=near[0]) if near else msg("Check the path.")
    return InputError(msg("There is no such file."), where=Where(file=str(location)), remedy=remedy)


def read_file(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Read one file by what it is, whatever its name says.

    Args:
        path: The file.
        file: Its name for messages.
        scratch: Connection, temporary folder and what the user said.

    Returns:
        Its tables.

    Raises:
        InputError: It cannot be used at all.
    """
    try:
        with path.open("rb") as source:
            head = source.read(4096)
    except PermissionError as error:
        raise InputError(
            msg("You may not read this file."),
            where=Where(file=file),
            remedy=msg("Ask its owner for the right to read it, or copy it."),
        ) from error
    except OSError as error:
        raise InputError(
            msg("The file cannot be opened: {error}.", error=error.strerror or str(error)),
            where=Where(file=file),
            remedy=msg("Check the path."),
        ) from error
    return _by_content(path, file, head, scratch)


def _by_content(path: Path, file: str, head: bytes, scratch: Scratch) -> list[RawTable]:
    if head.startswith(b"\x1f\x8b"):
        return read_file(_unpacked(path, file, scratch), file, scratch)
    if head.startswith(b"PK\x03\x04"):
        return _zip(path, file, scratch)
    if head.startswith(b"PAR1"):
        from revoir.reading.structured import read_parquet

        return read_parquet(path, file, scratch)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        from revoir.reading.sheets import read_workbook

        return read_workbook(path, file, scratch)
    if head.startswith(b"SQLite format 3\0") or head[8:12] == b"DUCK":
        from revoir.reading.databases import read_database_file

        scheme = "sqlite" if head.startswith(b"SQLite") else "duckdb"
        return read_database_file(path, file, scratch, scheme=scheme)
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise InputError(
                msg("This is a {format} file, not a table.", format=name),
                where=Where(file=file),
                remedy=msg("Name a CSV, Excel, Parquet or JSON file."),
            )
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<head", b"<body")):
        from revoir.reading.html import read_html

        return read_html(path, file, scratch)
    if _is_json(text, path):
        from revoir.reading.structured import read_json

        return read_json(path, file, scratch)
    from revoir.reading.text import read_text

    return read_text(path, file, scratch)


def _is_json(text: bytes, path: Path) -> bool:
    named = ".json" in path.suffixes or path.suffix in (".jsonl", ".ndjson")
    if text.startswith(b"{"):
        return named or text[1:].lstrip()[:1] in (b'"', b"}")
    if text.startswith(b"["):
        return named or text[1:].lstrip()[:1] in (b"{", b"]")
    return named and bool(text)


def _unpacked(path: Path, file: str, scratch: Scratch) -> Path:
    """A gzip file unpacked, unless it is a bomb."""
    # The name below .gz says what is inside.
    target = scratch.file(Path(path.name.removesuffix(".gz")).suffix or ".txt")
    packed = path.stat().st_size
    size = 0
    try:
        with gzip.open(path, "rb") as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > UNPACKED_LIMIT or (size > _RATIO_FROM and size > _RATIO_LIMIT * packed):
                    raise _bomb(file, size)
                out.write(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            msg("The compressed file is damaged or cut off."),
            where=Where(file=file),
            remedy=msg("Fetch or export it again."),
        ) from error
    return target


def _bomb(file: str, size: int) -> InputError:
    return InputError(
        msg("The file unpacks to more than {size} MB.", size=size >> 20),
        where=Where(file=file),
        remedy=msg("Do not trust it; unpack it yourself if you know what it is."),
    )


def _zip(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """A workbook, or the tables in an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.startswith("xl/") or name == "content.xml" for name in names):
                from revoir.reading.sheets import read_workbook

                return read_workbook(path, file, scratch)
            return _archive(archive, path, file, scratch)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise InputError(
            msg("The compressed file is damaged or cut off."),
            where=Where(file=file),
            remedy=msg("Fetch or export it again."),
        ) from error


def _archive(archive: zipfile.ZipFile, path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    tables: list[RawTable] = []
    packed = path.stat().st_size
    size = 0
    for info in archive.infolist():
        inside = Path(info.filename)
        if info.is_dir() or not _is_data(inside) or inside.suffix in (".zip", ".gz"):
            continue
        # Never the member's own path: "../" in it would leave the folder.
        target = scratch.file(inside.suffix)
        with archive.open(info) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > UNPACKED_LIMIT or (size > _RATIO_FROM and size > _RATIO_LIMIT * packed):
                    raise _bomb(file, size)
                out.write(chunk)
        tables.extend(read_file(target, inside.name, scratch))
    if not tables:
        raise InputError(
            msg("The archive holds no file that can be read."),
            where=Where(file=file),
            remedy=msg("Name a CSV, Excel, Parquet or JSON file."),
        )
    return tables
