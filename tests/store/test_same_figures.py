"""A lake gives the figures of the files that went into it, by Python and by the command line."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import revoir
from revoir import engines
from revoir.datasets.shop import shop
from revoir.errors import InputError, RevoirError, UsageError
from revoir.metrics.registry import measure, metrics
from revoir.store import Lake

BATCH = "2026-06"


@pytest.fixture(scope="module")
def ask(command) -> Callable[..., str]:
    """Gives what a command tells, on standard output or beside it."""

    def run(*words: str, code: int = 0) -> str:
        done = command(*words)
        assert done.returncode == code, done.stderr
        return done.stdout or done.stderr

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    shop(3, customers=150).write(folder, "fr")
    return folder


@pytest.fixture(scope="module")
def lake(ask, files, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), str(files), "--batch", BATCH)
    return folder


@pytest.fixture(scope="module")
def books(files, lake) -> tuple[Any, Any]:
    return revoir.read(files), revoir.open(lake)


def told(book: Any, name: str, **options: Any) -> Any:
    try:
        return measure(book, name, **options).records()
    except RevoirError as error:
        return error.text("en")


@pytest.mark.parametrize("name", [metric.name for metric in metrics()])
def test_every_metric_is_the_same(books, name):
    read, opened = books
    found, expected = told(opened, name), told(read, name)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert same(one, other), (one, other)


def same(one: Any, other: Any) -> bool:
    """Equal; sums of engines may differ in their last digits by the order of the rows."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def test_the_span_and_the_tables_are_the_same(books):
    read, opened = books
    assert opened.span == read.span
    assert set(opened.tables) == set(read.tables)
    assert opened.currencies == read.currencies


@pytest.mark.parametrize(
    "words",
    [
        ["metric", "retention", "--format", "json"],
        ["metric", "repeat_purchase_rate", "--period", "month", "--format", "json"],
        ["cohorts", "--format", "json"],
        ["segments", "--format", "json"],
    ],
)
def test_commands_take_a_lake_for_files(ask, files, lake, words):
    name, *rest = words
    asked = list(rest)
    place = 1 if name == "metric" else 0
    on_files = ask(name, *asked[:place], str(files), *asked[place:])
    on_lake = ask(name, *asked[:place], str(lake), *asked[place:])
    assert json.loads(on_lake) == json.loads(on_files)


def test_the_report_takes_a_lake(ask, lake, tmp_path):
    ask("report", str(lake), "-o", str(tmp_path / "r.json"), "--lang", "en")
    assert json.loads((tmp_path / "r.json").read_text())


def test_check_says_what_a_lake_holds(ask, lake):
    held = json.loads(ask("check", str(lake), "--format", "json"))
    assert {one["table"] for one in held["tables"]} >= {"customers", "orders"}
    assert held["version"].startswith("customers:")
    assert "orders" in ask("check", str(lake))


def test_the_group_of_commands(ask, files, tmp_path):
    folder = str(tmp_path / "lake")
    assert "ready" in ask("lake", "create", folder)
    first = ask("lake", "append", folder, str(files))
    assert "orders:" in first
    assert "was there already" in ask("lake", "append", folder, str(files))
    history = json.loads(ask("lake", "history", folder, "--format", "json"))
    batch = next(one["batch"] for one in history if one["batch"])
    ask("lake", "compact", folder)
    ask("lake", "vacuum", folder, "--days", "1", "--dry-run")
    assert "✓ orders" in ask("lake", "verify", folder)
    assert "taken out" in ask("lake", "undo", folder, batch)
    assert "stays out" in ask("lake", "append", folder, str(files))
    ask("lake", "undo", folder, "never", code=2)
    ask("lake", "verify", str(tmp_path / "nothing"), code=3)


