"""Compiled loops where nothing may be written."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/revoir/models/compiled.py"
CODE = """
from compiled import compiled

@compiled
def double(x):
    return 2 * x

print(double(21))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions as Unix has them")
def test_a_service_that_may_write_nowhere_still_answers(tmp_path):
    """As numba sees it: no folder beside the source and no home that can be written to."""
    shutil.copy(SOURCE, tmp_path / "compiled.py")
    (tmp_path / "loops.py").write_text(CODE)
    nowhere = tmp_path / "nowhere"
    nowhere.write_text("")  # a file: no folder can be made below it, whoever asks
    (tmp_path / "__pycache__").write_text("")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import loops"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"HOME": str(nowhere), "XDG_CACHE_HOME": str(nowhere), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    tmp_path.chmod(stat.S_IRWXU)
    assert done.stdout.strip() == "42", done.stderr
