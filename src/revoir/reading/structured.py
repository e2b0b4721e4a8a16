"""Sources that carry their own structure: Parquet and JSON."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from revoir.engines.sql import identifier, literal
from revoir.errors import InputError, Where
from revoir.language import Message, msg, nmsg
from revoir.reading.columns import integers, texts
from revoir.reading.raw import RawTable, Reject
from revoir.reading.scratch import Scratch
from revoir.reading.text import pattern

DEPTH_LIMIT = 32
"""Objects within objects that are flattened."""

_COLUMNS_LIMIT = 20_000
_BATCH = 50_000
_JSON_LIMIT = 1 << 30


def read_parquet(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Look at a Parquet file as a table, without copying it.

    Args:
        path: The file.
        file: Its name for messages.
        scratch: The connection.

    Returns:
        Its table; structures are columns named with dots.

    Raises:
        InputError: The file is damaged.
    """
    source = f"read_parquet({literal(pattern(path))}, file_row_number = true)"
    try:
        described = scratch.rows(f"describe select * from {source}")
        relation = scratch.name()
        leaves = [
            leaf
            for name, kind, *_ in described
            if name != "file_row_number"
            for leaf in _leaves(name, identifier(name), kind, scratch)
        ]
        columns = [f"c{i}" for i in range(len(leaves))]
        selected = ", ".join(
            f"{expression} as {identifier(column)}"
            for column, (_, expression, _) in zip(columns, leaves, strict=True)
        )
        scratch.connection.execute(
            f"create view {identifier(relation)} as"
            f" select file_row_number + 1 as _line, {selected} from {source}"
        )
        rows = scratch.value(f"select count(*) from {identifier(relation)}")
    except duckdb.Error as error:
        raise InputError(
            msg("The Parquet file cannot be read: {error}", error=str(error).splitlines()[0]),
            where=Where(file=file),
            remedy=msg("Write it again."),
        ) from error
    return [
        RawTable(
            file=file,
            relation=identifier(relation),
            columns=columns,
            headers=[header for header, _, _ in leaves],
            types=[kind for _, _, kind in leaves],
            has_header=True,
            rows_in=rows,
        )
    ]


def _leaves(
    header: str, expression: str, kind: str, scratch: Scratch
) -> Iterator[tuple[str, str, str]]:
    """The plain columns that a column holds: header, SQL expression, type."""
    if kind.startswith("STRUCT(") and not kind.endswith("]"):
        fields = scratch.rows(f"describe select unnest(null::{kind})")
        for name, inner, *_ in fields:
            yield from _leaves(
                f"{header}.{name}", f"struct_extract({expression}, {literal(name)})", inner, scratch
            )
    elif kind.endswith("]") or kind.startswith(("MAP(", "UNION(", "STRUCT(", "JSON", "VARIANT")):
        yield header, f"cast(to_json({expression}) as varchar)", "VARCHAR"
    elif kind.startswith("ENUM("):
        yield header, f"cast({expression} as varchar)", "VARCHAR"
    else:
        yield header, expression, kind


class _DuplicateKeyError(ValueError):
    pass


class _TooDeepError(ValueError):
    pass


def read_json(path: Path, file: str, scratch: Scratch) -> list[RawTable]:
    """Read JSON lines, a JSON array of objects, or an object that holds such an array.

    Args:
        path: The file, in UTF-8.
        file: Its name for messages.
        scratch: The connection.

    Returns:
        Its table, with dots in the names of nested values.

    Raises:
        InputError: The file is no JSON, too deep, or too large to be held.
    """
    columns = _Columns(file, scratch)
    try:
        for line, value in _values(path, file):
            columns.add(line, value)
    except RecursionError as error:
        raise _too_deep(file, None) from error
    return [columns.table()]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(next(key for key in keys if keys.count(key) > 1))
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=lambda digits: int(digits) if len(digits) < 19 else digits
)


