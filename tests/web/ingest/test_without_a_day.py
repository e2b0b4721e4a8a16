"""What a file does not date: it is there, at the end, and stands in no page's way."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from django.test import Client

from revoir_web.accounts.rights import Right
from revoir_web.customers.models import Customer
from revoir_web.ingest.models import Import
from revoir_web.insights import facts
from revoir_web.testing.calls import Api

from .conftest import bring_in

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = "contrat,client,debut,prix_mensuel,formule\n"


@pytest.fixture(autouse=True)
def _looked_at_afresh() -> Iterator[None]:
    facts.forget()
    yield
    facts.forget()


def contracts(count: int, days: Callable[[int], str]) -> Customer:
    """The contracts of one customer; another one has a day, so that there are days."""
    rows = "".join(f"S{n},C1,{days(n)},{n + 1},Formule {n}\n" for n in range(count))
    held = bring_in(HEAD + rows + "T1,C2,2024-05-01,9,Base\n")
    assert held.state == Import.State.LANDED, held.error
    return Customer.objects.get(identifiers__value="C1")


def shown(page: str) -> list[tuple[str, str]]:
    """When and what, of a page's timeline."""
    entries = re.findall(r'<li class="[a-z]*"><p class="when">(.*?)</li>', page, re.S)
    return [
        (
            re.sub(r"<[^>]*>", "", entry.split('<span class="kind">')[0]).strip(),
            re.sub(r"<[^>]*>", "", entry.split('<p class="what">')[1].split("</p>")[0]).strip(),
        )
        for entry in entries
    ]


def test_a_contract_without_a_day_is_on_the_page_of_its_customer(
    company: object, as_role: Callable[[str], Client]
) -> None:
    """The page of such a customer could not be opened."""
    customer = contracts(2, lambda n: "" if n else "2024-01-02")
    answer = as_role("owner").get(f"/customers/{customer.pk}/")
    assert answer.status_code == 200
    whens, whats = zip(*shown(answer.content.decode()), strict=True)
    assert whens == ("02/01/2024", "Date inconnue")
    assert [what.split(" – ")[0] for what in whats] == ["Formule 0", "Formule 1"]


@pytest.mark.parametrize("dated", [0, 30])
def test_pages_leave_none_of_them_out(
    company: object, as_role: Callable[[str], Client], dated: int
) -> None:
    customer = contracts(130, lambda n: f"2024-01-{n + 1:02d}" if n < dated else "")
    client, address, found = as_role("owner"), f"/customers/{customer.pk}/", []
    for _ in range(5):
        page = client.get(address).content.decode()
        found += [what.split(" – ")[0] for _, what in shown(page)]
        older = re.search(r'<a href="(\?[^"]*)">Plus ancien</a>', page)
        if older is None:
            break
        address = f"/customers/{customer.pk}/{older[1].replace('&amp;', '&')}"
    assert sorted(found) == sorted(f"Formule {n}" for n in range(130))
    items = Api(Right.SEE_CUSTOMERS).everything(f"/customers/{customer.pk}/facts?limit=50")
    assert sorted(item["id"] for item in items) == sorted(f"S{n}" for n in range(130))
    assert sum(item["at"] is None for item in items) == 130 - dated


def test_the_file_of_a_person_has_them(company: object, as_role: Callable[[str], Client]) -> None:
    customer = contracts(2, lambda n: "" if n else "2024-01-02")
    answer = as_role("owner").get(f"/customers/{customer.pk}/data/")
    data = b"".join(answer) if answer.streaming else answer.content
    with zipfile.ZipFile(BytesIO(data)) as file:
        name = next(name for name in file.namelist() if name.endswith(".json"))
        told = json.loads(file.read(name))
    assert [fact["at"] for fact in told["facts"]] == ["2024-01-02T00:00:00+00:00", None]


def test_where_no_contract_has_a_day_they_are_there_too(
    company: object, as_role: Callable[[str], Client]
) -> None:
    """A list of contracts without days: their customers had nothing on their pages."""
    rows = "".join(f"S{n},C{n},19,{'Plus' if n % 2 else 'Base'},non\n" for n in range(20))
    held = bring_in("abonnement_id,client,prix_mensuel,formule,churn\n" + rows)
    assert held.state == Import.State.LANDED, held.error
    customer = Customer.objects.get(identifiers__value="C3")
    page = as_role("owner").get(f"/customers/{customer.pk}/?kind=subscription").content.decode()
    [(when, what)] = shown(page)
    assert when == "Date inconnue"
    assert what.startswith("Plus – 19,00")
