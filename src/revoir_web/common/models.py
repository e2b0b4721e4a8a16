from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir.language import Message
from revoir_web.common import words


class Base(models.Model):
    """What every table of ours carries."""

    created_at = models.DateTimeField(_("Created"), auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(_("Changed"), auto_now=True, editable=False)

    class Meta:
        abstract = True


class Company(Base):
    """The one company of this installation, and what it says of itself."""

    SINGLE = 1

    name = models.CharField(_("Company"), max_length=200)
    language = models.CharField(
        _("Language"), max_length=2, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    currency = models.CharField(_("Currency"), max_length=3, default="EUR")
    timezone = models.CharField(_("Time zone"), max_length=64, default="Europe/Paris")
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        _("First month of the fiscal year"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    activity_window_days = models.PositiveIntegerField(
        _("Days that a purchase keeps a customer active"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
    )
    sector = models.CharField(_("Sector"), max_length=64, blank=True)
    margin = models.DecimalField(
        _("Margin, as a share of revenue"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    acquisition_cost = models.DecimalField(
        _("Cost of winning a customer"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )

    not_recommended: models.JSONField[Any, Any] = models.JSONField(
        _("Never recommended"), default=list, blank=True
    )
    """Categories, and codes of products."""

    @classmethod
    def current(cls) -> Self:
        """The company; before the first start it exists in memory alone, with the defaults."""
        return cls.objects.filter(pk=cls.SINGLE).first() or cls(pk=cls.SINGLE, name="Revoir")

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone whose calendar days count."""
        return zoneinfo.ZoneInfo(self.timezone)

    @property
    def today(self) -> dt.date:
        """The day that it is in that zone."""
        return timezone.now().astimezone(self.zone).date()

    def __str__(self) -> str:
        return self.name


class AuditEntry(models.Model):
    """Who saw, changed or exported what, when, from where; never a personal value of a customer."""

    at = models.DateTimeField(_("When"), default=timezone.now, db_index=True)
    actor_id = models.PositiveBigIntegerField(null=True)
    """The user (None: the program itself, or nobody yet)."""
    actor_name = models.CharField(_("Who"), max_length=254, blank=True)
    """As it was then: an account that is gone still answers for what it did."""
    action = models.CharField(_("Action"), max_length=64, db_index=True)
    object_kind = models.CharField(_("On what"), max_length=64, blank=True)
    object_id = models.CharField(_("Which"), max_length=64, blank=True)
    address = models.GenericIPAddressField(_("From where"), null=True)
    details = models.JSONField(_("Details"), default=dict)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=["object_kind", "object_id"], name="audit_object"),
            models.Index(fields=["actor_id", "-at"], name="audit_actor"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_kind} {self.object_id}".strip()


class Job(Base):
    """A piece of work done outside a request; the row itself is the queue."""

    class State(models.TextChoices):
        """Where a job stands."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("Job"), max_length=64)
    arguments = models.JSONField(default=dict)
    key = models.CharField(max_length=200, unique=True, null=True)
    state = models.CharField(_("State"), max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    """How many times it was taken; also the token of whoever holds it."""
    failures = models.PositiveIntegerField(default=0)
    """How many attempts ended in an error, since it was last asked for."""
    losses = models.PositiveIntegerField(default=0)
    """How many attempts ended with the death of their worker."""
    not_before = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(_("Begun"), null=True)
    finished_at = models.DateTimeField(_("Ended"), null=True)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(default=0)
    progress_message = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    cancel_requested = models.BooleanField(default=False)
    created_by = models.PositiveBigIntegerField(null=True)
    """The user who asked (None: the program)."""

    class Meta:
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=["state", "not_before"], name="job_waiting"),
            models.Index(fields=["state", "lease_until"], name="job_lease"),
            models.Index(fields=["-created_at"], name="job_recent"),
        )

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (self.State.DONE, self.State.FAILED, self.State.CANCELLED)

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1 (None: not known)."""
        return self.progress_done / self.progress_total if self.progress_total else None

    @property
    def percent(self) -> int | None:
        """How much of it is done, from 0 to 100 (None: not known)."""
        return None if self.share is None else min(100, int(self.share * 100))

    @property
    def message(self) -> Message | None:
        """What it is doing, or what it said last."""
        return words.from_json(self.progress_message)

    @property
    def failure(self) -> Message | None:
        """What went wrong, for the reader."""
        return words.from_json((self.error or {}).get("what"))

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Schedule(Base):
    """A job that is asked for again and again."""

    class Every(models.TextChoices):
        """How often."""

        SECONDS = "seconds", _("Every so many seconds")
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=64)
    arguments: models.JSONField[Any] = models.JSONField(default=dict)
    every = models.CharField(max_length=7, choices=Every.choices)
    seconds = models.PositiveIntegerField(null=True)
    at = models.TimeField(null=True)
    """Company time."""
    weekday = models.PositiveSmallIntegerField(null=True)
    """0 is Monday."""
    day = models.PositiveSmallIntegerField(null=True)
    """Day of the month; the last one where the month is shorter."""
    enabled = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(db_index=True)
    last_job = models.UUIDField(null=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Replay(models.Model):
    """The answer of a call of the API that came with a key of its own."""

    key = models.CharField(max_length=64, unique=True)
    """SHA-256 of who called and of their key."""
    fingerprint = models.CharField(max_length=64)
    """SHA-256 of the call."""
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"answer {self.status}"
