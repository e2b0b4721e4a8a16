"""What a cell says: SQL that turns whole columns of text into numbers, times, addresses, ….

Every function gives SQL text for DuckDB; nothing here touches a row in Python. Each conversion
tries the plain cast first and falls back, only for the cells where that fails, on the slower
expression that knows spaces, currency signs, month names and the like (``coalesce`` is lazy).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from revoir.engines.sql import literal
from revoir.sentiment import sentiment
from revoir.tables import NOBODY, Type

if TYPE_CHECKING:
    import duckdb

DECIMAL = "DECIMAL(18, 4)"

_EMPTY = (
    "", "-", "--", "—", "–", "n/a", "#n/a", "#n/d", "#na", "n.a.", "n/d", "n.d.", "nc", "n.c.",
    "néant", "neant", "(vide)", "(blank)", "(null)", "\\n",
)  # fmt: skip
_EMPTY_CODES = (
    *_EMPTY, "na", "null", "none", "nil", "nan", "aucun", "aucune", "inconnu", "inconnue",
    "unknown", "undefined", "anonyme", "anonymous", "guest", "invité", "nat",
)  # fmt: skip
_EMPTY_TIMES = (*_EMPTY_CODES, "0000-00-00", "0000-00-00 00:00:00", "00/00/0000")
_EMPTY_NUMBERS = (*_EMPTY, "na", "null", "none", "nil", "nd", "nr")

_TRUE = (
    "oui", "o", "yes", "y", "true", "vrai", "1", "1.0", "1,0", "x", "✓", "✔", "ok", "on", "t", "v",
    "subscribed", "abonné", "abonne", "abonnée", "inscrit", "inscrite", "accepté", "accepte",
    "accepted", "opt-in", "optin", "opted in", "churned", "résilié", "resilie", "résiliée", "parti",
    "partie", "left", "exited", "attrited customer", "désabonné", "desabonne", "marketing contact",
)  # fmt: skip
_FALSE = (
    "non", "n", "no", "false", "faux", "0", "0.0", "0,0", "off", "f", "unsubscribed", "cleaned",
    "refusé", "refuse", "refusée", "opt-out", "optout", "opted out", "stop", "blacklisted",
    "active", "actif", "active customer", "stayed", "existing customer", "actuel", "retained",
    "en cours", "non-subscribed", "nonsubscribed", "not subscribed", "non-marketing contact",
    "not_subscribed", "never subscribed", "never_subscribed",
)  # fmt: skip
# "désabonné" says that a customer left, but that a contact may not be written to.
_UNSUBSCRIBED = ("désabonné", "desabonne", "désabonnée", "désinscrit", "desinscrit", "résilié")

_MONTHS = (
    "janv(?:ier)?|jan(?:uary)?", "fevr?(?:ier)?|feb(?:ruary)?", "mars|mar(?:ch)?",
    "avr(?:il)?|apr(?:il)?",
    "mai|may", "juin|june?", "juil(?:let)?|july?", "aout|aou|aug(?:ust)?", "sept?(?:embre|ember)?",
    "oct(?:obre|ober)?", "nov(?:embre|ember)?", "dec(?:embre|ember)?",
)  # fmt: skip

_SPACE = r"[\s\x{00a0}\x{202f}\x{2009}\x{2007}]"
_DAYS = (
    r"(^|[^a-z])(lun(di)?|mardi|mer(credi)?|jeu(di)?|ven(dredi)?|sam(edi)?|dim(anche)?"
    r"|mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?|sun(day)?|le)[.,]?\s+"
)

CURRENCY_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "CAD", "MAD", "TND", "XOF", "XAF", "DZD")


def _list(words: Iterable[str]) -> str:
    return "(" + ", ".join(literal(word) for word in words) + ")"


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Teach a connection the macros that conversions use."""
    for macro in _macros():
        connection.execute(f"CREATE OR REPLACE MACRO {macro}")