def _values(path: Path, file: str) -> Iterator[tuple[int, Any]]:
    """Each value with its line; what cannot be read comes as the exception."""
    with path.open(encoding="utf-8-sig", errors="replace") as source:
        first = source.readline(1 << 20).strip()
        more = any(line.strip() for line in itertools.islice(source, 100))
    single = more and first.startswith("{") and first.endswith("}")
    if single:
        yield from _lines(path)
    else:
        yield from _document(path, file)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig", errors="replace") as source:
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                yield number, _DECODER.decode(line)
            except RecursionError:
                yield number, _TooDeepError()
            except ValueError as error:
                yield number, error


def _document(path: Path, file: str) -> Iterator[tuple[int, Any]]:
    """The objects of one document, each with its line."""
    if path.stat().st_size > _JSON_LIMIT:
        raise InputError(
            msg("The JSON document is too large to be read at once."),
            where=Where(file=file),
            remedy=msg("Write one object a line (JSON lines)."),
        )
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    at = _blank(text, 0)
    if text[at : at + 1] == "{":
        yield from _objects(text, at, file)
        return
    line, seen = 1, 0
    at = _blank(text, at + 1)
    while at < len(text) and text[at] != "]":
        line += text.count("\n", seen, at)
        seen = at
        value, at = _decoded(text, at, line, file)
        yield line, value
        at = _blank(text, at)
        if text[at : at + 1] == ",":
            at = _blank(text, at + 1)
        elif text[at : at + 1] != "]":
            line += text.count("\n", seen, at)
            raise _broken(file, line)


def _objects(text: str, at: int, file: str) -> Iterator[tuple[int, Any]]:
    """Objects one after the other, or one object that holds a list of objects."""
    found: list[tuple[int, Any]] = []
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        value, at = _decoded(text, at, line, file)
        found.append((line, value))
        at = _blank(text, at)
        at = _blank(text, at + 1) if text[at : at + 1] == "," else at
    if len(found) == 1 and isinstance(found[0][1], dict):
        lists = [
            inner
            for inner in found[0][1].values()
            if isinstance(inner, list) and inner and isinstance(inner[0], dict)
        ]
        if len(lists) == 1:
            yield from enumerate(lists[0], 1)
            return
    yield from found


