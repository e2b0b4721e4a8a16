from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir_web.common.models import Base


class DataState(Base):
    """Which data the figures are of: one row, written by the refresh."""

    SINGLE = 1

    lake_version = models.TextField(blank=True)
    noticed_at = models.DateTimeField(default=timezone.now)
    """When this version was first seen: what was computed before is out of date."""
    refreshed_at = models.DateTimeField(null=True)
    """When every standing figure had been computed for it."""
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """What pages need to know of the data: first and last day, currency, columns to group by."""

    @classmethod
    def current(cls) -> DataState:
        """The state; before the first import it exists in memory alone."""
        return cls.objects.filter(pk=cls.SINGLE).first() or cls(pk=cls.SINGLE)

    def __str__(self) -> str:
        return self.lake_version


class AnalysisRun(Base):
    """The answer to one question, as last computed."""

    key = models.CharField(max_length=64, unique=True)
    """Of kind and parameters: the same question has one row."""
    kind = models.CharField(max_length=32, db_index=True)
    parameters: models.JSONField[Any, Any] = models.JSONField(default=dict)
    lake_version = models.TextField(blank=True)
    settings_hash = models.CharField(max_length=64)
    result: models.JSONField[Any, Any] = models.JSONField(null=True)
    error: models.JSONField[Any, Any] = models.JSONField(null=True)
    """Why there is no result, where the question was not well put."""
    computed_at = models.DateTimeField(default=timezone.now, db_index=True)
    seconds = models.FloatField(default=0)
    standing = models.BooleanField(default=False)
    """Whether every refresh computes it again."""

    def __str__(self) -> str:
        return f"{self.kind} {self.parameters}"


class PredictionRun(Base):
    """One computation of everything that is foretold; the last one is what pages show."""

    number = models.CharField(max_length=32, unique=True)
    """Names the folder of its files."""
    lake_version = models.TextField(blank=True)
    settings_hash = models.CharField(max_length=64)
    as_of = models.DateField()
    """The last day that it knew."""
    computed_at = models.DateTimeField(default=timezone.now, db_index=True)
    seconds = models.FloatField(default=0)
    customers = models.IntegerField(default=0)
    """Of how many anything is foretold."""
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Kind of question → how it was computed, and how good it was."""

    class Meta:
        ordering = ("-computed_at", "-pk")

    def __str__(self) -> str:
        return self.number


class ModelCard(Base):
    """What a model of a run learned from what, and how good it was; it goes with its run."""

    run = models.ForeignKey(PredictionRun, models.CASCADE, related_name="cards")
    kind = models.CharField(max_length=32)
    """The question that the model answers."""
    card: models.JSONField[Any, Any] = models.JSONField()
    """By language."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "kind"], name="model_card_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind}"


class Goal(Base):
    """What a metric is to reach, in a period or always."""

    metric = models.CharField(_("Metric"), max_length=64)
    value = models.FloatField(_("Goal"))
    """In the unit of the metric: 0.8 is 80 %; of growth, the share to grow by."""
    growth = models.BooleanField(_("Growth on the year before"), default=False)
    length = models.CharField(_("Length of period"), max_length=7, blank=True)
    """For figures of which length it is: week, month, …; empty: that of the headline figure."""
    start = models.DateField(_("From"), null=True, blank=True)
    end = models.DateField(_("To (not included)"), null=True, blank=True)
    note = models.CharField(_("Why"), max_length=200, blank=True)

    class Meta:
        ordering = ("metric", "start")

    def holds_on(self, day: dt.date) -> bool:
        """Whether the goal is for a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    @property
    def last(self) -> dt.date | None:
        """The last day that it holds on (None: it has no end)."""
        return None if self.end is None else self.end - dt.timedelta(days=1)

    @property
    def days(self) -> int:
        """How long it is for: the goal of the shorter time goes before the other."""
        if self.start is None or self.end is None:
            return 36_500 if self.start is None and self.end is None else 36_499
        return (self.end - self.start).days

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"


class SavedSegment(Base):
    """Customers described by a rule."""

    name = models.CharField(_("Name"), max_length=100)
    rule = models.TextField(_("Rule"), max_length=10_000)
    description = models.CharField(_("What it is for"), max_length=300, blank=True)
    created_by = models.PositiveBigIntegerField(null=True)
    removed_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class SavedView(Base):
    """A page with its filters, under a name of one's own."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(_("Name"), max_length=100)
    path = models.CharField(max_length=200)
    query = models.TextField(blank=True)
    shared = models.BooleanField(_("For everybody"), default=False)

    class Meta:
        ordering = ("name", "pk")
        indexes = (models.Index(fields=["path", "user"], name="view_path"),)

    @property
    def address(self) -> str:
        """Where it leads."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def __str__(self) -> str:
        return self.name


class Digest(Base):
    """Chosen figures, sent to people every week or month."""

    class Every(models.TextChoices):
        """How often."""

        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")

    name = models.CharField(_("Name"), max_length=100)
    metrics: models.JSONField[Any, Any] = models.JSONField(default=list)
    every = models.CharField(_("How often"), max_length=5, choices=Every.choices)
    weekday = models.PositiveSmallIntegerField(
        _("Day of the week"), default=0, validators=[MaxValueValidator(6)]
    )
    day = models.PositiveSmallIntegerField(
        _("Day of the month"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
    )
    at = models.TimeField(_("Time"), default=dt.time(8))
    recipients = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="digests")
    enabled = models.BooleanField(_("In use"), default=True)
    removed_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        ordering = ("name", "pk")

    @property
    def schedule_name(self) -> str:
        """The name of its schedule."""
        return f"digest:{self.pk}"

    def __str__(self) -> str:
        return self.name
