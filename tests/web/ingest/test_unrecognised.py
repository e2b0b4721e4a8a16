"""Files of which nobody knows what they are: said, and never left out without a word."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from django.test import Client
from django.urls import reverse

import revoir.cli  # noqa: F401 (it loads the commands of the application)
from revoir.errors import RevoirError
from revoir_web.common.words import from_json
from revoir_web.ingest import actions, understanding
from revoir_web.ingest.models import Import

from .conftest import bring_in, lake, work

pytestmark = pytest.mark.django_db(transaction=True)

SALES = "order_id,client_id,date,montant\n" + "".join(
    f"A{n},C{n % 5},2025-01-{n:02d},10.50\n" for n in range(1, 9)
)
ODD = "machin;truc;chose;bidule\n" + "".join(
    f"B{n};C{n % 5};{n:02d}/02/2025;un mot\n" for n in range(1, 9)
)


def read(*files: tuple[str, str]) -> Import:
    held = actions.begin()
    for name, text in files:
        actions.add_file(held=held, name=name, content=io.BytesIO(text.encode()))
    actions.read(held=held)
    work()
    held.refresh_from_db()
    return held


def page(client: Client, held: Import) -> str:
    return client.get(reverse("ingest:import", args=[held.pk])).content.decode()


def test_a_file_among_others(company: object, as_role: Callable[[str], Client]) -> None:
    """It stood under the others with nothing said above, where the rows are brought in."""
    client = as_role("manager")
    held = read(("ventes.csv", SALES), ("notes.csv", ODD))
    assert held.state == Import.State.READ
    shown = page(client, held)
    assert 'id="unread"' in shown
    assert "--map" not in shown
    client.post(reverse("ingest:confirm", args=[held.pk]))
    work()
    shown = page(client, held)
    assert 'id="unread"' in shown
    assert "notes.csv" in shown.partition('id="unread"')[2].partition("</div>")[0]
    assert 'id="unread"' not in page(client, bring_in(SALES.replace("A", "D")))


def test_a_file_alone_is_told_what_it_is(company: object, as_role: Callable[[str], Client]) -> None:
    """The page named options of the command line, and had nothing to choose from."""
    client = as_role("manager")
    held = read(("notes.csv", ODD))
    assert held.state == Import.State.FAILED
    shown = page(client, held)
    assert "--map" not in shown
    assert 'name="is-0-3"' in shown
    assert "C1 · C2 · C3" in shown
    meant = {
        "table-0": "orders", "is-0-0": "orders.order_id", "is-0-1": "orders.customer_id",
        "is-0-2": "orders.ordered_at", "is-0-3": "order_lines.product",
    }  # fmt: skip
    client.post(reverse("ingest:mapping", args=[held.pk]), meant)
    work()
    held.refresh_from_db()
    assert held.state == Import.State.FAILED  # nothing says what was paid
    held = read(("notes.csv", ODD.replace("un mot", "12,50")))
    assert held.state == Import.State.READ  # its values tell
    held = read(("notes.csv", "machin;truc\n" + "".join(f"C{n};{n}\n" for n in range(1, 9))))
    assert held.state == Import.State.FAILED
    meant = {"table-0": "customers", "is-0-0": "customers.customer_id", "is-0-1": "attribute"}
    client.post(reverse("ingest:mapping", args=[held.pk]), meant)
    work()
    held.refresh_from_db()
    assert (held.state, held.rows_accepted) == (Import.State.READ, 8)
    client.post(reverse("ingest:confirm", args=[held.pk]))
    work()
    assert lake("SELECT count(*), sum(truc) FROM customers") == [(8, 36)]


def test_a_program_sees_the_columns_too(company: object) -> None:
    held = read(("notes.csv", ODD))
    told = understanding.kept(held)
    assert told is not None
    assert [column["header"] for column in told["files"][0]["columns"]] == [
        "machin", "truc", "chose", "bidule",
    ]  # fmt: skip
    assert told["files"][0]["rows_unread"] == 8
    mapping = told["mapping"].replace("machin: attribute", "machin: customers.customer_id")
    actions.read(held=held, mapping=mapping.replace("- file:", "- table: customers\n  file:"))
    work()
    held.refresh_from_db()
    assert held.state == Import.State.READ


def test_the_place_of_an_error_is_told_in_french(company: object) -> None:
    """“sheet” stood in French sentences: only what was wrong there was translated."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in ("Idées", "Listes"):
        sheet = book.create_sheet(name)
        for row in ODD.splitlines():
            sheet.append(row.split(";"))
    content = io.BytesIO()
    book.save(content)
    held = bring_in(content.getvalue(), "notes.xlsx")
    failure = from_json(held.error)
    assert failure is not None
    assert failure.text("fr").startswith("notes.xlsx, feuille Idées")
    assert failure.text("en").startswith("notes.xlsx, sheet Idées")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """`revoir import`, and its exit code."""
    serve = importlib.import_module("revoir_web.cli.serve")
    imports = importlib.import_module("revoir_web.cli.imports")
    monkeypatch.setattr(serve, "prepare", lambda: None)
    monkeypatch.setattr(imports, "_working", contextlib.nullcontext)
    wait = imports._wait

    def do(job: Any) -> None:
        work()
        wait(job)

    monkeypatch.setattr(imports, "_wait", do)

    def run(**texts: str) -> int:
        paths = []
        for name, text in texts.items():
            paths.append(tmp_path / f"{name}.csv")
            paths[-1].write_text(text, encoding="utf-8")
        try:
            imports.import_files(paths, mapping=None, quarantine=None, again=False)
        except typer.Exit as end:
            return end.exit_code
        except RevoirError as error:
            return error.exit_code
        return 0

    return run


