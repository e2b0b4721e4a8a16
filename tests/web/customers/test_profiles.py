"""Profiles after imports are undone: the last of those that stand, or what is no import, holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from revoir_web.common import jobs
from revoir_web.common.models import Job
from revoir_web.customers import actions, profiles
from revoir_web.customers.models import Customer, ImportedProfile, Unindexed

pytestmark = pytest.mark.django_db


def tell(source: str, **row: Any) -> str:
    undoable = source.startswith("import")
    return actions.resolve_many([row], source=source, undoable=undoable)[0]


def undo(source: str) -> int:
    counts: list[int] = []
    profiles.take_back(source=source, fence=lambda: None, went=counts.append)
    return sum(counts)


def tidy() -> None:
    job = jobs.enqueue("customers.tidy")
    jobs.run_waiting()
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error


def test_a_wrong_file_is_taken_out_of_profiles(company: object) -> None:
    """Its columns were mixed up: towns as names, a street as the town."""
    id = tell("api", customer_id="C1", name="Léa Roux", email="lea@example.com", city="Lyon",
              birth_date="1990-05-01", colour="red")  # fmt: skip
    tell("import:1", customer_id="C1", name="Lyon", email="other@example.com", city="3 rue Haute",
         birth_date="1991-06-02", region="Rhône", colour="blue", shoe=38)  # fmt: skip
    Unindexed.objects.all().delete()
    assert undo("import:1") == 1
    held = Customer.objects.get(pk=id)
    assert (held.name, held.name_key) == ("Léa Roux", "lea roux")
    assert (held.email, held.city, held.region) == ("lea@example.com", "Lyon", "")
    assert held.birth_date == dt.date(1990, 5, 1)
    assert held.attributes == {"colour": "red"}
    assert Unindexed.objects.filter(customer=id).exists()
    assert not ImportedProfile.objects.exists()


def test_what_a_hand_or_a_program_said_since_stays(company: object) -> None:
    """Also where it said the same."""
    id = tell("api", customer_id="C1", name="Léa Roux", city="Lyon", region="Rhône")
    tell("import:1", customer_id="C1", city="Nice", region="Var", name="Léa R.")
    tell("api", customer_id="C1", city="Nice")
    customer = Customer.objects.get(pk=id)
    actions.update_profile(customer=customer, fields={"region": "Alpes-Maritimes"})
    assert undo("import:1") == 1
    held = Customer.objects.get(pk=id)
    assert (held.city, held.region, held.name) == ("Nice", "Alpes-Maritimes", "Léa Roux")


def test_a_whole_name_follows_the_parts_that_it_was_made_of(company: object) -> None:
    id = tell("import:1", customer_id="C1", first_name="Léa", last_name="Roux")
    tell("import:2", customer_id="C1", last_name="Petit")
    held = Customer.objects.get(pk=id)
    assert (held.name, held.name_key) == ("Léa Petit", "lea petit")
    undo("import:2")
    assert Customer.objects.get(pk=id).name == "Léa Roux"
    tell("import:3", customer_id="C1", name="Docteur Roux")
    tell("import:4", customer_id="C1", last_name="Petit")
    assert Customer.objects.get(pk=id).name == "Docteur Roux"


def test_an_import_that_broke_off_and_went_on_is_undone_whole(company: object) -> None:
    id = tell("api", customer_id="C1", city="Lyon")
    tell("import:1", customer_id="C1", city="Nice")
    tell("import:1", customer_id="C1", city="Nice", region="Var")
    assert undo("import:1") == 1
    held = Customer.objects.get(pk=id)
    assert (held.city, held.region) == ("Lyon", "")


def test_it_is_forgotten_after_a_while(company: object) -> None:
    tell("api", customer_id="C1", city="Lyon")
    tell("import:1", customer_id="C1", city="Nice")
    tidy()
    assert ImportedProfile.objects.count() == 1
    ImportedProfile.objects.update(at=timezone.now() - dt.timedelta(days=actions.UNDO_DAYS + 1))
    tidy()
    assert undo("import:1") == 0
    assert Customer.objects.get().city == "Nice"


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["import", "api"]), st.integers(0, 1),
            st.sampled_from(["city", "first_name", "colour", "birth_date"]), st.integers(1, 3),
        ),
        st.tuples(st.just("undo"), st.integers(0, 5)),
    ),
    max_size=10,
)  # fmt: skip
CALLED = {
    "city": ["Lyon", "Nice", "Metz"], "first_name": ["Léa", "Zoé", "Ana"], "colour": [1, 2.5, "x"],
    "birth_date": ["1990-01-01", "1990-01-02", "1990-01-03"],
}  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
@example(steps=[("import", 0, "city", 1), ("import", 0, "city", 2), ("undo", 0), ("undo", 1)])
@example(steps=[("import", 0, "city", 1), ("import", 0, "city", 1), ("undo", 0), ("undo", 1)])
@example(
    steps=[
        ("import", 0, "city", 1),
        ("import", 0, "city", 2),
        ("import", 0, "city", 1),
        ("undo", 2),
    ]
)
def test_the_last_that_stands_holds(company: object, steps: list[tuple[Any, ...]]) -> None:
    Customer.objects.all().delete()
    ids = [tell("api", customer_id=f"C{n}") for n in range(2)]
    said: list[tuple[str, int, str, Any]] = []
    imports = 0
    for step in steps:
        if step[0] == "undo":
            source = f"import:{step[1]}"
            undo(source)
            said = [one for one in said if one[0] != source]
            continue
        kind, who, field, value = step
        source = kind if kind == "api" else f"import:{imports}"
        imports += kind == "import"
        told = CALLED[field][value - 1]
        tell(source, customer_id=f"C{who}", **{field: told})
        said.append((source, who, field, told))
    for who, id in enumerate(ids):
        held = Customer.objects.get(pk=id)
        last = {field: value for _, one, field, value in said if one == who}
        assert held.city == last.get("city", "")
        assert held.first_name == last.get("first_name", "")
        assert held.attributes.get("colour") == last.get("colour")
        birth = last.get("birth_date")
        assert held.birth_date == (birth and dt.date.fromisoformat(birth))
