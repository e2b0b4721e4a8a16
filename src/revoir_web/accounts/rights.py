"""Which role has which rights. The rights themselves: `revoir_web.common.rights`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from revoir_web.common.rights import (
    PUBLIC,
    SIGNED_IN,
    Right,
    declare_foreign,
    may,
    public,
    requires,
)

__all__ = ["ROLES", "Right", "Role", "declare_allauth", "may", "public", "requires"]


class Role(models.TextChoices):
    """What someone is in the company, as far as Revoir is concerned."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    ADVISOR = "advisor", _("Advisor")
    ANALYST = "analyst", _("Analyst")


_SEE = frozenset({Right.SEE_DASHBOARD, Right.SEE_CUSTOMERS})
ROLES: dict[Role, frozenset[Right]] = {
    # Sending events is for keys: a person's own acts in the application are no events.
    Role.OWNER: frozenset(Right) - {Right.SEND_EVENTS},
    Role.MANAGER: _SEE
    | {
        Right.SEE_PERSONAL,
        Right.EDIT_CUSTOMERS,
        Right.IMPORT_DATA,
        Right.EXPORT_DATA,
        Right.EDIT_GOALS,
        Right.EDIT_SEGMENTS,
        Right.EDIT_DIGESTS,
        Right.SEE_JOBS,
        Right.MANAGE_SOURCES,
    },
    Role.ADVISOR: _SEE | {Right.SEE_PERSONAL, Right.EDIT_CUSTOMERS},
    Role.ANALYST: _SEE
    | {Right.EXPORT_DATA, Right.EDIT_SEGMENTS, Right.EDIT_DIGESTS, Right.SEE_JOBS},
}


def declare_allauth() -> None:
    """Say who may see the pages of allauth: the ones of sign-in are public, the others not."""
    declare_foreign(
        dict.fromkeys(
            (
                "account_login",
                "account_logout",
                "account_signup",
                "account_inactive",
                "account_reset_password",
                "account_reset_password_done",
                "account_reset_password_from_key",
                "account_reset_password_from_key_done",
                "account_confirm_email",
                "account_email_verification_sent",
                "mfa_authenticate",
            ),
            PUBLIC,
        )
        | dict.fromkeys(
            (
                "account_reauthenticate",
                "account_change_password",
                "account_set_password",
                "account_email",
                "mfa_index",
                "mfa_reauthenticate",
                "mfa_activate_totp",
                "mfa_deactivate_totp",
                "mfa_view_recovery_codes",
                "mfa_generate_recovery_codes",
                "mfa_download_recovery_codes",
                "usersessions_list",
            ),
            SIGNED_IN,
        )
    )
