from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir.language import Message as Words
from revoir_web.common import words
from revoir_web.common.models import Base


class Outbox(Base):
    """One e-mail to one address; the row is there before anything is sent."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Could not be sent")

    key = models.CharField(max_length=200, unique=True)
    """What makes it the same message when it is asked for twice."""
    kind = models.CharField(_("Kind"), max_length=32, db_index=True)
    to = models.EmailField(_("Recipient"), max_length=254, db_index=True)
    subject = models.CharField(_("Subject"), max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    images: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Pictures of the HTML by content id: PNG in base64."""
    state = models.CharField(_("State"), max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    queued_at = models.DateTimeField(_("Created"), default=timezone.now, db_index=True)
    sent_at = models.DateTimeField(_("Sent"), null=True)
    error: models.JSONField[Any, Any] = models.JSONField(null=True)

    class Meta:
        ordering = ("-queued_at", "-id")
        indexes = (models.Index(fields=["state", "-queued_at"], name="outbox_state"),)

    @property
    def failure(self) -> Words | None:
        """What went wrong last, for the reader."""
        return words.from_json(self.error)

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"
