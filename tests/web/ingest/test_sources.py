"""Sources as pages and programs set them up: what may be asked, and with whose password."""

from __future__ import annotations

from typing import Any

import pytest

from revoir_web.ingest import planning, vault
from revoir_web.ingest.models import Source

pytestmark = pytest.mark.django_db
FIELDS = {"name": "S", "user_name": "ana", "every": "day", "pattern": "*"}


@pytest.fixture
def source(company: object) -> Source:
    """An address that is asked with a password."""
    return planning.save_source(
        source=Source(kind="url"),
        fields={"name": "S", "location": "https://8.8.8.8/a.csv", "password": "secret"},
    )


def test_a_password_is_for_its_own_server(source: Source, as_role: Any) -> None:
    """Whoever named another server was sent the password that only the first was to see."""
    owner, path = as_role("owner"), f"/sources/{source.pk}/"
    for location in ("https://8.8.4.4/a.csv", "http://8.8.8.8/a.csv", "https://8.8.8.8:444/a.csv"):
        answer = owner.post(path, {**FIELDS, "location": location})
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["password"], location
    source.refresh_from_db()
    assert source.location == "https://8.8.8.8/a.csv"
    assert owner.post(path, {**FIELDS, "location": "https://8.8.8.8/b.csv"}).status_code == 302
    other = {**FIELDS, "location": "https://8.8.4.4/a.csv", "password": "other"}
    assert owner.post(path, other).status_code == 302
    source.refresh_from_db()
    assert source.location == "https://8.8.4.4/a.csv"
    assert vault.opened(source.secret) == "other"
