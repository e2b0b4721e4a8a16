"""A generated shop in a lake, and the answers to what pages ask, computed once for all tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

import revoir
from revoir.book import Book
from revoir.datasets.shop import shop
from revoir.store import Lake
from revoir_web.common import jobs
from revoir_web.common.models import Company, Job
from revoir_web.customers.models import Customer, CustomerFigures
from revoir_web.insights import drawn, engine, facts, figures, foresight, questions, runs
from revoir_web.insights.models import AnalysisRun, DataState, PredictionRun

CUSTOMERS = 300
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dashboard", {}),
    ("catalogue", {}),
    ("rfm", {}),
    ("cohorts", {}),
    ("lifecycle", {}),
    ("what-if", {}),
    ("stays", {}),
    ("metric", {"name": "retention_rate"}),
    ("metric", {"name": "revenue"}),
)
LINE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" role="img" aria-label="x"/>'
SETTINGS = {"currency": "EUR", "timezone": "Europe/Paris"}


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a generated shop."""
    folder = tmp_path_factory.mktemp("shop") / "files"
    shop(3, customers=CUSTOMERS).write(folder, "fr")
    return folder


@pytest.fixture(scope="session")
def read_book(shop_files: Path) -> Book:
    """The shop as the command line reads it."""
    return revoir.read(shop_files, settings=revoir.Settings(**SETTINGS))


@pytest.fixture(scope="session")
def shop_lake(read_book: Book, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop in a lake."""
    folder = tmp_path_factory.mktemp("lake") / "lake"
    lake = Lake.create(folder)
    for name, table in read_book.tables.items():
        lake.append(name, table.to_pyarrow(), batch=f"shop-{name}")
    return folder


@pytest.fixture
def lake(settings: Any, shop_lake: Path, company: Company) -> Iterator[Path]:
    """The shop's lake as the application's, with nothing computed yet."""
    settings.LAKE = str(shop_lake)
    facts.forget()
    yield shop_lake
    engine.forget()
    facts.forget()


_computed: dict[str, Any] = {}


def _compute() -> dict[str, Any]:
    """The answers to what pages ask, and what they depend on."""
    with engine.using() as book:
        made = {"version": engine.version(), "facts": figures.facts(book)}
        for kind, parameters in ASKED:
            with pytest.MonkeyPatch.context() as patch:
                if kind == "catalogue":  # a hundred small lines, drawn elsewhere too
                    patch.setattr(drawn, "_line", lambda spec, name: LINE)
                made[runs.key_of(kind, parameters)] = questions.answer(kind, book, parameters)
    return made


@pytest.fixture
def filled(lake: Path, once_for_all: Callable[..., Any]) -> Path:
    """The shop with the answers that every page reads."""
    if not _computed:
        _computed.update(once_for_all("answers of pages", _compute))
    assert _computed["version"] == engine.version(), "another worker has another shop"
    DataState.objects.create(
        pk=DataState.SINGLE,
        lake_version=_computed["version"],
        facts=_computed["facts"],
        noticed_at=timezone.now(),
        refreshed_at=timezone.now(),
    )
    AnalysisRun.objects.bulk_create(
        AnalysisRun(
            key=runs.key_of(kind, parameters),
            kind=kind,
            parameters=parameters,
            lake_version=_computed["version"],
            settings_hash=engine.settings_hash(),
            result=_computed[runs.key_of(kind, parameters)],
            computed_at=timezone.now(),
            standing=True,
        )
        for kind, parameters in ASKED
    )
    return lake


# -- What is foretold ----------------------------------------------------------------------------
@pytest.fixture(scope="session")
def parts(read_book: Book) -> dict[str, foresight.Part]:
    """What every model says of the generated shop."""
    return {kind: part(read_book) for kind, (_told, part) in foresight.PARTS.items()}


@pytest.fixture(scope="session")
def of_contracts(read_book: Book) -> dict[str, foresight.Part]:
    """What models say of its subscribers apart."""
    return {kind: part(read_book) for kind, (_told, part) in foresight.CONTRACTS.items()}


@pytest.fixture(scope="session")
def foretold(parts: dict[str, foresight.Part]) -> dict[str, Any]:
    """The answers of the pages."""
    return {kind: json.loads(json.dumps(part.answer)) for kind, part in parts.items()}


@pytest.fixture
def stored(filled: Path, foretold: dict[str, Any]) -> dict[str, Any]:
    """The same, as the worker stores them."""
    state = DataState.current()
    for kind, answer in foretold.items():
        runs.keep(
            kind, {}, version=state.lake_version, began=state.noticed_at,
            settings_hash=engine.settings_hash(), result=answer,
        )  # fmt: skip
    return foretold


@pytest.fixture
def computed(
    filled: Path,
    parts: dict[str, foresight.Part],
    of_contracts: dict[str, foresight.Part],
    settings: Any,
    tmp_path: Path,
) -> PredictionRun:
    """A whole run, done by the worker; the customers of the shop are known by their numbers."""
    settings.DATA = str(tmp_path)
    every = [*parts.values(), *of_contracts.values()]
    ids = foresight.together(every)["customer_id"].to_pylist()
    Customer.objects.bulk_create(Customer(id=key, name=f"Client {key}") for key in ids)
    CustomerFigures.objects.bulk_create(CustomerFigures(customer_id=key, orders=1) for key in ids)
    with pytest.MonkeyPatch.context() as patch:
        for name, known in (("PARTS", parts), ("CONTRACTS", of_contracts)):
            made = {
                kind: (told, lambda _book, kind=kind, known=known: known[kind])
                for kind, (told, _part) in getattr(foresight, name).items()
            }
            patch.setattr(foresight, name, made)
        jobs.enqueue("insights.foresee")
        jobs.run_waiting()
    assert Job.objects.get(kind="insights.foresee").state == Job.State.DONE
    return PredictionRun.objects.get()
