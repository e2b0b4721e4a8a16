"""Environments of the peers, each with versions that work together, made once by uv."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "pandas": ("pandas", "pyarrow", "openpyxl", "python-calamine"),
    # lifetimes 0.11.3 (2020) wants pandas 1, which wants NumPy 1; PyArrow 17 is the last that fits.
    "lifetimes": ("lifetimes==0.11.3", "pandas==1.5.3", "numpy==1.24.4", "pyarrow==17.0.0"),
    "pymc-marketing": ("pymc-marketing", "pyarrow"),
    "implicit": ("implicit", "pyarrow"),
}


class NotInstalledError(Exception):
    """A peer could not be installed; the message says why."""


def python_of(name: str) -> Path:
    """The Python of an environment, which is made where it is not there yet.

    Args:
        name: "project" or a name of `ENVIRONMENTS`.

    Returns:
        The interpreter.

    Raises:
        NotInstalledError: The peer cannot be installed here.
    """
    if name == "project":
        return Path(sys.executable)
    folder = HERE / ".envs" / name
    python = folder / "bin" / "python"
    done = folder / ".installed"
    wanted = "\n".join(ENVIRONMENTS[name])
    if done.exists() and done.read_text() == wanted:
        return python
    uv = _uv()
    # As Python 3.11, where there is one: the oldest peer has no wheels for later ones.
    version = "3.11" if shutil.which("python3.11") else sys.executable
    _run([uv, "venv", "--quiet", "--clear", "--python", version, str(folder)])
    _run([uv, "pip", "install", "--quiet", "--python", str(python), *ENVIRONMENTS[name]])
    done.write_text(wanted)
    return python


def _uv() -> str:
    project = HERE.parent / ".tools" / "bin" / "uv"
    found = str(project) if project.exists() else shutil.which("uv")
    if not found:
        raise NotInstalledError("uv is not there: run `make setup`")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotInstalledError(" ".join(lines[-3:]) or f"exit code {done.returncode}")
