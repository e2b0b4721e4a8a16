"""Accounts and keys from the command line."""

from __future__ import annotations

import os

import typer

from revoir.cli.common import T
from revoir.errors import UsageError
from revoir.language import Message, msg


def create_user(*, email: str, name: str, role: str) -> None:
    """Make an account; the password is asked for, or taken from REVOIR_PASSWORD.

    Args:
        email: What they sign in with.
        name: How they are called.
        role: A value of `Role`.

    Raises:
        UsageError: There is no such role, or the password is guessed easily.
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError
    from django.core.validators import validate_email

    from revoir_web.accounts import actions
    from revoir_web.accounts.models import User
    from revoir_web.accounts.rights import Role
    from revoir_web.cli.serve import prepare

    if role not in Role.values:
        raise UsageError(
            msg("There is no role “{role}”.", role=role),
            remedy=msg("Use {names}.", names=list(Role.values)),
        )
    prepare()
    password = os.environ.get("REVOIR_PASSWORD") or typer.prompt(
        T("Password"), hide_input=True, confirmation_prompt=True
    )
    try:
        validate_email(email)
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise UsageError(Message("{text}", {"text": " ".join(error.messages)})) from None
    user = actions.create_user(
        email=email, name=name or email.partition("@")[0], role=Role(role), password=password
    )
    print(user.email)


def create_key(*, name: str, scopes: list[str]) -> None:
    """Make a key and print it.

    Args:
        name: What it is for.
        scopes: Values of `Right`.

    Raises:
        UsageError: There is no such right.
    """
    from revoir_web.accounts import actions
    from revoir_web.accounts.rights import Right
    from revoir_web.cli.serve import prepare

    known = [right.value for right in Right]
    for scope in scopes:
        if scope not in known:
            raise UsageError(
                msg("There is no right “{right}”.", right=scope),
                remedy=msg("Use {names}.", names=known),
            )
    prepare()
    _key, text = actions.create_key(
        name=name, scopes=[Right(scope) for scope in scopes], actor=None
    )
    print(text)
