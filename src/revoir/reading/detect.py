"""What a file is and what each of its columns means: from headers, and from the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from revoir.language import Message, msg
from revoir.reading.answers import as_answers
from revoir.reading.declared import Export
from revoir.reading.doubts import lists_orders, settle
from revoir.reading.headers import NEGATED, is_aside, likeness, preference
from revoir.reading.kinds import CONTACT, are_lines, are_orders, evidence, number_orders
from revoir.reading.mapping import ATTRIBUTE, IGNORE, ColumnMapping, FileMapping, is_own
from revoir.reading.profile import Profile
from revoir.reading.questions import add_questions
from revoir.reading.raw import RawTable
from revoir.tables import TABLES, Column, Type, plain_name

SALES = "orders"
"""Orders and order lines are told apart only when the file's numbers are known."""

_ASIDE = {
    "orders": ("order_lines", "customers"),
    "subscriptions": ("customers",),
    "responses": ("customers",),
    "interactions": ("customers",),
    "events": ("customers",),
    "customers": (),
    "products": (),
}
"""Which other tables a file of one kind may carry columns of."""

_GENDERS = frozenset(
    ["male", "female", "man", "woman", "homme", "femme", "masculin", "feminin", "masc", "fem", "mr",
     "mrs", "miss", "mister", "monsieur", "madame", "mme", "mlle", "mademoiselle", "other", "autre",
     "unknown", "inconnu", "non_binary", "non_binaire", "diverse"]
)  # fmt: skip
_PREFERRED = 0.06
"""What the likelier of several amounts is put before: enough to decide between usual names."""
_PLAINLY_NAMED = ("orders.ordered_at", "orders.amount")


@dataclass(frozen=True)
class Detection:
    """What a file is found to be.

    Attributes:
        table: A canonical table (`SALES` for orders and order lines alike), or None.
        confidence: How sure, 0 to 1.
        why: Why.
        columns: What each column means.
        export: The name of the software whose export it is, where that was recognised.
        told_once: The column of what is told on the first of its rows alone (an order, a product
            with variants), where not every row says all.
        declared: What is known of that export.
        total_once: Whether what was paid stands on the first line of an order alone.
        lines: Whether its rows are lines of orders that another table lists.
        restarts: Whether the numbers of these orders start again, as was found of its rows.
        unpriced: Whether an order may lack what was paid: its lines tell.
    """

    table: str | None
    confidence: float
    why: Message
    columns: tuple[ColumnMapping, ...]
    export: str | None = None
    told_once: str | None = None
    declared: Export | None = None
    total_once: bool = False
    lines: bool = False
    restarts: bool = False
    unpriced: bool = False


def detect(raw: RawTable, profiles: dict[str, Profile], said: FileMapping | None) -> Detection:
    """Find what a raw table is and what its columns mean.

    Args:
        raw: The table.
        profiles: What its columns look like.
        said: What the user says of it; that always wins.

    Returns:
        The table, or None where the columns are not enough for any.
    """
    found = _detected(raw, profiles, said)
    held = {mapping.target for mapping in found.columns}
    columns = (_aged(mapping, profiles[mapping.column], held) for mapping in found.columns)
    return replace(found, columns=tuple(columns))


def _aged(mapping: ColumnMapping, profile: Profile, held: set[str | None]) -> ColumnMapping:
    """An age in years, or a band of ages: "25-34" is no number, and a column holds one type."""
    age, band = "customers.age", "customers.age_band"
    if not profile.filled or (age in held and band in held):
        return mapping
    if mapping.target == age and profile.numbers < 0.9:
        return replace(mapping, target=band, name="age_band", format=None)
    if mapping.target == band and mapping.presumed and profile.numbers >= 0.9:
        return replace(mapping, target=age, name="age", format=None)
    return mapping


