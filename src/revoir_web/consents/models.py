from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir_web.common.models import Base
from revoir_web.consents import defaults
from revoir_web.customers.models import Customer


class Channel(models.TextChoices):
    """A way to reach someone."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message")
    PHONE = "phone", _("Telephone call")
    POST = "post", _("Letter")


class Purpose(Base):
    """Something that data is used for, told in the customer's language."""

    class Basis(models.TextChoices):
        """What allows it (GDPR, article 6)."""

        CONSENT = "consent", _("Only with consent")
        INTEREST = "interest", _("Unless the customer objects")

    code = models.SlugField(_("Code"), max_length=40, unique=True)
    name_fr = models.CharField(_("Name, in French"), max_length=100)
    name_en = models.CharField(_("Name, in English"), max_length=100)
    text_fr = models.TextField(_("What it means, in French"), max_length=500, blank=True)
    text_en = models.TextField(_("What it means, in English"), max_length=500, blank=True)
    channels: models.JSONField[Any, Any] = models.JSONField(_("Channels"), default=list)
    basis = models.CharField(
        _("Allowed"), max_length=8, choices=Basis.choices, default=Basis.CONSENT
    )
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(_("In use"), default=True)

    class Meta:
        ordering = ("position", "pk")

    def name(self, language: str) -> str:
        """What it is called."""
        return self.name_fr if language == "fr" else self.name_en

    def text(self, language: str) -> str:
        """What it means."""
        return self.text_fr if language == "fr" else self.text_en

    def __str__(self) -> str:
        return self.code


class Consent(models.Model):
    """A yes or a no, with its proof; never changed: a later line takes its place.

    When two customers turn out to be one, it goes along to whom it was said by.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="consents")
    purpose = models.ForeignKey(Purpose, models.PROTECT, related_name="consents")
    channel = models.CharField(_("Channel"), max_length=5, choices=Channel.choices)
    given = models.BooleanField(_("Agreed"))
    source = models.CharField(_("Source"), max_length=40)
    """preferences, page, import, api, …"""
    proof = models.CharField(_("Proof"), max_length=500, blank=True)
    """How it is known: the form, the text that was shown, the file."""
    at = models.DateTimeField(_("When"), default=timezone.now)
    recorded_at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=["customer", "purpose", "channel", "-at"], name="consent_last"),
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a new line; a kept one stays what it is."""
        if not self._state.adding:
            raise TypeError("a consent is never changed: record another")
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return f"{'yes' if self.given else 'no'} of {self.customer_id}"


class RetentionRule(Base):
    """How long persons are kept; one row."""

    SINGLE = 1

    enabled = models.BooleanField(_("Erase persons whose time is over"), default=True)
    prospect_months = models.PositiveSmallIntegerField(
        _("Months after the last contact, for those who never bought"),
        default=36,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )
    customer_months = models.PositiveSmallIntegerField(
        _("Months after the last contact, for those who bought"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )
    notice_days = models.PositiveSmallIntegerField(
        _("Days between the announcement and the erasure"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    alert_months = models.PositiveSmallIntegerField(
        _("Months that alerts are kept after they closed"),
        default=36,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(240)],
    )

    @classmethod
    def current(cls) -> RetentionRule:
        """The rule; with the defaults until someone changes it."""
        return cls.objects.filter(pk=cls.SINGLE).first() or cls(pk=cls.SINGLE)

    def __str__(self) -> str:
        return "retention rule"


class Notice(Base):
    """What customers read of what their data is used for; one row."""

    SINGLE = 1

    text_fr = models.TextField(
        _("Text, in French"), max_length=5000, blank=True, default=defaults.notice_fr
    )
    text_en = models.TextField(
        _("Text, in English"), max_length=5000, blank=True, default=defaults.notice_en
    )

    @classmethod
    def current(cls) -> Notice:
        """The notice; the one of the program until someone changes it."""
        return cls.objects.filter(pk=cls.SINGLE).first() or cls(pk=cls.SINGLE)

    def text(self, language: str) -> str:
        """What it says."""
        return self.text_fr if language == "fr" else self.text_en

    def __str__(self) -> str:
        return "notice"


class Erasure(models.Model):
    """That someone was erased, when and why; not who."""

    class Reason(models.TextChoices):
        """Why."""

        REQUEST = "request", _("The person asked for it")
        RETENTION = "retention", _("Time is over")

    customer_id = models.CharField(max_length=32, db_index=True)
    """The surrogate, by which statistics still know that there was one customer."""
    at = models.DateTimeField(_("When"), default=timezone.now, db_index=True)
    reason = models.CharField(_("Why"), max_length=9, choices=Reason.choices)
    rows: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Where something was found → how many rows."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"erasure of {self.customer_id}"
