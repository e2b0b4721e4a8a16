"""One measurement in one process: run a task on a file, say how long it took and what it held.

Runs in any environment, so it imports the standard library alone.
Called as: worker.py MODULE FUNCTION PATH; the last line written is JSON. Tasks import `phase` from
here.
"""

import importlib.util
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PHASES: dict[str, float] = {}


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Measure a part of the work.

    Args:
        name: What the results call it.
    """
    start = time.perf_counter()
    yield
    _PHASES[name] = time.perf_counter() - start


def measure(module: str, function: str, path: str) -> dict:
    """Run a task.

    Args:
        module: The file that holds it; its imports are not part of the time.
        function: Its name. It does the work and returns a function that tells the figures found,
            which is not part of the time either.
        path: The file it works on.

    Returns:
        `seconds`, `peak_mib`, `phases` (seconds of parts of the work), `figures`, `versions`.
    """
    spec = importlib.util.spec_from_file_location("task", module)
    task = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(task)
    start = time.perf_counter()
    tell = getattr(task, function)(path)
    seconds = time.perf_counter() - start
    # Linux counts it in KiB; macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {
        "seconds": seconds,
        "peak_mib": peak,
        "phases": _PHASES,
        "figures": tell(),
        "versions": task.versions(),
    }


if __name__ == "__main__":
    # The folder of this file would hide packages of the same names.
    sys.path = [
        entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent
    ]
    sys.modules["worker"] = sys.modules[__name__]
    print(json.dumps(measure(*sys.argv[1:4])))
