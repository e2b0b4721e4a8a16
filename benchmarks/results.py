"""What was measured, kept as JSON beside RESULTS.md: a comparison can be measured alone."""

from __future__ import annotations

import json
import math
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.application import chapter
from benchmarks.comparisons import COMPARISONS, GROWTH, Aim, Comparison

Kept = dict[str, Any]


def load(path: Path) -> Kept:
    """What was measured before."""
    kept = path.with_suffix(".json")
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}


def save(kept: Kept, path: Path) -> None:
    """Write what was measured, as JSON and as a page."""
    path.with_suffix(".json").write_text(
        json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    path.write_text(page(kept), encoding="utf-8")


def machine() -> str:
    """The processor, its cores, the memory and the system."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [
            line for line in information.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0].partition(":")[2].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )


def in_short(entry: dict[str, Any]) -> str:
    """An entry in one line."""
    if "absent" in entry:
        return str(entry["absent"])
    return f"{entry['best']:.2f} s, {entry['peak_mib']:,.0f} MiB"


def page(kept: Kept) -> str:
    """The page of results."""
    parts = [
        "# Results",
        "Written by `make bench`, `make bench-large` and `make bench-web`; `README.md` says what is"
        " measured and how, and why aims are missed."
        " Times are those of the work itself, the best and the median of the runs, each in a"
        " process of its own; *start* is what the process took besides (Python, imports). Ratios"
        " are of best times.",
    ]
    for comparison in COMPARISONS:
        if comparison.name in kept:
            parts += _section(comparison, kept)
    parts += chapter(kept.get("application", {}))
    return "\n\n".join(parts) + "\n"


def _section(comparison: Comparison, kept: Kept) -> list[str]:
    found = kept[comparison.name]
    size = ", ".join(f"{count:,} {what}" for what, count in found["size"].items())
    parts = [
        f"## {comparison.title}",
        f"`{found['file']}` ({size}); {found['on']}; {found['machine']}.",
        _table(found, comparison.shown),
    ]
    aims = [line for aim in comparison.aims if (line := _aim(aim, found))]
    if comparison.large:
        aims += _growth(kept)
    if aims:
        parts.append("\n".join(aims))
    notes = [
        f"- {name}: {entry['absent']}."
        for name, entry in found["entries"].items()
        if "absent" in entry
    ]
    notes += [f"- **Figures differ**: {fault}." for fault in found["faults"]]
    if notes:
        parts.append("\n".join(notes))
    return parts


def _table(found: dict[str, Any], shown: tuple[str, ...]) -> str:
    measured = {name: entry for name, entry in found["entries"].items() if "best" in entry}
    base = next(iter(measured), None)
    lines = [
        "| | "
        + "".join(f"{figure} | " for figure in shown)
        + f"best | median | peak memory | start | × {base} | of which | versions |",
        "|---|" + "--:|" * len(shown) + "--:|--:|--:|--:|--:|---|---|",
    ]
    for name, entry in measured.items():
        ratio = entry["best"] / measured[base]["best"]
        phases = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in entry["phases"].items())
        versions = ", ".join(f"{what} {which}" for what, which in entry["versions"].items())
        figures = "".join(f" | {_figure(entry['figures'].get(figure))}" for figure in shown)
        lines.append(
            f"| {name}{figures} | {entry['best']:.2f} s | {entry['median']:.2f} s"
            f" | {entry['peak_mib']:,.0f} MiB | {entry['start']:.2f} s | {ratio:.2f}"
            f" | {phases} | {versions} |"
        )
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _aim(aim: Aim, found: dict[str, Any]) -> str | None:
    value = _value(aim, found)
    if value is None:
        return f"- Aim: {aim.text}: not measured."
    met = value <= aim.at_most if aim.at_most is not None else value >= (aim.at_least or 0)
    shown = f"{value:,.0f}" if value >= 1_000 else f"{value:.2f}"
    return f"- Aim: {aim.text}: {shown} — {'met' if met else '**missed**'}."


def _value(aim: Aim, found: dict[str, Any]) -> float | None:
    def figure(name: str) -> float | None:
        entry = found["entries"].get(name, {})
        if aim.phase:
            entry, key = entry.get("phases", {}), aim.phase
        else:
            key = "best" if aim.measure == "seconds" else aim.measure
        value: float | None = entry.get(key)
        return value

    below = figure(aim.to) if aim.to else 1.0
    above = found["size"]["rows"] if aim.of == "rows" else figure(aim.of)
    return above / below if above is not None and below else None


def _growth(kept: Kept) -> list[str]:
    """How each time grew from the smaller file to the large one, against n log n."""
    lines = []
    large = kept["large"]
    for name, (comparison, entry) in GROWTH.items():
        after = large["entries"].get(name, {}).get("best")
        small = kept.get(comparison, {})
        before = small.get("entries", {}).get(entry, {}).get("best")
        if after is None or before is None:
            continue
        n, m = small["size"]["rows"], large["size"]["rows"]
        limit = m * math.log(m) / (n * math.log(n))
        verdict = "met" if after / before <= limit else "**missed**"
        lines.append(
            f"- Growth of {name}: × {after / before:.1f} for × {m / n:.1f} orders"
            f" (n log n: × {limit:.1f}) — {verdict}."
        )
    return lines
