from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir_web.accounts.rights import ROLES, Right, Role
from revoir_web.common.models import Base

INVITATION_DAYS = 7


class UserManager(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a user.

        Args:
            email: What they sign in with.
            password: In clear; it is kept as a salted hash (None: nobody can sign in with one).
            fields: The other fields.

        Returns:
            The user.
        """
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of an address, however it is written."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, Base):
    """Someone who works with Revoir."""

    class Theme(models.TextChoices):
        """Light or dark."""

        SYSTEM = "", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("E-mail address"), max_length=254, unique=True)
    name = models.CharField(_("Name"), max_length=200)
    role = models.CharField(_("Role"), max_length=8, choices=Role.choices, default=Role.ANALYST)
    language = models.CharField(
        _("Language"), max_length=2, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    theme = models.CharField(
        _("Theme"), max_length=5, choices=Theme.choices, default=Theme.SYSTEM, blank=True
    )
    is_active = models.BooleanField(_("Active"), default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        ordering = ("name",)

    @property
    def rights(self) -> frozenset[Right]:
        """What their role allows."""
        return ROLES[Role(self.role)] if self.is_active else frozenset()

    def can(self, right: Right) -> bool:
        """Whether their role allows something."""
        return right in self.rights

    def __str__(self) -> str:
        return self.name or self.email


class Invitation(Base):
    """A place kept for someone; they take it by a signed link."""

    email = models.EmailField(_("E-mail address"), max_length=254)
    role = models.CharField(_("Role"), max_length=8, choices=Role.choices)
    language = models.CharField(max_length=2, default="fr")
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    @property
    def open(self) -> bool:
        """Whether it can still be taken."""
        return not self.accepted_at and not self.revoked_at and self.expires_at > timezone.now()

    def __str__(self) -> str:
        return f"{self.role} invitation {self.pk}"


def invitation_end() -> dt.datetime:
    """When an invitation made now ends."""
    return timezone.now() + dt.timedelta(days=INVITATION_DAYS)


class ApiKey(Base):
    """What a program signs in with; only its hash is kept."""

    name = models.CharField(_("Name"), max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    hash = models.CharField(max_length=64)
    scopes: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True)
    last_used_at = models.DateTimeField(_("Last used"), null=True)
    expires_at = models.DateTimeField(_("Expires"), null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    @classmethod
    def make(cls, name: str, scopes: list[str], **fields: Any) -> tuple[ApiKey, str]:
        """Make a key.

        Args:
            name: What it is for.
            scopes: Values of `Right`.
            fields: The other fields.

        Returns:
            The key, and its text, which is told this once.
        """
        prefix = f"rvr_{secrets.token_hex(4)}"
        text = f"{prefix}_{secrets.token_urlsafe(32)}"
        return cls.objects.create(
            name=name, prefix=prefix, hash=_hash(text), scopes=sorted(scopes), **fields
        ), text

    @classmethod
    def found(cls, text: str) -> ApiKey | None:
        """The key that a program shows, if it is good.

        Args:
            text: The whole key.

        Returns:
            The key; None when it is unknown, revoked or expired.
        """
        parts = text.split("_", 2)
        if len(parts) != 3:
            return None
        key = cls.objects.filter(prefix="_".join(parts[:2])).first()
        if key is None or not hmac.compare_digest(key.hash, _hash(text)) or not key.good:
            return None
        return key

    @property
    def good(self) -> bool:
        """Whether it is neither revoked nor expired."""
        ended = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not ended

    @property
    def rights(self) -> frozenset[Right]:
        """What its scopes allow; a word that is no right any more allows nothing."""
        return frozenset(Right(scope) for scope in self.scopes if scope in set(Right))

    @property
    def is_authenticated(self) -> bool:
        """A key that was found is known, as a user who is signed in is."""
        return True

    def used(self) -> None:
        """Note that it was used; to the minute, so that each call is not a write."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > dt.timedelta(minutes=1):
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


def _hash(text: str) -> str:
    """SHA-256 suffices: the secret is 256 random bits, not a word that someone chose."""
    return hashlib.sha256(text.encode()).hexdigest()
