"""Where a lake lies: a folder or an object store, its tables, and the file that marks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from revoir.errors import EngineError, InputError, UsageError, Where
from revoir.files import whole
from revoir.language import msg
from revoir.tables import TABLES

if TYPE_CHECKING:
    from deltalake import DeltaTable

MARKER = "_revoir.json"
REPLACED = "_replaced"
"""The folder of rows that an upsert put others in place of: undoing it brings them back."""
SAID = "_said"
"""The folder of who said rows again: undoing the batch that brought them leaves them there."""
_BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"})
_ADDRESS = re.compile(r"^https?://[\w.\[\]:-]+(/\S*)?$", re.I)
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]+://", re.I)


def delta() -> Any:
    """The `deltalake` package.

    Raises:
        EngineError: It is not installed.
    """
    try:
        import deltalake
    except ImportError:
        raise EngineError(
            msg("Lakes need the package {package}, which is not installed.", package="deltalake"),
            remedy=msg("Install it: pip install '{package}'.", package="revoir[lake]"),
        ) from None
    return deltalake


def is_lake(location: str | Path) -> bool:
    """Whether a folder is a lake, by its `_revoir.json`; a URL is looked at only when opened."""
    text = str(location)
    if _SCHEME.match(text) and not text.startswith("file://"):
        return False
    return (Path(_folder_of(text)) / MARKER).is_file()


def is_bucket(location: str | Path) -> bool:
    """Whether a location is one of an object store: only a lake can lie there.

    Examples:
        >>> is_bucket("s3://shop/lake"), is_bucket("postgresql://host/shop"), is_bucket("lake")
        (True, False, False)
    """
    return str(location).partition("://")[0].lower() in _BUCKETS and "://" in str(location)


def _folder_of(url: str) -> str:
    return unquote(urlsplit(url).path) if url.startswith("file://") else url


def reason(error: Exception) -> str:
    """What delta-rs says went wrong, in one line: of a chain of errors, the first and the last.

    Examples:
        >>> reason(OSError("Generic S3 error" + chr(10) + " ↳ Forbidden"))
        'Generic S3 error: Forbidden'
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip(" \t↳.") for line in text.splitlines()]
    lines = [line for line in lines if line] or [type(error).__name__]
    return ": ".join(dict.fromkeys((lines[0], lines[-1])))[:300]


