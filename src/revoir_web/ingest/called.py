"""What files of sources are called, where that names somebody who was erased.

Who they were is not known any more. What they were called in a name of a file is kept as a keyed
hash when they go, so that the next file of that name, or of the next month, does not bring it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from revoir_web.consents.traces import TELLING
from revoir_web.customers import blocklist
from revoir_web.customers.models import ErasedIdentifier
from revoir_web.customers.text import email_of, phone_of
from revoir_web.ingest.models import Source, SourceFile

_WORD = re.compile(r"[^\W_]+")
_WORDS_MAX = 8
"""Words that are looked at together: an address or a number may be several."""
_KIND = "file word"


def hash_of(name: str) -> str:
    """What a file is known by that was called after somebody who was erased."""
    return blocklist.hash_of("file", name)


def remember(texts: Iterable[str]) -> None:
    """Keep what somebody who is being erased was called in the names of files, as keyed hashes."""
    hashes = {blocklist.hash_of(_KIND, _plain(text)) for text in texts}
    ErasedIdentifier.objects.bulk_create(
        [ErasedIdentifier(hash=held) for held in hashes], ignore_conflicts=True
    )


def shown(source: Source, name: str) -> str:
    """What a file of a source is called, with an ellipsis where that names somebody erased.

    Args:
        source: Where it is from.
        name: What it is called there.
    """
    if not ErasedIdentifier.objects.exists():
        return name
    gone = _gone({name[begin:end] for begin, end in _spans(name)})
    parts, kept = [], 0
    for begin, end in _spans(name):
        if begin >= kept and name[begin:end] in gone:
            parts += [name[kept:begin], "…"]
            kept = end
    if parts:
        return "".join([*parts, name[kept:]])
    if SourceFile.objects.filter(source=source, name=hash_of(name[:500])).exists():
        # An earlier version kept the hash of the whole name alone.
        _stem, dot, suffix = name.rpartition(".")
        return f"…{dot}{suffix}" if dot else "…"
    return name


def _spans(name: str) -> Iterator[tuple[int, int]]:
    """Where one word or several stand, of those that begin together the longest first."""
    words = [match.span() for match in _WORD.finditer(name)]
    for place, (begin, _end) in enumerate(words):
        for _begin, end in reversed(words[place : place + _WORDS_MAX]):
            yield begin, end


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _gone(texts: set[str]) -> set[str]:
    """Those of some texts that name somebody who was erased."""
    # A number of a customer may be a day, or that of an export; one of a telephone is long.
    telling = {text for text in texts if len(text) >= TELLING and not text.isdecimal()}
    found = blocklist.erased("external", telling)
    emails = {text: text.lower() for text in telling if email_of(text) == text.lower()}
    phones = {text: key for text in texts if text.upper() == text and (key := phone_of(text))}
    for kind, keys in (("email", emails), ("phone", phones)):
        erased = blocklist.erased(kind, keys.values())
        found |= {text for text, key in keys.items() if key in erased}
    plain = {text: _plain(text) for text in texts}
    erased = blocklist.erased(_KIND, plain.values())
    return found | {text for text, key in plain.items() if key in erased}