def test_addresses_do_not_become_customer_numbers(ask, tmp_path):
    file = tmp_path / "ventes.csv"
    file.write_text(
        "email;date;montant\nana@exemple.fr;05/01/2024;12\nbo@exemple.fr;06/01/2024;3\n"
        "ana@exemple.fr;17/02/2024;8\n",
        encoding="utf-8",
    )
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    assert "have no number" in ask("lake", "append", str(folder), str(file), "--batch", "1")
    for part in folder.rglob("*"):
        if part.is_file():
            assert b"exemple" not in part.read_bytes()
    opened, read = revoir.open(folder), revoir.read(file)
    for name in ("repeat_purchase_rate", "active_customers", "revenue"):
        assert same(told(opened, name)[0], told(read, name)[0])
    assert Lake(folder).number_of("a") == Lake(folder).number_of("a")


def test_a_lake_is_measured_alone(files, lake):
    with pytest.raises(UsageError, match="alone"):
        revoir.read([lake, files])


def _orders(path: Path, *numbers: int, amount: int = 10, client: str = "C{}") -> str:
    rows = (f"{n};{client.format(n)};0{n}/02/2024;{amount},50\n" for n in numbers)
    path.write_text("commande;Client;date;montant\n" + "".join(rows), encoding="utf-8")
    return str(path)


def _held(folder: Path, table: str = "orders") -> list[dict[str, Any]]:
    return revoir.open(folder).tables[table].to_pyarrow().to_pylist()


def test_overlapping_exports_are_not_added_up(ask, tmp_path):
    """The order that January's and February's export shared was in the lake twice."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _orders(tmp_path / "jan.csv", 1, 2))
    feb = _orders(tmp_path / "feb.csv", 2, 3, amount=20)
    refused = ask("lake", "append", str(folder), feb, code=3)
    assert "1 number of these files is in the lake already (2)" in refused
    assert "--replace" in refused
    assert len(_held(folder)) == 2
    ask("lake", "append", str(folder), feb, "--replace")
    assert {row["order_id"]: float(row["amount"]) for row in _held(folder)} == {
        "1": 10.5,
        "2": 20.5,
        "3": 20.5,
    }


def test_overlapping_lines_are_refused_with_and_without_replace(ask, tmp_path):
    head = "ticket;produit;client;date;montant\n"
    january, february = tmp_path / "jan.csv", tmp_path / "feb.csv"
    january.write_text(head + "1;A;C1;05/01/2024;3\n1;B;C1;05/01/2024;4\n2;A;C2;06/01/2024;3\n")
    february.write_text(head + "2;A;C2;06/01/2024;3\n3;A;C2;07/02/2024;3\n3;B;C2;07/02/2024;4\n")
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), str(january))
    for words in ([], ["--replace"]):
        refused = ask("lake", "append", str(folder), str(february), *words, code=3)
        assert "append its files and these together" in refused
        assert (len(_held(folder)), len(_held(folder, "order_lines"))) == (2, 3)


def test_a_renamed_copy_lands_no_second_time(ask, tmp_path):
    """The file's name was in the name of the batch: a copy of it was added again."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _orders(tmp_path / "jan.csv", 1, 2))
    copy = _orders(tmp_path / "jan (1).csv", 1, 2)
    assert "was there already" in ask("lake", "append", str(folder), copy)
    assert len(_held(folder)) == 2


def test_a_refund_of_an_order_that_is_there_is_added(ask, tmp_path):
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _orders(tmp_path / "jan.csv", 1, 2))
    ask("lake", "append", str(folder), _orders(tmp_path / "feb.csv", 2, amount=-5))
    assert sorted(float(row["amount"]) for row in _held(folder)) == [-5.5, 10.5, 10.5]


