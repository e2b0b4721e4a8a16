"""Which encoding a text file is written in, and its rewriting in UTF-8."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

UTF_8 = "utf-8"
MIXED = "windows-1252+cp850"
"""Two code pages in one file: French Windows wrote some rows and DOS the others."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ONE_BYTE = {"windows-1252": "cp1252", "mac-roman": "mac_roman", "cp850": "cp850"}
_TEXT_SIGNS = "\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f"
_TEXT_BYTES = bytes([*_TEXT_SIGNS.encode(), *range(0x20, 0x7F), *range(0x80, 0x100)])
_CHUNK = 1 << 20
_EVIDENCE = 1 << 20

# How often letters and signs stand in French and its neighbours, roughly, from 0 to 4.
_WEIGHTS = {
    **dict.fromkeys("é", 4.0),
    **dict.fromkeys("èàêç’", 3.0),
    **dict.fromkeys("ùôîâûëïœÉ€°", 2.5),
    **dict.fromkeys("ÈÀÊÇüöäß«»–“”…‘\u00a0", 2.0),
    **dict.fromkeys("ÂÎÔÛÙËÏŒáíóúñãõåæøÖÜÄ£", 1.5),
    **dict.fromkeys("ÁÍÓÚÑÃÕÅÆØÿòì²§·•—®©™½¿¡ºª´", 0.5),
}


@dataclass(frozen=True)
class Facts:
    """What one pass over the bytes of a file found.

    Attributes:
        size: Bytes.
        lines: Line feeds, or carriage returns in a file that has no line feed.
        returns: Carriage returns.
        nul: Whether there are NUL bytes.
        mojibake: Whether UTF-8 was encoded twice somewhere ("Ã©").
        long_line: Whether a line is longer than the pass looks at.
        ends_open: Whether the last line has no end.
        blank_end: How many blank lines stand at the end.
    """

    size: int
    lines: int
    returns: int
    nul: bool
    mojibake: bool
    long_line: bool
    ends_open: bool
    blank_end: int


def facts(path: Path) -> Facts:
    """Look once over the bytes of a file.

    Args:
        path: The file.

    Returns:
        Its facts.
    """
    size = feeds = returns = 0
    nul = mojibake = long_line = False
    tail = b""
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            breaks = chunk.count(b"\n")
            feeds += breaks
            carriage = chunk.count(b"\r")
            returns += carriage
            nul = nul or b"\0" in chunk
            # "Ã" and "Â" in UTF-8, each followed by what a second encoding makes of a byte.
            mojibake = mojibake or b"\xc3\x83\xc2" in chunk or b"\xc3\x83\xe2" in chunk
            mojibake = mojibake or b"\xc3\xa2\xe2\x82\xac" in chunk or b"\xc3\x82\xc2" in chunk
            long_line = long_line or (len(chunk) == _CHUNK and not breaks and not carriage)
            tail = (tail + chunk)[-4096:]
    lines = feeds or returns
    stripped = tail.rstrip(b"\r\n\x1a")
    ends = tail[len(stripped) :]
    ended = ends.count(b"\n") or ends.count(b"\r")
    return Facts(size, lines, returns, nul, mojibake, long_line, ended == 0, max(0, ended - 1))


