"""What accounts have done later: the message of an invitation, and what is forgotten."""

from __future__ import annotations

import datetime as dt
import smtplib
from typing import Any

from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from revoir.errors import UsageError
from revoir.language import msg
from revoir_web.accounts import actions
from revoir_web.accounts.models import INVITATION_DAYS, Invitation
from revoir_web.accounts.rights import Right
from revoir_web.common import jobs, schedules
from revoir_web.common.models import Company, Schedule

KEPT_DAYS = 90
"""How long it is known who signed in, who tried to, and who was invited."""


@jobs.handler(
    "accounts.invite", right=Right.MANAGE_PEOPLE, label=msg("Sending of an invitation"), retries=4
)
def send_invitation(job: jobs.Running, /, **arguments: Any) -> dict[str, Any]:
    """Send the link of an invitation, unless it has ended meanwhile.

    The link itself is made here: an address that opens an account is not kept among the jobs.
    """
    held = Invitation.objects.filter(pk=arguments["invitation"], sent_at=None).first()
    if held is None or not held.open:
        return {"sent": False}
    with translation.override(held.language):
        context = {
            "invitation": held,
            "company": Company.current(),
            "link": actions.invitation_link(held),
            "days": INVITATION_DAYS,
        }
        _send(
            _("Your invitation to Revoir"),
            render_to_string("accounts/email/invitation.txt", context),
            held.email,
        )
    Invitation.objects.filter(pk=held.pk).update(sent_at=timezone.now())
    return {"sent": True}


@jobs.handler(
    "accounts.tidy",
    right=Right.MANAGE_PEOPLE,
    label=msg("Removal of old sign-ins and invitations"),
    atomic=True,
)
def tidy(job: jobs.Running, /, **arguments: Any) -> dict[str, int]:
    """Forget who signed in or tried to, from where, and who was invited: nothing is for ever."""
    del job, arguments
    now = timezone.now()
    old = now - dt.timedelta(days=KEPT_DAYS)
    there = Session.objects.values("session_key")
    sessions = UserSession.objects.filter(last_seen_at__lt=now - dt.timedelta(days=1))
    told = {
        "sessions": sessions.exclude(session_key__in=there),
        "attempts": AccessAttempt.objects.filter(attempt_time__lt=old),
        "sign_ins": AccessLog.objects.filter(attempt_time__lt=old),
        "invitations": Invitation.objects.filter(expires_at__lt=old),
    }
    return {name: rows.delete()[0] for name, rows in told.items()}


def _send(subject: str, text: str, address: str) -> None:
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if code < 500:
            raise
        # What a server refuses for good is not tried again.
        raise UsageError(
            msg("The mail server refuses this address ({code}).", code=str(code)),
            remedy=msg("Invite this person at another address."),
        ) from error


schedules.standing("accounts.tidy", "accounts.tidy", every=Schedule.Every.DAY, at=dt.time(3, 15))
