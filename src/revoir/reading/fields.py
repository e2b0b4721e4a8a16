"""The columns of one file as they will be converted: SQL, convention, and how strict."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from revoir.engines.sql import identifier, literal
from revoir.language import Message, Number, msg, nmsg
from revoir.reading import dates as dates_of
from revoir.reading import percent, remembered, values
from revoir.reading.answers import answer_sql
from revoir.reading.detect import Detection
from revoir.reading.mapping import ColumnMapping
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable
from revoir.tables import TABLES, Type, plain_name

if TYPE_CHECKING:
    import duckdb

_WORTH_A_LOOK = 50_000
"""Rows from which a pass that may spare cleaning pays for itself."""
_MOMENTS = (Type.DATE, Type.TIMESTAMP)
_LOOKED_UP = (Type.DECIMAL, Type.INTEGER, *_MOMENTS)
_SOFT = frozenset(
    ["customers.phone", "customers.birth_date", "customers.joined_at", "customers.consent",
     "customers.age", "customers.postcode", "orders.discount", "orders.margin",
     "order_lines.margin"]
)  # fmt: skip
"""A cell that cannot be read costs its value here, never the row."""
_CENTS = frozenset(("cents", "centimes", "centime", "cts"))


@dataclass(frozen=True)
class Field:
    """One column of a file on its way to a canonical column or attribute.

    Attributes:
        mapping: What it means.
        sql_type: The type of its raw cells.
        type: What it is converted to.
        key: Its name among the converted columns: ``orders.amount``, ``attribute.till``.
        typed: SQL of the converted value.
        given: SQL that is null when the cell says nothing.
        strict: Whether a cell that cannot be read sends the row to quarantine.
        required: Whether an empty cell does.
        slow: Whether cells that the plain cast cannot read are worth another look.
        unsure: Ranges of lines in which dates have the other order: none that could be either
            is read there.
        cents: Whether its amounts are in hundredths.
        hour: The column that says the time of day, for days without one.
        per: What its cells are divided by to be shares: 100 where they are percentages.
    """

    mapping: ColumnMapping
    sql_type: str
    type: Type | None
    key: str
    typed: str
    given: str
    strict: bool = False
    required: bool = False
    slow: bool = False
    unsure: tuple[tuple[int, int], ...] = ()
    cents: bool = False
    hour: Field | None = None
    per: int | None = None

    @property
    def column(self) -> str:
        """Its raw cells."""
        return identifier(self.mapping.column)

    @property
    def name(self) -> str:
        """What it is called from now on."""
        return self.mapping.name or self.key

    @property
    def checked(self) -> bool:
        """Whether a cell may be given and yet not be read."""
        named = self.name in ("email", "phone")
        return self.slow or self.type is Type.BOOLEAN or named or self.per is not None

    @property
    def moment(self) -> bool:
        """Whether it is a date or a time."""
        return self.type in (Type.DATE, Type.TIMESTAMP)


class Fields(dict[str, Field]):
    """The fields of a file by key, such as ``orders.amount``."""

    def of(self, table: str) -> list[Field]:
        """Those of one canonical table."""
        return [field for key, field in self.items() if key.startswith(f"{table}.")]

    @property
    def attributes(self) -> list[Field]:
        """Those that no table names."""
        return self.of("attribute")


def plan(
    connection: duckdb.DuckDBPyConnection,
    raw: RawTable,
    detection: Detection,
    profiles: dict[str, Profile],
    zone: str,
    notes: list[Message],
) -> Fields:
    """Decide how every column is converted.

    Args:
        connection: The connection that holds the raw cells.
        raw: The raw table.
        detection: What its columns mean.
        profiles: What its columns look like.
        zone: IANA zone of times without zone.
        notes: Told what was decided where it could have been otherwise.

    Returns:
        The fields by key.
    """
    columns = remembered.as_they_are(connection, raw, detection.columns)
    detection = replace(detection, columns=columns)
    pers = {m.column: percent.divisor(connection, raw, m) for m in detection.columns}
    conventions = _Conventions(connection, raw, detection, profiles, notes, pers)
    formats = conventions.formats()
    types = dict(zip(raw.columns, raw.types, strict=True))
    fields = Fields()
    for found in detection.columns:
        if found.name is None:
            continue
        mapping = replace(found, format=formats.get(found.column) or found.format)
        field = _field(mapping, types[mapping.column], profiles[mapping.column], zone)
        if found.converted:
            per = 1 if found.format == "share" else None
            plain = field.column
            field = replace(field, typed=plain, given=plain, slow=False, per=per)
        if by := pers[mapping.column]:
            number = values.number(field.column, field.sql_type, ".")
            field = replace(field, typed=percent.share(number, by), per=by)
        if held := conventions.blocks.get(mapping.column):
            field = replace(field, unsure=tuple((block.first, block.last) for block in held))
        if field.key in fields:
            field = replace(field, key=f"{field.key}_{mapping.column}")
        fields[field.key] = field
    _divide_cents(fields, profiles, notes)
    percent.settle_ones(connection, raw, fields, notes)
    _add_currency(fields, profiles)
    if raw.rows_in > _WORTH_A_LOOK:
        _take_plain_as_is(connection, raw, fields)
    return fields


def _take_plain_as_is(connection: duckdb.DuckDBPyConnection, raw: RawTable, fields: Fields) -> None:
    """Where a whole column is plain text, take it as it is: looking costs less than cleaning."""
    tests = {}
    for key, held in fields.items():
        if held.typed == values.code(held.column, held.sql_type):
            tests[key] = values.plain(held.column, values.CODE_RANGES)
        elif held.typed == values.customer(held.column, held.sql_type):
            tests[key] = values.plain(held.column, values.WHO_RANGES)
        elif held.type is Type.TEXT and held.typed in (
            values.words(held.column, held.sql_type), _attribute_text(held.column)
        ):  # fmt: skip
            tests[key] = values.plain(held.column, values.TEXT_RANGES)
    tests = {key: test for key, test in tests.items() if values.is_text(fields[key].sql_type)}
    if not tests:
        return
    row = connection.execute(
        f"SELECT {', '.join(f'bool_and({test})' for test in tests.values())} FROM {raw.relation}"
    ).fetchall()[0]
    for key, plain in zip(tests, row or (), strict=False):
        if plain:
            held = fields[key]
            fields[key] = replace(held, typed=held.column, given=held.column)


def _divide_cents(fields: Fields, profiles: dict[str, Profile], notes: list[Message]) -> None:
    """Read amounts whose header says that they are in cents as such, where they are whole."""
    for key, held in fields.items():
        header = held.mapping.header
        money = held.type is Type.DECIMAL and held.mapping.target not in (
            None, "order_lines.quantity"
        ) and not held.mapping.converted  # fmt: skip
        if not money or not _CENTS.intersection(plain_name(header).split("_")):
            continue
        profile = profiles[held.mapping.column]
        decimals = any(re.search(r"[.,]\d{1,2}\D*$", cell) for cell in profile.cells)
        if decimals or (not profile.cells and profile.integers < 1):
            notes.append(
                msg(
                    "Column {header}: the header says cents, but the amounts have decimals; they"
                    " are read as they stand.",
                    header=header,
                )
            )
            continue
        fields[key] = replace(held, typed=_hundredth(held.typed), cents=True)
        notes.append(
            msg(
                "Column {header}: the amounts are in cents; {cents} is read as {value}.",
                header=header, cents=1250, value=Number(12.5, 2),
            )
        )  # fmt: skip


def _hundredth(number: str) -> str:
    return f"CAST({number} * DECIMAL '0.01' AS {values.DECIMAL})"


def _add_currency(fields: Fields, profiles: dict[str, Profile]) -> None:
    """Where amounts carry the sign of their currency, read that too."""
    signs = re.compile("|".join([r"[€$£¥]", *(rf"\b{code}\b" for code in values.CURRENCIES)]))
    for key in ("orders.amount", "order_lines.unit_price", "subscriptions.monthly_amount"):
        target = "subscriptions.currency" if key.startswith("subs") else "orders.currency"
        held = fields.get(key)
        if held is None or target in fields or not values.is_text(held.sql_type):
            continue
        if any(signs.search(cell) for cell in profiles[held.mapping.column].cells):
            typed = f"rv_currency({held.column})"
            mapping = replace(held.mapping, target=target, name="currency")
            fields[target] = Field(mapping, held.sql_type, Type.TEXT, target, typed, typed)
            return


def _field(mapping: ColumnMapping, sql_type: str, profile: Profile, zone: str) -> Field:
    column = identifier(mapping.column)
    if mapping.target is None:
        return _attribute(mapping, sql_type)
    table, _, name = mapping.target.partition(".")
    canonical = TABLES[table].column(name)
    kind = canonical.type if canonical else Type.DECIMAL
    given = values.given(column, sql_type, kind)
    decimal = "," if mapping.format == "comma" else "."
    strict = kind is not Type.TEXT and mapping.target not in _SOFT
    match kind:
        case Type.DECIMAL:
            typed = values.number(column, sql_type, decimal)
        case Type.INTEGER:
            figure = values.number(column, sql_type, decimal)
            typed = f"CASE WHEN {figure} = trunc({figure}) THEN CAST({figure} AS BIGINT) END"
        case Type.DATE | Type.TIMESTAMP:
            typed = _moment(column, sql_type, mapping.format, zone)
            if kind is Type.DATE:
                typed = f"CAST({typed} AS DATE)"
        case Type.BOOLEAN:
            typed = values.boolean(
                column, sql_type, consent=name == "consent", inverted=mapping.format == "inverted"
            )
        case _:
            typed, given = _text(mapping.target, column, sql_type)
    slow = kind in _LOOKED_UP and (values.is_text(sql_type) or not typed or kind in _MOMENTS)
    slow = slow and not sql_type.upper().startswith(("DATE", "TIMESTAMP"))
    return Field(mapping, sql_type, kind, mapping.target, typed, given, strict, slow=slow)


def _moment(column: str, sql_type: str, chosen: str | None, zone: str) -> str:
    local = values.local_time(column, sql_type, day_first=chosen != "month_first", zone=zone)
    return _from_utc(local, zone) if chosen == "utc" and not _zoned(sql_type) else local


def _zoned(sql_type: str) -> bool:
    return sql_type.upper().startswith("TIMESTAMP WITH")


def _from_utc(time: str, zone: str) -> str:
    return f"timezone({literal(zone)}, timezone('UTC', {time}))"


def slow_sql(field: Field, source: str, zone: str, today: dt.date | None) -> str:
    """SQL that reads the cells of a field which the plain cast could not.

    Args:
        field: The field.
        source: SQL of a relation ``value`` with those cells.
        zone: IANA zone of times without zone.
        today: Nobody was born after it (None: unknown).

    Returns:
        SQL of a relation ``value``, ``result``.
    """
    chosen = field.mapping.format
    if field.type in _MOMENTS:
        latest = today if field.name == "birth_date" else None
        read = values.slow_times(
            source, day_first=chosen != "month_first", zone=zone, latest=latest
        )
        result = _from_utc("result", zone) if chosen == "utc" else "result"
        if field.type is Type.DATE:
            result = f"CAST({result} AS DATE)"
    elif field.per:
        read, result = values.slow_numbers(source, None), percent.share("result", field.per)
    else:
        read = values.slow_numbers(source, "," if chosen == "comma" else ".")
        result = _hundredth("result") if field.cents else "result"
        if field.key.startswith("responses."):
            result = f"coalesce({result}, {answer_sql('value')})"
        if field.type is Type.INTEGER:
            result = "CASE WHEN result = trunc(result) THEN CAST(result AS BIGINT) END"
    return f"SELECT value, {result} AS result FROM ({read})"


def _text(target: str, column: str, sql_type: str) -> tuple[str, str]:
    """The SQL of a text column, and of whether anything is given."""
    name = target.partition(".")[2]
    if name == "customer_id":
        typed = values.customer(column, sql_type)
        return typed, typed
    if name.endswith("_id"):
        typed = values.code(column, sql_type)
        return typed, typed
    text = values.text_of(column, sql_type)
    code = f"rv_code({text})"
    match name:
        case "email":
            return f"rv_email({code})", code
        case "phone":
            code = f"ltrim({code}, '''')"
            return (
                f"coalesce(rv_phone({code}),"
                f" CASE WHEN NOT regexp_matches({code}, '[eE][+]') THEN {code} END)",
                code,
            )
        case "postcode":
            return f"rv_id(ltrim({code}, ''''))", code
        case "status":
            return code, code
        case "currency":
            return f"upper(coalesce(rv_currency({code}), {code}))", code
    typed = values.words(column, sql_type)
    if name not in _OF_PERSONS:
        typed = f"nullif({typed}, 'NULL')"
    return typed, typed


_OF_PERSONS = ("name", "first_name", "last_name")
"""People are called Null; a town or a brand that is called NULL is what databases write of none."""


def _attribute(mapping: ColumnMapping, sql_type: str) -> Field:
    column = identifier(mapping.column)
    key = f"attribute.{mapping.name}"
    if not values.is_text(sql_type):
        simple = sql_type.upper().startswith(
            ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN",
             "DATE", "TIMESTAMP")
        )  # fmt: skip
        typed = column if simple else f"CAST({column} AS VARCHAR)"
        return Field(mapping, sql_type, None, key, typed, column)
    if mapping.format in ("comma", "point"):
        decimal = "," if mapping.format == "comma" else "."
        typed = values.number(column, sql_type, decimal)
        return Field(mapping, sql_type, Type.DECIMAL, key, typed, f"rv_figure({column})")
    if mapping.format == "plain":
        typed = f"try_cast({column} AS BIGINT)"
        return Field(mapping, sql_type, Type.INTEGER, key, typed, f"rv_figure({column})")
    typed = _attribute_text(column)
    return Field(mapping, sql_type, Type.TEXT, key, typed, typed)


def _attribute_text(column: str) -> str:
    return f"CASE WHEN {column} NOT IN ('NA', 'NULL') THEN rv_text({column}) END"


_ORDERS = ("day_first", "month_first")
_SLIPS = 0.1
"""Share of dates up to which those that show another order than an earlier file's are mistakes."""


