"""One door to every engine: a URL goes in, an Ibis backend comes out."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from revoir.engines.upstream import restore_duckdb_names
from revoir.errors import EngineError, Where
from revoir.language import Message, msg

if TYPE_CHECKING:
    from ibis.backends import BaseBackend
    from ibis.backends.duckdb import Backend as DuckDBBackend

_DUCKDB_SETTINGS = {
    # Nothing is downloaded at run time: parquet, json and icu are inside the wheel.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}
_EXTRAS = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "pyspark": "spark",
    "spark": "spark",
}
_CREDENTIALS = re.compile(r"(?P<scheme>^[a-z0-9+.-]+://)(?P<user>[^/?#]*?):(?P<secret>.*)@", re.I)
_SECRET_PARAMETERS = re.compile(
    r"(?P<name>[?&][^=&]*(?:password|passwd|pwd|token|secret|key)[^=&]*=)(?P<secret>[^&#]*)", re.I
)


def memory(
    memory_limit: str | None = None, threads: int | None = None, **settings: Any
) -> DuckDBBackend:
    """Open the in-memory DuckDB that all reading uses.

    It never downloads an extension, its time zone is UTC, and what does not fit in memory
    goes to a folder of its own that is removed with it.

    Args:
        memory_limit: Largest memory it takes, such as ``"4GB"`` (None: DuckDB's own, 80 %).
        threads: How many threads it runs (None: one a core).
        settings: Further DuckDB settings.

    Returns:
        The Ibis backend; its ``con`` is the DuckDB connection.

    Examples:
        >>> memory(threads=1).raw_sql("select 6 * 7").fetchall()
        [(42,)]
    """
    import ibis

    restore_duckdb_names()
    spill = tempfile.mkdtemp(prefix="revoir-")
    config: dict[str, Any] = {**_DUCKDB_SETTINGS, "temp_directory": spill, **settings}
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    if threads is not None:
        config["threads"] = threads
    backend = ibis.duckdb.connect(**config)
    # It would be written to standard output, amid the answer.
    backend.con.execute("SET enable_progress_bar = false").fetchall()
    weakref.finalize(backend, shutil.rmtree, spill, ignore_errors=True)
    return backend


def connect(url: str, **options: Any) -> BaseBackend:
    """Connect to the engine that a URL names.

    Args:
        url: ``duckdb://`` (in memory), ``duckdb:///folder/shop.duckdb`` or the path of such a
            file (read only unless ``read_only=False``), ``postgresql://user@host:5432/shop``, ``pyspark://local[2]``
            or ``spark://host:7077``, and any other URL that Ibis knows.
        options: What the engine's own ``connect`` takes; for Spark, its configuration. A
            URL's ``?name=value`` says the same.

    Returns:
        The Ibis backend.

    Raises:
        EngineError: The engine is not known, not installed or not reachable. The message never
            shows a password.

    Examples:
        >>> connect("duckdb://").list_tables()
        []
    """
    scheme, separator, rest = url.partition("://")
    if not separator and url.endswith((".duckdb", ".ddb")):
        scheme, rest = "duckdb", url
    elif not separator:
        raise EngineError(
            msg("“{url}” is not the address of a database.", url=without_password(url)),
            remedy=msg(
                "Write it like duckdb:///folder/shop.duckdb or postgresql://user@host/database."
            ),
        )
    try:
        match scheme.lower():
            case "duckdb":
                return _duckdb(rest, options)
            case "pyspark" | "spark":
                return _spark(rest, options)
        import ibis

        return ibis.connect(url, **options)
    except EngineError:
        raise
    except Exception as error:
        # `from None`: a driver's own message may carry the address with its password.
        raise _told(url, scheme.lower(), error) from None


def without_password(url: str) -> str:
    """Write a URL so that it can be shown.

    Args:
        url: Any URL.

    Returns:
        The URL with three asterisks for its password and for parameters that name a secret.

    Examples:
        >>> without_password("postgresql://ana:s3cr@t@localhost/shop?sslpassword=x")
        'postgresql://ana:***@localhost/shop?sslpassword=***'
    """
    shown = _CREDENTIALS.sub(r"\g<scheme>\g<user>:***@", url)
    return _SECRET_PARAMETERS.sub(r"\g<name>***", shown)


def _parameters(query: str) -> dict[str, Any]:
    values: dict[str, Any] = dict(parse_qsl(query))
    return {
        name: value.lower() == "true" if value.lower() in ("true", "false") else value
        for name, value in values.items()
    }


def _duckdb(rest: str, options: dict[str, Any]) -> BaseBackend:
    import ibis

    location, _, query = rest.partition("?")
    options = {**_parameters(query), **options}
    if location in ("", ":memory:", "/:memory:"):
        options.pop("read_only", None)
        return memory(**options)
    path = Path(location)
    if not path.exists():
        path = Path(unquote(location))
    read_only = options.pop("read_only", True)
    if read_only and not path.is_file():
        raise EngineError(
            msg("There is no file {path}.", path=str(path)),
            where=Where(file=path.name),
            remedy=msg(
                "Check the folder and the name; an absolute path begins after three slashes."
            ),
        )
    restore_duckdb_names()
    return ibis.duckdb.connect(path, read_only=read_only, **{**_DUCKDB_SETTINGS, **options})


def _spark(rest: str, options: dict[str, Any]) -> BaseBackend:
    """Start or join a Spark session: ``local[2]`` here, ``host:7077`` on a cluster.

    The master is read by hand, since ``urlsplit`` takes ``[2]`` for an IPv6 address.
    """
    import ibis
    from pyspark.sql import SparkSession

    place, _, query = rest.partition("?")
    master, _, warehouse = place.partition("/")
    builder = SparkSession.builder.appName("revoir")
    settings: dict[str, Any] = {
        # Arrow both ways: row by row, Spark hands over a million rows in minutes.
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local"):
        settings |= {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "4",
        }
    if master:
        builder = builder.master(f"spark://{master}" if ":" in master else master)
    if warehouse:
        settings["spark.sql.warehouse.dir"] = str(Path(warehouse).absolute())
    for name, value in {**settings, **_parameters(query), **options}.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        builder = builder.config(name, text)
    return ibis.pyspark.connect(builder.getOrCreate())


def _told(url: str, scheme: str, error: Exception) -> EngineError:
    """Put a driver's error into our words, without its secrets."""
    shown = without_password(url)
    extra = _EXTRAS.get(scheme)
    if isinstance(error, ImportError):
        return EngineError(
            msg("The driver for {url} is not installed.", url=shown),
            remedy=msg("Install it: pip install '{package}'.", package=f"revoir[{extra}]")
            if extra
            else msg("Install it: pip install '{package}'.", package=f"ibis-framework[{scheme}]"),
        )
    if isinstance(error, ValueError) and "know how to connect" in str(error):
        return EngineError(
            msg("There is no engine “{name}”.", name=scheme),
            remedy=msg("Use duckdb, postgresql, pyspark, or another one that Ibis knows."),
        )
    return EngineError(
        msg("{url} cannot be opened: {reason}.", url=shown, reason=reason_of(url, error)),
        remedy=_remedy(scheme, str(error)),
    )


def reason_of(url: str, error: Exception) -> str:
    """Say why a driver failed, in its own words but without the secrets of the URL.

    Args:
        url: The URL that it was given.
        error: What it raised.

    Returns:
        The first line of its message, with three asterisks for passwords in any spelling.

    Examples:
        >>> reason_of("postgresql://ana:s%40t@db/shop", ValueError("no ana:s@t here."))
        'no ana:*** here'
    """
    lines = str(error).strip().splitlines()
    text = without_password(lines[0] if lines else type(error).__name__)
    found = _CREDENTIALS.search(url)
    secrets = {found["secret"]} if found else set()
    secrets |= {match["secret"] for match in _SECRET_PARAMETERS.finditer(url)}
    for secret in secrets | {unquote(secret) for secret in secrets}:
        if secret:
            text = text.replace(secret, "***")
    return text.rstrip(".! ")


def _remedy(scheme: str, reason: str) -> Message:
    if scheme == "duckdb":
        if "lock" in reason.lower():
            return msg("Close the other program that writes to this file, then try again.")
        return msg("Check that the file is a DuckDB database that you may read.")
    if scheme in ("spark", "pyspark"):
        return msg("Check that Java 17 or later is installed and that the cluster can be reached.")
    return msg("Check the host, the port, the user and the password, and that the server runs.")


_NO_DATABASES = frozenset(
    ("http", "https", "file", "s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl", "")
)


def is_database_url(text: str) -> bool:
    """Whether a text is the address of a database rather than a path or a web page.

    Examples:
        >>> is_database_url("postgresql://host/shop"), is_database_url("clients.csv")
        (True, False)
    """
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() not in _NO_DATABASES
