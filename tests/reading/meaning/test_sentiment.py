"""How what customers wrote sounds, beside what they wrote."""

from __future__ import annotations

from revoir.reading.mapping import FileMapping, Mapping, Said

from .conftest import Read


def test_comments_get_how_they_sound(read: Read, rows) -> None:
    reading = read(
        "Date;Client;Note;Avis\n13/01/2026;Ann B;5;Très bien, livraison rapide\n"
        "14/01/2026;Bob C;3;\n15/01/2026;Cid D;1;Jamais arrivé, très déçu\n"
    )
    first, second, third = (row["text_sentiment"] for row in rows(reading, "responses"))
    assert (first > 0.5, second, third < -0.5) == (True, None, True)


def test_the_comment_of_several_questions_sounds_once(read: Read, rows) -> None:
    reading = read("Client;Date;NPS;CSAT;Commentaire\nC1;13/01/2026;2;1;Accueil déplorable\n")
    held = {row["question"]: row["text_sentiment"] for row in rows(reading, "responses")}
    assert held["nps"] < -0.5
    assert held["csat"] is None


def test_texts_of_contacts_get_it_too(read: Read, column) -> None:
    reading = read(
        "ticket_id;client_id;ouvert_le;description\n"
        "T1;C1;02/02/2025 10:00;Ma commande est arrivée cassée, remboursez-moi cette arnaque\n"
        "T2;C2;03/02/2025 11:00;Quels sont vos horaires ?\n"
    )
    bad, plain = column(reading, "interactions", "text_sentiment")
    assert (bad < -0.5, plain) == (True, 0)


def test_a_column_of_that_name_in_the_file_is_not_lost(read: Read, rows) -> None:
    reading = read(
        "Date;Client;Note;Avis;Text sentiment\n13/01/2026;Ann B;5;Très bien;positif\n"
        "14/01/2026;Bob C;1;Nul;négatif\n"
    )
    held = rows(reading, "responses")
    assert [float(row["text_sentiment"]) > 0 for row in held] == [True, False]
    assert [row["text_sentiment_2"] for row in held] == ["positif", "négatif"]


def test_a_column_called_as_one_that_reading_computes_is_not_lost(read: Read, column) -> None:
    """Whatever a file said under “kind” of its orders was dropped without a word."""
    reading = read("Date;Client;Montant;Kind\n13/01/2026;C1;5,00;web\n14/01/2026;C2;6,00;phone\n")
    assert column(reading, "orders", "kind_2") == ["web", "phone"]
    said = read(
        "Date;Client;Montant;Sorte\n13/01/2026;C1;5,00;web\n14/01/2026;C2;6,00;phone\n",
        mapping=Mapping((FileMapping({"Sorte": Said("kind")}),)),
    )
    assert column(said, "orders", "kind_2") == ["web", "phone"]


def test_elsewhere_such_a_name_is_free(read: Read, column) -> None:
    reading = read("Client;E-mail;Kind\nC1;a@x.fr;B2B\nC2;b@x.fr;B2C\n")
    assert column(reading, "customers", "kind") == ["B2B", "B2C"]
