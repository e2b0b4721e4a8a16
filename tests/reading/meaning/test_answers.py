"""Answers that are no bare numbers: out of five, with the words of their scale, in stars."""

from __future__ import annotations

import duckdb
import pytest

from revoir.reading.answers import answer_of, answer_sql

from .conftest import Read, told

CELLS = [
    ("5/5", 5), ("4,5/5", 4.5), ("4.5 / 5", 4.5), ("8/10", 8), ("4 sur 5", 4), ("4 étoiles", 4),
    ("1 étoile", 1), ("4.0 out of 5 stars", 4), ("3 étoiles sur 5", 3), ("5 stars", 5),
    ("★★★★☆", 4), ("⭐⭐⭐", 3), ("10 - Très probable", 10), ("Extremely likely - 10", 10),
    ("Not at all likely - 0", 0), ("7 (plutôt)", 7), ("Très satisfait", None), ("☆☆☆☆☆", None),
    ("12 rue des Lilas", None), ("13/01/2026", None), ("06 12 34 56 78", None),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "figure"), CELLS)
def test_a_cell_says_the_same_in_python_and_in_sql(cell: str, figure: float | None) -> None:
    found = answer_of(cell)
    assert (found and found[0]) == figure
    told_by_sql = duckdb.execute(f"SELECT {answer_sql('c')} FROM (SELECT ? AS c)", [cell])
    value = told_by_sql.fetchall()[0][0]
    assert (None if value is None else float(value)) == figure


def test_the_words_at_the_ends_of_a_scale_are_answers(read: Read, column) -> None:
    """The best and the worst answers were quarantined: nobody promoted, and nobody detracted."""
    reading = read(
        "Respondent ID,End Date,Email Address,How likely is it that you would recommend this"
        " company to a friend or colleague?,What could we do better?\n,,,Response,"
        "Open-Ended Response\n"
        "1181,2026-01-03 10:05:00,a@x.fr,Extremely likely - 10,All went well and came quickly\n"
        "1182,2026-01-04 10:05:00,b@x.fr,8,\n"
        "1183,2026-01-05 10:05:00,c@x.fr,Not at all likely - 0,It came late\n"
        "1184,2026-01-06 10:05:00,d@x.fr,9,\n"
    )
    assert column(reading, "responses", "score") == [10, 8, 0, 9]
    assert set(column(reading, "responses", "question")) == {"nps"}


@pytest.mark.parametrize(
    "cells",
    [("5/5", "4,5/5", "1/5"), ("★★★★★", "★★★★☆", "★☆☆☆☆"), ("5 étoiles", "4 étoiles", "1 étoile")],
)
def test_reviews_have_stars(read: Read, column, cells: tuple[str, str, str]) -> None:
    """They were a list of customers, and their stars were notes on these."""
    reading = read(
        f"Date;Client;Note;Avis\n13/01/2026;Ann B;{cells[0]};Très bien, livraison rapide\n"
        f"14/01/2026;Bob C;{cells[1]};Un peu cher\n15/01/2026;Cid D;{cells[2]};Jamais arrivé\n"
    )
    assert [int(score) for score in column(reading, "responses", "score")] == [5, 4, 1]
    assert set(column(reading, "responses", "question")) == {"csat"}


def test_marks_keep_their_scale(read: Read, column) -> None:
    """Three out of ten is no good mark out of five, and fifteen out of twenty no recommendation."""
    head = "Date;Client;Note;Avis\n"
    reading = read(head + "13/01/2026;A;3/10;Trop cher\n14/01/2026;B;2/10;Jamais arrivé\n")
    assert "csat" not in column(reading, "responses", "question")
    reading = read(head + "13/01/2026;A;8/20;Trop cher\n14/01/2026;B;15/20;Très bien\n")
    assert set(column(reading, "responses", "question")) == {"note"}
    reading = read(head + "13/01/2026;A;4/5;Trop cher\n14/01/2026;B;9/10;Très bien\n")
    assert "its answers are out of 5, 10" in told(reading)


def test_numbered_places_are_no_answers(read: Read) -> None:
    reading = read(
        "Date;Client;Magasin;Montant\n13/01/2026;A;1 - Paris;10\n14/01/2026;B;2 - Lyon;20\n"
        "15/01/2026;C;3 - Lille;30\n16/01/2026;D;4 - Nantes;30\n"
    )
    assert set(reading.tables) >= {"orders"}
    assert "responses" not in reading.tables
