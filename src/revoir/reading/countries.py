"""Countries as files write them, and how telephones are dialled there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from revoir.engines.sql import literal
from revoir.language import Message, msg
from revoir.reading.fields import Fields
from revoir.reading.profile import Profile

if TYPE_CHECKING:
    import duckdb

FRANCE = ("france", "fr", "fra", "france metropolitaine", "metropole")

_DIALLED: dict[str, tuple[str, ...]] = {
    "32": ("belgique", "belgium", "belgie", "be", "bel"),
    "41": ("suisse", "switzerland", "schweiz", "ch", "che"),
    "49": ("allemagne", "germany", "deutschland", "de", "deu"),
    "43": ("autriche", "austria", "osterreich", "at", "aut"),
    "31": ("pays-bas", "pays bas", "netherlands", "the netherlands", "nederland", "nl", "nld"),
    "44": ("royaume-uni", "royaume uni", "angleterre", "united kingdom", "great britain",
           "england", "gb", "uk", "gbr"),
    "353": ("irlande", "ireland", "ie", "irl"),
    "46": ("suede", "sweden", "se", "swe"),
    "358": ("finlande", "finland", "fi", "fin"),
    "212": ("maroc", "morocco", "ma", "mar"),
    "213": ("algerie", "algeria", "dz", "dza"),
    "590": ("guadeloupe", "gp", "glp"),
    "596": ("martinique", "mq", "mtq"),
    "594": ("guyane", "guyane francaise", "french guiana", "gf", "guf"),
    "262": ("reunion", "la reunion", "re", "reu", "mayotte", "yt", "myt"),
}  # fmt: skip
"""Codes of countries where a zero stands before the number within the country."""
_AS_IT_IS: dict[str, tuple[str, ...]] = {
    "352": ("luxembourg", "lu", "lux"),
    "34": ("espagne", "spain", "espana", "es", "esp"),
    "39": ("italie", "italy", "italia", "it", "ita"),
    "351": ("portugal", "pt", "prt"),
    "45": ("danemark", "denmark", "dk", "dnk"),
    "47": ("norvege", "norway", "no", "nor"),
    "48": ("pologne", "poland", "pl", "pol"),
    "420": ("republique tcheque", "tchequie", "czech republic", "czechia", "cz", "cze"),
    "377": ("monaco", "mc", "mco"),
    "376": ("andorre", "andorra", "ad", "and"),
    "1": ("etats-unis", "etats unis", "united states", "usa", "us", "canada", "ca", "can"),
    "216": ("tunisie", "tunisia", "tn", "tun"),
    "221": ("senegal", "sn", "sen"),
    "225": ("cote d'ivoire", "cote d’ivoire", "ivory coast", "ci", "civ"),
}
"""Codes of countries where the whole number follows the code."""


_TABLE = "rv_countries"


def is_france(name: str) -> bool:
    """Whether that is how a file writes France.

    Examples:
        >>> is_france("FRANCE"), is_france("Suisse")
        (True, False)
    """
    return name.strip().lower().replace("é", "e") in FRANCE


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Teach a connection the countries, and how telephones are dialled in them."""
    rows = ", ".join(
        f"({literal(name)}, {literal(code)}, {zero})"
        for zero, codes in (("true", _DIALLED), ("false", _AS_IT_IS))
        for code, names in codes.items()
        for name in names
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS"
        f" SELECT * FROM (VALUES {rows}) AS t(name, code, zero)"
    )
    france = ", ".join(map(literal, FRANCE))
    connection.execute(
        f"CREATE OR REPLACE MACRO rv_in_france(c) AS lower(strip_accents(c)) IN ({france})"
    )


def _telephone(cell: str, country: str) -> str:
    """SQL of a telephone number as dialled from abroad; null where it is none.

    Args:
        cell: SQL of the cell.
        country: SQL of the country that it is of; French where that is null.
    """
    digits = f"regexp_replace(regexp_replace({cell}, '\\.0$', ''), '[^0-9]', '', 'g')"
    # A number within a country has at most nine digits after its zero: a longer one has its code.
    return (
        f"CASE WHEN {country} IS NULL OR rv_in_france({country})"
        f" OR regexp_matches({cell}, '^(\\+|00)') THEN rv_phone({cell})"
        f" WHEN regexp_full_match({cell}, '[0-9() ./\\x{{00a0}}\\x{{202f}}-]{{6,20}}') THEN"
        " (SELECT '+' || CASE WHEN length(d) > 9 AND starts_with(d, code) THEN d"
        " WHEN zero THEN code || regexp_replace(d, '^0', '') ELSE code || d END"
        f" FROM (SELECT code, zero, {digits} AS d FROM {_TABLE}"
        f" WHERE name = lower(strip_accents({country})))) END"
    )


def apply(fields: Fields, profiles: dict[str, Profile], notes: list[Message]) -> None:
    """Read telephones and postcodes as those of the row's country: French ones where it is none."""
    country = fields.get("customers.country")
    phone, postcode = fields.get("customers.phone"), fields.get("customers.postcode")
    where = country.typed if country else "NULL"
    seen = profiles[country.mapping.column] if country else Profile()
    blank = not country or seen.filled < seen.rows
    if phone and country:
        code = phone.given
        typed = phone.typed.replace(f"rv_phone({code})", _telephone(code, where))
        fields[phone.key] = replace(phone, typed=typed)
        if not all(map(is_france, seen.cells)):
            notes.append(
                msg(
                    "Column {header}: numbers without a country's code are read as those of the"
                    " country in column {country}, and as French ones where none stands there.",
                    header=phone.mapping.header or phone.mapping.column,
                    country=country.mapping.header or country.mapping.column,
                )
            )
    if not postcode:
        return
    profile = profiles[postcode.mapping.column]
    lengths = _lengths(profile)
    if profile.integers <= 0.9 or profile.high >= 100_000 or not lengths <= {4, 5}:
        return
    # Four digits alone may be those of Brussels or Geneva.
    french = f"rv_in_france({where})" if country else "false"
    if 5 in lengths:
        french = f"({where} IS NULL OR {french})"
    elif not country:
        return
    code = postcode.given
    typed = f"CASE WHEN {french} THEN rv_postcode_fr({code}) ELSE {postcode.typed} END"
    fields[postcode.key] = replace(postcode, typed=typed)
    if 4 in lengths and (any(map(is_france, seen.cells)) or (blank and 5 in lengths)):
        notes.append(
            msg(
                "Column {header}: French postcodes of four digits get back the zero that they lost"
                " ({example}).",
                header=postcode.mapping.header or postcode.mapping.column,
                example="1000 → 01000",
            )
        )


def _lengths(profile: Profile) -> set[int]:
    """How many digits the postcodes of a column have."""
    cells = profile.cells or (str(int(profile.low)), str(int(profile.high)))
    return {len(cell.removesuffix(".0")) for cell in cells}
