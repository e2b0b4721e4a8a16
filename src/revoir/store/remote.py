"""How DuckDB reads files of an object store: through delta-rs, without an extension of its own.

A PyArrow dataset would do but for one thing: delta-rs writes text as Arrow's `string_view` when it
merges, and the filters that DuckDB hands down to a dataset fail on it. Through a file system,
DuckDB reads the same bytes with its own reader: the columns and row groups that it needs.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from revoir.errors import EngineError
from revoir.language import msg
from revoir.store.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibis.backends.duckdb import Backend as DuckDBBackend


def reachable(place: Place, files: Sequence[str], backend: DuckDBBackend) -> list[str]:
    """Let a DuckDB backend read the files of an object store.

    Args:
        place: The lake.
        files: Paths below it.
        backend: The backend.

    Returns:
        The names under which it reads them.

    Raises:
        EngineError: The package `fsspec` is not installed.
    """
    protocol = f"lake{secrets.token_hex(6)}"
    backend.con.register_filesystem(_file_system(place, protocol))
    return [f"{protocol}://{file}" for file in files]


def _file_system(place: Place, name: str) -> Any:
    try:
        from fsspec.implementations.arrow import ArrowFSWrapper
    except ImportError:
        raise EngineError(
            msg("Lakes need the package {package}, which is not installed.", package="fsspec"),
            remedy=msg("Install it: pip install '{package}'.", package="revoir[lake]"),
        ) from None
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    class Files(ArrowFSWrapper):  # type: ignore[misc]  # fsspec is untyped
        """The files of one lake, by paths below it."""

        protocol = name
        cachable = False

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return path.partition("://")[2] or path

    handler = DeltaStorageHandler(place.url, dict(place.storage_options))
    return Files(PyFileSystem(handler))
