"""Surveys with a row an answer: the question is the one that the row names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Read, told

Rows = Callable[..., list[dict[str, Any]]]
HEAD = "response_id,client,date,question,note,commentaire\n"
FORMS = HEAD + (
    "R1,C1,2024-01-05,NPS,9,\n"
    "R1,C1,2024-01-05,Satisfaction,4,Très bien\n"
    "R1,C1,2024-01-05,Accueil,5,\n"
    "R2,C2,2024-02-05,nps,6,\n"
    "R2,C2,2024-02-05,satisfaction,3,Attente longue\n"
    "R3,C3,2024-02-09,,10,\n"
)


def test_a_row_answers_the_question_that_it_names(read: Read, rows: Rows) -> None:
    """They were all taken for answers to the NPS question."""
    reading = read(FORMS)
    found = {row["response_id"]: row for row in rows(reading, "responses")}
    assert {key: (row["question"], float(row["score"])) for key, row in found.items()} == {
        "R1:nps": ("nps", 9), "R1:csat": ("csat", 4), "R1:Accueil": ("Accueil", 5),
        "R2:nps": ("nps", 6), "R2:csat": ("csat", 3), "R3:nps": ("nps", 10),
    }  # fmt: skip
    assert found["R1:csat"]["comment"] == "Très bien"


def test_a_metric_keeps_to_its_scale(read: Read, rows: Rows) -> None:
    text = "question,note\n" + "".join(f"Satisfaction,{n}\nNPS,{n}\n" for n in (2, 7, 10))
    asked = {row["question"] for row in rows(read(text), "responses")}
    assert asked == {"Satisfaction", "nps"}, "satisfaction out of ten is not the CSAT"


def test_the_same_answer_twice_is_said_and_another_one_set_aside(read: Read) -> None:
    again = FORMS + "R1,C1,2024-01-05,NPS,9,\nR2,C2,2024-02-05,nps,8,\n"
    (file,) = read(again).files
    assert (file.rows_duplicate, file.rows_quarantined) == (1, 1)


@pytest.mark.parametrize("header", ["csat", "satisfaction", "nps", "ces", "note"])
@pytest.mark.parametrize("scores", [(90, 85, 100, 40), (4, 5, 3, 90), ("90,5", "85", "70", "65")])
def test_scores_beyond_the_scale_are_answers_all_the_same(
    read: Read, rows: Rows, header: str, scores: tuple[object, ...]
) -> None:
    """A file of satisfaction in percent was a list of customers, and nothing was said."""
    lines = [f"C{n};0{n}/02/2024;{score}\n" for n, score in enumerate(scores, 1)]
    reading = read(f"client;date_reponse;{header}\n" + "".join(lines))
    assert set(reading.tables) == {"responses"}
    assert len(rows(reading, "responses")) == 4
    assert f"Column {header}: " in told(reading)
    assert "outside the scale from" in told(reading)


def test_scores_on_their_scale_are_not_said_to_be_beyond(read: Read) -> None:
    for header, scores in (("csat", (1, 5)), ("nps", (0, 10)), ("ces", (1, 7)), ("score", (0, 10))):
        lines = [f"C{n};0{n + 1}/02/2024;{score}\n" for n, score in enumerate(scores)]
        reading = read(f"client;date_reponse;{header}\n" + "".join(lines))
        assert "outside the scale" not in told(reading)


def test_a_list_of_customers_with_their_satisfaction_is_no_survey(read: Read) -> None:
    reading = read("id client;nom;e-mail;satisfaction\n1;Roy;a@x.fr;90\n2;Petit;b@x.fr;85\n")
    assert set(reading.tables) == {"customers"}
