"""Run the comparisons and write RESULTS.md: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import data, environments, results
from benchmarks.comparisons import COMPARISONS, Comparison, Entry

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-6


class BenchmarkError(Exception):
    """A measurement failed, or two of them found different figures."""


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for.

    Args:
        arguments: Those of the command line (None: its own).

    Returns:
        0, or 1 where a measurement failed or figures differ.
    """
    asked = _arguments(arguments)
    kept = results.load(asked.results)
    wrong = []
    for comparison in COMPARISONS:
        if comparison.large and not asked.large:
            continue
        if asked.only and comparison.name not in asked.only:
            continue
        if comparison.file in data.REAL and not data.reference().is_dir():
            print(f"{comparison.name}: left out, the real data are not here")
            continue
        kept[comparison.name], faults = compare(comparison, asked)
        wrong += faults
        # After each one: a long run that is stopped keeps what it has measured.
        results.save(kept, asked.results)
    for fault in wrong:
        print(f"WRONG: {fault}", file=sys.stderr)
    print(asked.results)
    return 1 if wrong else 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="customers in the orders")
    parser.add_argument("--csv-rows", type=int, default=1_000_000, help="rows of the CSV")
    parser.add_argument("--xlsx-rows", type=int, default=100_000, help="rows of the workbook")
    parser.add_argument("--large", action="store_true", help="also on ten times as many customers")
    parser.add_argument("--only", action="append", choices=[one.name for one in COMPARISONS])
    parser.add_argument("--repeat", type=int, default=3, help="processes a measurement")
    parser.add_argument("--no-peers", action="store_true", help="ours and the floor alone")
    parser.add_argument("--timeout", type=float, default=1_800, help="seconds a process may take")
    parser.add_argument("--results", type=Path, default=HERE / "RESULTS.md", help="where to write")
    return parser.parse_args(arguments)


def compare(comparison: Comparison, asked: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Measure every entry of a comparison.

    Args:
        comparison: What to compare.
        asked: The command line.

    Returns:
        What was measured, and what was wrong.
    """
    path, size = _file(comparison, asked)
    print(f"{comparison.name}: {path.name}", flush=True)
    entries: dict[str, Any] = {}
    faults = []
    for entry in comparison.entries:
        if entry.is_peer and asked.no_peers:
            continue
        try:
            entries[entry.name] = _entry(entry, path, asked)
        except environments.NotInstalledError as error:
            entries[entry.name] = {"absent": f"could not be installed: {error}"}
        except BenchmarkError as error:
            entries[entry.name] = {"absent": f"failed: {error}"}
            faults.append(f"{comparison.name}, {entry.name}: {error}")
        print(f"  {entry.name}: {results.in_short(entries[entry.name])}", flush=True)
    faults += disagreements(comparison, entries)
    return {
        "title": comparison.title,
        "file": path.name,
        "size": size,
        "entries": entries,
        "faults": faults,
        "on": time.strftime("%Y-%m-%d"),
        "machine": results.machine(),
    }, faults


def _file(comparison: Comparison, asked: argparse.Namespace) -> tuple[Path, dict[str, int]]:
    """The file of a comparison, made apart: the memory of a parent shows in its children."""
    customers = asked.customers * 10 if comparison.large else asked.customers
    count = {"csv": asked.csv_rows, "xlsx": asked.xlsx_rows}.get(comparison.file, customers)
    command = [sys.executable, "-m", "benchmarks.data", comparison.file, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    if done.returncode:
        raise SystemExit(f"The file could not be made:\n{done.stderr}")
    path = Path(done.stdout.strip().splitlines()[-1])
    if comparison.file in ("csv", "xlsx"):
        return path, {"rows": count}
    counting = (
        "import duckdb, sys; print(duckdb.read_parquet(sys.argv[1]).count('*').fetchall()[0][0])"
    )
    rows = subprocess.check_output([sys.executable, "-c", counting, str(path)], text=True)
    size = {"rows": int(rows)}
    return path, size if comparison.file in data.REAL else {"customers": customers} | size


def _entry(entry: Entry, path: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure an entry, each time in a process of its own."""
    python = environments.python_of(entry.environment)
    runs = [_process(python, entry, path, asked.timeout) for _ in range(asked.repeat)]
    seconds = sorted(run["seconds"] for run in runs)
    best = min(runs, key=lambda run: run["seconds"])
    return {
        "best": seconds[0],
        "median": (seconds[(len(runs) - 1) // 2] + seconds[len(runs) // 2]) / 2,
        "runs": len(runs),
        "start": min(run["start"] for run in runs),
        "peak_mib": max(run["peak_mib"] for run in runs),
        "phases": best["phases"],
        "figures": best["figures"],
        "versions": best["versions"],
    }


def _process(python: Path, entry: Entry, path: Path, timeout: float) -> dict[str, Any]:
    module, function = entry.task
    command = [
        str(python),
        str(HERE / "worker.py"),
        str(HERE / "tasks" / module),
        function,
        str(path),
    ]
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=timeout, cwd=HERE.parent
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"took more than {timeout:.0f} s") from None
    whole = time.perf_counter() - start
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BenchmarkError(lines[-1] if lines else f"exit code {done.returncode}")
    run: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    run["start"] = max(whole - run["seconds"], 0.0)
    return run


def disagreements(comparison: Comparison, entries: dict[str, Any]) -> list[str]:
    """Say where two entries found different figures.

    Args:
        comparison: What was compared.
        entries: What was measured, by name.

    Returns:
        One sentence a difference.
    """
    found = []
    seen: dict[str, tuple[str, float]] = {}
    for name, figures in _figures(comparison.entries, entries):
        for key, value in figures.items():
            other, expected = seen.setdefault(key, (name, value))
            if not math.isclose(value, expected, rel_tol=TOLERANCE):
                found.append(
                    f"{comparison.name}: {key} is {value!r} by {name}, {expected!r} by {other}"
                )
    return found


def _figures(
    order: Iterable[Entry], entries: dict[str, Any]
) -> Iterable[tuple[str, dict[str, float]]]:
    for entry in order:
        if entry.agrees and "figures" in entries.get(entry.name, {}):
            yield entry.name, entries[entry.name]["figures"]


if __name__ == "__main__":
    raise SystemExit(main())
