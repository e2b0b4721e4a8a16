"""The benchmarks run, agree with each other, and write their page; no time is asserted."""

import json

import pytest
from benchmarks.comparisons import COMPARISONS, GROWTH, Aim, Comparison, Entry

from benchmarks import data, environments, results, run


@pytest.fixture
def few(tmp_path, monkeypatch):
    """The command line of a run on few customers, whose files go to a folder of the test."""
    monkeypatch.setenv("REVOIR_BENCHMARK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("REVOIR_REFERENCE_DATA", str(tmp_path / "none"))
    sizes = ["--customers=2000", "--csv-rows=3000", "--xlsx-rows=300"]
    return [*sizes, "--repeat=1", "--no-peers", f"--results={tmp_path / 'RESULTS.md'}"]


@pytest.mark.heavy  # each entry is a process of its own, which takes seconds to begin
def test_all_comparisons_run_and_agree(few, tmp_path):
    assert run.main(few) == 0
    kept = json.loads((tmp_path / "RESULTS.json").read_text())
    invented = [one for one in COMPARISONS if not one.large and one.file in data.KINDS]
    assert set(kept) == {one.name for one in invented}
    for comparison in invented:
        found = kept[comparison.name]
        assert found["faults"] == []
        assert set(found["entries"]) == {one.name for one in comparison.entries if not one.is_peer}
        for entry in found["entries"].values():
            assert entry["best"] > 0
            assert entry["peak_mib"] > 10
            assert entry["figures"]
    page = (tmp_path / "RESULTS.md").read_text()
    assert all(one.title in page for one in invented)


def test_one_comparison_leaves_the_others(few, tmp_path):
    path = tmp_path / "RESULTS.md"
    results.save({"csv": measured({"a": entry(1.0)}, title="Reading a CSV of orders")}, path)
    assert run.main([*few, "--only", "cohorts"]) == 0
    assert set(results.load(path)) == {"csv", "cohorts"}


def entry(seconds, **more):
    return {
        "best": seconds, "median": seconds, "runs": 1, "start": 0.1, "peak_mib": 100.0,
        "phases": {}, "figures": {}, "versions": {},
    } | more  # fmt: skip


def measured(entries, *, rows=1_000, title="title"):
    return {
        "title": title, "file": "file", "size": {"rows": rows}, "entries": entries, "faults": [],
        "on": "2026-01-01", "machine": "machine",
    }  # fmt: skip


PAIR = Comparison(
    "pair",
    "Pair",
    "orders",
    (Entry("one", ("", "")), Entry("two", ("", "")), Entry("apart", ("", ""), agrees=False)),
    (),
)


def test_figures_are_shown_beside_the_times():
    pair = Comparison("csv", "Pair", "csv", PAIR.entries[:2], (), shown=("ndcg", "products"))
    held = {
        "one": entry(1, figures={"ndcg": 0.25, "products": 1_200}),
        "two": entry(2, figures={"ndcg": 0.5}),
    }
    page = "\n".join(results._section(pair, {"csv": measured(held)}))
    assert "| | ndcg | products | best |" in page
    assert "| one | 0.2500 | 1,200 | 1.00 s |" in page
    assert "| two | 0.5000 | — | 2.00 s |" in page


def test_different_figures_are_found():
    def entries(value):
        return {
            "one": entry(1, figures={"customers": 10, "amount": 2.0}),
            "two": entry(1, figures={"amount": value}),
            "apart": entry(1, figures={"amount": -1.0}),
        }

    assert run.disagreements(PAIR, entries(2.0 + 1e-9)) == []
    (fault,) = run.disagreements(PAIR, entries(2.1))
    assert "amount is 2.1 by two, 2.0 by one" in fault


def test_a_failing_task_is_told_and_ends_the_run_with_1(tmp_path, monkeypatch):
    broken = Comparison("csv", "Broken", "csv", (Entry("broken", ("floor.py", "no_such")),), ())
    monkeypatch.setenv("REVOIR_BENCHMARK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(run, "COMPARISONS", (broken,))
    assert run.main(["--csv-rows=50", "--repeat=1", f"--results={tmp_path / 'R.md'}"]) == 1
    assert "no_such" in results.load(tmp_path / "R.md")["csv"]["entries"]["broken"]["absent"]


def test_a_peer_that_cannot_be_installed_is_named(tmp_path, monkeypatch):
    def refuse(name):
        raise environments.NotInstalledError("no wheel for this machine")

    monkeypatch.setenv("REVOIR_BENCHMARK_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(environments, "python_of", refuse)
    path = tmp_path / "R.md"
    assert run.main(["--only=csv", "--csv-rows=50", f"--results={path}"]) == 0
    assert "could not be installed: no wheel for this machine" in path.read_text()


@pytest.mark.parametrize(
    ("aim", "line"),
    [
        (Aim("twice", "two", "one", at_most=2), "1.50 — met"),
        (Aim("twice", "two", "one", at_most=1.4), "1.50 — **missed**"),
        (Aim("faster", "two", "one", at_least=1.5), "1.50 — met"),
        (Aim("rows", "rows", "one", at_least=501), "500.00 — **missed**"),
        (Aim("memory", "two", None, "peak_mib", at_most=99), "100.00 — **missed**"),
        (Aim("absent", "three", "one", at_most=2), "not measured"),
        (Aim("a part", "two", "one", at_least=5, phase="fit"), "5.00 — met"),
        (Aim("no such part", "two", "one", at_least=5, phase="sum"), "not measured"),
    ],
)
def test_aims_are_met_or_missed(aim, line):
    one, two = entry(2.0) | {"phases": {"fit": 0.5}}, entry(3.0) | {"phases": {"fit": 2.5}}
    found = measured({"one": one, "two": two})
    assert line in results._aim(aim, found)


def test_growth_is_held_against_n_log_n():
    """From 1,000 to 10,000 rows, n log n grows by 10 × 4 / 3."""
    name = "report, tables in place"
    comparison, of = GROWTH[name]
    for seconds, verdict in ((13.3, "met"), (13.4, "**missed**")):
        kept = {
            comparison: measured({of: entry(1.0)}),
            "large": measured({name: entry(seconds)}, rows=10_000),
        }
        (line,) = results._growth(kept)
        assert line.endswith(f"(n log n: × 13.3) — {verdict}.")


def test_files_are_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("REVOIR_BENCHMARK_DATA", str(tmp_path))
    first = data.make("csv", 40)
    stamp = first.stat().st_mtime_ns
    assert data.make("csv", 40).stat().st_mtime_ns == stamp
    assert len(first.read_text().splitlines()) == 41
    assert not list(tmp_path.glob("*draft*"))
