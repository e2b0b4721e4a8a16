"""Who may import whom: the contracts of pyproject.toml, and a proof that they bite."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def layers() -> list[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contract = tomllib.loads(text)["tool"]["importlinter"]["contracts"][0]
    found: list[str] = contract["layers"]
    return found


def test_every_module_keeps_to_its_layer() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_module_has_a_layer() -> None:
    assigned = {name.strip() for layer in layers() for name in layer.split("|")}
    modules = {
        path.stem
        for path in (ROOT / "src/revoir").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    }
    assert modules == assigned


def test_the_map_says_what_the_contract_says() -> None:
    rows = re.findall(
        r"^\| \d+ \| ((?:`\w+`(?:, )?)+) \|", (ROOT / "docs/architecture.md").read_text(), re.M
    )
    mapped = [set(re.findall(r"`(\w+)`", row)) for row in rows]
    contract = [{name.strip() for name in layer.split("|")} for layer in reversed(layers())]
    assert mapped == [names for names in contract if names != {"datasets", "testing"}]