def _decoded(text: str, at: int, line: int, file: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except _DuplicateKeyError as error:
        # Read past the object without looking at its keys.
        return error, json.JSONDecoder().raw_decode(text, at)[1]
    except RecursionError as error:
        raise _too_deep(file, line) from error
    except ValueError as error:
        position = getattr(error, "pos", at)
        raise _broken(file, text.count("\n", 0, position) + 1) from error


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _broken(file: str, line: int) -> InputError:
    return InputError(
        msg("This is not valid JSON."),
        where=Where(file=file, line=line),
        remedy=msg("Write the file again as JSON lines, CSV or Excel."),
    )


def _too_deep(file: str, line: int | None) -> InputError:
    return InputError(
        msg("Values are nested more than {limit} levels deep.", limit=DEPTH_LIMIT),
        where=Where(file=file, line=line),
        remedy=msg("Write flat objects, one a customer or order."),
    )


class _Columns:
    """Objects on their way to becoming columns."""

    def __init__(self, file: str, scratch: Scratch) -> None:
        self.file = file
        self.scratch = scratch
        self.rejects: list[Reject] = []
        self.lines: list[int] = []
        self.cells: dict[str, list[Any]] = {}
        self.surrogates = 0

    def add(self, line: int, value: Any) -> None:
        """Take one object, or say why it is no row."""
        flat: dict[str, Any] = {}
        if isinstance(value, dict):
            try:
                self._flatten(value, "", flat, 0)
            except _TooDeepError as error:
                value = error
        if not isinstance(value, dict):
            self.rejects.append(self._reject(line, value))
            return
        row = len(self.lines)
        self.lines.append(line)
        for key, cell in flat.items():
            column = self.cells.get(key)
            if column is None:
                if len(self.cells) >= _COLUMNS_LIMIT:
                    raise InputError(
                        msg(
                            "There are {n} columns; {limit} is the most that can be read.",
                            n=len(self.cells) + 1,
                            limit=_COLUMNS_LIMIT,
                        ),
                        where=Where(file=self.file, line=line),
                        remedy=msg("Leave out the columns that are not needed."),
                    )
                column = self.cells[key] = []
            # Objects that lack a key leave a gap, which is filled when the key comes back.
            if len(column) < row:
                column.extend([None] * (row - len(column)))
            column.append(cell)

    def _flatten(
        self, value: dict[str, Any], prefix: str, flat: dict[str, Any], depth: int
    ) -> None:
        if depth > DEPTH_LIMIT:
            raise _TooDeepError
        for key, inner in value.items():
            name = f"{prefix}{key}"
            if isinstance(inner, dict):
                self._flatten(inner, f"{name}.", flat, depth + 1)
            elif isinstance(inner, list):
                try:
                    flat[name] = json.dumps(inner, ensure_ascii=False) if inner else None
                except RecursionError as error:
                    raise _TooDeepError from error
            else:
                flat[name] = inner

    def _reject(self, line: int, value: Any) -> Reject:
        if isinstance(value, _DuplicateKeyError):
            return Reject(
                line,
                (),
                msg("The key “{key}” stands twice in one object.", key=str(value)),
                msg("Keep one of the two."),
                column=str(value),
            )
        if isinstance(value, _TooDeepError):
            error = _too_deep(self.file, line)
            assert error.remedy is not None
            return Reject(line, (), error.what, error.remedy)
        if isinstance(value, Exception):
            return Reject(
                line, (), msg("The line is not valid JSON."), msg("Write one object a line.")
            )
        shown = json.dumps(value, ensure_ascii=True)[:200]
        return Reject(
            line,
            (shown,),
            msg("The value is not an object with named fields."),
            msg("Write one object a line."),
        )

    def table(self) -> RawTable:
        """The table of all objects taken."""
        if not self.lines and not self.rejects:
            raise InputError(
                msg("The file is empty."),
                where=Where(file=self.file),
                remedy=msg("Export it again, with its header and rows."),
            )
        rows = len(self.lines)
        columns = [f"c{i}" for i in range(len(self.cells))]
        arrays = [integers(self.lines)]
        for column in self.cells.values():
            column.extend([None] * (rows - len(column)))
            arrays.append(self._array(column))
        name = self.scratch.name()
        self.scratch.insert(name, pa.table(arrays, names=["_line", *columns]))
        notes: list[Message] = []
        if self.surrogates:
            notes.append(
                nmsg(
                    "{n} cell holds half a character, which was replaced by “\ufffd”.",
                    "{n} cells hold half a character, which was replaced by “\ufffd”.",
                    self.surrogates,
                )
            )
        return RawTable(
            file=self.file,
            relation=identifier(name),
            columns=columns,
            headers=[self._whole(key) for key in self.cells],
            types=[_duckdb_type(array.type) for array in arrays[1:]],
            has_header=True,
            rows_in=rows + len(self.rejects),
            rejects=self.rejects,
            notes=notes,
        )

    def _array(self, column: list[Any]) -> pa.Array:
        kinds = set(map(type, column)) - {type(None)}
        if kinds == {int}:
            return integers(column)
        if kinds and kinds <= {int, float}:
            return pa.array(map(_float, column), pa.float64())
        if kinds == {bool}:
            return pa.array(column, pa.bool_())
        return texts([self._text(cell) for cell in column])

    def _text(self, cell: Any) -> str | None:
        if cell is None or cell == "":
            return None
        if isinstance(cell, bool):
            return "true" if cell else "false"
        if not isinstance(cell, str):
            return str(cell)
        whole = self._whole(cell)
        self.surrogates += whole is not cell
        return whole

    @staticmethod
    def _whole(text: str) -> str:
        """Text that UTF-8 can carry: a lone half of a surrogate pair becomes U+FFFD."""
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text.replace("\0", "") if "\0" in text else text


def _float(cell: float | None) -> float | None:
    return None if cell is None else float(cell)


def _duckdb_type(kind: pa.DataType) -> str:
    return {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}.get(str(kind), "VARCHAR")
