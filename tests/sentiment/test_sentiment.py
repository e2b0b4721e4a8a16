"""How comments sound: against comments that were written without knowing the words, and by rule."""

from __future__ import annotations

import bisect
import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import revoir
from revoir.sentiment import NEGATIVE, POSITIVE, sentiment, words

HERE = Path(__file__).parent


def ranked_right(low: list[float], high: list[float]) -> float:
    """Share of pairs in which the one that should sound worse does (AUC)."""
    high = sorted(high)
    above = sum(
        2 * len(high) - bisect.bisect_left(high, one) - bisect.bisect_right(high, one)
        for one in low
    )
    return above / (2 * len(low) * len(high))


def test_pairs_are_ranked_as_by_hand() -> None:
    assert ranked_right([0, 1], [1, 2]) == (1 + 1 + 0.5 + 1) / 4


@pytest.mark.parametrize(("language", "pairs", "of_ten"), [("fr", 0.89, 4), ("en", 0.76, 3)])
def test_comments_of_customers(language: str, pairs: float, of_ten: int) -> None:
    """Half of these 160 were looked at while the words were gathered, the others never."""
    with (HERE / f"{language}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[1::2]
    scores: dict[str, list[float]] = {"negative": [], "positive": [], "neutral": []}
    for row in rows:
        scores[row["label"]].append(sentiment(row["comment"]) or 0)
    assert ranked_right(scores["negative"], scores["positive"]) >= pairs
    flagged = {label: sum(one <= NEGATIVE for one in held) for label, held in scores.items()}
    assert flagged["negative"] >= of_ten * 0.1 * len(scores["negative"])
    assert flagged["negative"] >= 0.8 * sum(flagged.values())
    assert all(abs(one) < POSITIVE for one in scores["neutral"])


@pytest.mark.reference
def test_comments_of_patients(reference_data: Path) -> None:
    """5,922 comments with a judgement of people, from 1 (good) to 5; the words are for shops."""
    with (reference_data / "nhs_feedback/feedback.csv").open(encoding="utf-8-sig") as file:
        rows = [
            (int(row["Comment sentiment"]), sentiment(row["FFT answer"]) or 0)
            for row in csv.DictReader(file)
            if row["Comment sentiment"]
        ]
    bad = [score for judged, score in rows if judged >= 4]
    good = [score for judged, score in rows if judged <= 2]
    assert (len(bad), len(good)) == (1_625, 3_829)
    assert ranked_right(bad, good) >= 0.875
    assert sum(score <= NEGATIVE for score in good) <= 0.02 * len(good)
    assert sum(score <= NEGATIVE for score in bad) >= 0.24 * len(bad)


@pytest.mark.reference
def test_comments_of_customers_of_garden_shops(reference_data: Path) -> None:
    """What 1,347 customers wrote; a detractor may be polite, and a promoter complain."""
    book = revoir.read(reference_data / "jardinerie_nps/nps.csv")
    answers = book.table("responses")
    answers = answers.filter(
        (answers.question == "nps") & answers.score.notnull() & answers.text_sentiment.notnull()
    )
    rows = [(float(row["score"]), float(row["text_sentiment"])) for row in book.rows(answers)]
    detractors = [sounds for score, sounds in rows if score <= 6]
    promoters = [sounds for score, sounds in rows if score >= 9]
    assert (len(detractors), len(promoters)) == (314, 1_033)
    assert ranked_right(detractors, promoters) >= 0.77
    assert sum(sounds <= NEGATIVE for sounds in detractors) >= 0.3 * len(detractors)
    assert sum(sounds <= NEGATIVE for sounds in promoters) <= 0.09 * len(promoters)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("C’est bon.", "Ce n’est pas bon."),
        ("Je recommande.", "Je ne recommande pas."),
        ("Je ne suis pas déçue.", "Je suis déçue."),
        ("Aucun problème.", "Un problème."),
        ("Not bad.", "Bad."),
        ("I'm happy.", "I’m not happy."),
        ("im happy with it", "i cant be happy with it"),
        ("Slow, but the food was good.", "The food was good, but slow."),
        ("Malgré le retard, bien.", "Un retard, mais bien."),
        ("Très bon.", "Bon."),
        ("Un peu lent.", "Lent."),
        ("Very good.", "Good."),
        ("Rien à redire, merci.", "Rien de bon, merci."),
        ("👍", "👎"),
        ("Bien reçu :)", "Bien reçu :("),
        ("Bien.", "Nuuuul !"),
    ],
)
def test_rules_of_grammar(better: str, worse: str) -> None:
    found = [sentiment(better), sentiment(worse)]
    assert None not in found
    assert found[0] > found[1]


