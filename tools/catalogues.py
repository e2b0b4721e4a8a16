"""The gettext catalogues: bring them up to date with the code, check them, compile them.

Babel's own command is not used: it takes "95 % of" for a C format and refuses its translation.

There are two: `revoir.po` has the sentences that travel (``msg``, ``nmsg``, ``T``, in both
packages), `django.po` has those of the application's pages and forms.

    python tools/catalogues.py update    # src/*/locale/fr/LC_MESSAGES/*.po
    python tools/catalogues.py compile   # the .mo files beside
"""

from __future__ import annotations

import ast
import io
import re
import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
KEYWORDS: dict[str, Any] = {"msg": (1,), "nmsg": (1, 2), "T": (1,)}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
WEB_KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop", "_"), (1,)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
}
HEADER = """# French words of Revoir. `make translations` keeps it up to date with the code.
msgid ""
msgstr ""
"Project-Id-Version: Revoir\\n"
"Language: fr\\n"
"Plural-Forms: nplurals=3; plural=(n == 0 || n == 1) ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def paths(root: Path = ROOT) -> list[Path]:
    """The catalogues of a project."""
    return sorted((root / "src").glob("*/locale/*/LC_MESSAGES/*.po"))


def compile_catalogues(root: Path = ROOT) -> list[Path]:
    """Write the ``.mo`` file beside every ``.po`` file below ``src``.

    Args:
        root: The folder of the project.

    Returns:
        The files written.
    """
    written = []
    for source in paths(root):
        target = source.with_suffix(".mo")
        with target.open("wb") as file:
            write_mo(file, read(source))
        written.append(target)
    return written


def read(path: Path) -> Catalog:
    """Read a ``.po`` file."""
    with path.open("rb") as file:
        return read_po(file)


def messages_of_code(path: Path, root: Path = ROOT) -> list[Any]:
    """What the code says that belongs into a catalogue.

    Args:
        path: The catalogue.
        root: The folder of the project.

    Returns:
        Singulars as text, plurals as pairs, sorted.
    """
    if path.stem == "django":
        return sorted({*_said(root / "src/revoir_web", WEB_KEYWORDS), *_on_pages(root)}, key=_first)
    found = _said(root / "src/revoir", KEYWORDS, METHODS)
    return sorted({*found, *_said(root / "src/revoir_web", KEYWORDS)}, key=_first)


def _said(folder: Path, keywords: dict[str, Any], methods: Any = METHODS[:1]) -> set[Any]:
    entries = extract_from_dir(folder, methods, keywords=keywords)
    return {entry[2] for entry in entries if entry[2]}


def _on_pages(root: Path) -> set[Any]:
    """What Django's templates say."""
    found = set()
    for path in sorted((root / "src/revoir_web").rglob("templates/**/*")):
        if path.suffix in (".html", ".txt"):
            code = io.BytesIO(_as_code(path.read_text(encoding="utf-8")).encode())
            found |= {entry[1] for entry in extract("python", code, WEB_KEYWORDS)}
    return found


def _as_code(text: str) -> str:
    """The calls of gettext that stand for a template's words.

    Django's own `templatize` cannot be used: it is written for xgettext and wants settings.
    """
    calls = []
    for match in _TAG.finditer(text):
        if match["word"] is not None:
            calls.append(f"gettext({ast.literal_eval(match['word'])!r})")
            continue
        singular, *plural = re.split(r"{%-?\s*plural\s*%}", match["block"])
        words = [re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", part) for part in (singular, *plural)]
        calls.append(f"{'ngettext' if plural else 'gettext'}({', '.join(map(repr, words))})")
    return "\n".join(calls)


_TAG = re.compile(
    r"""{%\s*(?:trans|translate)\s+(?P<word>"[^"]*"|'[^']*')[^%]*%}"""
    r"|{%\s*(?P<tag>blocktrans(?:late)?)\b[^%]*%}(?P<block>.*?){%\s*end(?P=tag)\s*%}",
    re.S,
)


def write(path: Path, translations: dict[Any, Any]) -> None:
    """Write a catalogue.

    Args:
        path: The ``.po`` file.
        translations: Message → words; a pair of messages → three forms.
    """
    catalogue = read_po(io.StringIO(HEADER))
    for source in sorted(translations, key=_first):
        message = catalogue.add(source, translations[source])
        if message is not None:
            message.flags.discard("python-format")
    text = io.BytesIO()
    write_po(text, catalogue, omit_header=True, width=100)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + text.getvalue().decode(), encoding="utf-8")


def update(root: Path = ROOT) -> None:
    """Add to the catalogues what the code says anew, and drop what it says no more."""
    for path in paths(root):
        known = {message.id: message.string for message in read(path) if message.id}
        write(
            path,
            {source: known.get(source, _empty(source)) for source in messages_of_code(path, root)},
        )


def faults(root: Path = ROOT) -> list[str]:
    """What is wrong with the catalogues: missing, empty, doubtful, or other placeholders."""
    found = []
    for path in paths(root):
        wanted = messages_of_code(path, root)
        known = {message.id: message for message in read(path) if message.id}
        for source in wanted:
            message = known.get(source)
            if message is None:
                found.append(f"missing: {source!r}")
            else:
                found += [f"{fault}: {source!r}" for fault in _faults_of(message)]
        found += [f"said no more: {source!r}" for source in known if source not in wanted]
    return found


def _faults_of(message: Message) -> list[str]:
    forms = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    sources = message.id if isinstance(message.id, (list, tuple)) else [message.id]
    found = []
    if not all(forms) or (len(sources) == 2 and len(forms) != 3):
        found.append("empty")
    if message.fuzzy:
        found.append("fuzzy")
    allowed = set().union(*map(_placeholders, sources))
    # A singular may say "un client" for "{n} client": it need not name the count.
    implied = {"n", "shown"} if len(sources) == 2 else set()
    for place, form in enumerate(forms):
        if not form:
            continue
        wanted = _placeholders(sources[min(place, len(sources) - 1)])
        if wanted - _placeholders(form) - implied or _placeholders(form) - allowed:
            found.append("other placeholders")
        if re.search(r"[^\xa0\u202f(«{:/][:;?!%€»](?=\s|$)|«[^\xa0]", form):
            found.append("no no-break space")
    return found


def _placeholders(text: str) -> set[str]:
    return {a or b for a, b in re.findall(r"\{(\w*)\}|%\((\w+)\)s", text)}


def _first(source: Any) -> str:
    return str(source[0] if isinstance(source, tuple) else source)


def _empty(source: Any) -> Any:
    return ("", "", "") if isinstance(source, tuple) else ""


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["update"]:
            update()
            compile_catalogues()
        case ["compile"]:
            compile_catalogues()
        case _:
            sys.exit(__doc__)
    print("\n".join(faults()) if sys.argv[1] == "update" else "", end="")
