"""The documentation says what the program does: commands, options, links, generated pages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda path: str(path.relative_to(ROOT)),
)
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("name", ["tables", "metrics", "cli", "cli.fr", "features", "signals"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    page = ROOT / "docs" / "reference" / f"{name}.md"
    # In a process of its own: here the command line may have been worded in French already.
    made = subprocess.run(
        [sys.executable, "-X", "utf8", ROOT / "tools/reference.py", name],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    assert page.read_text(encoding="utf-8") == made, "run `make reference`"


def command_lines(page: Path) -> list[list[str]]:
    """The `revoir …` lines of a page's code blocks, and its inline code of that kind."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:console|bash|sh)?\n(.*?)^```", text, re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(revoir [^`]*)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    found = [line for line in lines if re.match(r"revoir [a-z-]", line)]
    return [list(words_of(line)) for line in found]


def words_of(line: str) -> Iterator[str]:
    """The words of one command, without what the shell does with its answer."""
    for word in shlex.split(re.sub(r"[…\[\]]", " ", line), comments=True):
        if word in ("&&", "|", ">", ";"):
            return
        yield word


@cache
def the_command() -> Any:
    """What is typed, as Typer makes it of all its functions: once for all pages."""
    from revoir.cli import app

    return typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_in_the_documentation_exist(page: Path) -> None:
    for words in command_lines(page):
        command, rest = the_command(), words[1:]
        while rest and getattr(command, "commands", None) and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"no command: {' '.join(words)}"
            command, rest = command.commands[rest[0]], rest[1:]
        known = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
        known |= {"--help", "--install-completion", "--show-completion"}
        for word in rest:
            if word.startswith("-") and not re.match(r"-\d", word) and word != "-":
                assert word.partition("=")[0] in known, f"no {word}: {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "mailto:", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{target} in {page.name}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_make_targets_in_the_documentation_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    asked = set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M))
    assert asked <= targets


def test_both_readmes_say_the_same() -> None:
    """Same headings, same commands, same links, in each language."""

    def bones(name: str) -> list[Any]:
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
        return [len(re.findall(r"^#+ ", text, re.M)), len(blocks)]

    assert bones("README.md") == bones("README.fr.md")


def test_every_metric_of_the_registry_is_on_its_page() -> None:
    from revoir.metrics.registry import metrics

    page = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    assert all(f"### `{metric.name}`" in page for metric in metrics())


def test_every_feature_that_is_declared_is_on_its_page() -> None:
    from revoir.models.features.compute import declared

    page = (ROOT / "docs/reference/features.md").read_text(encoding="utf-8")
    assert all(f"| `{feature.name}` |" in page for feature in declared())


IN_BOTH = ("explanation", "how-to", "tutorial")
"""The folders of `docs` whose pages are read in French too."""
ENGLISH = sorted(
    path
    for folder in IN_BOTH
    for path in (ROOT / "docs" / folder).glob("*.md")
    if not path.name.endswith(".fr.md")
)


def shape_of(page: Path) -> tuple[list[int], set[str], set[str], int]:
    """What both languages of a page have in common: headings, options, calls, rows of tables."""
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return (
        [len(mark) for mark in re.findall(r"^(#+) ", prose, re.M)],
        {word for line in command_lines(page) for word in line if re.match("-*[a-z-]+$", word)},
        set(re.findall(r"`[^`\n]*(/api/[^`\n?]*)`", prose)),
        len(re.findall(r"^\|", prose, re.M)),
    )


@pytest.mark.parametrize("page", ENGLISH, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_says_the_same_in_french(page: Path) -> None:
    french = page.with_suffix(".fr.md")
    assert french.is_file(), "French first: this page has no French one beside it"
    assert shape_of(french) == shape_of(page)
    assert f"[English]({page.name})" in french.read_text(encoding="utf-8")
    assert f"[Français]({french.name})" in page.read_text(encoding="utf-8")
