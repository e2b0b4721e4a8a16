"""Whatever tables a company has: they come in, every job ends well, and every page opens."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from revoir.metrics.registry import metrics
from revoir_web.common import jobs
from revoir_web.common.models import Job
from revoir_web.customers.models import Customer
from revoir_web.ingest import actions
from revoir_web.ingest.models import Import
from revoir_web.insights.models import PredictionRun

from .conftest import work

pytestmark = [pytest.mark.heavy, pytest.mark.django_db(transaction=True)]

FIRST = dt.date(2024, 1, 1)
PAGES = (
    "", "metrics/", "cohorts/", "rfm/", "departures/", "worth/", "next/", "products/", "health/",
    "predictions/", "segments/", "what-if/", "goals/", "digests/", "customers/", "alerts/",
    "signals/", "imports/", "jobs/", "customers/merges/", "company/",
)  # fmt: skip
NOT_SAID = re.compile(r"(?<![\w-])(nan|NaN|inf|None|Traceback)(?![\w-])")
DRAWN = re.compile(r"<svg.*?</svg>|<script.*?</script>", re.S)


class World:
    """Files of an invented company, the same each time."""

    def __init__(self) -> None:
        self.draw = random.Random(3)

    def day(self, until: int) -> str:
        return (FIRST + dt.timedelta(days=self.draw.randrange(until))).isoformat()

    def orders(
        self,
        columns: Sequence[str] = ("order_id", "client", "date", "montant"),
        *,
        customers: int = 80,
        count: int = 500,
        days: int = 700,
        amount: str | None = None,
    ) -> str:
        rows = [
            {
                "order_id": f"A{number}",
                "client": f"C{self.draw.randrange(customers)}",
                "date": self.day(days),
                "montant": amount or f"{self.draw.uniform(5, 90):.2f}",
                "devise": self.draw.choice(["EUR", "USD"]),
                "produit": f"P{self.draw.randrange(12)}",
                "categorie": self.draw.choice("XYZ"),
                "quantité": str(self.draw.randrange(1, 4)),
            }
            for number in range(count)
        ]
        return _written(columns, rows)

    def contracts(self, *without: str, undated: range = range(0)) -> str:
        columns = ["contrat", "client", "debut", "fin", "prix_mensuel", "formule"]
        rows = [
            {
                "contrat": f"S{number}",
                "client": f"C{number}",
                "debut": "" if number in undated else self.day(300),
                "fin": self.draw.choice(["", "2024-12-01", "2025-06-30"]),
                "prix_mensuel": self.draw.choice(["9", "19", "29"]),
                "formule": self.draw.choice(["Base", "Plus"]),
            }
            for number in range(80)
        ]
        return _written([name for name in columns if name not in without], rows)

    def answers(self, *without: str) -> str:
        columns = ["reponse", "client", "date", "nps", "commentaire"]
        rows = [
            {
                "reponse": f"R{number}",
                "client": f"C{self.draw.randrange(60)}",
                "date": self.day(600),
                "nps": str(self.draw.randrange(11)),
                "commentaire": f"mot {number}",
            }
            for number in range(120)
        ]
        return _written([name for name in columns if name not in without], rows)

    def contacts(self) -> str:
        columns = ["ticket", "client", "ouvert_le", "premiere_reponse_le", "reclamation", "texte"]
        rows = [
            {
                "ticket": f"T{number}",
                "client": f"C{self.draw.randrange(60)}",
                "ouvert_le": f"{(day := self.day(600))} 10:00",
                "premiere_reponse_le": f"{day} 12:00",
                "reclamation": self.draw.choice(["oui", "non"]),
                "texte": f"bonjour {number}",
            }
            for number in range(120)
        ]
        return _written(columns, rows)

    def events(self) -> str:
        columns = ["event", "occurred_at", "customer_id", "session_id"]
        rows = [
            {
                "event": self.draw.choice(["page", "cart", "purchase"]),
                "occurred_at": f"{self.day(300)} 10:00:00",
                "customer_id": f"C{self.draw.randrange(60)}",
                "session_id": f"s{number // 3}",
            }
            for number in range(600)
        ]
        return _written(columns, rows)

    def products(self) -> str:
        columns = ["produit", "categorie", "marque", "stock"]
        rows = [
            {"produit": f"P{n}", "categorie": "XYZ"[n % 3], "marque": "M", "stock": str(n % 5)}
            for n in range(14)
        ]
        return _written(columns, rows)

    def customers(self) -> str:
        columns = ["client", "nom", "email", "ville", "age"]
        rows = [
            {
                "client": f"C{number}",
                "nom": f"Nom {number}",
                "email": f"n{number}@example.fr",
                "ville": "Tours",
                "age": self.draw.choice(["18-24", "25-34", "65+"]),
            }
            for number in range(50)
        ]
        return _written(columns, rows)


def _written(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    lines = [",".join(columns), *(",".join(row[name] for name in columns) for row in rows)]
    return "\n".join(lines) + "\n"


LINES = ("order_id", "client", "date", "produit", "quantité", "montant")
FILES: dict[str, Callable[[World], list[str]]] = {
    "orders": lambda world: [world.orders()],
    "orders without numbers": lambda world: [world.orders(("client", "date", "montant"))],
    "lines without a category": lambda world: [world.orders(LINES)],
    "lines": lambda world: [world.orders((*LINES, "categorie"))],
    "currencies": lambda world: [world.orders(("client", "date", "montant", "devise"))],
    "one customer": lambda world: [world.orders(customers=1, count=30)],
    "one order": lambda world: [world.orders(count=1)],
    "one day": lambda world: [world.orders(days=1)],
    "nobody comes back": lambda world: [world.orders(customers=10**6)],
    "nothing paid": lambda world: [world.orders(amount="0")],
    "nothing but returns": lambda world: [world.orders(amount="-12.00")],
    "contracts": lambda world: [world.contracts()],
    "contracts without a price": lambda world: [world.contracts("prix_mensuel")],
    "contracts without days": lambda world: [world.contracts("debut", "fin")],
    "contracts some of which have no day": lambda world: [world.contracts(undated=range(20))],
    "answers": lambda world: [world.answers()],
    "answers of nobody": lambda world: [world.answers("client")],
    "contacts": lambda world: [world.contacts()],
    "events": lambda world: [world.events()],
    "customers": lambda world: [world.customers()],
    "products": lambda world: [world.products()],
    "lines and products": lambda world: [world.orders(LINES), world.products()],
    "everything": lambda world: [
        world.orders(LINES), world.customers(), world.contracts(), world.answers(),
        world.contacts(), world.events(), world.products(),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", list(FILES))
def test_every_job_ends_well_and_every_page_opens(
    company: object, as_role: Callable[[str], Client], name: str
) -> None:
    """A shop whose products have no category had no predictions; a list of contracts no alerts."""
    held = actions.begin()
    for number, text in enumerate(FILES[name](World())):
        content = io.BytesIO(text.encode())
        actions.add_file(held=held, name=f"fichier {number}.csv", content=content)
    actions.read(held=held)
    work()
    held.refresh_from_db()
    actions.confirm(held=held, again=True)
    for kind in ("insights.refresh", "insights.foresee", "alerts.watch", "customers.index"):
        work()
        jobs.enqueue(kind)
    work()
    held.refresh_from_db()
    assert held.state == Import.State.LANDED, held.error
    assert PredictionRun.objects.exists()
    client = as_role("owner")
    pages = [*PAGES, *(f"metrics/{metric.name}/" for metric in metrics())]
    some = Customer.objects.order_by("pk")[:60:20]
    pages += [f"customers/{customer.pk}/" for customer in some]
    for _ in range(2):  # first they ask for what they show, then they show it
        for page in pages:
            answer = client.get(f"/{page}")
            assert answer.status_code == 200, page
            said = NOT_SAID.search(DRAWN.sub("", answer.content.decode()))
            assert said is None, (page, said)
        work()
    assert _failed() == []


def _failed() -> list[tuple[Any, ...]]:
    """The jobs that failed, once or for good."""
    found = Job.objects.filter(failures__gt=0) | Job.objects.filter(state=Job.State.FAILED)
    return list(found.values_list("kind", "arguments", "error"))
