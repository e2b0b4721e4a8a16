"""What the user says of their columns: `--map` options and the small YAML file that keeps them.

A mapping file holds, for each file or sheet, which canonical table it is and what each header
means. A file is known again by its headers, not by its name: next month's export has another
name and the same headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revoir.errors import UsageError, Where
from revoir.language import Message, msg
from revoir.tables import TABLES, plain_name

ATTRIBUTE = "attribute"
"""What a column is that the canonical tables do not name: kept, under its own plain name."""
IGNORE = "ignore"
"""What a column is that shall not be read."""

_FORMATS = ("day_first", "month_first", "comma", "point", "inverted", "plain", "utc")


def is_own(header: str) -> bool:
    """Whether a column is one that a quarantine file has beside those of the input.

    Examples:
        >>> is_own("revoir: line"), is_own("line")
        (True, False)
    """
    return header.strip("'").startswith("revoir:")


@dataclass(frozen=True)
class ColumnMapping:
    """What one column of a file means.

    Attributes:
        column: Its name in the raw relation (``c0``, …).
        header: Its header as the file writes it.
        target: ``table.column``, or None for an attribute or a column that is not read.
        name: What it is called from now on (None: it is not read).
        confidence: How sure that is, 0 to 1.
        reason: Why.
        format: The convention of its cells: ``day_first`` or ``month_first``, ``comma`` or
            ``point``, ``inverted`` for a yes that means no, ``share`` for a discount.
        presumed: Whether the format is that of an earlier file: dates that show another order are
            read by it.
        converted: Whether its cells were converted with another table (see `reading.joined`).
    """

    column: str
    header: str
    target: str | None
    name: str | None
    confidence: float
    reason: Message
    format: str | None = None
    presumed: bool = False
    converted: bool = False

    @property
    def table(self) -> str | None:
        """The canonical table it belongs to."""
        return self.target.split(".")[0] if self.target else None


@dataclass(frozen=True)
class Said:
    """What the user said of one header."""

    target: str
    format: str | None = None


@dataclass(frozen=True)
class FileMapping:
    """What the user said of one file or sheet.

    Attributes:
        columns: By header, what it is: a canonical column (``amount`` or ``orders.amount``),
            `ATTRIBUTE`, `IGNORE`, or another name for the attribute.
        table: Which canonical table the file is (None: found out).
        file: The name of the file (None: every file).
        sheet: The sheet.
        remembered: Whether it was said of an earlier file: it holds for those with its headers,
            whatever they are called, and not for the order of dates that show another one.
    """

    columns: Dict[str, Said] = field(default_factory=dict)
    table: str | None = None
    file: str | None = None
    sheet: str | None = None
    remembered: bool = False

    def fits(self, file: str, sheet: str | None, headers: Iterable[str]) -> bool:
        """Whether this speaks of a file: by its headers, or by its name."""
        if self.file is None:
            return True
        named = self.file == file and (self.sheet is None or self.sheet == sheet)
        # Many programs call all their exports the same.
        if named and not self.remembered:
            return True
        held = {plain_name(header) for header in headers}
        return bool(self.columns) and all(plain_name(header) in held for header in self.columns)


@dataclass(frozen=True)
class Mapping:
    """What the user says of their files.

    Attributes:
        files: One entry a file or sheet; the first that fits counts.
        timezone: IANA zone of times without zone.
        currency: ISO 4217 code of amounts that carry none.
    """

    files: tuple[FileMapping, ...] = ()
    timezone: str | None = None
    currency: str | None = None

    def of(self, file: str, sheet: str | None, headers: Iterable[str]) -> FileMapping | None:
        """What is said of a file, or None."""
        held = list(headers)
        exact = [
            entry
            for entry in self.files
            if entry.file == file and entry.sheet == sheet and not entry.remembered
        ]
        return next(
            (entry for entry in [*exact, *self.files] if entry.fits(file, sheet, held)), None
        )

    def together(self, other: Mapping | None) -> Mapping:
        """This mapping, and where it says nothing the other one."""
        if other is None:
            return self
        everywhere = next((entry for entry in self.files if entry.file is None), None)
        rest = [
            FileMapping(
                {**entry.columns, **(everywhere.columns if everywhere else {})},
                (everywhere.table if everywhere else None) or entry.table,
                entry.file,
                entry.sheet,
            )
            for entry in other.files
        ]
        return Mapping(
            (*rest, *self.files),
            self.timezone or other.timezone,
            self.currency or other.currency,
        )


def from_options(options: Iterable[str]) -> Mapping:
    """Read ``--map`` options: ``amount=Total price``, ``table=orders``, ``Notes=ignore``.

    Args:
        options: Texts of the form ``canonical column=header``, ``header=attribute``,
            ``header=ignore`` or ``table=canonical table``.

    Returns:
        A mapping that holds for every file that has these headers.

    Raises:
        UsageError: An option has another form, or names what does not exist.

    Examples:
        >>> from_options(["amount=TotalPrice"]).files[0].columns
        {'TotalPrice': Said(target='amount', format=None)}
    """
    columns: dict[str, Said] = {}
    table = None
    for option in options:
        left, sign, right = option.partition("=")
        left, right = left.strip(), right.strip()
        if not sign or not left or not right:
            raise UsageError(
                msg("“{option}” is not a mapping.", option=option),
                remedy=msg("Write the column and the header: --map amount=TotalPrice."),
            )
        if left == "table":
            table = _table(right)
        elif right in (ATTRIBUTE, IGNORE):
            columns[left] = Said(right)
        else:
            columns[right] = Said(_target(left))
    return Mapping((FileMapping(columns, table),))


def load(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        UsageError: It is not there, is no YAML, or says something that does not exist.
    """
    import yaml

    where = Where(file=path.name)
    try:
        text = path.read_text(encoding="utf-8-sig")
        held = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            msg("The mapping file cannot be read."),
            where=where,
            remedy=msg("Check its path, and that it is YAML."),
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(
            msg("The mapping file is no YAML."),
            where=where,
            remedy=msg("Write one with: revoir check FILE --write-mapping mapping.yml."),
        ) from error
    if not isinstance(held, dict) or not isinstance(held.get("files", []), list):
        raise UsageError(
            msg("The mapping file has no list “files”."),
            where=where,
            remedy=msg("Write one with: revoir check FILE --write-mapping mapping.yml."),
        )
    return Mapping(
        tuple(_file(entry, where) for entry in held.get("files", [])),
        _text(held.get("timezone")),
        _text(held.get("currency")),
    )