def _detected(raw: RawTable, profiles: dict[str, Profile], said: FileMapping | None) -> Detection:
    from revoir.reading.known import recognise

    known = recognise(raw)
    if known is not None and (said is None or said.table in (None, known.table)):
        return _told(known, raw, said)
    kinds = [said.table] if said and said.table else list(_ASIDE)
    kinds = [SALES if kind == "order_lines" else kind for kind in kinds]
    fixed = _fixed(raw, said)
    found = [_assigned(kind, raw, profiles, fixed) for kind in kinds]
    ranked = sorted(
        (
            (evidence(kind, columns, profiles), kind, columns)
            for kind, columns in zip(kinds, found, strict=True)
        ),
        key=lambda entry: -entry[0],
    )
    score, kind, columns = ranked[0]
    if score <= 0:
        if not are_lines(columns):
            guess = _by_values(raw, profiles, fixed, number_orders(columns, profiles))
            if guess is not None:
                return guess
        return Detection(None, 0.0, msg("its columns are not enough for any table"), columns)
    told = said is not None and said.table is not None
    if kind == "customers" and not told:
        sales = found[kinds.index(SALES)]
        if (are_orders(sales) and lists_orders(raw)) or _are_named_lines(sales):
            return Detection(None, 0.0, msg("its columns are not enough for any table"), sales)
    if not told and _may_be_sales(kind, columns, profiles):
        return Detection(
            None, 0.0, msg("it has dates and amounts, but nothing plainly says what was paid"),
            columns,
        )  # fmt: skip
    wanted = _required(kind)
    asked = [c.confidence for c in columns if c.target and ".question:" in c.target]
    sure = min(
        (c.confidence for c in columns if c.target in wanted), default=max(asked, default=0.6)
    )
    margin = 1.0 if len(ranked) < 2 else min(1.0, 0.75 + (score - max(0.0, ranked[1][0])) / 8)
    return Detection(
        kind,
        1.0 if told else round(min(0.99, sure * margin), 2),
        msg("you said so") if told else _why(columns, kind),
        columns,
    )


def _are_named_lines(columns: tuple[ColumnMapping, ...]) -> bool:
    """Whether lines of orders, without a day, have a name: it is no person's."""
    held = {column.target for column in columns}
    return are_lines(columns) and "order_lines.product" in held and "customers.name" not in held


def _may_be_sales(
    kind: str, columns: tuple[ColumnMapping, ...], profiles: dict[str, Profile]
) -> bool:
    """Whether a list of customers or of contacts has dates of orders and amounts of money.

    Read as that list, every sale but the last of each customer, or all money, would be lost.
    """
    free = [mapping for mapping in columns if mapping.name and mapping.target is None]
    if not any(_is_money(profiles[mapping.column]) for mapping in free):
        return False
    if kind == "interactions":
        held = {mapping.target for mapping in columns}
        return not held.intersection(f"interactions.{name}" for name in CONTACT)
    ordered_at = next(c for c in TABLES[SALES].columns if c.name == "ordered_at")
    return kind == "customers" and any(
        profiles[mapping.column].dates >= 0.8
        and likeness(plain_name(mapping.header), ordered_at, "orders.ordered_at")[0] >= 0.9
        for mapping in free
    )


def _is_money(profile: Profile) -> bool:
    return profile.numbers >= 0.9 and profile.integers < 0.9


def _why(columns: tuple[ColumnMapping, ...], kind: str) -> Message:
    named = [c.header for c in columns if c.table in (kind, "order_lines") and c.header]
    if not named:
        return msg("of what its values look like")
    return msg("it has the columns {headers}", headers=named[:6])


def _required(kind: str) -> set[str]:
    return {
        f"{kind}.{column.name}"
        for column in TABLES[kind].columns
        if column.required and not column.derived
    }


def _told(known: Detection, raw: RawTable, said: FileMapping | None) -> Detection:
    fixed = _fixed(raw, said)
    return replace(known, columns=tuple(fixed.get(c.column, c) for c in known.columns))


def _fixed(raw: RawTable, said: FileMapping | None) -> dict[str, ColumnMapping]:
    """The columns the user has spoken of."""
    said = said or FileMapping()
    by_name = {plain_name(header): what for header, what in said.columns.items()}
    fixed: dict[str, ColumnMapping] = {}
    for column, header in zip(raw.columns, raw.headers, strict=True):
        if is_own(header):
            fixed[column] = ColumnMapping(
                column, header, None, None, 1.0, msg("a quarantine file's own column: not read")
            )
            continue
        what = said.columns.get(header) or said.columns.get(column)
        what = what or (by_name.get(plain_name(header)) if plain_name(header) else None)
        if what is None:
            continue
        target: str | None = what.target
        name: str | None = what.target.rpartition(".")[2]
        if what.target == IGNORE:
            target = name = None
        elif what.target == ATTRIBUTE:
            target, name = None, _attribute_name(header, column)
        elif not _names_column(what.target):
            target, name = None, plain_name(what.target) or _attribute_name(header, column)
        fixed[column] = ColumnMapping(
            column,
            header,
            target,
            name,
            1.0,
            msg("you said so"),
            what.format,
            presumed=said.remembered,
        )
    return fixed


def _names_column(target: str) -> bool:
    table, dot, column = target.rpartition(".")
    if column.startswith("question:"):
        return True
    held = [TABLES[table]] if dot else list(TABLES.values())
    return any(entry.column(column) is not None for entry in held)


def _attribute_name(header: str, column: str) -> str:
    """What an attribute is called: its header written plainly, or its place."""
    name = plain_name(header)
    if not name:
        return f"column_{int(column[1:]) + 1}"
    return name if not name[0].isdigit() else f"_{name}"


