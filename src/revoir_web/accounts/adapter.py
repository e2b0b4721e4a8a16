"""How allauth does here: nobody signs up, people are invited."""

from __future__ import annotations

import logging
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from axes.utils import reset
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from revoir_web.common.web import current_request

_LOG = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in without sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """An account comes from an invitation or the command line."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """The page of one's account, by way of signing in: not the form that was filled in."""
        return reverse("accounts:account")

    def set_password(self, user: Any, password: str) -> None:
        """Let whoever typed a wrong password too often in with the new one, as they were told."""
        super().set_password(user, password)
        reset(username=user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a message now; where the mail server is away, whoever asked is told.

        Strangers get a message too, so what is told gives no account away.
        """
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError) as error:
            _LOG.error("no message could be sent", extra={"reason": type(error).__name__})
            if (request := current_request()) is not None:
                sentence = _("The mail server cannot be reached: no message was sent.")
                messages.error(request, f"{sentence} {_('Try again later.')}")


def typed_address(request: Any, credentials: Any = None) -> str | None:
    """The address that someone tried to sign in with, for the lock-out."""
    held = (credentials or {}).get("email") or (credentials or {}).get("username")
    if held is None and request is not None:
        held = request.POST.get("login")
    return str(held).strip().lower() if held else None