def sounds(connection: duckdb.DuckDBPyConnection, words: str) -> str:
    """SQL of how words sound (`revoir.sentiment`), on a connection that is taught to tell."""
    import duckdb
    from duckdb.func import SPECIAL

    # Few files hold words: the others need not wait for it. It may be known from one before.
    with suppress(duckdb.NotImplementedException):
        connection.create_function(
            "rv_sentiment", sentiment, ["VARCHAR"], "DOUBLE", null_handling=SPECIAL
        )
    return f"CAST(rv_sentiment({words}) AS {DECIMAL})"


@contextmanager
def words_compared(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the words of macros be compared where they stand, for the statements inside.

    DuckDB makes a join of each long list of words. It is made for every row, those too that a CASE
    has settled by their first letter, and with a dozen lists the joins take twice the time of all
    the rest: that of a million rows, and that of planning the statement for a handful.

    Args:
        connection: The connection of the statements; what it left out before, it does again after.
    """
    left_out = connection.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0][0]
    chosen = ",".join(filter(None, (left_out, "in_clause")))
    connection.execute(f"SET disabled_optimizers = {literal(chosen)}")
    try:
        yield
    finally:
        connection.execute(f"SET disabled_optimizers = {literal(left_out)}")


TEXT_RANGES = (("0", "N"), ("O", "Z"), ("a", "n"), ("o", "{"))
"""Beginnings, from and up to, that no word for "nothing" has."""
CODE_RANGES = (
    ("0", "A"), ("B", "G"), ("H", "I"), ("J", "N"), ("O", "U"), ("V", "Z"),
    ("b", "g"), ("h", "i"), ("j", "n"), ("o", "u"), ("v", "z"),
)  # fmt: skip
"""The same for codes, where more words mean nothing."""
WHO_RANGES = (
    ("0", "A"), ("B", "C"), ("E", "G"), ("H", "I"), ("J", "N"), ("O", "P"), ("Q", "U"), ("X", "Z"),
    ("b", "c"), ("e", "g"), ("h", "i"), ("j", "n"), ("o", "p"), ("q", "u"), ("x", "z"),
)  # fmt: skip
"""The same for customers, where words mean nobody."""


def _within(column: str, ranges: Iterable[tuple[str, str]]) -> str:
    return "(" + " OR ".join(f"{column} >= '{a}' AND {column} < '{b}'" for a, b in ranges) + ")"


def plain(column: str, ranges: Iterable[tuple[str, str]]) -> str:
    """SQL of whether a cell needs no cleaning: ASCII, no blanks around it, no word for nothing."""
    words = _EMPTY_CODES + NOBODY if ranges is WHO_RANGES else _EMPTY_CODES
    marked = "" if ranges is TEXT_RANGES else f" AND NOT starts_with({column}, '''')"
    return (
        f"(strlen({column}) = length({column}) AND {column} >= '!' AND"
        f" ({_within(column, ranges)} OR lower({column}) NOT IN {_list(words)})"
        f" AND {column} NOT LIKE '% ' AND {column} NOT LIKE '%\t' AND {column} NOT LIKE '%.0'"
        f"{marked})"
    )


def _macros() -> list[str]:
    return [
        # Comparing is many times faster than trimming, and most cells need no trim. Only text
        # with letters beyond ASCII can hold invisible characters or two spellings of é.
        r"""rv_clean(s) AS CASE WHEN strlen(s) = length(s) THEN
            CASE WHEN s >= '!' AND s[-1] >= '!' THEN s ELSE trim(s, E' \t\r\n') END
            ELSE nfc_normalize(regexp_replace(regexp_replace(s,
                '[\x{200b}\x{200e}\x{200f}\x{2060}\x{feff}\x{00ad}]', '', 'g'),
                '^[\s\x{00a0}\x{202f}\x{3000}]+|[\s\x{00a0}\x{202f}\x{3000}]+$', '', 'g')) END""",
        # What means "nothing" begins with none of these letters.
        f"rv_text(s) AS CASE WHEN {_within('s', TEXT_RANGES)} THEN s ELSE {_unless(_EMPTY, 9)} END",
        f"rv_code(s) AS CASE WHEN s >= '0' AND s < ':' THEN s ELSE {_unless(_EMPTY_CODES, 9)} END",
        f"rv_when(s) AS {_unless(_EMPTY_TIMES, 19)}",
        f"rv_figure(s) AS {_unless(_EMPTY_NUMBERS, 9)}",
        "rv_comma(s) AS CASE WHEN NOT contains(s, '.')"
        f" THEN try_cast(replace(s, ',', '.') AS {DECIMAL}) END",
        f"rv_dot(s) AS try_cast(s AS {DECIMAL})",
        """rv_plain_time(s) AS CASE WHEN length(s) = 10
            OR (length(s) IN (16, 19) AND s[14] = ':' AND s[length(s) - 2] = ':')
            THEN try_cast(s AS TIMESTAMP) END""",
        """rv_slashed(s, dmy) AS CASE WHEN s[3] = '/' AND s[6] = '/' THEN CASE
            WHEN length(s) = 10 AND dmy THEN try_strptime(s, '%d/%m/%Y')
            WHEN length(s) = 10 THEN try_strptime(s, '%m/%d/%Y')
            WHEN length(s) = 16 AND dmy THEN try_strptime(s, '%d/%m/%Y %H:%M')
            WHEN length(s) = 16 THEN try_strptime(s, '%m/%d/%Y %H:%M')
            WHEN length(s) = 19 AND dmy THEN try_strptime(s, '%d/%m/%Y %H:%M:%S')
            WHEN length(s) = 19 THEN try_strptime(s, '%m/%d/%Y %H:%M:%S') END END""",
        *_identity_macros(),
    ]


def _unless(words: Iterable[str], length_max: int) -> str:
    """SQL of a text unless it is one of the words that mean nothing."""
    return (
        f"CASE WHEN length(s) <= {length_max} AND lower(s) IN {_list(words)} THEN NULL ELSE s END"
    )


def slow_numbers(source: str, decimal: str | None) -> str:
    """Read numbers that a plain cast does not: signs of currency, brackets, spaces, groups.

    Args:
        source: SQL of a relation with a column ``value``, cleaned text.
        decimal: The sign that stands before decimals where a number could be read two ways; None
            for percentages, which have no thousands.

    Returns:
        SQL of a relation ``value``, ``result``; the result is null where there is no number.
    """
    codes = "|".join(CURRENCIES)
    signs = rf"€|£|¥|(?i:euros?|(?:US|CA?)?\$(?:USD?|CA?D?)?|{codes})"
    if decimal is None:
        signs = "%"
    groups = f"^[^0-9]*\\d{{1,3}}({_SPACE}\\d{{3}})+([^0-9].*)?$"
    point = """CASE
        WHEN regexp_full_match(b, '-?[1-9]\\d{0,2}(,\\d{2,3})*,\\d{3}(\\.\\d*)?')
            THEN replace(b, ',', '')
        WHEN regexp_full_match(b, '-?\\d{1,3}(\\.\\d{3})+,\\d+')
            OR regexp_full_match(b, '-?\\d{1,3}(\\.\\d{3}){2,}')
            THEN replace(replace(b, '.', ''), ',', '.')"""
    comma = """CASE
        WHEN regexp_full_match(b, '-?[1-9]\\d{0,2}(\\.\\d{3})+(,\\d*)?')
            THEN replace(replace(b, '.', ''), ',', '.')
        WHEN regexp_full_match(b, '-?\\d{1,3}(,\\d{2,3})+\\.\\d+')
            OR regexp_full_match(b, '-?\\d{1,3}(,\\d{3}){2,}') THEN replace(b, ',', '')"""
    read = {",": comma, ".": point, None: "CASE"}[decimal]
    return f"""WITH held AS (SELECT value, rv_figure(value) AS s FROM ({source})),
        mended AS (SELECT value, regexp_replace(s,
            '(\\d){_SPACE}*[€$£]{_SPACE}*(\\d\\d[-)]*)$', '\\1,\\2') AS s FROM held),
        bare AS (SELECT value,
            CASE WHEN regexp_matches(s, '\\d{_SPACE}+\\d') AND NOT regexp_matches(s, '{groups}')
            THEN NULL ELSE replace(regexp_replace(s, '{_SPACE}|[''’]', '', 'g'), '−', '-')
            END AS b FROM mended),
        plain AS (SELECT value, regexp_replace(regexp_replace(b,
            '^([-+(]*)({signs})', '\\1'), '({signs})([-)]*)$', '\\2') AS b FROM bare),
        signed AS (SELECT value, regexp_replace(regexp_replace(regexp_replace(b,
            '^\\((.*)\\)$', '-\\1'), '^([0-9.,]+)-$', '-\\1'), '^\\+', '') AS b FROM plain)
        SELECT value, try_cast({read}
        WHEN regexp_full_match(b, '-?\\d*[.,]?\\d*([eE][+-]?\\d{{1,3}})?') THEN replace(b, ',', '.')
        END AS {DECIMAL}) AS result FROM signed"""


def slow_times(source: str, *, day_first: bool, zone: str, latest: dt.date | None = None) -> str:
    """Read times that a plain cast does not: month names, zones, day numbers, seconds since 1970.

    Args:
        source: SQL of a relation with a column ``value``, cleaned text.
        day_first: Whether 03/04/2024 is 3 April.
        zone: IANA zone that the result is in.
        latest: Years of two digits that would lie after this day are of the century before.

    Returns:
        SQL of a relation ``value``, ``result``; the result is null where there is no time.
    """
    words = "regexp_replace(strip_accents(lower(s)), '" + _DAYS + "', ' ')"
    for number, names in enumerate(_MONTHS, 1):
        words = (
            f"regexp_replace({words}, '(^|[^a-z])({names})\\.?([^a-z]|$)', '\\1m{number:02d}\\3')"
        )
    first, second = ("d", "m") if day_first else ("m", "d")
    forms = (
        (r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})( .*)?", "ymdt"),
        (r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})( .*)?", f"{first}{second}yt"),
        (r"(\d{1,2})[-/. ]?m(\d\d)[-/. ]*(\d{4}|\d{2})( .*)?", "dmyt"),
        (r"m(\d\d)[-/. ]?(\d{1,2})[-/. ]+(\d{4}|\d{2})( .*)?", "mdyt"),
        (r"(\d{4})[-/. ]?m(\d\d)[-/. ]?(\d{1,2})( .*)?", "ymdt"),
    )
    split = ", ".join(
        "CASE "
        + " ".join(
            f"WHEN regexp_full_match(w, '{form}')"
            f" THEN regexp_extract(w, '^{form}$', {order.index(letter) + 1})"
            for form, order in forms
        )
        + f" END AS {letter}"
        for letter in "ymdt"
    )
    day = "lpad(m, 2, '0') || '-' || lpad(d, 2, '0')"
    past = f" OR '20' || y || '-' || {day} > '{latest}'" if latest else ""
    return f"""WITH held AS (SELECT value, rv_when(ltrim(value, '''')) AS s FROM ({source})),
        worded AS (SELECT value, s, {words} AS w FROM held),
        spelt AS (SELECT value, s, trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            regexp_replace(w, '(\\d)(er|st|nd|rd|th)([^a-z])', '\\1\\3'),
            '(\\d)\\s?h\\s?(\\d\\d)', '\\1:\\2'),
            '[\\s\\x{{00a0}}\\x{{202f}},]+|t(\\d)', ' \\1', 'g'),
            '^m03 (\\d{{1,2}}) mars', '\\1 m03'), ' (a|at) (\\d)', ' \\2')) AS w FROM worded),
        cut AS (SELECT value, s, {split} FROM spelt),
        parts AS (SELECT value, s, y, m, d, trim(t) AS t FROM cut),
        clocks AS (SELECT value, s, CASE WHEN length(y) = 4 THEN y WHEN y >= '50'{past}
            THEN '19' || y ELSE '20' || y END || '-' || {day} AS day,
            CASE WHEN t = '' THEN '00:00:00'
            WHEN regexp_full_match(t, '\\d{{1,2}}:\\d{{2}}(:\\d{{2}}([.,]\\d+)?)?')
                THEN regexp_replace(replace(t, ',', '.'), '^(\\d):', '0\\1:')
            WHEN regexp_full_match(t, '\\d{{1,2}}:\\d{{2}}(:\\d{{2}})? ?[ap]\\.?m\\.?')
                THEN strftime(
                coalesce(try_strptime(replace(replace(t, '.', ''), ' ', ''), '%I:%M%p'),
                try_strptime(replace(replace(t, '.', ''), ' ', ''), '%I:%M:%S%p')), '%H:%M:%S')
            END AS clock FROM parts)
        SELECT value, coalesce(try_cast(day || ' ' || clock AS TIMESTAMP),
            timezone({literal(zone)}, {zoned("s")}),
            CASE WHEN regexp_full_match(s, '(19|20)\\d{{6}}') THEN try_strptime(s, '%Y%m%d')
            WHEN regexp_full_match(s, '(19|20)\\d{{12}}') THEN try_strptime(s, '%Y%m%d%H%M%S')
            WHEN regexp_full_match(s, '[2-7]\\d{{4}}([.,]\\d+)?') THEN
                TIMESTAMP '1899-12-30' + to_seconds(
                round(try_cast(replace(s, ',', '.') AS DOUBLE) * 86400)::BIGINT)
            WHEN regexp_full_match(s, '\\d{{4}}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?')
                THEN try_cast(s AS TIMESTAMP) END) AS result FROM clocks"""


def zoned(s: str) -> str:
    """SQL of a moment that says its own zone, or counts seconds since 1970."""
    return f"""CASE
        WHEN regexp_full_match({s}, '\\d{{4}}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?'
            || ' ?(Z|UTC|GMT|[+-]\\d\\d(:?\\d\\d)?)')
            THEN try_cast(regexp_replace(regexp_replace(regexp_replace({s}, ' ?(Z|UTC|GMT)$',
                '+00:00'), ' ?([+-]\\d\\d):?(\\d\\d)$', '\\1:\\2'), ' ?([+-]\\d\\d)$', '\\1:00')
                AS TIMESTAMPTZ)
        WHEN regexp_full_match({s}, '1\\d{{9}}(\\.\\d+)?|[1-9]\\d{{8}}')
            THEN to_timestamp(try_cast({s} AS DOUBLE))
        WHEN regexp_full_match({s}, '1\\d{{12}}')
            THEN to_timestamp(try_cast({s} AS BIGINT) / 1000.0)
        WHEN regexp_full_match({s}, '1\\d{{15}}')
            THEN to_timestamp(try_cast({s} AS BIGINT) / 1000000.0) END"""


def _identity_macros() -> list[str]:
    part = r"[^@\s,;:<>()\[\]\\\x22]"
    address = rf"{part}+@{part}+\.{part}{{2,}}"
    return [
        r"""rv_bare_email(s) AS lower(regexp_replace(regexp_replace(s,
            '[\x{200c}\x{200d}\x{00a0}]', '', 'g'), '^(?i:mailto:)|^.*<(.*)>$', '\1'))""",
        # lower() folds I to i, never the dotless ı: two people stay two people.
        f"""rv_email(s) AS CASE WHEN length(rv_bare_email(s)) <= 320
            AND regexp_full_match(rv_bare_email(s), '{address}') THEN rv_bare_email(s) END""",
        r"rv_digits_of(s) AS regexp_replace(replace(s, '(0)', ''), '[^0-9+]', '', 'g')",
        r"""rv_dialled(d) AS CASE
            WHEN regexp_full_match(d, '\+330[1-9]\d{8}') THEN '+33' || substr(d, 5)
            WHEN regexp_full_match(d, '\+[1-9]\d{6,14}') THEN d
            WHEN regexp_full_match(d, '00330[1-9]\d{8}') THEN '+33' || substr(d, 6)
            WHEN regexp_full_match(d, '00[1-9]\d{6,14}') THEN '+' || substr(d, 3)
            WHEN regexp_full_match(d, '0[1-9]\d{8}') THEN '+33' || substr(d, 2)
            WHEN regexp_full_match(d, '33[1-9]\d{8}') THEN '+' || d
            WHEN regexp_full_match(d, '[1-9]\d{8}') THEN '+33' || d END""",
        r"""rv_phone(s) AS CASE WHEN regexp_full_match(s, '\d{9,15}\.0')
            THEN rv_dialled(substr(s, 1, length(s) - 2))
            WHEN regexp_full_match(s, '[0-9+() ./\x{00a0}\x{202f}-]+')
            THEN rv_dialled(rv_digits_of(s)) END""",
        # A spreadsheet drops the zero of 01000; French postcodes have five digits.
        r"""rv_postcode_fr(s) AS CASE WHEN regexp_full_match(s, '\d{4}(\.0)?')
            THEN '0' || substr(s, 1, 4)
            WHEN regexp_full_match(s, '\d{5}\.0') THEN substr(s, 1, 5)
            ELSE ltrim(s, '''') END""",
        # A macro repeats its argument: nested ones are slow, so this one does it all.
        "rv_id(s) AS CASE WHEN s >= '0' AND s < ':' THEN CASE WHEN ends_with(s, '.0')"
        r" AND regexp_full_match(s, '\d+\.0') THEN substr(s, 1, length(s) - 2) ELSE s END"
        # Spreadsheets mark figures that are text with an apostrophe.
        " WHEN s[1] = '''' AND s[2] >= '0' AND s[2] < ':' THEN substr(s, 2)"
        f" ELSE {_unless(_EMPTY_CODES, 9)} END",
        # Names have no digits; codes that have none either are folded like them, and it is said.
        r"""rv_folded(s) AS lower(regexp_replace(s, '[\s\x{00a0}\x{202f}]+', ' ', 'g'))""",
        r"""rv_named(s) AS CASE WHEN NOT regexp_matches(s, '[0-9@]') THEN rv_folded(s) END""",
        f"""rv_nobody(s) AS length(s) <= {max(map(len, NOBODY))}
            AND lower(s) IN {_list(NOBODY)}""",
        f"""rv_true(s) AS CASE WHEN lower(s) IN {_list(_TRUE)} THEN true
            WHEN lower(s) IN {_list(_FALSE)} THEN false END""",
        f"""rv_consent(s) AS CASE WHEN lower(s) IN {_list(_UNSUBSCRIBED)} THEN false
            ELSE rv_true(s) END""",
        # Codes first, and whose dollars they are: "$ CAD" and "CA$" are not the United States'.
        "rv_currency(s) AS CASE "
        + " ".join(
            f"WHEN contains(upper(s), {literal(code)}) THEN {literal(code)}" for code in CURRENCIES
        )
        + r" WHEN regexp_matches(upper(s), 'CA? *\$|\$ *CA?$') THEN 'CAD' "
        + " ".join(
            f"WHEN contains(s, {literal(sign)}) THEN {literal(code)}"
            for sign, code in CURRENCY_SIGNS.items()
        )
        + " WHEN contains(lower(s), 'euro') THEN 'EUR' END",
    ]


def is_text(sql_type: str) -> bool:
    """Whether a DuckDB type is text."""
    return sql_type.upper().startswith(("VARCHAR", "TEXT", "STRING", "ENUM"))


def is_number(sql_type: str) -> bool:
    """Whether a DuckDB type is a number."""
    return sql_type.upper().startswith(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
         "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "REAL", "DECIMAL")
    )  # fmt: skip


def text_of(column: str, sql_type: str) -> str:
    """The cell as the file writes it, whatever its type."""
    if is_text(sql_type):
        return column
    if sql_type.upper() in ("DOUBLE", "FLOAT", "REAL"):
        # 17850.0 in a column of codes is the code 17850.
        whole = f"CASE WHEN {column} = trunc({column}) THEN try_cast({column} AS HUGEINT) END"
        return f"coalesce(CAST({whole} AS VARCHAR), CAST({column} AS VARCHAR))"
    return f"CAST({column} AS VARCHAR)"


def given(column: str, sql_type: str, kind: Type) -> str:
    """The cell without what means "nothing" (N/A, néant, -): null when nothing is given."""
    if not is_text(sql_type):
        return column
    match kind:
        case Type.DECIMAL | Type.INTEGER:
            return f"rv_figure({column})"
        case Type.DATE | Type.TIMESTAMP:
            return f"rv_when({column})"
        case Type.BOOLEAN:
            return f"rv_code({column})"
    return f"rv_text({column})"


def number(column: str, sql_type: str, decimal: str) -> str:
    """An exact number; null where a plain cast finds none (see `slow_numbers`)."""
    if is_number(sql_type):
        return f"try_cast({column} AS {DECIMAL})"
    if not is_text(sql_type):
        return f"try_cast(CAST({column} AS VARCHAR) AS {DECIMAL})"
    return f"{'rv_comma' if decimal == ',' else 'rv_dot'}({column})"


def local_time(column: str, sql_type: str, *, day_first: bool, zone: str) -> str:
    """The wall clock's time in a zone; null where a plain cast finds none (see `slow_times`)."""
    kind = sql_type.upper()
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"timezone({literal(zone)}, {column})"
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"CAST({column} AS TIMESTAMP)"
    if not is_text(sql_type):
        return "CAST(NULL AS TIMESTAMP)"
    return f"coalesce(rv_plain_time({column}), rv_slashed({column}, {str(day_first).lower()}))"


def boolean(column: str, sql_type: str, *, consent: bool, inverted: bool) -> str:
    """A yes or a no; null where the cell says neither."""
    if sql_type.upper() == "BOOLEAN":
        value = column
    else:
        value = f"{'rv_consent' if consent else 'rv_true'}({text_of(column, sql_type)})"
    return f"(NOT {value})" if inverted else value


def code(column: str, sql_type: str) -> str:
    """An identifier: text without decoration, null where it says that there is none."""
    if is_text(sql_type):
        return f"rv_id({column})"
    return text_of(column, sql_type)


def customer(column: str, sql_type: str) -> str:
    """The identifier of a customer: null also where it says that nobody is known."""
    if not is_text(sql_type):
        return text_of(column, sql_type)
    return f"CASE WHEN NOT rv_nobody({column}) THEN rv_id({column}) END"


def words(column: str, sql_type: str) -> str:
    """Plain text, null where the cell says that there is none."""
    return f"rv_text({column})" if is_text(sql_type) else text_of(column, sql_type)


def product(price: str, quantity: str) -> str:
    """SQL of a price times a quantity; null where that has more digits than an amount can have."""
    # Eighteen digits times eighteen would not fit the type that DuckDB multiplies them in.
    return f"try_cast(CAST({price} AS DECIMAL(29, 4)) * {quantity} AS {DECIMAL})"
