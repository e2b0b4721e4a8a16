"""The invented shop that is opened to walk through."""

from __future__ import annotations

import importlib

import pytest

import revoir.cli  # noqa: F401 (it loads the commands of the application)
from revoir_web.common.models import Company

# The package holds a command of the same name.
tour = importlib.import_module("revoir_web.cli.tour")


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["fr", "en"])
def test_people_of_the_tour_speak_the_language_of_its_shop(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """An English shop stood on French pages: « La raison la plus donnée est « Too expensive » »."""
    monkeypatch.setattr("revoir.cli.common._chosen", [])  # what --lang of other tests said
    monkeypatch.setenv("REVOIR_LANG", code)
    people = tour._people()
    assert {person.language for person in people.values()} == {code}
    assert Company.objects.get().language == code
