"""What customers say in their own words: beside them, each once, gone with them or the import."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from revoir_web.common.models import Job
from revoir_web.consents import ledger, portability
from revoir_web.consents.erasure import erase_persons
from revoir_web.customers import verbatims
from revoir_web.customers.models import Customer, Verbatim
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import
from revoir_web.insights import facts

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS = """reponse_id;client_id;date_reponse;nps;commentaire
R1;C1;03/01/2025;9;Très bon accueil de Bob Martin
R2;C2;04/01/2025;2;Livraison trop lente
R3;C1;05/01/2025;8;néant
R4;;06/01/2025;7;Je ne dis pas qui je suis
"""
AGAIN = """reponse_id;client_id;date_reponse;nps;commentaire
R1;C1;03/01/2025;9;Très bon accueil de Bob Martin
R2;C2;04/01/2025;2;Livraison lente
R3;C1;05/01/2025;8;Merci
"""
CONTACTS = """ticket_id;client_id;ouvert_le;canal;type;description
T1;C1;02/02/2025 10:00;email;réclamation;Appelez-moi au 06 12 34 56 78
T2;C2;03/02/2025 11:00;chat;question;Où est mon colis ?
"""


@pytest.fixture(autouse=True)
def _fresh_facts() -> Iterator[None]:
    facts.forget()
    yield
    facts.forget()


def said() -> dict[str, str]:
    """The words that count, by row."""
    held = verbatims.words(Customer.objects.values_list("pk", flat=True))
    return {row: text for (_kind, row), text in sorted(held.items()) if text}


def customer(number: str) -> Customer:
    return Customer.objects.get(identifiers__value=number)


def test_words_stand_beside_the_customer_and_not_in_the_lake(company: object) -> None:
    held = bring_in(ANSWERS, "nps.csv")
    assert held.state == Import.State.LANDED, held.failure
    bring_in(CONTACTS, "sav.csv")
    assert said() == {
        "R1": "Très bon accueil de Bob Martin", "R2": "Livraison trop lente",
        "T1": "Appelez-moi au 06 12 34 56 78", "T2": "Où est mon colis ?",
    }  # fmt: skip
    assert lake("SELECT DISTINCT comment FROM responses ORDER BY 1 NULLS LAST") == [
        ("…",), (None,)
    ]  # fmt: skip
    assert lake("SELECT DISTINCT text FROM interactions") == [("…",)]
    sounds = lake(
        "SELECT response_id, text_sentiment > 0.5, text_sentiment <= -0.5 FROM responses ORDER BY 1"
    )
    assert sounds == [
        ("R1", True, False), ("R2", False, True), ("R3", None, None), ("R4", False, False),
    ]  # fmt: skip
    assert lake("SELECT min(text_sentiment), max(text_sentiment) FROM interactions") == [(0, 0)]
    assert not list(held.folder.glob("final/*"))


def test_the_page_shows_them_to_whoever_may_see_persons(
    company: object, as_role: Callable[[str], Client]
) -> None:
    bring_in(ANSWERS, "nps.csv")
    bring_in(CONTACTS, "sav.csv")
    url = reverse("customers:customer", args=[customer("C1").pk])
    page = as_role("manager").get(url).content.decode()
    assert "Très bon accueil" in page
    assert "06 12 34 56 78" in page
    assert "Livraison" not in page
    answers = as_role("manager").get(url, {"kind": "response"}).content.decode()
    assert "Très bon accueil" in answers
    assert "06 12" not in answers
    masked = as_role("analyst").get(url).content.decode()
    assert "accueil" not in masked
    assert "06 12" not in masked
    assert "•" in masked


def test_what_sounds_bad_is_marked_on_the_page(
    company: object, as_role: Callable[[str], Client]
) -> None:
    bring_in(CONTACTS.replace("Où est mon colis ?", "Colis abîmé, très déçu"), "sav.csv")
    url = reverse("customers:customer", args=[customer("C2").pk])
    assert "worse" in as_role("analyst").get(url).content.decode()
    bring_in(CONTACTS, "again.csv")
    facts.forget()
    assert "worse" not in as_role("analyst").get(url).content.decode()


def test_the_file_of_a_persons_data_has_them(company: object) -> None:
    bring_in(ANSWERS, "nps.csv")
    with zipfile.ZipFile(BytesIO(portability.archive(customer("C1")))) as file:
        held = json.loads(file.read("donnees.json"))
    texts = [fact["details"].get("text") for fact in held["facts"]]
    assert texts == [None, "Très bon accueil de Bob Martin"]


def test_the_next_file_corrects_them_and_its_undoing_brings_them_back(company: object) -> None:
    first = bring_in(ANSWERS, "nps.csv")
    before = said()
    second = bring_in(AGAIN, "again.csv")
    assert said() == {
        "R1": "Très bon accueil de Bob Martin", "R2": "Livraison lente", "R3": "Merci",
    }  # fmt: skip
    # The lake has an ellipsis for words, the same for others: R2 differs by how it sounds.
    assert second.landed is not None
    assert second.landed["responses"] == {"new": 0, "changed": 2, "unchanged": 1}
    actions.undo(held=second)
    work()
    assert said() == before
    actions.undo(held=first)
    work()
    assert not Verbatim.objects.exists()


def test_a_job_that_is_tried_again_keeps_them_once(
    company: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = actions.has_landed
    fallen: list[int] = []

    def fall(**arguments: object) -> None:
        if not fallen:
            fallen.append(1)
            raise RuntimeError("killed")
        keep(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "has_landed", fall)
    held = bring_in(ANSWERS, "nps.csv", land=False)
    actions.confirm(held=held)
    work()
    Job.objects.filter(kind="ingest.land").update(not_before=timezone.now())
    work()
    held.refresh_from_db()
    assert fallen
    assert held.state == Import.State.LANDED, held.failure
    assert Verbatim.objects.count() == 2
    assert lake("SELECT count(*) FROM responses") == [(4,)]


def test_they_go_with_the_person_also_from_what_others_said(company: object) -> None:
    bring_in(ANSWERS, "nps.csv")
    bring_in("client_id;nom;telephone\nC2;Bob Martin;0612345678\n", "clients.csv")
    bring_in(CONTACTS, "sav.csv")
    before = lake("SELECT count(*), avg(score), count(comment) FROM responses")
    erase_persons(customers=[customer("C2")], reason="asked")
    assert said() == {"R1": "Très bon accueil de …", "T1": "Appelez-moi au …"}
    assert lake("SELECT count(*), avg(score), count(comment) FROM responses") == before
    # A file that brings them again brings no word of whoever is gone.
    bring_in(ANSWERS.replace("lente", "très lente"), "again.csv")
    assert "R2" not in said()
    ledger.path().unlink()


def test_words_that_a_later_file_had_again_stay_with_it(company: object) -> None:
    first = bring_in(ANSWERS, "nps.csv")
    second = bring_in(AGAIN, "again.csv")
    actions.undo(held=first)
    work()
    assert said() == {
        "R1": "Très bon accueil de Bob Martin", "R2": "Livraison lente", "R3": "Merci",
    }  # fmt: skip
    actions.undo(held=second)
    work()
    assert not Verbatim.objects.exists()
