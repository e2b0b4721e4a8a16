"""Names, addresses and numbers in one form each, so that two ways of writing one are equal."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

from revoir.tables import NOBODY

_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_EMAIL = re.compile(
    r"(?<![^\s,;<>()\"])[^@\s,;<>()\"]{1,64}@[^@\s,;<>()\"]{1,189}\.[^@\s,;<>()\".]{2,63}"
)
_NO_WORD = re.compile(r"[\W_]+")
_NO_DIGIT = re.compile(r"\D+")
_NOTHING = frozenset((
    "-", "--", "?", "n/a", "na", "nc", "null", "(null)", "none", "nil", "undefined", "néant",
    "neant", "nan", *NOBODY,
))  # fmt: skip
_REGIONS = {
    "france": "FR", "fr": "FR", "belgique": "BE", "belgium": "BE", "be": "BE", "suisse": "CH",
    "switzerland": "CH", "ch": "CH", "luxembourg": "LU", "lu": "LU", "canada": "CA", "ca": "CA",
    "royaume uni": "GB", "united kingdom": "GB", "uk": "GB", "gb": "GB", "allemagne": "DE",
    "germany": "DE", "de": "DE", "espagne": "ES", "spain": "ES", "es": "ES", "italie": "IT",
    "italy": "IT", "it": "IT", "etats unis": "US", "united states": "US", "usa": "US", "us": "US",
    "pays bas": "NL", "netherlands": "NL", "nl": "NL", "portugal": "PT", "pt": "PT",
}  # fmt: skip
_PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
TOKEN_MAX = 32


def clean(value: Any, length: int | None = None) -> str:
    r"""A text without invisible characters and spaces at its ends, in NFC, cut to a length if any.

    Examples:
        >>> clean(" Zoé\u200b ")
        'Zoé'
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
        text = text.encode("utf-8", "ignore").decode("utf-8")
    return text.strip()[:length].rstrip()


def fold(text: str) -> str:
    """A text in lower case without accents and punctuation, its words parted by one space.

    Examples:
        >>> fold("Hélène  D'Œuvre-Šimić")
        'helene d oeuvre simic'
    """
    if text.isascii() and text.isalnum():
        return text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN)).casefold()
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return _NO_WORD.sub(" ", text).strip().lower()


def name_key(name: str, company_name: str) -> str:
    """The form of a customer's name that lists sort by.

    Examples:
        >>> name_key("", "Les Deux Gares")
        'les deux gares'
    """
    return fold(name or company_name)[:200]


def town_key(text: str) -> str:
    """A town as lists are narrowed by it: what is longer is found by its beginning."""
    return fold(text)[:100]


def email_of(value: Any) -> str | None:
    """An e-mail address as it is kept: lower case; None when it is none.

    Of several in one cell the first counts. A dotless i stays what it is: another letter.

    Examples:
        >>> email_of(" Ana.Lopez@Example.COM "), email_of("N/A"), email_of("a@b.fr; c@d.fr")
        ('ana.lopez@example.com', None, 'a@b.fr')
    """
    if not value:
        return None
    text = clean(value, 500).lower()
    if _EMAIL.fullmatch(text):
        return text if len(text) <= 254 else None
    found = _EMAIL.search(text)
    return found.group() if found and len(found.group()) <= 254 else None


def phone_of(value: Any, country: Any = "", home: str = "FR") -> str | None:
    """A telephone number as E.164; None when it is none.

    Args:
        value: As it was written.
        country: The customer's country, as it was written.
        home: The region of numbers without country, ISO 3166.

    Examples:
        >>> phone_of("06 12 34 56 78"), phone_of("0033 6.12.34.56.78"), phone_of("néant")
        ('+33612345678', '+33612345678', None)
    """
    if not value:
        return None
    text = value if isinstance(value, str) else str(value)
    digits = _NO_DIGIT.sub("", text)
    region = _REGIONS.get(fold(str(country)), home) if country else home
    # Most numbers are written in one of two ways, and the library takes 60 µs for each.
    if region == "FR":
        if len(digits) == 10 and digits[0] == "0" and digits[1] != "0":
            return f"+33{digits[1:]}"
        if len(digits) == 11 and digits[:2] == "33" and text.lstrip()[:1] == "+":
            return f"+{digits}"
    if len(digits) < 6 or len(digits) > 17:
        return None
    return _parsed(text.strip(), region)


@functools.lru_cache(maxsize=65_536)
def _parsed(text: str, region: str) -> str | None:
    import phonenumbers

    if text.startswith("00"):
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_shown(value: str) -> str:
    """A number as people read it.

    Examples:
        >>> phone_shown("+33612345678")
        '+33 6 12 34 56 78'
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def external_of(value: Any) -> str | None:
    """An identifier of another system as it is kept: as it is, without spaces at its ends.

    None where it stands for nobody, as reading has it of files.

    Examples:
        >>> external_of(" C-12 "), external_of("undefined"), external_of("Guest")
        ('C-12', None, None)
    """
    if value is None:
        return None
    text = clean(value, 255)
    return text if text and text.lower() not in _NOTHING else None


def named(value: str) -> str | None:
    """A name that stands for a customer number, however it is written; None for other numbers.

    As the reading does it: what has neither digit nor “@” is one in capitals and in small letters.

    Examples:
        >>> named("Marie  DUPONT"), named("C-12"), named("ana@example.com")
        ('marie dupont', None, None)
    """
    if any(letter.isdigit() or letter == "@" for letter in value):
        return None
    return " ".join(value.split()).lower()


def tokens_of(*texts: str) -> set[str]:
    """The words by which someone is found.

    Examples:
        >>> sorted(tokens_of("Anne-Marie Lévy", ""))
        ['anne', 'levy', 'marie']
    """
    return {word[:TOKEN_MAX] for text in texts for word in fold(text).split()}


def after(prefix: str) -> str:
    """The least text that is greater than all that begin with a prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


@functools.lru_cache(maxsize=50_000)
def phone_spellings(phone: str) -> tuple[str, ...]:
    """A number in the ways that files write it; nothing for nothing.

    Args:
        phone: As it is kept (E.164).

    Examples:
        >>> phone_spellings("+33612345678")[1:3]
        ('0612345678', '06 12 34 56 78')
    """
    import phonenumbers

    if not phone:
        return ()
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return (phone,)
    forms = (
        phonenumbers.PhoneNumberFormat.NATIONAL,
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    )
    spaced = [phonenumbers.format_number(number, form) for form in forms]
    signs = ("", " ", ".", "-")
    return (phone, *(text.replace(" ", sign) for text in spaced for sign in signs))
