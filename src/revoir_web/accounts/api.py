"""People of the company, for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Query, Schema

from revoir_web.accounts import actions
from revoir_web.accounts.forms import Invite
from revoir_web.accounts.models import Invitation, User
from revoir_web.accounts.rights import Right, Role
from revoir_web.common.answers import Id
from revoir_web.common.api import Page, Paging, Refused, Router, paged

router = Router()
RoleName = Literal["owner", "manager", "advisor", "analyst"]
_RIGHTS = [Right.MANAGE_PEOPLE]


class PersonOut(Schema):
    """Someone who works with Revoir."""

    id: int = Field(description="As owner of alerts and recipient of digests.")
    name: str
    email: str
    role: str = Field(description="owner, manager, advisor, analyst.")
    language: str
    active: bool
    last_login: dt.datetime | None


class PersonPatch(Schema):
    """What to change; what is left out, or null, stays as it is."""

    role: RoleName | None = Field(
        None,
        description="A key gives only a role of which it has every scope; an owner's role and"
        " account are changed with every scope of owners.",
    )
    active: bool | None = Field(
        None, description="False closes the account and ends its sessions; true opens it again."
    )


class InvitationIn(Schema):
    """Someone to invite."""

    email: str = Field(min_length=3, max_length=254)
    role: RoleName = Field(description="A key gives only a role of which it has every scope.")
    language: Literal["fr", "en"] = Field("fr", description="Of the message, and of the account.")


class InvitationOut(Schema):
    """A place that is kept for someone; only they are sent the link to it."""

    id: int
    email: str
    role: str
    language: str
    invited_by: int | None = Field(description="The person (null: a key).")
    created_at: dt.datetime
    expires_at: dt.datetime
    sent_at: dt.datetime | None = Field(description="When the message left (null: not yet).")


@router.serve("GET", "/people", rights=_RIGHTS, gives=Page[PersonOut], summary="List people")
def list_people(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Who works with Revoir, and what they may do."""
    found, following = paged(User.objects.all(), limit=paging.limit, cursor=paging.cursor)
    return {"items": [_person(row) for row in found], "next": following}


@router.serve(
    "PATCH", "/people/{id}", rights=_RIGHTS, gives=PersonOut, summary="Change what a person may do"
)
def change_person(request: HttpRequest, id: Id, body: PersonPatch) -> dict[str, Any]:
    """Another role, the account closed or opened again; the last owner stays one."""
    user = get_object_or_404(User, pk=id)
    actions.change_person(
        user=user,
        role=Role(body.role) if body.role else None,
        active=body.active,
        actor=request.user,
    )
    return _person(user)


@router.serve(
    "GET",
    "/invitations",
    rights=_RIGHTS,
    gives=Page[InvitationOut],
    summary="List invitations",
)
def list_invitations(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Those that can still be taken."""
    found, following = paged(_open(), limit=paging.limit, cursor=paging.cursor)
    return {"items": [_invitation(row) for row in found], "next": following}


@router.serve(
    "POST",
    "/invitations",
    rights=_RIGHTS,
    gives=InvitationOut,
    status=201,
    summary="Invite someone",
)
def invite(request: HttpRequest, body: InvitationIn) -> dict[str, Any]:
    """They are sent a link by e-mail; an earlier invitation to the same address ends."""
    form = Invite(body.dict())
    if not form.is_valid():
        name, faults = next(iter(form.errors.items()))
        raise Refused(422, "invalid", f"{name}: {faults[0]}")
    invitation = actions.invite(
        email=form.cleaned_data["email"],
        role=Role(body.role),
        language=body.language,
        actor=request.user,
    )
    return _invitation(invitation)


@router.serve(
    "DELETE",
    "/invitations/{id}",
    rights=_RIGHTS,
    gives=None,
    status=204,
    summary="Withdraw an invitation",
)
def withdraw_invitation(request: HttpRequest, id: Id) -> None:
    """Its link leads nowhere any more."""
    actions.revoke_invitation(invitation=get_object_or_404(_open(), pk=id), actor=request.user)


def _open() -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def _invitation(row: Invitation) -> dict[str, Any]:
    fields = ("id", "email", "role", "language", "created_at", "expires_at", "sent_at")
    return {**{name: getattr(row, name) for name in fields}, "invited_by": row.invited_by_id}


def _person(row: User) -> dict[str, Any]:
    fields = ("id", "name", "email", "role", "language", "last_login")
    return {**{name: getattr(row, name) for name in fields}, "active": row.is_active}