def test_an_order_whose_refund_is_there_already_is_added(ask, tmp_path):
    """A refund that came first stood in the way of the sale with its number."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _orders(tmp_path / "feb.csv", 2, amount=-5))
    ask("lake", "append", str(folder), _orders(tmp_path / "jan.csv", 1, 2))
    assert sorted(float(row["amount"]) for row in _held(folder)) == [-5.5, 10.5, 10.5]
    ask("lake", "append", str(folder), _orders(tmp_path / "again.csv", 2, 3), code=3)


@pytest.mark.parametrize("kind", ["return", "", "complaint"])
def test_overlapping_contacts_are_not_added_up(ask, tmp_path, kind):
    """Contacts about a return, and of no kind, were taken for what is given back, and doubled."""
    files = []
    for month, numbers in (("jan", (1, 2)), ("feb", (2, 3))):
        file = tmp_path / f"{month}.csv"
        rows = (f"T{n};C{n};0{n}/02/2024 10:00;0{n}/02/2024 11:00;{kind}\n" for n in numbers)
        file.write_text("ticket_id;client;ouvert le;résolu le;motif\n" + "".join(rows))
        files.append(str(file))
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), files[0])
    assert "(T2)" in ask("lake", "append", str(folder), files[1], code=3)
    assert len(_held(folder, "interactions")) == 2


@pytest.mark.parametrize("client", ["Marie Dupont", "Zorba", "Zoé Roy 37000", "06 12 34 56 78"])
def test_a_name_in_the_place_of_a_number_stays_out(ask, tmp_path, client):
    """“Marie Dupont” under “Client” stood in the lake in clear."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    file = _orders(tmp_path / "jan.csv", 1, 2, client=client)
    assert "the lake gives them" in ask("lake", "append", str(folder), file)
    ask("lake", "append", str(folder), _orders(tmp_path / "feb.csv", 3, client=client.upper()))
    for part in folder.rglob("*"):
        if part.is_file():
            assert client.split()[0].encode() not in part.read_bytes() or client[0] == "0"
    assert len({row["customer_id"] for row in _held(folder)}) == 1
    assert client not in {row["customer_id"] for row in _held(folder)}
    codes = tmp_path / "codes"
    ask("lake", "create", str(codes))
    ask("lake", "append", str(codes), _orders(tmp_path / "codes.csv", 1, 2))
    assert {row["customer_id"] for row in _held(codes)} == {"C1", "C2"}


HEAD = "commande;Client;date;montant\n"
JANUARY = HEAD + "1;C1;03/01/2024;10,50\n2;C2;04/01/2024;20\n1;C1;30/01/2024;-10,50\n"


def _file(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("words", [[], ["--replace"]])
def test_a_refund_that_is_there_is_not_added_again(ask, tmp_path, words):
    """February's export had January's last refund again: it was taken off twice.

    With --replace it took the place of the order too, and 25.00 of turnover became 4.00.
    """
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _file(tmp_path / "jan.csv", JANUARY))
    february = _file(tmp_path / "feb.csv", HEAD + "1;C1;30/01/2024;-10,50\n3;C3;02/02/2024;5\n")
    refused = ask("lake", "append", str(folder), february, *words, code=3)
    assert "1 number of these files is in the lake already (1)" in refused
    assert "append its files and these together" in refused
    assert sorted(float(row["amount"]) for row in _held(folder)) == [-10.5, 10.5, 20]


@pytest.mark.parametrize("words", [[], ["--replace"]])
def test_a_second_refund_of_an_order_is_added(ask, tmp_path, words):
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _file(tmp_path / "jan.csv", JANUARY))
    later = _file(tmp_path / "feb.csv", HEAD + "1;C1;12/02/2024;-2\n3;C3;02/02/2024;5\n")
    ask("lake", "append", str(folder), later, *words)
    assert sorted(float(row["amount"]) for row in _held(folder)) == [-10.5, -2, 5, 10.5, 20]


@pytest.mark.parametrize(("there", "later"), [("purchase", "return"), ("return", "purchase")])
def test_a_refund_does_not_take_the_place_of_its_sale(tmp_path, there, later):
    """From Python, the refund of order 1 replaced order 1: the sale was gone, and counted less."""
    lake = Lake.create(tmp_path / "lake")
    worth = {"purchase": 10.0, "return": -10.0}

    def order(kind):
        told = {"order_id": ["1"], "customer_id": ["a"], "ordered_at": [dt.datetime(2024, 1, 3)]}
        return pa.table(told | {"amount": [worth[kind]], "kind": [kind]})

    lake.append("orders", order(there), batch="first")
    with pytest.raises(InputError, match="take the place of the other"):
        lake.upsert("orders", order(later), batch="second")
    lake.append("orders", order(later), batch="second")
    assert sorted(float(row["amount"]) for row in _held(tmp_path / "lake")) == [-10, 10]


