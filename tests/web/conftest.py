"""A company, its people, and a running application in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import caches
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import Client, SimpleTestCase

from revoir_web.accounts.models import User
from revoir_web.accounts.rights import Role
from revoir_web.common.models import Company

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "une phrase assez longue"
FOLDER = Path(__file__).parent
DATABASE = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on PostgreSQL, the tests that no database can change: SQLite's run had them.

    pytest-django refuses the database to a test that does not ask for it. Those of `operation`
    start programs, which have databases of their own.
    """
    if os.environ.get("REVOIR_TEST_DATABASE") != "postgres":
        return
    left = [item for item in items if item.path.is_relative_to(FOLDER) and not _asks(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        out = set(left)
        items[:] = [item for item in items if item not in out]


def _asks(item: pytest.Item) -> bool:
    return (
        item.get_closest_marker("django_db") is not None
        or not DATABASE.isdisjoint(getattr(item, "fixturenames", ()))
        or issubclass(getattr(item, "cls", None) or object, SimpleTestCase)
        or item.path.is_relative_to(FOLDER / "operation")
    )


@pytest.fixture(scope="session", autouse=True)
def _nobody_is_left(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """End the connections of threads that outlive their test: the database can be dropped then."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            connection.close()


@pytest.fixture(scope="session", autouse=True)
def _nothing_that_nobody_reads(django_db_setup: None) -> None:
    """Leave Django's rows of models and permissions away when the database is emptied.

    Rights are Revoir's own. After each test with transactions of its own these rows were written
    anew, which took twenty times as long as emptying the tables.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(scope="session", autouse=True)
def _only_what_was_written(django_db_setup: None) -> None:
    """Empty on PostgreSQL only the tables that a test wrote to, row by row.

    TRUNCATE makes a new file for each of the hundred tables and each of their indexes.
    """
    if connection.vendor != "postgresql":
        return
    operations: Any = connection.ops

    def flushing(style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        del style, options
        quoted = [operations.quote_name(table) for table in tables]
        with connection.cursor() as cursor:
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT {place} WHERE EXISTS (SELECT 1 FROM {name})"
                    for place, name in enumerate(quoted)
                )
            )
            written = [quoted[place] for (place,) in cursor.fetchall()]
        # Rows that refer to others go with them, whichever goes first.
        return [
            "SET LOCAL session_replication_role = replica",
            *(f"DELETE FROM {name}" for name in written),
        ]

    operations.sql_flush = flushing


@pytest.fixture(autouse=True)
def _empty_caches(request: pytest.FixtureRequest) -> None:
    caches["process"].clear()


@pytest.fixture
def company(db: None) -> Company:
    """A company of which only the name was said."""
    return Company.objects.create(pk=Company.SINGLE, name="Comptoir des Halles")


@pytest.fixture
def users(company: Company) -> dict[str, User]:
    """One user a role, by the role's name."""
    from allauth.account.models import EmailAddress

    made = {}
    for role in Role:
        user = User.objects.create_user(
            f"{role.value}@example.com", PASSWORD, name=f"Camille {role.value}", role=role
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        made[role.value] = user
    return made


@pytest.fixture
def as_role(users: dict[str, User]) -> Callable[[str], Client]:
    """A client that is signed in: ``as_role("manager")``."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(
            users[role], backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        return client

    return sign_in


@dataclass
class Live:
    """A running application.

    Attributes:
        url: Where it is.
        browser: Chromium.
        users: One user a role.
        complaints: What pages did that they must not.
    """

    url: str
    browser: Browser
    users: dict[str, User]
    complaints: list[str]
    contexts: list[Any] = field(default_factory=list)

    def page(
        self,
        role: str | None = "owner",
        *,
        language: str = "fr",
        dark: bool = False,
        width: int = 1280,
        height: int = 900,
        script: bool = True,
    ) -> Page:
        """A page of a new browser, signed in (None: not).

        Args:
            role: Whose account.
            language: The language of account and browser.
            dark: The scheme that the system asks for.
            width: In CSS pixels.
            height: In CSS pixels.
            script: Whether JavaScript runs.

        Returns:
            A page that has no address yet; addresses may be relative.
        """
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale={"fr": "fr-FR", "en": "en-GB"}[language],
            java_script_enabled=script,
            bypass_csp=False,
        )
        self.contexts.append(context)
        if role is not None:
            user = self.users[role]
            User.objects.filter(pk=user.pk).update(language=language)
            context.add_cookies([{"name": "session", "value": session_of(user), "url": self.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on(
            "console",
            lambda entry: self.complaints.append(entry.text) if entry.type == "error" else None,
        )
        page.on("request", lambda request: self._outside(request.url))
        return page

    def _outside(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:", "about:")):
            self.complaints.append(f"asked for {url}")


def session_of(user: User) -> str:
    """The key of a new session of a user."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return str(client.cookies["session"].value)


@pytest.fixture
def live(
    transactional_db: None,
    live_server: Any,
    browser: Browser,
    users: dict[str, User],
    page_complaints: list[str],
) -> Iterator[Live]:
    """The application with a user a role, and pages that fail the test when they complain."""
    running = Live(live_server.url, browser, users, page_complaints)
    yield running
    for context in running.contexts:
        context.close()
    assert not page_complaints, page_complaints
