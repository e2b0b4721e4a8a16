"""Calls of the API about people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from revoir_web.accounts.models import User

pytestmark = pytest.mark.django_db


def test_people_are_listed(users: dict[str, User], as_role: Callable[[str], Client]) -> None:
    """A program could give an alert to a person, and had no way to know their number."""
    User.objects.filter(pk=users["analyst"].pk).update(is_active=False)
    client = as_role("owner")
    found: list[Any] = []
    cursor = ""
    while cursor is not None:
        page = client.get("/api/people", {"limit": 3, "cursor": cursor}).json()
        found += page["items"]
        cursor = page["next"]
    assert {row["id"]: row["role"] for row in found} == {
        user.pk: role for role, user in users.items()
    }
    assert [row["active"] for row in found if row["role"] == "analyst"] == [False]
    assert not any("password" in row for row in found)
    assert as_role("manager").get("/api/people").status_code == 403


def test_role_and_account_change_in_one_form(
    users: dict[str, User], as_role: Callable[[str], Client]
) -> None:
    analyst = users["analyst"]
    path = f"/people/{analyst.pk}/"
    as_role("owner").post(path, {"role": "advisor", "active": "0"})
    analyst.refresh_from_db()
    assert (analyst.role, analyst.is_active) == ("advisor", False)
    as_role("owner").post(f"/people/{users['owner'].pk}/", {"role": "owner", "active": "0"})
    users["owner"].refresh_from_db()
    assert users["owner"].is_active
