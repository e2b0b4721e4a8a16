"""French is complete: no sentence without its words, no placeholder lost."""

from __future__ import annotations

import re
import runpy
import string
from pathlib import Path

from revoir.language import LANGUAGES, nmsg

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools/catalogues.py"))


def test_the_catalogue_is_complete() -> None:
    faults = TOOL["faults"]()
    assert not faults, "run `make translations` and fill in:\n" + "\n".join(faults)


def test_the_compiled_catalogue_is_the_written_one() -> None:
    for path in TOOL["paths"]():
        assert path.with_suffix(".mo").exists(), "run `make setup`"


def test_no_word_has_a_context() -> None:
    """The tool knows of none: such a word stood in English on a French page."""
    files = [path for end in ("py", "html", "txt") for path in (ROOT / "src").rglob(f"*.{end}")]
    told = [path.read_text(encoding="utf-8") for path in files]
    assert not any("pgettext" in text for text in told)
    assert not any(re.search(r"{%\s*(block)?trans\w* [^%]*\bcontext\b", text) for text in told)


def test_every_sentence_can_be_filled_in_every_language() -> None:
    for path in TOOL["paths"]():
        for message in TOOL["read"](path):
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            for form in forms:
                list(string.Formatter().parse(form))


def test_french_counts_zero_as_one() -> None:
    assert set(LANGUAGES) == {"fr", "en"}
    # The three plural forms of French: one (and zero), many (millions), other.
    catalogue = TOOL["read"](TOOL["paths"]()[0])
    assert catalogue.num_plurals == 3
    assert nmsg("{n} row", "{n} rows", 0).text("en") == "0 rows"
