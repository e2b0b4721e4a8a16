"""The audit trail says what was done in words."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

from django.apps import apps
from django.test import Client

import revoir_web
from revoir_web.common import audit, exports, trail


def recorded() -> Iterator[str]:
    """Every action that the code records: texts, one of two texts, or a name given to them."""
    for path in Path(revoir_web.__path__[0]).rglob("*.py"):
        code = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value
            for node in ast.walk(code)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(code):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if ast.unparse(node.func) not in ("audit.record", "record"):
                continue
            said = node.args[0]
            said = named.get(said.id, said) if isinstance(said, ast.Name) else said
            found = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
            for one in found:
                assert isinstance(one, ast.Constant), f"{path}: {ast.unparse(node)}"
                yield str(one.value)


def test_every_action_has_its_words_and_no_other() -> None:
    assert set(recorded()) == set(trail.ACTIONS)


def test_every_object_is_a_model_or_a_file() -> None:
    models = {model.__name__.lower() for model in apps.get_models()}
    assert set(trail.OBJECTS) <= models | set(exports.registered()) | {"report"}


def test_the_page_says_it_in_french(as_role: Callable[[str], Client]) -> None:
    client = as_role("owner")
    audit.record("import.undo", object="report")
    audit.record("import.undone", object="customers")
    audit.record("beyond.words", object="something")
    audit.record("goal.set", details={"metric": "nps", "value": [None, 50], "from": None})
    page = client.get("/audit/").content.decode()
    assert "Annulation d’un import demandée" in page
    assert "Rapport" in page
    assert "beyond.words" in page
    assert cells(client, "action=import.undo", 2) == ["Annulation d’un import demandée"]
    assert len(cells(client, "action=import", 2)) == 2
    assert cells(client, "object=customers", 3) == ["Clients"]
    assert cells(client, "action=goal.set", 5) == ["metric: nps; value: — → 50"]


def cells(client: Client, query: str, place: int) -> list[str]:
    """The cells of one column of the page."""
    table = client.get(f"/audit/?{query}").context["table"]
    return [line["cells"][place].text for line in table.lines]