@dataclass(frozen=True)
class Place:
    """A folder, or a prefix of an object store.

    Attributes:
        url: The path or URL.
        storage_options: What the object store asks for (keys, region, endpoint): never logged.
    """

    url: str
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @staticmethod
    def at(url: str | Path, storage_options: Mapping[str, str] | None = None) -> Place:
        """The place that a path or URL names.

        Raises:
            UsageError: The path holds a character that Delta tables cannot lie under, or the
                address of the object store is none.
        """
        text = str(url)
        if _SCHEME.match(text) and not text.startswith("file://"):
            options = dict(storage_options or {})
            for name, value in options.items():
                # delta-rs ends the program over an address that is none.
                if "ENDPOINT" in name.upper() and not _ADDRESS.match(value):
                    raise UsageError(
                        msg("{name} is no address.", name=name),
                        remedy=msg("Write it like {example}.", example="https://s3.example.com"),
                    )
            return Place(text.rstrip("/"), options)
        folder = Path(_folder_of(text)).absolute()
        if found := sorted(set(str(folder)) & set("*?[]%")):
            raise UsageError(
                msg("The path of a lake cannot hold {characters}.", characters=" ".join(found)),
                where=Where(file=folder.name),
                remedy=msg("Give the folder another name."),
            )
        return Place(str(folder), dict(storage_options or {}))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return not _SCHEME.match(self.url)

    @property
    def name(self) -> str:
        """What to call it in a message: its last part."""
        return self.url.rstrip("/").rpartition("/")[2]

    def path_of(self, table: str) -> str:
        """Where a table lies."""
        return f"{self.url}/{table}"

    def open(self, table: str, version: int | None = None) -> DeltaTable:
        """Open a table that is there.

        Raises:
            KeyError: There is none.
        """
        package = delta()
        try:
            return package.DeltaTable(  # type: ignore[no-any-return]  # a package loaded late
                self.path_of(table), version=version, storage_options=dict(self.storage_options)
            )
        except package.exceptions.TableNotFoundError:
            raise KeyError(table) from None

    def holds(self, table: str) -> bool:
        """Whether there is a table."""
        if self.is_local:
            return (Path(self.path_of(table)) / "_delta_log").is_dir()
        found: bool = delta().DeltaTable.is_deltatable(
            self.path_of(table), storage_options=dict(self.storage_options)
        )
        return found

    def tables(self) -> list[str]:
        """The canonical tables that are there."""
        return [name for name in TABLES if self.holds(name)]

    def beside(self, table: str) -> list[str]:
        """What is kept beside a canonical table for the sake of undoing, where it is there."""
        return [name for name in (f"{REPLACED}/{table}", f"{SAID}/{table}") if self.holds(name)]

    def files(self, table: DeltaTable, name: str) -> list[str]:
        """The paths of a table's data files, below the lake where it is not a folder.

        `DeltaTable.file_uris` writes them as URLs, where a space or an accent is another name.
        """
        folder = self.path_of(name) if self.is_local else name
        paths = table.get_add_actions(flatten=True).column("path").to_pylist()
        return [f"{folder}/{unquote(path)}" for path in paths]

    def read_marker(self) -> dict[str, Any] | None:
        """What `_revoir.json` says; None where there is none.

        Raises:
            InputError: It cannot be read.
            EngineError: The object store does not answer, or refuses.
        """
        try:
            text = self._read(MARKER)
        except OSError as error:
            if self.is_local:
                raise self._unreadable() from error
            raise EngineError(
                msg("The bucket cannot be read: {why}.", why=reason(error)),
                where=Where(file=self.name),
                remedy=msg(
                    "Check its address, and what it asks for: AWS_…, AZURE_… or GOOGLE_… of the"
                    " environment, or --storage NAME=VALUE of `revoir lake`."
                ),
            ) from error
        try:
            held = json.loads(text) if text is not None else None
        except ValueError as error:
            raise self._unreadable() from error
        if held is not None and not isinstance(held.get("schema_version"), int):
            raise self._unreadable()
        return held

    def _unreadable(self) -> InputError:
        return InputError(
            msg("The file {file} of the lake cannot be read.", file=MARKER),
            where=Where(file=self.name),
            remedy=msg("Restore it from a backup."),
        )

    def write_marker(self, marker: Mapping[str, Any]) -> None:
        """Write `_revoir.json`, whole or not at all.

        Raises:
            UsageError: The folder cannot be written to.
        """
        text = json.dumps(dict(marker), indent=2) + "\n"
        if not self.is_local:
            from deltalake._internal import DeltaFileSystemHandler

            handler: Any = DeltaFileSystemHandler(self.url, dict(self.storage_options))
            stream = handler.open_output_stream(MARKER)
            stream.write(text.encode())
            stream.close()
            return
        folder = Path(self.url)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with whole(folder / MARKER) as draft:
                draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                msg("The lake cannot be written: {why}.", why=error.strerror or str(error)),
                where=Where(file=self.name),
            ) from error

    def _read(self, name: str) -> str | None:
        if self.is_local:
            path = Path(self.url) / name
            return path.read_text(encoding="utf-8") if path.is_file() else None
        from deltalake._internal import DeltaFileSystemHandler

        try:
            handler = DeltaFileSystemHandler(self.url, dict(self.storage_options))
            file = handler.open_input_file(name)
            return file.read(file.size()).decode("utf-8")
        except FileNotFoundError:
            return None
