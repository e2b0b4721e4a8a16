"""References become customers: one a person, whatever the row, however many."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from revoir_web.customers import actions, queries
from revoir_web.customers.models import Customer, CustomerFigures, Identifier, Unindexed
from revoir_web.customers.text import email_of, external_of, fold, phone_of, town_key

pytestmark = pytest.mark.django_db


def test_one_row_is_one_customer_and_comes_back_the_same() -> None:
    rows = [
        {"customer_id": "A1", "first_name": "Zoé", "last_name": "Lévy", "email": "Zoe@Example.com"},
        {"customer_id": "A2", "phone": "06 12 34 56 78"},
        {"customer_id": " A1 ", "city": "Lyon"},
        {"customer_id": None, "email": "zoe@example.com"},
        {"customer_id": "", "email": "N/A", "phone": "-"},
    ]
    ids = actions.resolve_many(rows, source="test")
    assert ids[0] == ids[2]
    assert ids[1] not in ("", ids[0])
    assert ids[4] == ""
    assert actions.resolve_many(rows, source="test") == [ids[0], ids[1], ids[0], ids[0], ""]
    zoe = Customer.objects.get(pk=ids[0])
    assert (zoe.name, zoe.email, zoe.city, zoe.name_key) == (
        "Zoé Lévy", "zoe@example.com", "Lyon", "zoe levy",
    )  # fmt: skip


def test_an_arrow_table_with_attributes_and_days() -> None:
    table = pa.table(
        {
            "customer_id": ["1", "2", "1"],
            "name": ["Anne Petit", None, "Anne Petit"],
            "birth_date": pa.array([dt.date(1980, 2, 29), None, None]),
            "joined_at": pa.array([dt.datetime(2021, 5, 1, 8), None, dt.datetime(2020, 5, 1)]),
            "sector": ["food", None, None],
        }
    )
    one, two, again = actions.resolve_many(table, source="test")
    assert one == again != two
    anne = Customer.objects.get(pk=one)
    assert anne.birth_date == dt.date(1980, 2, 29)
    assert anne.attributes == {"sector": "food"}
    actions.resolve_many([{"customer_id": "1", "joined_at": "2019-01-31"}], source="test")
    anne.refresh_from_db()
    assert anne.created_on == dt.date(2019, 1, 31)
    assert anne.birth_date == dt.date(1980, 2, 29)


def test_what_is_long_is_kept_whole() -> None:
    """A family name, a town and a region ended after a hundred characters, without a word."""
    name, long = "de " * 50 + "Saxe-Cobourg", "Llanfair" * 40
    row = {"customer_id": "A1", "first_name": "Zoé " * 60, "last_name": name}
    row |= dict.fromkeys(("street", "city", "region", "country", "gender", "postcode"), long)
    row |= {"language": "Français (France)", "company": long, "note": long * 2}
    [id] = actions.resolve_many([row], source="test")
    zoe = Customer.objects.get(pk=id)
    assert (zoe.first_name, zoe.last_name) == (("Zoé " * 60).strip(), name)
    assert zoe.name == f"{zoe.first_name} {name}"
    for field in ("address", "city", "region", "country", "gender", "postcode", "company_name"):
        assert getattr(zoe, field) == long, field
    assert (zoe.language, zoe.attributes["note"]) == ("Français (France)", long * 2)
    # Another import and a hand change it, and the list finds it by town and by name.
    assert actions.resolve_many([{**row, "city": f"{long}-sur-Mer"}], source="test") == [id]
    actions.update_profile(customer=zoe, fields={"last_name": f"{name} d’Este"})
    zoe.refresh_from_db()
    assert zoe.city == f"{long}-sur-Mer"
    assert zoe.name == f"{zoe.first_name} {name} d’Este"
    actions.write_figures([{"customer_id": id, "orders": 1, "revenue": 1, "status": "active"}])
    actions.index_waiting()
    assert queries.search("cobourg") == [id]
    assert CustomerFigures.objects.get(pk=id).city_key == town_key(zoe.city)


def test_what_is_said_of_one_customer_by_number_and_by_address() -> None:
    """Of two rows of one import the page showed what the last one said alone."""
    known = {"customer_id": "K1", "email": "k1@example.com", "city": "Lyon", "club": "gold"}
    actions.resolve_many([known], source="test")
    rows = [
        {"customer_id": "K1", "city": "Nice", "club": "silver"},
        {"email": "k1@example.com", "city": "Paris", "till": "2"},
    ]
    actions.resolve_many(rows, source="test")
    held = Customer.objects.get()
    assert (held.city, held.attributes) == ("Nice", {"club": "silver", "till": "2"})


def test_two_numbers_with_one_address_stay_two_until_someone_decides() -> None:
    one, two = actions.resolve_many(
        [{"customer_id": "1", "email": "a@b.fr"}, {"customer_id": "2", "email": "a@b.fr"}],
        source="test",
    )
    assert one != two
    assert Identifier.objects.filter(kind="email").count() == 1
    actions.index_waiting()
    # Both are found by it.
    assert set(queries.search("a@b.fr")) == {one, two}
    assert actions.propose_merges() == 1


def test_a_number_joins_the_customer_who_was_known_by_address_alone() -> None:
    [first] = actions.resolve_many([{"email": "a@b.fr"}], source="test")
    [second] = actions.resolve_many([{"customer_id": "77", "email": "A@B.fr"}], source="test")
    assert first == second
    [third] = actions.resolve_many([{"customer_id": "78", "email": "a@b.fr"}], source="test")
    assert third != first


def test_name_and_place_know_someone_and_a_name_alone_does_not() -> None:
    rows = [
        {"name": "Jean Dupont", "postcode": "75011"},
        {"name": "JEAN DUPONT", "postcode": "75011"},
        {"name": "Jean Dupont", "postcode": "69001"},
        {"name": "Jean Dupont"},
    ]
    ids = actions.resolve_many(rows, source="test")
    assert ids[0] == ids[1] != ids[2]
    assert ids[3] == ""


def test_a_part_that_another_process_made_meanwhile_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from revoir_web.customers import resolving

    [known] = actions.resolve_many([{"customer_id": "1"}], source="test")
    real, calls = resolving._find, []

    def blind_once(persons: list[resolving.Person]) -> dict[tuple[str, str], str]:
        calls.append(1)
        return {} if len(calls) == 1 else real(persons)

    monkeypatch.setattr(resolving, "_find", blind_once)
    ids = actions.resolve_many([{"customer_id": "1"}, {"customer_id": "2"}], source="test")
    assert ids[0] == known
    assert len(set(ids)) == 2
    assert Customer.objects.count() == 2


def test_parts_end_where_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from revoir_web.customers import resolving

    monkeypatch.setattr(resolving, "PART", 3)
    monkeypatch.setattr(resolving, "LOOK_UP", 2)
    rows = [{"customer_id": str(n % 8), "email": f"x{n % 8}@b.fr"} for n in range(20)]
    ids = actions.resolve_many(rows, source="test")
    assert len(set(ids)) == 8
    assert actions.resolve_many(rows, source="test") == ids
    assert actions.index_waiting() == 8
    assert not Unindexed.objects.exists()
    assert CustomerFigures.objects.count() == 8


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("+33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("6.12E+08", None),
        ("12", None),
        ("pas de téléphone", None),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_telephones(written: str, kept: str | None) -> None:
    assert phone_of(written) == kept


def test_a_telephone_is_read_in_its_country() -> None:
    assert phone_of("0470 12 34 56", "Belgique") == "+32470123456"


def test_addresses_that_look_alike_are_not_the_same() -> None:
    assert email_of("mıke@example.com") != email_of("mike@example.com")
    assert email_of("é@exämple.com") == email_of("é@exämple.com")
    assert email_of("x" * 400 + "@b.fr") is None


class Anything(TestCase):
    @given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
    @settings(max_examples=60, deadline=None)
    def test_any_text_is_taken(self, number: str, name: str, phone: str) -> None:
        rows = [{"customer_id": number, "name": name, "phone": phone, "email": name}]
        once = actions.resolve_many(rows, source="test")
        assert actions.resolve_many(rows, source="test") == once
        actions.index_waiting()
        assert isinstance(queries.search(name), list)
        assert external_of(number) is None or len(external_of(number) or "") <= 255
        assert fold(fold(name)) == fold(name)
