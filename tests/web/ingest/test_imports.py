"""Files through the whole pipeline: rows in = accepted + quarantined + duplicates, each once."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.translation import override

from revoir.tables import TABLES
from revoir_web.common import jobs
from revoir_web.common.models import Job
from revoir_web.consents.erasure import erase_persons
from revoir_web.customers.models import Customer, Identifier
from revoir_web.ingest import actions, meanings, understanding
from revoir_web.ingest.models import Import, KnownMapping

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

JANUARY = """order_id;client;date;montant;email
A1;C1;03/01/2025;10,50;ana@example.com
A2;C2;04/01/2025;20,00;bob@example.com
A3;C1;31/01/2025;30,00;ana@example.com
"""
FEBRUARY = """order_id;client;date;montant;email
A3;C1;31/01/2025;35,00;ana@example.com
A4;C3;14/02/2025;40,00;cleo@example.com
"""


def test_orders_land_and_persons_do_not(company: object) -> None:
    held = bring_in(JANUARY)
    assert held.state == Import.State.LANDED, (held.failure, held.job and held.job.error)
    assert (held.rows_in, held.rows_accepted) == (3, 3)
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [
        ("A1", 10.5), ("A2", 20), ("A3", 30),
    ]  # fmt: skip
    ids = {row[0] for row in lake("SELECT customer_id FROM orders")}
    assert ids == set(Customer.objects.values_list("pk", flat=True))
    assert Customer.objects.get(identifiers__value="C1").email == "ana@example.com"
    assert "email" not in [row[0] for row in lake("DESCRIBE customers")]


def test_next_month_updates_what_it_has_again(company: object) -> None:
    bring_in(JANUARY)
    second = bring_in(FEBRUARY)
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [
        ("A1", 10.5), ("A2", 20), ("A3", 35), ("A4", 40),
    ]  # fmt: skip
    assert second.landed is not None
    assert second.landed["orders"] == {"new": 1, "changed": 1, "unchanged": 0}


def test_undo_restores_what_was_before(company: object) -> None:
    bring_in(JANUARY)
    second = bring_in(FEBRUARY)
    actions.undo(held=second)
    work()
    second.refresh_from_db()
    assert second.state == Import.State.UNDONE
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [
        ("A1", 10.5), ("A2", 20), ("A3", 30),
    ]  # fmt: skip


def test_export_without_numbers_that_begins_in_january_again(company: object) -> None:
    rows = ["client,date,montant", "C1,2025-01-03,10.00", "C2,2025-01-04,20.00",
            "C1,2025-01-03,10.00"]  # fmt: skip
    bring_in("\n".join(rows))
    second = bring_in("\n".join([*rows, "C3,2025-02-01,5.00"]))
    assert lake("SELECT count(*), sum(amount) FROM orders") == [(4, 45)]
    assert second.landed is not None
    assert second.landed["orders"] == {"new": 1, "changed": 0, "unchanged": 3}


def test_corrected_quarantine_adds_only_what_was_missing(company: object) -> None:
    held = bring_in(
        "order_id,client,date,produit,quantite,prix_unitaire\n"
        "A1,C1,2025-01-03,pain,1,2.00\nA1,C1,2025-01-03,lait,1,abc\nA2,C2,2025-01-05,pain,2,2.00\n"
    )
    assert (held.rows_in, held.rows_accepted, held.rows_quarantined) == (3, 2, 1)
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [("A1", 2), ("A2", 4)]
    text = understanding.quarantine_of(held, 0).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["produit"] for row in rows] == ["lait"]
    corrected = text.replace("abc", "1.50")
    second = bring_in(corrected, "quarantine.csv")
    assert second.state == Import.State.LANDED, second.failure
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [("A1", 3.5), ("A2", 4)]
    assert lake("SELECT count(*), sum(amount) FROM order_lines") == [(3, 7.5)]
    actions.undo(held=second)
    work()
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [("A1", 2), ("A2", 4)]


def test_order_that_lost_a_line(company: object) -> None:
    head = "order_id,client,date,produit,quantite,prix_unitaire\n"
    bring_in(head + "A1,C1,2025-01-03,pain,1,2.00\nA1,C1,2025-01-03,lait,1,1.00\n"
             "A2,C1,2025-01-04,pain,1,2.00\nA2,C1,2025-01-04,riz,1,3.00\n")  # fmt: skip
    bring_in(head + "A1,C1,2025-01-03,pain,1,2.00\nA2,C1,2025-01-04,pain,1,2.00\n"
             "A2,C1,2025-01-04,riz,1,3.00\n")  # fmt: skip
    assert lake("SELECT order_id, amount FROM orders ORDER BY 1") == [("A1", 2), ("A2", 5)]
    assert lake("SELECT sum(amount) FROM order_lines WHERE kind = 'purchase'") == [(7,)]


def test_refund_under_the_number_of_its_order_stands_beside_it(company: object) -> None:
    head = "order_id,client,date,montant\n"
    bring_in(head + "A1,C1,2025-01-03,50.00\nA2,C1,2025-01-03,20.00\n")
    bring_in(head + "A1,C1,2025-01-20,-10.00\nA5,C2,2025-01-20,7.00\n")
    assert lake("SELECT sum(amount), count(*) FROM orders") == [(67, 4)]
    assert lake("SELECT amount FROM orders WHERE order_id = 'A1'") == [(50,)]


def test_same_file_is_said(company: object) -> None:
    from revoir.errors import UsageError

    bring_in(JANUARY)
    second = bring_in(JANUARY, "again.csv", land=False)
    assert [upload.name for upload in actions.same_files(second)] == ["orders.csv"]
    with pytest.raises(UsageError, match="imported before"):
        actions.confirm(held=second)


def test_mapping_is_remembered(company: object) -> None:
    held = bring_in("a,b,c\nC1,2025-01-03,10\nC2,2025-01-05,12\n", land=False)
    actions.read(
        held=held,
        mapping="files:\n- columns:\n    a: customer_id\n    b: ordered_at\n    c: amount\n",
    )
    work()
    held.refresh_from_db()
    assert held.state == Import.State.READ, held.failure
    actions.confirm(held=held)
    work()
    assert KnownMapping.objects.count() == 1
    later = bring_in("a,b,c\nC1,2025-02-03,11\n", "february.csv")
    assert later.state == Import.State.LANDED, later.failure
    assert lake("SELECT count(*), sum(amount) FROM orders") == [(3, 33)]


def test_figures_follow(company: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "AFTERWARDS", ("customers.index", "insights.refresh"))
    held = bring_in(JANUARY, land=False)
    before = set(Job.objects.values_list("kind", flat=True))
    actions.has_landed(held=held, landed={}, job=_held_job())
    after = set(Job.objects.values_list("kind", flat=True))
    assert after - before >= {"customers.index", "insights.refresh"}


def _held_job() -> jobs.Running:
    """A job that is at work."""
    jobs.enqueue("ingest.land", arguments={})
    job = jobs.claim()
    assert job is not None
    return jobs.Running(job)


def test_nothing_usable_is_told(company: object) -> None:
    held = bring_in("<html><body>Erreur 500</body></html>", "export.csv")
    assert held.state == Import.State.FAILED
    assert held.failure is not None


def test_cancel_removes_the_files(company: object, imported: Callable[..., Import]) -> None:
    held = imported(JANUARY, land=False)
    assert held.folder.is_dir()
    actions.cancel(held=held)
    assert not held.folder.exists()
    held.refresh_from_db()
    assert held.state == Import.State.CANCELLED


def test_consent_is_kept_with_its_proof(company: object) -> None:
    from revoir_web.consents.models import Consent, Purpose

    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    bring_in(
        "client_id,email,newsletter\nC1,ana@example.com,oui\nC2,bob@example.com,non\n"
        "C3,cleo@example.com,\n",
        "clients.csv",
    )
    said = Consent.objects.values_list("customer__email", "given", "proof").order_by("pk")
    assert sorted(said) == [
        ("ana@example.com", True, "clients.csv, colonne «\u00a0newsletter\u00a0»"),
        ("bob@example.com", False, "clients.csv, colonne «\u00a0newsletter\u00a0»"),
    ]


def test_the_erased_are_gone_from_what_waits(company: object) -> None:
    from revoir_web.consents.erasure import erase_persons

    landed = bring_in(JANUARY + "A9;C1;32/01/2025;1,00;ana@example.com\n")
    waiting = bring_in(FEBRUARY, land=False)
    other = bring_in("order_id;client;date;montant\nB1;C9;03/01/2025;1,00\n", land=False)
    before = lake("SELECT count(*), sum(amount), count(DISTINCT customer_id) FROM orders")
    erase_persons(customers=[Customer.objects.get(email="ana@example.com")], reason="asked")
    for held in (waiting, other):
        held.refresh_from_db()
    assert waiting.state == Import.State.CANCELLED
    assert not waiting.folder.exists()
    assert other.state == Import.State.READ
    left = b"".join(path.read_bytes() for path in landed.folder.rglob("*") if path.is_file())
    assert b"ana@" not in left
    again = bring_in(JANUARY)
    assert again.landed is not None
    assert lake("SELECT count(*), sum(amount), count(DISTINCT customer_id) FROM orders") == before
    assert not Customer.objects.filter(email="ana@example.com").exists()


def test_files_are_not_called_after_the_erased(company: object) -> None:
    """The list of imports went on telling “export Marie Dupont.csv” for ever."""
    from revoir_web.consents.models import Consent, Purpose

    Purpose.objects.get_or_create(
        code="news", defaults={"name_fr": "n", "name_en": "n", "channels": ["email"]}
    )
    head = "client_id,nom,prenom,email,newsletter\n"
    marie, bob = "M1,Dupont,Marie,marie@example.com,oui\n", "C2,Petit,Bob,bob@example.com,oui\n"
    landed = bring_in(head + marie + bob, "export Marie Dupont.csv")
    waiting = bring_in(FEBRUARY, "Dupont_Marie-2.csv", land=False)
    broken = bring_in("<html><body>Erreur 500</body></html>", "marie.dupont.csv")
    erase_persons(customers=[Customer.objects.get(last_name="Dupont")], reason="request")

    names = [upload.name for held in (landed, waiting, broken) for upload in held.uploads.all()]
    assert names == ["export ….csv", "…-2.csv", "….csv"]
    for held in (landed, waiting, broken):
        held.refresh_from_db()
        assert held.title == held.uploads.get().name
        assert "dupont" not in str(held.error).lower()
        for path in held.folder.rglob("*"):
            assert "dupont" not in path.name.lower()
            assert not path.is_file() or b"dupont" not in path.read_bytes().lower()
    assert not any("upont" in known.mapping for known in KnownMapping.objects.all())
    [proof] = Consent.objects.values_list("proof", flat=True)
    assert proof.startswith("export ….csv, colonne")
    assert not any("upont" in str(job.__dict__) for job in Job.objects.all())
    # What waits can still be read anew, with another mapping, and be brought in.
    actions.read(held=waiting)
    jobs.run_waiting()
    waiting.refresh_from_db()
    assert waiting.state == Import.State.READ, waiting.failure
    actions.confirm(held=waiting)
    jobs.run_waiting()
    waiting.refresh_from_db()
    assert waiting.state == Import.State.LANDED, waiting.failure


@pytest.mark.parametrize(
    ("language", "expected"),
    [("fr", ["A1", "C1", "03/01/2025", "10,5"]), ("en", ["A1", "C1", "3 Jan 2025", "10.5"])],
)
def test_first_rows_are_shown_as_the_reader_writes_them(
    company: object, language: str, expected: list[str]
) -> None:
    held = bring_in(JANUARY, land=False)
    told = understanding.kept(held)
    assert told is not None
    (orders,) = [sample for sample in told["samples"] if sample["table"] == "orders"]
    assert "ordered_on" not in orders["columns"], "what reading computes is nobody's column"
    with override(language):
        shown = {tuple(understanding.shown(cell) for cell in row) for row in orders["rows"]}
    assert any(set(expected) <= set(row) for row in shown), shown


def test_a_name_for_a_number_is_one_customer_however_it_is_written(company: object) -> None:
    """In the next file “MARIE DUPONT” was somebody else, and erased as “Marie” she came back."""
    head = "facture;client;date;montant\n"
    bring_in(head + "F1;Marie Dupont;2025-01-03;10\nF2;Bob;2025-01-04;20\n", "jan.csv")
    bring_in(head + "F3;MARIE  DUPONT;2025-02-03;10\nF4;C2;2025-02-04;20\n", "feb.csv")
    assert sorted(Identifier.objects.values_list("value", flat=True)) == [
        "Bob",
        "C2",
        "Marie Dupont",
    ]
    assert lake("SELECT count(DISTINCT customer_id) FROM orders") == [(3,)]
    [bob] = Customer.objects.filter(identifiers__value="Bob")
    erase_persons(customers=[bob], reason="request")
    bring_in(head + "F5;BOB;2025-03-03;10\nF6;C2;2025-03-04;20\n", "mar.csv")
    assert not Identifier.objects.filter(value__iexact="bob").exists()


def test_letters_that_are_a_number_of_their_own_stay_their_own(company: object) -> None:
    """Orders of “AB” went to “ab” where a program had told both apart."""
    from revoir_web.customers.actions import identify

    lower, upper = (
        identify(identifiers={"external": number}, source="api") for number in ("ab", "AB")
    )
    assert lower is not None
    assert upper is not None
    bring_in("facture;client;date;montant\nF1;AB;2025-01-03;10\nF2;Bob;2025-01-04;20\n", "j.csv")
    rows = lake("SELECT customer_id FROM orders WHERE order_id = 'F1'")
    assert rows == [(str(upper.pk),)]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("table", sorted(TABLES))
def test_short_meanings_are_told_apart(table: str, language: str) -> None:
    """A list has room for a few words: no two columns of a table may be left with the same."""
    with override(language):
        for _group, options in meanings.target_choices(table):
            labels = [label for _value, label in options]
            assert len(set(labels)) == len(labels)
            assert max(map(len, labels)) < 70


def test_a_list_without_any_day_has_its_figures(company: object) -> None:
    """Telco's customers, who left or stayed, have no date: nothing was ever computed of them."""
    bring_in(
        "customerID,gender,tenure,Contract,MonthlyCharges,Churn\n"
        + "".join(
            f"C{n},Female,{n % 30},Month-to-month,{20 + n}.5,{'Yes' if n % 3 else 'No'}\n"
            for n in range(60)
        )
    )
    for kind in ("insights.refresh", "insights.foresee"):
        jobs.enqueue(kind)
        work()
        job = Job.objects.filter(kind=kind).latest("created_at")
        assert job.state == Job.State.DONE, job.error


def test_rows_set_aside_that_are_not_on_the_page_are_counted_there(
    company: object, as_role: Callable[..., Client]
) -> None:
    """The page stopped at twenty, and did not say so."""
    good = "".join(f"A{n};C{n};0{n % 9 + 1}/03/2025;10,00\n" for n in range(1, 60))
    bad = "".join(f"B{n};C{n};31/02/2025;10,00\n" for n in range(25))
    held = bring_in("N° commande;Client;Date;Montant\n" + good + bad, land=False)
    assert held.rows_quarantined == 25
    client = as_role("manager")
    page = client.get(f"/imports/{held.pk}/").content.decode()
    assert "Les 20 premières sur 25 figurent ici." in page
    few = bring_in("N° commande;Client;Date;Montant\n" + good + bad[:21], land=False)
    page = client.get(f"/imports/{few.pk}/").content.decode()
    assert few.rows_quarantined == 1
    assert "figure ici" not in page
    assert "figurent ici" not in page