def _computed(kind: str) -> set[str]:
    """What reading computes of a file of one kind."""
    columns = (column for table in (kind, *_ASIDE[kind]) for column in TABLES[table].columns)
    return {column.name for column in columns if column.derived} - {"customer_id"}


def _candidates(kind: str) -> list[tuple[str, Column, float]]:
    """The columns that a file of one kind may hold, its own before those of other tables."""
    held = []
    for place, table in enumerate((kind, *_ASIDE[kind])):
        for column in TABLES[table].columns:
            if column.derived:
                continue
            if place and column.name in ("customer_id", "order_id", "line_id"):
                if column.name == "line_id":
                    held.append((f"{table}.line_id", column, 0.97))
                continue
            held.append((f"{table}.{column.name}", column, 1.0 if place == 0 else 0.97))
    return held


def _assigned(
    kind: str, raw: RawTable, profiles: dict[str, Profile], fixed: dict[str, ColumnMapping]
) -> tuple[ColumnMapping, ...]:
    """Give each column of the file the canonical column it fits best, each one once."""
    taken: dict[str, ColumnMapping] = {}
    for column, mapping in fixed.items():
        taken[column] = _placed(mapping, kind)
    used = {mapping.target for mapping in taken.values() if mapping.target}
    scored = []
    for order, (target, canonical, factor) in enumerate(_candidates(kind)):
        if target in used:
            continue
        for place, (column, header) in enumerate(zip(raw.columns, raw.headers, strict=True)):
            if column in taken:
                continue
            like, reason = likeness(plain_name(header), canonical, target)
            if like <= 0:
                continue
            fit = _fit(canonical, target, profiles[column])
            if fit == 0.0 and like >= 0.95 and target in _PLAINLY_NAMED:
                # A column called “date” whose cells are no dates is one to be mended.
                fit = 0.5
            score = like * fit * factor
            if score >= 0.4:
                rank = -score - _PREFERRED * preference(plain_name(header), canonical.name)
                mapping = ColumnMapping(
                    column, header, target, canonical.name, round(score, 2), reason
                )
                scored.append((rank, order, place, mapping))
    for _, _, _, mapping in sorted(scored, key=lambda entry: entry[:3]):
        column, target = mapping.column, str(mapping.target)
        if column in taken or target in used:
            continue
        inverted = "inverted" if plain_name(mapping.header) in NEGATED else None
        taken[column] = replace(mapping, format=inverted)
        used.add(target)
    if kind == "responses":
        add_questions(raw, profiles, taken)
    settle(kind, raw, profiles, taken)
    return tuple(
        taken.get(column) or attribute(column, header, kind)
        for column, header in zip(raw.columns, raw.headers, strict=True)
    )


def _placed(mapping: ColumnMapping, kind: str) -> ColumnMapping:
    """Complete a bare canonical name with the table that this kind of file has it in."""
    if mapping.name in _computed(kind):
        # What reading computes has the name: the column of the file is another one.
        return replace(mapping, target=None, name=f"{mapping.name}_2")
    if mapping.target is None or "." in mapping.target:
        return mapping
    if mapping.target.startswith("question:"):
        return replace(mapping, target=f"responses.{mapping.target}")
    for table in (kind, *_ASIDE[kind]):
        column = TABLES[table].column(mapping.target)
        if column is not None and not column.derived:
            return replace(mapping, target=f"{table}.{mapping.target}")
    return replace(mapping, target=None, name=plain_name(mapping.target))


def attribute(column: str, header: str, kind: str) -> ColumnMapping:
    """A column of a file of one kind that no table names."""
    why = msg("no table names it: kept to break figures down")
    name = _attribute_name(header, column)
    return _placed(ColumnMapping(column, header, None, name, 1.0, why), kind)


def _fit(column: Column, target: str, profile: Profile) -> float:
    """Whether the values can be what the column holds: 0 (no) to 1."""
    if not profile.filled:
        return 0.7
    if target.startswith("responses."):
        profile = as_answers(profile)
    match column.type:
        case Type.DECIMAL | Type.INTEGER:
            if target == "customers.age":
                return 1.0
            if target == "orders.refunded" and profile.says_yes_or_no:
                return 0.0
            return _steep(profile.numbers)
        case Type.DATE | Type.TIMESTAMP:
            return _steep(max(profile.dates, profile.clock_like))
        case Type.BOOLEAN:
            return _steep(profile.booleans)
    name = column.name
    if name == "email":
        return _steep(profile.emails)
    if name == "phone":
        return 1.0 if max(profile.phones, profile.numbers) >= 0.3 else 0.0
    if profile.emails > 0.5:
        return 0.9 if name == "customer_id" else 0.0
    if name == "gender":
        # A title may be that of a person's work, or of a product.
        said = [cell for cell in profile.cells if len(cell) <= 2 or plain_name(cell) in _GENDERS]
        return 1.0 if 2 * len(said) >= len(profile.cells) else 0.0
    if name.endswith("_id"):
        if profile.dates > 0.9 and profile.integers < 0.5:
            return 0.0
        return 0.3 if profile.length > 120 else 1.0
    if name in ("name", "first_name", "last_name", "company", "comment", "event", "city"):
        return 0.0 if max(profile.numbers, profile.dates) > 0.8 else 1.0
    if name in ("product", "category", "plan", "text"):
        return 0.5 if max(profile.numbers, profile.dates) > 0.8 else 1.0
    return 1.0


