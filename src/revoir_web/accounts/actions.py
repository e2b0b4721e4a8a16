from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.accounts.models import INVITATION_DAYS, ApiKey, Invitation, User, invitation_end
from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.common import audit, jobs
from revoir_web.common.models import Company, Job

_SIGNER = TimestampSigner(salt="revoir.invitation")


@transaction.atomic
def create_user(
    *,
    email: str,
    name: str,
    role: Role,
    password: str | None,
    language: str = "fr",
    actor: User | None = None,
) -> User:
    """Make an account.

    Args:
        email: What they sign in with.
        name: How they are called.
        role: What they may do.
        password: In clear (None: they set one by “forgotten password”).
        language: "fr" or "en".
        actor: Who makes it.

    Returns:
        The user.

    Raises:
        UsageError: The address has an account already.
    """
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise UsageError(
            msg("This address has an account already."), remedy=msg("Sign in, or choose another.")
        )
    user = User.objects.create_user(
        email, password, name=name.strip(), role=role, language=language
    )
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    audit.record("user.create", actor=actor, object=user, details={"role": str(role)})
    return user


@transaction.atomic
def invite(*, email: str, role: Role, language: str, actor: Any) -> Invitation:
    """Keep a place for someone and send them the link to it.

    Args:
        email: Where it is sent; also what they will sign in with.
        role: What they will be allowed.
        language: The language of the message.
        actor: Who invites: a user, or a program with a key.

    Returns:
        The invitation; an earlier one to the same address ends.

    Raises:
        UsageError: The address has an account already, or the role allows more than the actor may.
    """
    _may_give(role, actor)
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise UsageError(msg("This address has an account already."))
    now = timezone.now()
    Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        language=language,
        invited_by=actor if isinstance(actor, User) else None,
        expires_at=invitation_end(),
    )
    audit.record("user.invite", actor=actor, object=invitation, details={"role": str(role)})
    jobs.enqueue(
        "accounts.invite",
        arguments={"invitation": invitation.pk},
        by=actor.pk if isinstance(actor, User) else None,
    )
    return invitation


def refused(invitations: Sequence[Invitation]) -> dict[int, Any]:
    """Why the message of some invitations will not leave: number → a kept sentence."""
    ids = [held.pk for held in invitations if not held.sent_at]
    failed = Job.objects.filter(
        kind="accounts.invite", state=Job.State.FAILED, arguments__invitation__in=ids
    )
    return {job.arguments["invitation"]: (job.error or {}).get("what") for job in failed}


def invitation_link(invitation: Invitation) -> str:
    """The address by which an invitation is taken."""
    token = _SIGNER.sign(str(invitation.pk))
    return str(settings.BASE_URL) + reverse("accounts:accept", kwargs={"token": token})


def invitation_of(token: str) -> Invitation | None:
    """The invitation of a link; None when it is forged, used, revoked or too old."""
    try:
        key = _SIGNER.unsign(token, max_age=dt.timedelta(days=INVITATION_DAYS))
    except BadSignature:
        return None
    invitation = Invitation.objects.filter(pk=key).first()
    return invitation if invitation is not None and invitation.open else None


@transaction.atomic
def accept_invitation(*, invitation: Invitation, name: str, password: str) -> User:
    """Take the place that was kept.

    Args:
        invitation: An open one.
        name: How they are called.
        password: In clear.

    Returns:
        The new user.

    Raises:
        UsageError: It was taken or ended meanwhile.
    """
    taken = Invitation.objects.filter(
        pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).update(accepted_at=timezone.now())
    if not taken:
        raise UsageError(
            msg("This invitation has ended."), remedy=msg("Ask whoever invited you for another.")
        )
    user = create_user(
        email=invitation.email,
        name=name,
        role=Role(invitation.role),
        password=password,
        language=invitation.language,
    )
    audit.record("user.accept", actor=user, object=invitation)
    return user


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: Any) -> None:
    """End an invitation."""
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(revoked_at=timezone.now())
    audit.record("user.revoke_invitation", actor=actor, object=invitation)


@transaction.atomic
def change_person(
    *, user: User, role: Role | None = None, active: bool | None = None, actor: Any
) -> None:
    """Give someone another role, close their account or open it again: all of it, or nothing.

    Args:
        user: Whom.
        role: What they become (None: what they are).
        active: Whether they can sign in (None: as before).
        actor: Who does it: a user, or a program with a key.

    Raises:
        UsageError: Nobody would be left who may manage people, or the role allows more than the
            actor may.
    """
    if role is not None:
        change_role(user=user, role=role, actor=actor)
    if active is not None:
        set_active(user=user, active=active, actor=actor)


