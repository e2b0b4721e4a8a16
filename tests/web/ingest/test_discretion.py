"""The lake takes attributes that describe, and none that names somebody."""

from __future__ import annotations

import json

import pytest

from revoir_web.common.rights import Right
from revoir_web.consents.erasure import erase_persons
from revoir_web.consents.models import Erasure
from revoir_web.customers.models import Customer
from revoir_web.ingest.models import Import
from revoir_web.testing.calls import Api

from .conftest import bring_in, drained, lake, send

pytestmark = pytest.mark.django_db(transaction=True)


def file(*columns: str, rows: int) -> str:
    """Customers with an attribute made of `{n}` (their number) and `{few}` (one of three)."""
    head = "client_id;prenom;nom;email;" + ";".join(f"extra_{k}" for k in range(len(columns)))
    body = [
        f"C{n:04d};Ana;Nomrare{n:04d};a{n}@example.com;"
        + ";".join(column.format(n=n, few=n % 3) for column in columns)
        for n in range(rows)
    ]
    return "\n".join([head, *body]) + "\n"


def columns() -> set[str]:
    return {row[0] for row in lake("DESCRIBE customers")}


def test_what_describes_stays_and_what_is_ones_own_goes(company: object) -> None:
    bring_in(
        file("tarif {few}", "carte-{n:06d}", "Livrer chez la voisine numéro {n} svp", rows=60),
        "clients.csv",
    )
    assert columns() >= {"extra_0"}
    assert not columns() & {"extra_1", "extra_2"}
    assert lake("SELECT count(*), count(DISTINCT extra_0) FROM customers") == [(60, 3)]
    # Beside the person, all of it is known.
    held = Customer.objects.get(identifiers__value="C0007").attributes
    assert held["extra_1"] == "carte-000007"


def test_of_few_rows_cells_that_name_the_customer_go(company: object) -> None:
    held = bring_in(
        "client_id;prenom;nom;email;surnom;magasin\n"
        "C1;Ana;Lévy;ana@example.com;Dame LEVY;Lyon\nC2;Bob;Roc;bob@example.com;chef;Paris\n",
        "clients.csv",
    )
    assert held.state == Import.State.LANDED, (held.failure, held.job and held.job.error)
    assert lake("SELECT surnom, magasin FROM customers ORDER BY magasin") == [
        (None, "Lyon"), ("chef", "Paris"),
    ]  # fmt: skip


def test_remarks_on_orders_stay_out(company: object) -> None:
    wrapped = ("sac", "carton")
    rows = [
        f"A{n};C{n};2025-01-{n % 28 + 1:02d};{n}.00;{wrapped[n % 2]};Merci de sonner, étage {n}"
        for n in range(40)
    ]
    bring_in("order_id;client;date;montant;emballage;remarque\n" + "\n".join(rows))
    held = {row[0] for row in lake("DESCRIBE orders")}
    assert "emballage" in held
    assert "remarque" not in held
    assert lake("SELECT count(*) FROM orders") == [(40,)]


def test_events_name_nobody(company: object) -> None:
    from revoir_web.ingest.inbox import _short, discreet

    names = [" levy ", " ana levy ", " ku 4711 ", " 0612345678 "]
    told = {"q": "lévy", "shop": "Lyon", "note": "c’est Ana Lévy", "n": 3, "tel": "0612345678"}
    assert json.loads(discreet(told, names) or "") == {"shop": "Lyon", "n": 3}
    assert _short("/compte/KU-4711/factures", names) is None
    assert _short("/compte/ana%20l%C3%A9vy", names) is None
    assert _short("/produits/the", names) == "/produits/the"


def test_what_named_somebody_before_their_name_was_known_is_hidden_and_forgotten(key: str) -> None:
    """It stayed in the lake for good, in the paths and words of a visitor, and in files."""
    visits = [
        {"properties": {"path": "/compte/jeanne-dupont", "rang": 1}, "event": "Visite"},
        {"properties": {"pour": "Jeanne Dupont", "boutique": "Lyon"}, "event": "Cadeau"},
        {"properties": {"boutique": "Dupont"}, "event": "Visite"},
    ]
    for visit in visits:
        page = {"page": {"path": visit["properties"].get("path", "/")}}
        body = {"anonymousId": "v1", "context": page, **visit}
        assert send(key, "track", body).status_code == 200
    assert send(key, "track", {"userId": "u2", **visits[2]}).status_code == 200
    orders = "A,u1,2025-01-03,10,Jeanne Dupont\nB,u2,2025-01-04,5,Hall\n"
    bring_in(f"order_id,client,date,montant,retrait\n{orders}")
    drained()
    name = {"name": "Jeanne Dupont", "lastName": "Dupont"}
    send(key, "identify", {"userId": "u1", "anonymousId": "v1", "traits": name})
    drained()
    assert "upont" in str(lake("SELECT * FROM events") + lake("SELECT * FROM orders"))
    count = lake("SELECT count(*), count(DISTINCT customer_id) FROM events")
    [jeanne] = Customer.objects.filter(last_name="Dupont")
    told_of = f"/customers/{jeanne.pk}/facts"
    assert "upont" in str(Api(Right.SEE_CUSTOMERS, Right.SEE_PERSONAL)("get", told_of).json())
    assert "upont" not in str(Api(Right.SEE_CUSTOMERS)("get", told_of).json())
    erase_persons(customers=[jeanne], reason="request")
    assert Erasure.objects.get().rows["ingest.lake"] == 5
    assert lake("SELECT count(*), count(DISTINCT customer_id) FROM events") == count
    told = "SELECT properties, page FROM events ORDER BY 1, 2"
    assert lake(told) == [
        ('{"boutique":"Dupont"}', None), ('{"boutique":"Lyon"}', "/"), ('{"rang":1}', None),
        (None, "/"),
    ]  # fmt: skip
    assert lake("SELECT retrait, CAST(amount AS INT) FROM orders ORDER BY 1") == [
        ("Hall", 5), (None, 10),
    ]  # fmt: skip