class _Conventions:
    """Decides the number and date conventions of text columns, by the whole column."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        raw: RawTable,
        detection: Detection,
        profiles: dict[str, Profile],
        notes: list[Message],
        pers: dict[str, int | None],
    ) -> None:
        self.connection = connection
        self.raw = raw
        self.profiles = profiles
        self.notes = notes
        text = {c for c, t in zip(raw.columns, raw.types, strict=True) if values.is_text(t)}
        self.numbers: list[ColumnMapping] = []
        self.dates: list[ColumnMapping] = []
        self.attributes: list[ColumnMapping] = []
        self.blocks: dict[str, list[dates_of.Block]] = {}
        for mapping in detection.columns:
            if mapping.name is None or mapping.column not in text or mapping.converted:
                continue
            if mapping.format and not (mapping.presumed and mapping.format in _ORDERS):
                continue
            if pers[mapping.column]:  # no percentage has thousands
                continue
            if mapping.target is None:
                if _may_be_number(profiles[mapping.column]):
                    self.attributes.append(mapping)
                continue
            table, _, name = mapping.target.partition(".")
            canonical = TABLES[table].column(name)
            kind = canonical.type if canonical else Type.DECIMAL
            if kind in (Type.DECIMAL, Type.INTEGER):
                self.numbers.append(mapping)
            elif kind in (Type.DATE, Type.TIMESTAMP):
                self.dates.append(mapping)

    def formats(self) -> dict[str, str]:
        """The convention of each column that needs one."""
        dates = [m for m in self.dates if _slashed(self.profiles[m.column])]
        numbers = [
            m for m in self.numbers + self.attributes if not _settled(self.profiles[m.column])
        ]
        asked: list[str] = []
        for mapping in dates:
            asked += dates_of.counts(identifier(mapping.column))
        for mapping in numbers:
            asked += _number_counts(identifier(mapping.column))
        for mapping in self.attributes:
            asked += _attribute_counts(identifier(mapping.column))
        if not asked:
            return {m.column: "point" for m in self.numbers}
        row = self.connection.execute(
            f"SELECT {', '.join(asked)} FROM {self.raw.relation}"
        ).fetchall()[0]
        counts = iter(row or ())
        formats: dict[str, str] = {}
        for mapping in dates:
            formats[mapping.column] = self._date(mapping, next(counts), next(counts), next(counts))
        found = {m.column: tuple(next(counts) for _ in range(5)) for m in numbers}
        commas = sum(entry[0] for entry in found.values())
        points = sum(entry[1] for entry in found.values())
        for mapping in self.numbers + self.attributes:
            if mapping.column in found:
                formats[mapping.column] = self._number(
                    mapping, found[mapping.column], commas, points
                )
            else:
                formats[mapping.column] = "point"
        for mapping in self.attributes:
            unread_whole, unread_comma, unread_point, zeros = (next(counts) for _ in range(4))
            chosen = formats[mapping.column]
            if zeros or (unread_comma if chosen == "comma" else unread_point):
                del formats[mapping.column]
            elif not unread_whole:
                formats[mapping.column] = "plain"
        return formats

    def _date(self, mapping: ColumnMapping, first: int, second: int, both: int) -> str:
        if mapping.format and max(first, second) <= _SLIPS * both:
            return mapping.format
        if first and second:
            self.notes.append(
                msg(
                    "Column {header}: some dates have the day first, some the month; read with the"
                    " {order} first, as most are.",
                    header=mapping.header or mapping.column,
                    order=msg("day") if first >= second else msg("month"),
                )
            )
            self._find_blocks(mapping, day_first=first >= second)
        elif not first and not second and both:
            self.notes.append(
                msg(
                    "Column {header}: no date tells day from month (03/04/2024); read with the day"
                    " first. If it is the month, say format: month_first in the mapping file.",
                    header=mapping.header or mapping.column,
                )
            )
        elif both:
            self.notes.append(
                msg(
                    "Column {header}: dates are read with the {order} first, as their values show.",
                    header=mapping.header or mapping.column,
                    order=msg("day") if first else msg("month"),
                )
            )
        return "month_first" if second > first else "day_first"

    def _find_blocks(self, mapping: ColumnMapping, *, day_first: bool) -> None:
        held = dates_of.blocks(self.connection, self.raw, mapping.column, day_first=day_first)
        self.notes += dates_of.told(mapping.header or mapping.column, held, day_first=day_first)
        if len(held) <= dates_of.BLOCKS_MAX:
            self.blocks[mapping.column] = held

    def _number(
        self, mapping: ColumnMapping, counts: tuple[int, ...], commas: int, points: int
    ) -> str:
        """The convention of one column; `commas` and `points` are those of the whole file."""
        comma, point, comma_groups, point_groups, _ = counts
        file_has_commas = commas > points
        header = mapping.header or mapping.column
        if comma and point:
            self.notes.append(
                msg(
                    "Column {header}: decimals are written with a comma in {commas} and with a"
                    " point in {points}; each is read as it is written.",
                    header=header, commas=_cells(comma), points=_cells(point),
                )
            )  # fmt: skip
        if comma or point:
            if (point_groups and comma >= point) or (comma_groups and point > comma):
                self.notes.append(
                    msg(
                        "Column {header}: “{example}” is read as {value}, as the column's other"
                        " numbers show.",
                        header=header,
                        example="1.234" if comma >= point else "1,234",
                        value=1234,
                    )
                )
            return "comma" if comma > point or (comma == point and file_has_commas) else "point"
        if (point_groups or comma_groups) and commas != points:
            sign, other = (",", ".") if file_has_commas else (".", ",")
            decimals = bool(comma_groups if file_has_commas else point_groups)
            self.notes.append(
                msg(
                    "Column {header}: “{example}” is read as {value}, for the file's other numbers"
                    " have “{sign}” before their decimals. If that is wrong, say format: {other}"
                    " in the mapping file.",
                    header=header,
                    example=f"1{sign if decimals else other}234",
                    value=1.234 if decimals else 1234,
                    sign=sign,
                    other="point" if file_has_commas else "comma",
                )
            )
            return "comma" if file_has_commas else "point"
        if point_groups or comma_groups:
            chosen = "comma" if point_groups >= comma_groups else "point"
            self.notes.append(
                msg(
                    "Column {header}: “{example}” could be {thousand} or {small}; read as"
                    " {thousand}, for no number in the column has another count of decimals."
                    " If that is wrong, say format: {other} in the mapping file.",
                    header=header,
                    example="1.234" if chosen == "comma" else "1,234",
                    thousand=1234,
                    small=1.234,
                    other="point" if chosen == "comma" else "comma",
                )
            )
            return chosen
        return "comma" if file_has_commas else "point"


def _may_be_number(profile: Profile) -> bool:
    return profile.filled > 0 and profile.numbers >= 0.95 and profile.dates < 0.5


def _settled(profile: Profile) -> bool:
    """Whether the sample alone shows plain numbers with decimal points."""
    if not profile.cells:
        return False
    plain = re.compile(r"-?\d+(?:\.\d+)?")
    if any(not plain.fullmatch(cell) for cell in profile.cells):
        return False
    decimals = [cell.partition(".")[2] for cell in profile.cells if "." in cell]
    return not decimals or any(len(part) != 3 for part in decimals)


def _slashed(profile: Profile) -> bool:
    return any(re.match(r"\d{1,2}[-/. ]\d", cell) for cell in profile.cells)


def _number_counts(column: str) -> list[str]:
    end = "[^\\d.,]*$"
    # No thousands begin with a zero: 0,500 has decimals, however many.
    return [
        f"count(*) FILTER (regexp_matches({column},"
        f" ',(\\d{{1,2}}|\\d{{4,}}){end}|^[^\\d.,]*0,\\d{{3}}{end}'))",
        f"count(*) FILTER (regexp_matches({column},"
        f" '\\.(\\d{{1,2}}|\\d{{4,}}){end}|^[^\\d.,]*0\\.\\d{{3}}{end}'))",
        f"count(*) FILTER (regexp_matches({column}, '^[^\\d]*[1-9]\\d{{0,2}}(,\\d{{3}})+{end}'))",
        f"count(*) FILTER (regexp_matches({column}, '^[^\\d]*[1-9]\\d{{0,2}}(\\.\\d{{3}})+{end}'))",
        f"count({column})",
    ]


def _attribute_counts(column: str) -> list[str]:
    figure = f"rv_figure(trim({column}))"
    return [
        f"count(*) FILTER ({figure} IS NOT NULL AND try_cast({figure} AS BIGINT) IS NULL"
        f" OR contains({column}, '.'))",
        f"count(*) FILTER ({figure} IS NOT NULL AND rv_comma({figure}) IS NULL)",
        f"count(*) FILTER ({figure} IS NOT NULL AND rv_dot({figure}) IS NULL)",
        f"count(*) FILTER (regexp_matches({figure}, '^0\\d'))",
    ]


def _cells(n: int) -> Message:
    return nmsg("{n} cell", "{n} cells", n)