def test_the_command_says_it_and_ends_otherwise(
    company: object, command: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    """A file of several was left out without a word, as if all had come in."""
    assert command(ventes=SALES) == 0
    assert "notes.csv" not in capfd.readouterr().err
    assert command(fevrier=SALES.replace("A", "D"), notes=ODD) == 1
    assert "notes.csv" in capfd.readouterr().err
    assert lake("SELECT count(*) FROM orders") == [(16,)]
    assert command(notes=ODD) == 2


def test_orders_and_their_lines_in_sheets_of_their_own(
    company: object, as_role: Callable[[str], Client]
) -> None:
    """The sheet of lines was left out, since nothing in it says when they were sold."""
    head, *sold = SALES.strip().splitlines()
    orders = "\n".join([head, *sold])
    lines = "order_id,produit,quantite,montant\n" + "".join(
        f"A{n},{product},1,{amount}\n"
        for n in range(1, 9)
        for product, amount in (("cafe", "6.00"), ("the", "3.00"))
    )
    held = read(("ventes.csv", orders), ("lignes.csv", lines))
    client = as_role("manager")
    data = {"table-1": "orders", "is-1-1": "order_lines.category"}
    client.post(reverse("ingest:mapping", args=[held.pk]), data)
    work()
    for _ in range(2):  # what was said is remembered
        held.refresh_from_db()
        assert (held.state, held.rows_accepted) == (Import.State.READ, 24)
        client.post(reverse("ingest:confirm", args=[held.pk]), {"again": "yes"})
        work()
        told = "SELECT count(*), sum(amount), count(DISTINCT customer_id)"
        assert lake(f"{told} FROM orders WHERE kind = 'purchase'") == [(8, 84, 5)]
        assert lake(f"{told}, count(category) FROM order_lines") == [(16, 72, 5, 16)]
        held = read(("ventes.csv", orders), ("lignes.csv", lines))


def test_one_of_several_that_cannot_be_read_is_taken_out(
    company: object, as_role: Callable[[str], Client]
) -> None:
    """All others had to be sent again: the page offered to choose other files, and no more."""
    client = as_role("manager")
    held = read(("ventes.csv", SALES), ("facture.pdf", "%PDF-1.4 …"))
    assert held.state == Import.State.FAILED
    bad = held.uploads.get(name="facture.pdf")
    out = reverse("ingest:remove-file", args=[held.pk, bad.pk])
    assert out in page(client, held)
    client.post(out)
    client.post(reverse("ingest:read", args=[held.pk]))
    work()
    held.refresh_from_db()
    assert (held.state, held.rows_accepted) == (Import.State.READ, 8)


def test_other_meanings_of_lines_without_a_date_are_tried_with_their_orders(
    company: object,
) -> None:
    """The preview of a sheet alone said to import the orders, which were in the sheet beside."""
    lines = "order_id,produit,montant\n" + "".join(f"A{n},cafe,6.00\n" for n in range(1, 9))
    held = read(("ventes.csv", SALES), ("lignes.csv", lines))
    told = understanding.preview(held, 1, understanding.load("files: []"))
    assert "read all of it again" in told["error"]["msgid"]
    odd = read(("notes.csv", ODD))
    failure = from_json(understanding.preview(odd, 0, understanding.load("files: []"))["error"])
    assert failure is not None
    assert "--map" not in failure.text("en")
