"""Sessions are noted as they go on, and pages do not wait for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessLog
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from revoir_web.accounts.models import Invitation
from revoir_web.common import jobs

pytestmark = pytest.mark.django_db


def writes(client: Client, agent: str = "Firefox") -> int:
    with CaptureQueriesContext(connection) as held:
        client.get(reverse("customers:list"), headers={"user-agent": agent})
    return sum("usersessions" in one["sql"] for one in held.captured_queries)


def test_a_session_is_noted_once_a_minute_and_when_it_moves(
    as_role: Callable[[str], Client],
) -> None:
    client = as_role("analyst")
    assert writes(client)
    first = UserSession.objects.get()
    assert not writes(client)
    caches["process"].clear()  # as a minute does
    assert writes(client)
    assert UserSession.objects.get().last_seen_at > first.last_seen_at
    assert writes(client, "Chromium")
    assert UserSession.objects.get().user_agent == "Chromium"
    # Another's is theirs.
    assert writes(as_role("manager"))
    assert UserSession.objects.count() == 2


def test_nobody_s_sign_ins_are_kept_for_ever(as_role: Callable[[str], Client]) -> None:
    """Addresses, browsers and names of all who ever signed in, or tried to, stayed."""
    client = as_role("analyst")
    writes(client)
    gone = UserSession.objects.get()
    gone.pk, gone.session_key = None, "gone"
    gone.save()
    UserSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(days=2))
    client.logout()
    writes(as_role("manager"))
    for days in (1, 100):
        then = timezone.now() - dt.timedelta(days=days)
        agent = f"{days}"
        AccessAttempt.objects.create(username="a", user_agent=agent, failures_since_start=1)
        AccessLog.objects.create(username="a", user_agent=agent)
        for rows in (AccessAttempt.objects, AccessLog.objects):
            rows.filter(user_agent=agent).update(attempt_time=then)
        Invitation.objects.create(email=f"{days}@example.com", expires_at=then)
    jobs.enqueue("accounts.tidy")
    jobs.run_waiting()
    assert [held.user.role for held in UserSession.objects.all()] == ["manager"]
    assert [held.user_agent for held in AccessAttempt.objects.all()] == ["1"]
    assert "100" not in AccessLog.objects.values_list("user_agent", flat=True)
    assert [held.email for held in Invitation.objects.all()] == ["1@example.com"]


def test_who_is_not_signed_in_has_no_session(client: Client, company: object) -> None:
    assert not writes(client)
    assert not UserSession.objects.exists()
