"""The chapter of RESULTS.md on the application: what `benchmarks.web` measured, against aims."""

from __future__ import annotations

from typing import Any

from benchmarks.events import RATES

AIMS = {
    "Dashboard": 100,
    "Customers, filtered and sorted": 150,
    "Customers, sorted, any page": 150,
    "Search as you type": 150,
    "360° page": 100,
}
"""Milliseconds that 95 of 100 pages take at most."""
MEANWHILE = 300
"""The same, for every page while a file is imported."""
IMPORT_SECONDS = 60
"""For a million orders."""
EVENT_MILLISECONDS = 50
WEB_MIB = 300
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def chapter(kept: dict[str, Any]) -> list[str]:
    """The paragraphs of the chapter; none where nothing was measured.

    Args:
        kept: By database, what was measured.
    """
    if not kept:
        return []
    parts = [
        "## The application",
        "Written by `make bench-web`: `revoir serve` with its web process, worker and scheduler;"
        " the client takes from the same cores. Times of pages are in milliseconds, over HTTP, each"
        " with another sort, filter, word or person.",
    ]
    for database, found in kept.items():
        parts += _section(DATABASES[database], found)
    return parts


def _section(database: str, found: dict[str, Any]) -> list[str]:
    size, brought = found["size"], found.get("import", {})
    parts = [
        f"### On {database}",
        f"{size['customers']:,} customers, {size['orders']:,} orders; {found['on']};"
        f" {found['machine']}.",
        _pages(found["pages"], brought.get("pages", {})),
        "\n".join(_facts(found)),
    ]
    if found.get("events"):
        parts.append(_events(found["events"]))
    return parts


def _pages(alone: dict[str, Any], meanwhile: dict[str, Any]) -> str:
    lines = [
        "| page | p50 | p95 | max | aim, p95 | | during an import: p50 | p95 | max"
        f" | aim, p95 {MEANWHILE} |",
        "|---|--:|--:|--:|--:|---|--:|--:|--:|---|",
    ]
    for name, times in alone.items():
        other = meanwhile.get(name)
        cells = [f"{times[key]:,.0f}" for key in ("p50", "p95", "max")]
        cells += [str(AIMS[name]), _verdict(times["p95"] <= AIMS[name])]
        cells += [f"{other[key]:,.0f}" for key in ("p50", "p95", "max")] if other else [""] * 3
        cells.append(_verdict(other["p95"] <= MEANWHILE) if other else "")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _facts(found: dict[str, Any]) -> list[str]:
    highest = max(
        found[name]["peak"] for name in ("web_mib", "web_mib_after_import") if name in found
    )
    memory = (
        f"- Memory of the web process: {found['web_mib']['now']:,} MiB after the pages,"
        f" {highest:,} MiB at its highest; aim {WEB_MIB} MiB — {_verdict(highest <= WEB_MIB)}."
    )
    if "import" not in found:
        return [memory]
    brought = found["import"]
    parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in brought["parts"].items())
    limit = IMPORT_SECONDS * brought["rows"] / 1_000_000
    figures = ""
    if "figures_s" in brought:
        figures = f" All figures were computed again {brought['figures_s']:.0f} s later."
    return [
        f"- Import of {brought['rows']:,} orders by the API, from the first byte sent to the last"
        f" row in the lake: {brought['seconds']:.0f} s ({parts}); aim {limit:.0f} s —"
        f" {_verdict(brought['seconds'] <= limit)}.{figures}",
        memory,
    ]


def _events(told: list[dict[str, Any]]) -> str:
    lines = [
        "| events | a second | aim | | requests: p50 | p99 | aim, p99 | | sent back |",
        "|---|--:|--:|---|--:|--:|--:|---|--:|",
    ]
    for load in told:
        if "kind" not in load:
            continue
        aim = RATES[load["kind"]]
        name = {"batch": "in batches", "single": "one by one"}[load["kind"]]
        if load["rate"]:
            # The rate is given: what is asked is how long a request takes.
            cells = [f"{name}, {load['seconds']:.0f} s at the rate aimed at"]
            cells += [f"{load['events_per_second']:,}", "", ""]
        else:
            cells = [f"{name}, as fast as it goes", f"{load['events_per_second']:,}", f"{aim:,}"]
            cells.append(_verdict(load["events_per_second"] >= aim))
        cells += [f"{load['p50_ms']:.0f}", f"{load['p99_ms']:.0f}"]
        within = _verdict(load["p99_ms"] <= EVENT_MILLISECONDS)
        cells += [str(EVENT_MILLISECONDS), within] if load["rate"] else ["", ""]
        lines.append(f"| {' | '.join(cells)} | {load['sent_back']:,} |")
    for load in told:
        if "acknowledged" in load:
            lines.append("")
            lines.append(
                f"Of {load['acknowledged']:,} acknowledged events {load['in_the_lake']:,} were in"
                " the lake at the end."
            )
    return "\n".join(lines)


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"