@transaction.atomic
def change_role(*, user: User, role: Role, actor: Any) -> None:
    """Give someone another role.

    Raises:
        UsageError: Nobody would be left who may manage people, or the role allows more than the
            actor may.
    """
    if user.role == role:
        return
    _may_change(user, actor)
    _may_give(role, actor)
    if role != Role.OWNER:
        _keep_an_owner(user)
    audit.record("user.role", actor=actor, object=user, details={"role": [user.role, str(role)]})
    user.role = role
    user.save(update_fields=["role", "updated_at"])


@transaction.atomic
def set_active(*, user: User, active: bool, actor: Any) -> None:
    """Close someone's account, ending their sessions, or open it again.

    Raises:
        UsageError: Nobody would be left who may manage people, or the role that comes back with
            the account allows more than the actor may.
    """
    if user.is_active == active:
        return
    _may_change(user, actor)
    if active:
        _may_give(Role(user.role), actor)
    else:
        _keep_an_owner(user)
        end_sessions(user=user)
    user.is_active = active
    user.save(update_fields=["is_active", "updated_at"])
    audit.record("user.open" if active else "user.close", actor=actor, object=user)


def _may_give(role: Role, actor: Any) -> None:
    # Whoever could give more than they have would have it: an account of their own suffices.
    missing = [right for right in Right if right in ROLES[role] - actor.rights]
    if missing:
        raise UsageError(
            msg("The role “{role}” allows more than you may do.", role=str(role)),
            remedy=msg(
                "Ask an owner, or use a key with these scopes too: {scopes}.",
                scopes=", ".join(missing),
            ),
        )


def _may_change(user: User, actor: Any) -> None:
    # Whoever may do less than an owner would else shut out those who could stop them. To take
    # rights from others asks for none but that of people: a program closes the accounts of leavers.
    if user.role == Role.OWNER:
        _may_give(Role.OWNER, actor)


def _keep_an_owner(user: User) -> None:
    # The lock keeps two owners from closing each other's accounts at the same moment.
    owners = list(
        User.objects.select_for_update()
        .filter(role=Role.OWNER, is_active=True)
        .values_list("pk", flat=True)
    )
    if owners == [user.pk]:
        raise UsageError(
            msg("This is the only owner: nobody could manage people any more."),
            remedy=msg("Make someone else an owner first."),
        )


def end_sessions(*, user: User, keep: str | None = None) -> int:
    """End the sessions of a user.

    Args:
        user: Whose.
        keep: The key of the session that goes on (None: none does).

    Returns:
        How many ended.
    """
    ended = 0
    for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=keep or ""):
        session.end()
        ended += 1
    return ended


@transaction.atomic
def save_preferences(*, user: User, fields: Mapping[str, str]) -> None:
    """Keep how someone wants to be called and shown things.

    Args:
        user: Who.
        fields: Those of `name`, `language` and `theme` that change, with their values.
    """
    audit.apply(user, fields)


@transaction.atomic
def create_key(
    *,
    name: str,
    scopes: Iterable[Right],
    actor: User | None,
    expires_at: dt.datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make an API key.

    Args:
        name: What it is for.
        scopes: What it allows.
        actor: Who makes it (None: the command line).
        expires_at: When it ends (None: never).

    Returns:
        The key, and its text, which is told this once.
    """
    key, text = ApiKey.make(
        name, [scope.value for scope in scopes], created_by=actor, expires_at=expires_at
    )
    audit.record("key.create", actor=actor, object=key, details={"scopes": key.scopes})
    return key, text


@transaction.atomic
def revoke_key(*, key: ApiKey, actor: User | None) -> None:
    """End an API key."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    audit.record("key.revoke", actor=actor, object=key)


@transaction.atomic
def begin(*, company: dict[str, Any], email: str, name: str, password: str) -> User:
    """The first start: the company and its first owner.

    Args:
        company: Fields of `Company`.
        email: The owner's address.
        name: The owner's name.
        password: In clear.

    Returns:
        The owner.

    Raises:
        UsageError: Somebody began before.
    """
    # The row of the company is the lock: of two who begin at once, one makes it.
    _company, made = Company.objects.get_or_create(pk=Company.SINGLE, defaults=company)
    if not made or User.objects.exists():
        raise UsageError(
            msg("This installation has its first account already."), remedy=msg("Sign in.")
        )
    user = create_user(
        email=email, name=name, role=Role.OWNER, password=password, language=company["language"]
    )
    audit.record("company.begin", actor=user, object=_company)
    return user
