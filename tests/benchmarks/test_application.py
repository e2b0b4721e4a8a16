"""What was measured of the application has a chapter of its own, which other runs leave alone."""

from benchmarks import results, web

PAGE = {"p50": 20.0, "p95": 90.0, "max": 120.0}
FOUND = {
    "size": {"customers": 1_000_000, "orders": 3_398_456},
    "on": "2026-01-01", "machine": "machine", "figures_s": 60.0,
    "pages": {"Dashboard": PAGE, "360° page": PAGE | {"p95": 140.0}},
    "web_mib": {"now": 190, "peak": 210},
    "web_mib_after_import": {"now": 200, "peak": 310},
    "import": {
        "rows": 1_000_000, "accepted": 1_000_000, "seconds": 55.0, "figures_s": 40.0,
        "parts": {"upload": 1.0, "read and check": 12.0, "land": 42.0},
        "pages": {"Dashboard": PAGE | {"p95": 280.0}},
    },
    "events": [
        {"kind": "single", "rate": None, "seconds": 20, "events_per_second": 350, "p50_ms": 9.0,
         "p99_ms": 40.0, "sent_back": 0},
        {"kind": "batch", "rate": 1700, "seconds": 600, "events_per_second": 1690, "p50_ms": 9.0,
         "p99_ms": 60.0, "sent_back": 3},
        {"acknowledged": 9000, "in_the_lake": 9000},
    ],
}  # fmt: skip


def test_each_aim_is_held_against_what_was_measured(tmp_path):
    path = tmp_path / "RESULTS.md"
    results.save({"application": {"sqlite": FOUND}}, path)
    page = path.read_text()
    assert "| Dashboard | 20 | 90 | 120 | 100 | met | 20 | 280 | 120 | met |" in page
    assert "| 360° page | 20 | 140 | 120 | 100 | **missed** |" in page
    assert "55 s (upload 1 s, read and check 12 s, land 42 s); aim 60 s — met" in page
    assert "310 MiB at its highest; aim 300 MiB — **missed**" in page
    assert "| one by one, as fast as it goes | 350 | 400 | **missed** | 9 | 40 |  |  | 0 |" in page
    paced = "in batches, 600 s at the rate aimed at | 1,690 |  |  | 9 | 60 | 50 | **missed** | 3 |"
    assert paced in page
    kept = results.load(path)
    results.save(kept | {"csv": _csv()}, path)
    assert "### On SQLite" in path.read_text()


def _csv():
    entry = {
        "best": 1.0, "median": 1.0, "runs": 1, "start": 0.1, "peak_mib": 100.0, "phases": {},
        "figures": {}, "versions": {},
    }  # fmt: skip
    return {
        "title": "t", "file": "f", "size": {"rows": 10}, "entries": {"a": entry}, "faults": [],
        "on": "2026-01-01", "machine": "machine",
    }  # fmt: skip


def test_times_are_told_by_median_and_nearly_the_worst():
    assert web.spread([n / 1000 for n in range(100)]) == {"p50": 50.0, "p95": 95.0, "max": 99.0}
