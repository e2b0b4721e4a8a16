"""What was answered to each question, told in every form of the report."""

import csv
import json
from collections import Counter

import openpyxl
import pytest

import revoir
from revoir.reports.build import build
from revoir.reports.html import to_html
from revoir.reports.plain import to_json
from revoir.reports.xlsx import write_xlsx

SCORES = {"nps": [10, 9, 9, 3, 0], "accueil": [5, 4, 4, 1, ""], "delai": [37.5, 12, 80, 3, 9]}


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "avis.csv"
    path.write_text(
        "question,score\n"
        + "".join(f"{name},{score}\n" for name, held in SCORES.items() for score in held)
    )
    return build(revoir.read(path))


def test_answers_are_counted_along_each_scale(report):
    (chapter,) = json.loads(to_json(report))["chapters"]
    asked = {one["question"]: one for one in chapter["asked"]}
    assert set(asked) == {"nps", "accueil"}, "minutes are no scale to count along"
    assert asked["nps"]["mean"] == pytest.approx(31 / 5)
    assert {int(score): n for score, n in asked["nps"]["counts"].items() if n} == {
        10: 1, 9: 2, 3: 1, 0: 1,
    }  # fmt: skip
    assert asked["accueil"]["counts"] == {"1": 1, "2": 0, "3": 0, "4": 2, "5": 1}


def test_the_page_and_the_workbook_say_the_same(report, tmp_path):
    page = to_html(report, "fr")
    assert "Ce qu’ils ont répondu" in page
    write_xlsx(report, tmp_path / "r.xlsx", language="en")
    sheet = openpyxl.load_workbook(tmp_path / "r.xlsx")["Answers to questions"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert ("accueil", 4, 2, 0.5) in rows
    assert sum(row[2] for row in rows) == 9


@pytest.mark.reference
def test_answers_of_the_garden_shop_are_those_of_its_file(reference_data):
    path = reference_data / "jardinerie_nps" / "nps.csv"
    with path.open(encoding="latin-1", newline="") as stream:
        held = list(csv.DictReader(stream))
    (chapter,) = json.loads(to_json(build(revoir.read(path))))["chapters"]
    for one in chapter["asked"]:
        expected = Counter(row[one["question"]] for row in held if row[one["question"]].isdigit())
        assert {s: n for s, n in one["counts"].items() if n} == expected
