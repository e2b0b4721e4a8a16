"""What is typed wrongly is told in one line, in the language of the command."""

import subprocess
import sys

import pytest

COMMAND = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'revoir'; from revoir.cli import main; main()",
]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["report"], "FILE is missing. `revoir report -h` says what it takes."),
        (["metric", "aov"], "FILE is missing. `revoir metric -h` says what it takes."),
        (["reprot"], "There is no command “reprot”. Did you mean report?"),
        (["nothing"], "There is no command “nothing”. `revoir -h` says what it takes."),
        (["report", "--asof", "x", "f"], "There is no option “--asof”. Did you mean --as-of?"),
        (["report", "--as-of"], "--as-of needs a value."),
        (
            ["metric", "aov", "f", "--margin", "many"],
            "--margin cannot take this value. `revoir metric -h` says what it takes.",
        ),
        (
            ["metric", "aov", "f", "--activity-days", "0"],
            "--activity-days cannot take this value. `revoir metric -h` says what it takes.",
        ),
    ],
)
def test_misuse_is_told_in_one_line(arguments, told, monkeypatch):
    monkeypatch.setenv("REVOIR_LANG", "en")
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", told + "\n")


def test_misuse_is_told_in_french(monkeypatch):
    monkeypatch.setenv("REVOIR_LANG", "fr")
    done = subprocess.run([*COMMAND, "report"], capture_output=True, text=True, check=False)
    assert done.stderr.startswith("FICHIER manque.")


@pytest.mark.parametrize("asked", [[], ["report"], ["metric"], ["demo"]])
def test_the_frame_of_help_is_french_too(asked, monkeypatch):
    monkeypatch.setenv("REVOIR_LANG", "fr")
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    done = subprocess.run([*COMMAND, *asked, "-h"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage\N{NO-BREAK SPACE}: revoir")
    assert "Options\N{NO-BREAK SPACE}:" in done.stdout
    for english in ("Usage:", "Arguments:", "Options:", "Commands:", "default", "required", "Show"):
        assert english not in done.stdout


def test_the_frame_of_help_is_english_in_english(monkeypatch):
    monkeypatch.setenv("REVOIR_LANG", "en")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    done = subprocess.run([*COMMAND, "demo", "-h"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage: revoir demo [OPTIONS] [FOLDER]")
    assert "[default: 4500; x>=1]" in done.stdout
    assert "Show this message and exit." in done.stdout


def test_a_reader_who_has_had_enough_is_no_error(tmp_path):
    path = tmp_path / "orders.csv"
    lines = [f"c{n},2024-01-02,10" for n in range(20_000)]
    path.write_text("\n".join(["customer_id,order_date,amount", *lines]))
    asked = ["segments", str(path), "--rule", "orders >= 1", "--format", "csv"]
    running = subprocess.Popen(
        [*COMMAND, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == ""
    assert running.wait() == 0
    running.stderr.close()


@pytest.mark.parametrize("asked", [["report"], ["metric", "orders"], ["cohorts"], ["segments"]])
def test_a_day_before_the_data_is_refused(tmp_path, command, asked, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,order_date,amount\nann,2024-03-15,10\nbob,2024-04-01,5\n")
    done = command(*asked, path, "--as-of", "1990-01-01")
    assert done.returncode == 2
    assert done.stderr == (
        "There is nothing before 15 Mar 2024, when the data begin. Give --as-of a later day.\n"
    )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("day", "said"), [("2024-04-20", False), ("2025-01-01", True)])
def test_a_day_long_after_the_data_is_told(tmp_path, command, day, said):
    """Every customer looks silent until then, and nothing said why."""
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,order_date,amount\nann,2024-03-15,10\nbob,2024-04-01,5\n")
    done = command("metric", "orders", path, "--as-of", day)
    assert done.returncode == 0
    told = "The data end on 1 Apr 2024: of 275 days up to 1 Jan 2025 nothing is known"
    assert (told in done.stderr) is said
