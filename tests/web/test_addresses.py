"""Every address of the application says who may see it, and keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import (
    IntConverter,
    PathConverter,
    SlugConverter,
    StringConverter,
    UUIDConverter,
)

from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.common.rights import BY_CALL, PUBLIC, SIGNED_IN, declared

NO_ONE = "00000000-0000-0000-0000-000000000000"


def addresses() -> Iterator[tuple[str, str, Any]]:
    """Name, path with examples for its parameters, and view of each address."""

    def walk(patterns: Any, names: str, path: str) -> Iterator[tuple[str, str, Any]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{names}{pattern.namespace}:" if pattern.namespace else names
                yield from walk(pattern.url_patterns, inner, path + example(pattern))
            elif isinstance(pattern, URLPattern):
                yield f"{names}{pattern.name}", path + example(pattern), pattern.callback

    yield from walk(get_resolver().url_patterns, "", "/")


def example(pattern: Any) -> str:
    route = str(pattern.pattern)
    samples = {
        IntConverter: "999999",
        UUIDConverter: NO_ONE,
        SlugConverter: "x",
        PathConverter: "x",
        StringConverter: "x",
    }
    for name, converter in pattern.pattern.converters.items():
        sample = samples.get(type(converter), "x")
        for form in (f"<{name}>", *(f"<{kind}:{name}>" for kind in KINDS)):
            route = route.replace(form, sample)
    return route


KINDS = ("int", "uuid", "slug", "path", "str", "hex")
ADDRESSES = list(addresses())
NAMES = [name for name, _path, _view in ADDRESSES]


def test_there_are_addresses() -> None:
    assert {"common:healthz", "accounts:people", "account_login", "common:export"} <= set(NAMES)
    assert len(NAMES) == len(set(NAMES)), "an address has the name of another"


@pytest.mark.parametrize(("name", "path", "view"), ADDRESSES, ids=NAMES)
def test_each_address_declares_its_right(name: str, path: str, view: Any) -> None:
    held = declared(view, name)
    assert held is not None, f"{name} ({path}) declares no right"
    if held not in (PUBLIC, SIGNED_IN, BY_CALL):
        assert set(held) <= set(Right)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "path", "view"), ADDRESSES, ids=NAMES)
def test_each_role_reaches_what_it_may(
    name: str, path: str, view: Any, as_role: Callable[[str], Client]
) -> None:
    held = declared(view, name)
    anonymous = Client().get(path)
    if held == PUBLIC:
        assert anonymous.status_code < 500
        assert "/account/login/?next=" not in anonymous.headers.get("Location", "")
        return
    if held == BY_CALL:  # tests/web/common/test_api.py tries each call with each role
        assert anonymous.status_code in (401, 404)  # 404: the sample is no number of this kind
        return
    # Nothing tells whoever is not signed in whether there is something at this address.
    assert anonymous.status_code in (302, 401), anonymous.status_code
    if anonymous.status_code == 302:
        assert "/account/login/" in anonymous.headers["Location"]
    for role in Role:
        allowed = held == SIGNED_IN or set(held or ()) <= ROLES[role]
        for method in ("get", "post"):
            status = getattr(as_role(role.value), method)(path).status_code
            if allowed:
                # What is done on a page may ask for more than seeing it.
                assert method == "post" or status != 403, f"{role} may see {path}"
                assert status < 500
            else:
                assert status == 403, f"{role} may not see {path}, got {status}"
