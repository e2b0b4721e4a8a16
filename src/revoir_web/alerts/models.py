from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir.language import Message
from revoir_web.common import words
from revoir_web.common.models import Base
from revoir_web.customers.models import Customer


class Alert(models.Model):
    """A signal that was raised for a customer, and what somebody did about it."""

    class End(models.TextChoices):
        """What closed it in the data."""

        RETURNED = "returned", _("The customer came back")
        LEFT = "left", _("The customer counts as gone")
        OVER = "over", _("What raised it is over")
        EXPIRED = "expired", _("Nothing came of it")
        WITHDRAWN = "withdrawn", _("Data or settings changed")
        MUTED = "muted", _("The signal tells no more than the silence")

    class Outcome(models.TextChoices):
        """What came of handling it."""

        REACHED = "reached", _("Reached")
        KEPT = "kept", _("Kept")
        NOT_REACHED = "not_reached", _("Not reached")
        NOTHING = "nothing", _("Nothing to do")
        LOST = "lost", _("Lost")

    # The row that makes an alert once is looked up by the customer too: no index for them alone.
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="alerts", db_index=False)
    signal = models.CharField(_("Signal"), max_length=40)
    raised_on = models.DateField(_("Raised on"))
    reason: models.JSONField[Any, Any] = models.JSONField(_("Why"))
    """A message of the core, worded as of the day that it was raised."""
    bought_for = models.DecimalField(
        _("Bought for"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    stake = models.FloatField(_("At stake"), default=0)
    """What was bought for × how often the signal was right (0: not known)."""
    noticed_at = models.DateTimeField(_("Noticed"), default=timezone.now)
    is_open = models.BooleanField(default=True)
    """Whether there is something to do: neither the data nor a person have closed it."""
    closed_on = models.DateField(_("Closed on"), null=True)
    closed_by = models.CharField(max_length=9, choices=End.choices, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="alerts",
        db_index=False,
        verbose_name=_("Who sees to it"),
    )
    snoozed_until = models.DateField(_("Put off until"), null=True, blank=True)
    outcome = models.CharField(_("Outcome"), max_length=11, choices=Outcome.choices, blank=True)
    note = models.TextField(_("Note"), max_length=5000, blank=True)
    outcome_at = models.DateTimeField(null=True)
    outcome_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["customer", "signal", "raised_on"], name="alert_once"),
        )
        # What is listed and counted stands in the indexes: no alert is read that is not shown.
        indexes = (
            models.Index(
                fields=["-stake", "-bought_for", "snoozed_until", "owner", "is_open"],
                name="alert_stake",
                condition=models.Q(is_open=True),
            ),
            models.Index(
                fields=["signal", "-stake", "snoozed_until", "is_open"],
                name="alert_signal",
                condition=models.Q(is_open=True),
            ),
            models.Index(
                fields=["-stake", "-bought_for", "is_open"],
                name="alert_closed",
                condition=models.Q(is_open=False),
            ),
            models.Index(
                fields=["owner"], name="alert_owner", condition=models.Q(owner__isnull=False)
            ),
        )

    def is_snoozed(self, today: dt.date) -> bool:
        """Whether it was put off and its day has not come."""
        return self.is_open and self.snoozed_until is not None and self.snoozed_until > today

    @property
    def why(self) -> Message | None:
        """Why it was raised, as of the day that it was."""
        return words.from_json(self.reason)

    def __str__(self) -> str:
        return f"{self.signal} of {self.customer_id}"


class SignalSetting(Base):
    """What a company changed of a signal."""

    signal = models.CharField(max_length=40, unique=True)
    enabled = models.BooleanField(_("In use"), null=True)
    """Whether it raises alerts (None: as its record says)."""
    values: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Parameters that differ from the defaults, by name."""

    def __str__(self) -> str:
        return self.signal


class SignalState(models.Model):
    """A signal of the core as the worker last saw it: pages do not load the engine to name one."""

    signal = models.CharField(primary_key=True, max_length=40)
    place = models.PositiveSmallIntegerField(default=0)
    label: models.JSONField[Any, Any] = models.JSONField()
    meaning: models.JSONField[Any, Any] = models.JSONField()
    family = models.CharField(max_length=20)
    parameters: models.JSONField[Any, Any] = models.JSONField(default=list)
    reason: models.JSONField[Any, Any] = models.JSONField(null=True)
    """Why it cannot be raised (None: it can)."""
    record: models.JSONField[Any, Any] = models.JSONField(null=True)
    """How often its alerts were right."""
    showing = models.PositiveIntegerField(default=0)
    """How many customers show it now, whether or not it raises alerts."""
    showing_alone = models.PositiveIntegerField(default=0)
    """Of them, those who show no signal before it that raises no alerts because of its record."""
    as_of = models.DateField(null=True)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("place",)

    @property
    def muted(self) -> Message | None:
        """Why it raises no alerts unless somebody wants them (None: it does)."""
        return words.from_json((self.record or {}).get("muted"))

    def __str__(self) -> str:
        return self.signal