def dump(mapping: Mapping) -> str:
    """Write a mapping as YAML, to be read again by `load`.

    Examples:
        >>> print(dump(from_options(["amount=Prix"])))
        files:
        - columns:
            Prix: amount
        <BLANKLINE>
    """
    import yaml

    held: dict[str, Any] = {}
    if mapping.timezone:
        held["timezone"] = mapping.timezone
    if mapping.currency:
        held["currency"] = mapping.currency
    held["files"] = [_entry(entry) for entry in mapping.files]
    return yaml.safe_dump(held, allow_unicode=True, sort_keys=False, width=100)


def _entry(entry: FileMapping) -> dict[str, Any]:
    held: dict[str, Any] = {}
    for name in ("file", "sheet", "table"):
        if getattr(entry, name):
            held[name] = getattr(entry, name)
    held["columns"] = {
        header: {"is": said.target, "format": said.format} if said.format else said.target
        for header, said in entry.columns.items()
    }
    return held


def _file(entry: Any, where: Where) -> FileMapping:
    columns = entry.get("columns") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(columns or {}, dict):
        raise UsageError(
            msg("An entry of “files” has no “columns”."),
            where=where,
            remedy=msg("Write one with: revoir check FILE --write-mapping mapping.yml."),
        )
    said = {}
    for header, what in (columns or {}).items():
        target, chosen = what, None
        if isinstance(what, dict):
            target, chosen = what.get("is"), _text(what.get("format"))
        if not isinstance(target, str):
            raise UsageError(
                msg("The mapping file does not say what “{header}” is.", header=str(header)),
                where=where,
            )
        if chosen is not None and chosen not in _FORMATS:
            raise UsageError(
                msg("There is no format “{name}”.", name=chosen),
                where=where,
                remedy=msg("It can be one of: {names}.", names=list(_FORMATS)),
            )
        said[str(header)] = Said(_target(target, strict=False), chosen)
    table = _text(entry.get("table"))
    return FileMapping(
        said, _table(table) if table else None, _text(entry.get("file")), _text(entry.get("sheet"))
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _table(name: str) -> str:
    if name not in TABLES:
        raise UsageError(
            msg("There is no table “{name}”.", name=name),
            remedy=msg("It can be one of: {names}.", names=list(TABLES)),
        )
    return name


def _target(name: str, *, strict: bool = True) -> str:
    """Check a canonical column, ``amount`` or ``orders.amount``; another name is an attribute."""
    table, dot, column = name.rpartition(".")
    tables = [TABLES[table]] if dot and table in TABLES else list(TABLES.values())
    if dot and table not in TABLES:
        _table(table)
    known = any(held.column(column) is not None for held in tables)
    if not known and (strict or dot) and not column.startswith("question:"):
        names = sorted({c.name for held in tables for c in held.columns if not c.derived})
        raise UsageError(
            msg("There is no column “{name}”.", name=name),
            remedy=msg("It can be one of: {names}.", names=names),
        )
    return name