def test_a_negation_ends_with_its_clause() -> None:
    assert sentiment("Je n’y vais plus, bon accueil.") == sentiment("Bon accueil.")


def test_a_word_that_differs_between_the_languages_is_read_in_that_of_its_comment() -> None:
    """ "Pain" is bread, and "dur" and "dire" are no words of English complaints."""
    assert sentiment("Le pain de la boutique est pour nous") == 0
    assert sentiment("It is a pain to use") < 0


@pytest.mark.parametrize(
    "text", [None, "", "  ", "n/a", "RIEN", "-", "12", "...", "Did not answer"]
)
def test_no_words_sound_like_nothing(text: str | None) -> None:
    assert sentiment(text) is None


@given(st.text(max_size=300))
def test_any_text_sounds_between_the_two_ends(text: str) -> None:
    found = sentiment(text)
    assert found is None or -1 <= found <= 1


def test_each_word_is_declared_once_without_accents() -> None:
    for held in (words.FRENCH, words.ENGLISH):
        listed = [word for line in held.split("\n") for word in line.split()[1:]]
        assert sorted(listed) == sorted(set(listed))
        assert all(word.isascii() and word == word.lower() for word in listed)
        assert all(-3 <= float(line.split()[0]) <= 3 for line in held.strip().split("\n"))


COMPLAINTS = """
I would not buy again
Pas très bien
Service pas au top
Not well made
Le livreur n'était pas à l'heure
je recommande pas du tout
j'aime pas
non satisfait du service
The staff aren't helpful
À fuir !
Produit à éviter
Incompétents !
Incredibly slow
Incredibly rude
My order has not arrived yet
Jamais reçu, mais bon
À l'heure actuelle toujours pas de nouvelles
I have not received my parcel. Kind regards
parfaitement inadmissible
Pourquoi toujours pas de réponse ?
Today's delivery never arrived
"""


@pytest.mark.parametrize("text", COMPLAINTS.strip().splitlines())
def test_complaints_that_were_not_heard(text: str) -> None:
    """Each sounded like nothing, or like praise."""
    assert (sentiment(text) or 0) <= NEGATIVE


HARMLESS = """
Sans perte de temps
No hidden fees
Aucune mauvaise surprise
I never had to chase anyone
Attente pas trop longue
Je ne peux que recommander
On ne peut que féliciter l'équipe
on ne peut plus satisfait
Sans aucun doute le meilleur
Without doubt the best
Staff couldn't be more helpful
Never been so happy
Can't recommend them enough
je regrette pas
Problème : aucun. Retard : aucun.
Équipe dont je suis ravie
Que faire si j'ai un problème ?
Est-ce remboursé si le colis est en retard ?
Livré à temps et rien à signaler
Service parfait et rien à redire
Points négatifs : aucun
Mes horaires :(9h-18h)
la galerie marchande est à côté
Je voulais un dégradé court
Un fauteuil ou deux fauteuils ?
deux plantes vertes et une plante grasse
le pull rayé et la robe rayée
Bouteilles livrées en carton de six
Une table d'une personne pour samedi
Je me suis trompée de taille
article inutilisé
Je ne commande que chez vous
Au pire je repasserai lundi
plus jamais de souci
introuvable nulle part ailleurs
Je voudrais résilier, j'attends votre retour
How can I avoid the delivery fee?
We had enough room
What does it smell like?
Zero waste packaging
Completely stress free
hard to fault
I do not work on Mondays
I could not answer the phone
"""


@pytest.mark.parametrize("text", HARMLESS.strip().splitlines())
def test_what_was_taken_for_a_complaint(text: str) -> None:
    """Each raised an alert: its negation was not seen, or a harmless word began like a bad one."""
    assert (sentiment(text) or 0) > NEGATIVE


PLAIN = """
What time do you open? Kind regards
Best regards
Good morning, can I change my address
Pouvez-vous me renvoyer ma facture ? Merci. Bien cordialement
n'hésitez pas à me rappeler
Bon, j'ai rappelé trois fois
What is the best way to return it?
taille extra large
"""


@pytest.mark.parametrize("text", PLAIN.strip().splitlines())
def test_politeness_and_questions_say_nothing(text: str) -> None:
    """“Kind regards” was kind, and “bien cordialement” good."""
    assert NEGATIVE < (sentiment(text) or 0) < POSITIVE
