from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir.language import Message
from revoir_web.accounts.models import User
from revoir_web.common import words
from revoir_web.common.models import Base, Job


class Source(Base):
    """A place that data is fetched from again and again."""

    class Kind(models.TextChoices):
        """What kind of place."""

        FOLDER = "folder", _("Folder of the server")
        SFTP = "sftp", _("SFTP server")
        DATABASE = "database", _("SQL database")
        URL = "url", _("Web address")

    class Every(models.TextChoices):
        """How often it is asked."""

        NEVER = "never", _("Only when asked")
        HOUR = "hour", _("Every hour")
        DAY = "day", _("Every day")
        WEEK = "week", _("Every week")
        MONTH = "month", _("Every month")

    name = models.CharField(_("Name"), max_length=100, unique=True)
    kind = models.CharField(_("Kind"), max_length=8, choices=Kind.choices)
    location = models.CharField(_("Place"), max_length=1000)
    """A path, host and path, or address, without any password."""
    user_name = models.CharField(_("User name"), max_length=200, blank=True)
    secret = models.TextField(blank=True)
    """Password, encrypted."""
    host_key = models.TextField(_("Key of the server"), blank=True)
    """The one key that an SFTP server is believed by, as a line of known_hosts has it."""
    pattern = models.CharField(_("Files"), max_length=200, blank=True, default="*")
    query = models.TextField(_("Query"), blank=True)
    every = models.CharField(_("How often"), max_length=5, choices=Every.choices, default=Every.DAY)
    at = models.TimeField(_("At"), null=True, blank=True)
    weekday = models.PositiveSmallIntegerField(_("Day of the week"), null=True, blank=True)
    day = models.PositiveSmallIntegerField(_("Day of the month"), null=True, blank=True)
    lands_by_itself = models.BooleanField(_("Bring in without asking"), default=True)
    last_run_at = models.DateTimeField(_("Last asked"), null=True)
    last_error = models.JSONField(null=True)
    last_found = models.PositiveIntegerField(_("Files found"), null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("name",)

    @property
    def failure(self) -> Message | None:
        """Why it could not be asked the last time."""
        return words.from_json(self.last_error)

    def __str__(self) -> str:
        return self.name


class SourceFile(Base):
    """A file of a source that has been fetched, so that it is fetched once."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="files")
    name = models.CharField(max_length=500)
    mark = models.CharField(max_length=200)
    """Size and time, or a hash: with another mark it is another file."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "name", "mark"], name="source_file_once"),
        )

    def __str__(self) -> str:
        return self.name


class Import(Base):
    """Files on their way into the lake, and what became of them."""

    class State(models.TextChoices):
        """Where an import stands."""

        UPLOADING = "uploading", _("Files are chosen")
        READING = "reading", _("Being read")
        READ = "read", _("To be confirmed")
        LANDING = "landing", _("Being brought in")
        LANDED = "landed", _("Brought in")
        FAILED = "failed", _("Could not be read")
        CANCELLED = "cancelled", _("Given up")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    class Origin(models.TextChoices):
        """Which way it came."""

        PAGE = "page", _("Page")
        API = "api", _("API")
        COMMAND = "command", _("Command line")
        SOURCE = "source", _("Source")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(
        _("State"), max_length=9, choices=State.choices, default=State.UPLOADING
    )
    origin = models.CharField(_("Way"), max_length=7, choices=Origin.choices, default=Origin.PAGE)
    title = models.CharField(_("Files"), max_length=300, blank=True)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="imports")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    mapping = models.TextField(blank=True)
    """What the user said of the columns, as a mapping file."""
    location = models.TextField(blank=True)
    """A database URL that is read instead of files, encrypted."""
    lands_by_itself = models.BooleanField(default=False)
    rows_in = models.PositiveBigIntegerField(_("Rows"), default=0)
    rows_accepted = models.PositiveBigIntegerField(_("Accepted"), default=0)
    rows_quarantined = models.PositiveBigIntegerField(_("In quarantine"), default=0)
    rows_duplicate = models.PositiveBigIntegerField(_("Duplicates"), default=0)
    batch = models.CharField(max_length=100, blank=True, default="")
    """What the lake calls its rows, from before the first is written until all are out again."""
    landed = models.JSONField(null=True)
    """By table: how many rows are new, changed and unchanged."""
    undone: models.JSONField[Any, Any] = models.JSONField(null=True)
    """Once it is undone: how many customers are gone, and why others stay (reason → how many)."""
    job_id = models.UUIDField(null=True)
    """What is being done to it, or was done last."""
    error = models.JSONField(null=True)
    landed_at = models.DateTimeField(_("Brought in"), null=True)
    undone_at = models.DateTimeField(null=True)
    files_removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["-created_at", "id"], name="import_recent"),)

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return Path(settings.DATA) / "imports" / self.id.hex

    @property
    def job(self) -> Job | None:
        """What is being done to it, or was done last."""
        return Job.objects.filter(pk=self.job_id).first() if self.job_id else None

    @property
    def failure(self) -> Message | None:
        """Why it failed."""
        return words.from_json(self.error)

    @property
    def busy(self) -> bool:
        """Whether a job works on it."""
        return self.state in (self.State.READING, self.State.LANDING, self.State.UNDOING)

    @property
    def broken_off(self) -> bool:
        """Whether what was asked for last was stopped, or failed, before it was done."""
        job = self.job
        return (
            job is not None
            and job.kind in ("ingest.land", "ingest.undo")
            and job.state in (Job.State.CANCELLED, Job.State.FAILED)
        )

    def __str__(self) -> str:
        return self.title or str(self.id)