def test_an_order_is_not_put_in_the_place_of_its_refund(ask, tmp_path):
    """The corrected order 1 replaced both the order and its refund, and was there twice."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    ask("lake", "append", str(folder), _file(tmp_path / "jan.csv", JANUARY))
    corrected = _file(tmp_path / "again.csv", HEAD + "1;C1;03/01/2024;12\n")
    ask("lake", "append", str(folder), corrected, "--replace", code=3)
    rows = pa.table({"order_id": ["1"], "amount": [12.0], "kind": ["purchase"]})
    with pytest.raises(InputError, match="number of its order"):
        Lake(folder).upsert("orders", rows, batch="corrected")
    assert sorted(float(row["amount"]) for row in _held(folder)) == [-10.5, 10.5, 20]


def test_a_file_that_is_not_recognised_is_said(command, ask, tmp_path):
    """It was left out of the lake, and of a metric, without a word."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    odd = tmp_path / "odd.csv"
    odd.write_text("machin;truc\nun;deux\ntrois;quatre\n", encoding="utf-8")
    sales = _orders(tmp_path / "jan.csv", 1, 2)
    for words in (["lake", "append", str(folder)], ["metric", "orders"]):
        told = command(*words, sales, str(odd)).stderr
        assert "odd.csv: not recognised, and its 2 rows were not read" in told


def test_tables_have_their_names_in_french(ask, tmp_path):
    """“orders” stood in French sentences."""
    folder = tmp_path / "lake"
    ask("lake", "create", str(folder))
    sales = _orders(tmp_path / "jan.csv", 1, 2)
    words = ["lake", "append", str(folder), sales, "--batch", "jan", "--lang", "fr"]
    assert ask(*words).startswith("commandes\N{NO-BREAK SPACE}: 2 lignes")
    assert "commandes\N{NO-BREAK SPACE}: le lot y était déjà" in ask(*words)
    told = ask("lake", "undo", str(folder), "jan", "--lang", "fr")
    assert told.startswith("commandes\N{NO-BREAK SPACE}: 2 lignes retirées")


def test_a_list_of_products_alone(ask, tmp_path):
    """It was said to have customers without a number."""
    lines = "commande,client,date,sku,montant\n" + "".join(
        f"{n},{n % 3},2024-01-{n:02d},S{n % 2},10\n" for n in range(1, 21)
    )
    files = {"lignes": lines, "liste": "sku,produit,rayon\nS0,Thé,Boissons\nS1,Tasse,Vaisselle\n",
             "plus tard": "sku,produit,rayon\nS1,Tasses,Art de la table\n"}  # fmt: skip
    folder = str(tmp_path / "lake")
    ask("lake", "create", folder)
    said = {}
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
        said[name] = ask("lake", "append", folder, str(tmp_path / f"{name}.csv"))
    assert "products: 2 rows" in said["liste"]
    assert "customer" not in said["liste"].lower()
    held = _held(tmp_path / "lake", "order_lines")
    assert len(held) == 20
    assert {(row["product_id"], row["product"], row["category"]) for row in held} == {
        ("S0", "Thé", "Boissons"), ("S1", "Tasses", "Art de la table"),
    }  # fmt: skip


def test_columns_are_known_as_the_engine_describes_them(lake) -> None:
    """Columns and types are those of the files, without asking the engine for each table."""
    backend = engines.memory(threads=1)
    tables = Lake(lake).tables(backend)
    assert len(tables) > 4
    for name, table in tables.items():
        assert table.schema() == backend.sql(backend.compile(table)).schema(), name
    backend.disconnect()