def _steep(share: float) -> float:
    """Most of the cells must fit; a few bad ones are a matter for quarantine."""
    return 0.0 if share < 0.3 else min(1.0, 0.5 + share / 1.6)


def _by_values(
    raw: RawTable, profiles: dict[str, Profile], fixed: dict[str, ColumnMapping], numbered: bool
) -> Detection | None:
    """Read a file without telling headers as orders or as customers, by its values alone.

    Where a header tells the number of orders, whole numbers are no guess of what was paid.
    """
    free = [column for column in raw.columns if column not in fixed]
    headers = dict(zip(raw.columns, raw.headers, strict=True))
    aside = {column for column, header in headers.items() if is_aside(plain_name(header))}
    found: dict[str, tuple[str, float, Message]] = {}
    given = {mapping.name for mapping in fixed.values()}

    def take(column: str | None, target: str, sure: float, reason: Message) -> None:
        if column is not None and target.rpartition(".")[2] not in given:
            found[column] = (target, sure, reason)
            free.remove(column)

    def first(test: Iterable[str]) -> str | None:
        return next(iter(test), None)

    date = first(c for c in free if profiles[c].dates >= 0.8 and c not in aside)
    take(date, "orders.ordered_at", 0.8, msg("its values are dates"))
    email = first(c for c in free if profiles[c].emails >= 0.8)
    take(email, "customers.email", 0.9, msg("its values are e-mail addresses"))
    if date is None and "ordered_at" not in given:
        if email is None:
            return None
        return _guessed("customers", raw, headers, found, fixed)
    decimals = [
        c for c in free
        if _is_money(profiles[c]) and profiles[c].filled and c not in aside
    ]  # fmt: skip
    numbers = [
        c for c in free
        if profiles[c].numbers >= 0.9 and profiles[c].filled and not _is_code(profiles[c])
        and c not in aside and not numbered
    ]  # fmt: skip
    paid = first(decimals) or (max(numbers, key=lambda c: profiles[c].high) if numbers else None)
    if paid is None and not given & {"amount", "unit_price"}:
        return None
    take(paid, "orders.amount", 0.7, msg("its values are amounts"))
    codes = [c for c in free if _is_code(profiles[c])]
    customer = first(codes)
    each_once = [c for c in codes if profiles[c].unique > 0.98 and profiles[c].rows > 10]
    if len(codes) > 1 and customer in each_once and len(each_once) < len(codes):
        take(customer, "orders.order_id", 0.6, msg("its values number the rows"))
        customer = first(c for c in codes if c not in each_once)
    take(customer, "orders.customer_id", 0.6, msg("its values are codes that come back"))
    small = first(
        c for c in free
        if profiles[c].integers >= 0.98 and profiles[c].high < 1000 and not _is_code(profiles[c])
        and c not in aside
    )  # fmt: skip
    if small is not None:
        found[small] = ("order_lines.quantity", 0.6, msg("its values are small whole numbers"))
    return _guessed("orders", raw, headers, found, fixed)


def _is_code(profile: Profile) -> bool:
    """Whether the values look like codes: of one length with leading zeros, or high numbers."""
    if not profile.filled or profile.dates > 0.8 or profile.emails > 0.5:
        return False
    if profile.integers >= 0.95:
        zeros = any(cell.startswith("0") and len(cell) > 1 for cell in profile.cells)
        return zeros or (profile.distinct > 30 and profile.high > 500) or profile.high > 99_999
    return profile.numbers < 0.5 and profile.length <= 40 and profile.unique > 0.02


def _guessed(
    kind: str,
    raw: RawTable,
    headers: dict[str, str],
    found: dict[str, tuple[str, float, Message]],
    fixed: dict[str, ColumnMapping],
) -> Detection:
    columns = []
    for column in raw.columns:
        if column in fixed:
            columns.append(_placed(fixed[column], kind))
        elif column in found:
            target, sure, reason = found[column]
            name = target.rpartition(".")[2]
            columns.append(ColumnMapping(column, headers[column], target, name, sure, reason))
        else:
            columns.append(attribute(column, headers[column], kind))
    sure = min((c.confidence for c in columns if c.target), default=0.5)
    return Detection(kind, sure, msg("of what its values look like"), tuple(columns))