class Upload(Base):
    """One file of an import."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    held = models.ForeignKey(Import, models.CASCADE, related_name="uploads")
    name = models.CharField(_("File"), max_length=200)
    size = models.PositiveBigIntegerField(_("Size"))
    sha256 = models.CharField(max_length=64, db_index=True)

    class Meta:
        ordering = ("created_at", "id")

    @property
    def path(self) -> Path:
        """Where it lies; its name is its own, since the reader tells it."""
        return self.held.folder / "files" / self.id.hex / self.name

    def __str__(self) -> str:
        return self.name


class KnownMapping(Base):
    """What columns mean in files that have these headers: said once, known from then on."""

    fingerprint = models.CharField(max_length=64, unique=True)
    mapping = models.TextField()
    """A mapping file with one entry."""
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-updated_at",)

    def __str__(self) -> str:
        return self.fingerprint


class Landing(models.Model):
    """Messages of the inbox that go into the lake together; one is open at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    begun_at = models.DateTimeField(default=timezone.now)
    events: models.JSONField[list[int], list[int]] = models.JSONField(default=list)
    """Their keys: to mark the messages themselves would write each of them a second time."""

    def __str__(self) -> str:
        return str(self.id)


class Acknowledged(models.Model):
    """A message that was acknowledged."""

    key_id = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=8)
    received_at = models.DateTimeField()
    sent_at = models.CharField(max_length=64, blank=True)
    body = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class InboxEvent(Acknowledged):
    """A message that was acknowledged and is not in the lake yet."""


class SetAside(Acknowledged):
    """A message of which no rows could be made: it holds nobody up, and waits for a person."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    reason = models.JSONField(null=True)

    @property
    def why(self) -> Message | None:
        """What came of it."""
        return words.from_json(self.reason)


class SeenMessage(models.Model):
    """The messageId of a message that has landed, as a hash: it does not land again."""

    # A text as key would have a second index on PostgreSQL, for LIKE: each message would be written
    # to two random pages more, and an index of 16 bytes a message is half as large.
    digest = models.UUIDField(primary_key=True)
    seen_on = models.DateField(db_index=True)

    def __str__(self) -> str:
        return self.digest.hex


class EventOrder(Base):
    """An order that events tell of: what was ordered, given back, cancelled, in any sequence."""

    order_id = models.CharField(max_length=200, unique=True)
    told: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.order_id


class WebhookEndpoint(Base):
    """An address that is told when something has happened."""

    name = models.CharField(_("Name"), max_length=100)
    url = models.CharField(_("Address"), max_length=1000)
    kinds: models.JSONField[list[str], list[str]] = models.JSONField(_("Told of"), default=list)
    secret = models.TextField()
    """What deliveries are signed with, encrypted."""
    enabled = models.BooleanField(_("In use"), default=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(Base):
    """One thing told, or to be told, to an address."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Given up")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    kind = models.CharField(_("Of what"), max_length=64)
    body = models.TextField()
    state = models.CharField(_("State"), max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("Attempts"), default=0)
    status = models.PositiveSmallIntegerField(_("Answer"), null=True)
    error = models.JSONField(null=True)
    tried_at = models.DateTimeField(_("Last attempt"), null=True)
    next_at = models.DateTimeField(_("Next attempt"), null=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["endpoint", "-created_at"], name="delivery_recent"),)

    @property
    def failure(self) -> Message | None:
        """Why the last attempt failed."""
        return words.from_json(self.error)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
