"""Sources as pages and programs set them up: what may be asked, and with whose password."""

from __future__ import annotations

from typing import Any

import pytest

from revoir_web.ingest import outside, planning, vault
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


def test_a_source_whose_host_is_gone_can_be_put_to_rest(
    source: Source, as_role: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its place was looked at again whatever was changed, so that nothing could be."""

    def gone(host: str, port: int) -> str:
        raise outside.Unreachable(outside.msg("There is no host “{host}”.", host=host))

    monkeypatch.setattr(outside, "checked", gone)
    owner, path = as_role("owner"), f"/sources/{source.pk}/"
    told = {**FIELDS, "location": source.location, "every": "never"}
    assert owner.post(path, told).status_code == 302
    source.refresh_from_db()
    assert source.every == "never"
    answer = owner.post(path, {**told, "location": "https://8.8.8.8/b.csv"})
    assert list(answer.context["form"].errors) == ["location"]