def detect(path: Path, sample: bytes) -> str:
    """Name the encoding of a file by its first bytes.

    Args:
        path: The file.
        sample: Its first bytes.

    Returns:
        The encoding; `UTF_8` where the sample is, whatever follows it.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if wide := _wide(sample):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
    except UnicodeDecodeError:
        return detect_one_byte(path)
    return UTF_8


def is_binary(sample: bytes, encoding: str = UTF_8) -> bool:
    r"""Whether bytes are those of a program or picture rather than of text.

    Args:
        sample: The first bytes of a file.
        encoding: The encoding that they were found to be in.

    Returns:
        True where one sign in twenty is a control character that no text holds.

    Examples:
        >>> is_binary(bytes(range(256))), is_binary("Prénom;Ville\r\n".encode("cp1252"))
        (True, False)
    """
    if encoding.startswith(("utf-16", "utf-32")):
        text = sample.decode(encoding, "ignore")
        return 20 * sum(sign < " " and sign not in _TEXT_SIGNS for sign in text) > len(text)
    # A disk that failed leaves NUL bytes in the middle of a text: those alone prove nothing.
    held = sample.replace(b"\0", b"")
    if 20 * len(held.translate(None, _TEXT_BYTES)) > len(held):
        return True
    head = re.sub(rb"\0+", b"\0", sample[:4096])
    return 4 * len(head.translate(None, _TEXT_BYTES)) > len(head)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Latin text is NUL."""
    head = sample[: 4096 // 2 * 2]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half >= 4 and odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    if half >= 4 and even > 0.6 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def detect_one_byte(path: Path) -> str:
    """Name the encoding of a file that is not UTF-8 throughout.

    Args:
        path: The file.

    Returns:
        ``utf-8+windows-1252`` where most of it is UTF-8 nevertheless; a one-byte code page; or
        `MIXED`.
    """
    high = _evidence(path)
    good = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", high))
    bad = len(re.findall(rb"[\x80-\xff]", re.sub(rb"[\xc2-\xf4][\x80-\xbf]{1,3}", b"", high)))
    if good > 4 * bad:
        return "utf-8+windows-1252"
    spots = Counter(_spots(high))
    totals = {
        name: sum(count * _plausible(spot, page) for spot, count in spots.items())
        for name, page in _ONE_BYTE.items()
    }
    best = max(totals, key=lambda name: totals[name])
    dos = windows = 0
    for spot, count in spots.items():
        in_windows, in_dos = _plausible(spot, "cp1252"), _plausible(spot, "cp850")
        dos += count * (in_windows < 0 < in_dos)
        windows += count * (in_dos < 0 < in_windows)
    share = 0.005 * sum(spots.values())
    return MIXED if min(dos, windows) >= max(3, share) else best


def _evidence(path: Path) -> bytes:
    """Up to a megabyte of the lines that hold bytes beyond ASCII."""
    found = bytearray()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            for match in re.finditer(rb"[^\r\n]?[\x80-\xff]+[^\r\n\x80-\xff]?", chunk):
                found += match.group() + b"\n"
            if len(found) > _EVIDENCE:
                break
    return bytes(found)


_Spot = tuple[int, int, int]


def _spots(data: bytes) -> Iterator[_Spot]:
    """Each byte beyond ASCII between its neighbours (other such bytes told as a letter)."""
    for match in re.finditer(rb"[\x80-\xff]", data):
        at = match.start()
        before = data[at - 1] if at else 10
        after = data[at + 1] if at + 1 < len(data) else 10
        yield before, data[at], after


def _plausible(spot: _Spot, page: str) -> float:
    """How well a byte reads in a code page between its neighbours; negative: it does not."""
    before, byte, after = spot
    sign = bytes([byte]).decode(page, "replace")
    left = chr(before) if before < 128 else "é"
    right = chr(after) if after < 128 else "é"
    score = _WEIGHTS.get(sign, -1.0 if sign.isalpha() else -2.0)
    if sign == "\ufffd" or (not sign.isprintable() and sign != "\u00a0"):
        return -6.0
    if sign.isalpha():
        if left.isdigit() or right.isdigit():
            score -= 2
        if sign.isupper() and left.islower():
            score -= 5
        if sign.islower() and left.isupper() and right.isupper():
            score -= 3
        return score
    if left.isalpha() and right.isalpha() and sign not in "’‘–·´'":
        score -= 5
    return score


def mixed_text(data: bytes) -> str:
    r"""Decode bytes of which each may be Windows-1252 or CP850, by its neighbours.

    Args:
        data: Whole lines.

    Returns:
        The text.

    Examples:
        >>> mixed_text(b"tr\xe8s appr\x82ci\x82, 6\x80")
        'très apprécié, 6€'
    """

    def choose(match: re.Match[bytes]) -> bytes:
        at = match.start()
        spot = (
            data[at - 1] if at else 10,
            data[at],
            data[at + 1] if at + 1 < len(data) else 10,
        )
        dos = _plausible(spot, "cp850") > _plausible(spot, "cp1252")
        return match.group().decode("cp850" if dos else "cp1252", "replace").encode()

    return re.sub(rb"[\x80-\xff]", choose, data).decode()


def _fallback(error: UnicodeError) -> tuple[str, int]:
    """Read what is not UTF-8 as Windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace"), error.end


codecs.register_error("revoir_windows", _fallback)


def decoded(data: bytes, encoding: str) -> str:
    """Decode bytes in one of the encodings that `detect` names, or any of Python's.

    Args:
        data: The bytes.
        encoding: The name.

    Returns:
        The text, with U+FFFD where a byte means nothing.

    Raises:
        LookupError: Nobody knows the encoding.
    """
    if encoding == MIXED:
        return mixed_text(data)
    if encoding == "utf-8+windows-1252":
        return data.decode("utf-8", "revoir_windows")
    return data.decode(_ONE_BYTE.get(encoding, encoding), "replace")


def text_pieces(path: Path, encoding: str) -> Iterator[str]:
    """The text of a file, piece by piece, in bounded memory.

    Args:
        path: The file.
        encoding: A name that `decoded` understands.

    Yields:
        Pieces of text.
    """
    if encoding in (MIXED, "utf-8+windows-1252"):
        rest = b""
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                whole, feed, rest = (rest + chunk).rpartition(b"\n")
                if len(rest) > 4 * _CHUNK:
                    whole, feed, rest = whole + feed + rest, b"", b""
                yield decoded(whole + feed, encoding)
        yield decoded(rest, encoding)
        return
    decoder = codecs.getincrementaldecoder(_ONE_BYTE.get(encoding, encoding))("replace")
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
