from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from revoir_web.common.models import Base


def new_ids(count: int) -> list[str]:
    """Surrogate ids: 32 hexadecimal digits that say nothing of the person.

    They grow with time, so that new rows stand at the end of every index.

    Args:
        count: How many, at most 16 million.

    Returns:
        The ids, in order.
    """
    begun = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(7 * count).hex()
    return [f"{begun}{n:06x}{noise[14 * n : 14 * n + 14]}" for n in range(count)]


def new_id() -> str:
    """One surrogate id."""
    return new_ids(1)[0]


class Customer(models.Model):
    """A person or a company that buys; the lake knows them by `id` alone.

    What files and sites say of them is kept whole, however long it is.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    name = models.CharField(_("Name"), blank=True)
    first_name = models.CharField(_("First name"), blank=True)
    last_name = models.CharField(_("Family name"), blank=True)
    name_key = models.CharField(max_length=200, blank=True)
    """The name as `text.fold` writes it."""
    email = models.CharField(_("E-mail address"), max_length=254, blank=True)
    phone = models.CharField(_("Telephone"), max_length=32, blank=True)
    address = models.CharField(_("Street"), blank=True)
    postcode = models.CharField(_("Postcode"), blank=True)
    city = models.CharField(_("Town"), blank=True)
    region = models.CharField(_("Region"), blank=True)
    country = models.CharField(_("Country"), blank=True)
    birth_date = models.DateField(_("Date of birth"), null=True, blank=True)
    gender = models.CharField(_("Gender"), blank=True)
    company_name = models.CharField(_("Company"), blank=True)
    language = models.CharField(_("Language"), blank=True)
    created_on = models.DateField(_("Customer since"), null=True, blank=True)
    attributes: models.JSONField[Any, Any] = models.JSONField(_("Other"), default=dict, blank=True)
    source = models.CharField(_("Source"), max_length=64, blank=True)
    added_at = models.DateTimeField(_("Added"), default=timezone.now, editable=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="absorbed", db_index=False
    )
    erased_at = models.DateTimeField(_("Erased"), null=True)
    erase_on = models.DateField(_("To be erased on"), null=True)
    """Set by the retention clock; the person is erased that day unless something happens."""
    kept_on = models.DateField(_("Kept since"), null=True)
    """When somebody said that there was a contact which stands in no data."""

    class Meta:
        indexes = (
            models.Index(
                fields=["merged_into"],
                name="customer_merged",
                condition=models.Q(merged_into__isnull=False),
            ),
            models.Index(
                fields=["erase_on"],
                name="customer_erase_on",
                condition=models.Q(erase_on__isnull=False),
            ),
        )

    @property
    def label(self) -> str:
        """How the customer is called on pages, for those who may know."""
        return self.called or self.number or self.short

    @property
    def called(self) -> str:
        """A name or an address, if any is known."""
        return self.name or self.company_name or self.email or self.phone

    @property
    def number(self) -> str:
        """The number that the company itself gave them first, if any (see `with_numbers`)."""
        given = [one for one in self.identifiers.all() if one.kind == Identifier.Kind.EXTERNAL]
        return f"№\u00a0{min(given, key=lambda one: one.pk).value}" if given else ""

    @property
    def short(self) -> str:
        """What stands in the place of the name."""
        return f"№\u00a0{self.id[-8:]}"

    def __str__(self) -> str:
        # Logs and the audit trail may show it: no personal value.
        return self.id


def with_numbers(customers: Iterable[Customer]) -> None:
    """Fetch the numbers of customers whom nothing else names, together instead of one by one."""
    nameless = [customer for customer in customers if not customer.called]
    models.prefetch_related_objects(nameless, "identifiers")


class Identifier(models.Model):
    """Something by which a customer is recognised."""

    class Kind(models.TextChoices):
        """Where it is from."""

        EXTERNAL = "external", _("Customer number")
        EMAIL = "email", _("E-mail address")
        PHONE = "phone", _("Telephone")
        ANONYMOUS = "anonymous", _("Visitor")
        DEVICE = "device", _("Device")
        PERSON = "person", _("Name and place")

    kind = models.CharField(max_length=9, choices=Kind.choices)
    value = models.CharField(max_length=255)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identifiers")
    source = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "value"], name="identifier_once"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"


class ErasedIdentifier(models.Model):
    """The keyed hash of an identifier of someone erased: it is not taken in again."""

    hash = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.hash[:8]


class CustomerFigures(models.Model):
    """What is computed of a customer; lists filter and sort on it.

    Whoever was merged into another or erased has none. There is no index but that of the key, as
    all rows are written again and again: `columns` is what long lists are read by.
    """

    class Status(models.TextChoices):
        """Where the customer stands."""

        PROSPECT = "prospect", _("Has not bought yet")
        NEW = "new", _("New")
        ACTIVE = "active", _("Active")
        LATE = "late", _("Overdue")
        LOST = "lost", _("Lost")

    customer = models.OneToOneField(
        Customer, models.CASCADE, primary_key=True, related_name="figures"
    )
    orders = models.IntegerField(_("Orders"), default=0)
    revenue = models.DecimalField(
        _("Revenue"), max_digits=18, decimal_places=2, null=True, default=0
    )
    """In the company's currency; None: of what was bought, no amount in it is known."""
    first_on = models.DateField(_("First purchase"), null=True)
    last_on = models.DateField(_("Last purchase"), null=True)
    last_contact_on = models.DateField(_("Last contact"), null=True)
    gap_days = models.FloatField(_("Days between purchases"), null=True)
    segment = models.CharField(_("Segment"), max_length=40, blank=True)
    status = models.CharField(
        _("Status"), max_length=8, choices=Status.choices, default=Status.PROSPECT
    )
    leaves = models.FloatField(_("Risk of leaving"), null=True)
    """Probability of leaving within the window of the prediction."""
    stake = models.FloatField(_("At stake"), null=True)
    """The probability × what they bring in a year, in the company's currency."""
    clv = models.FloatField(_("Will bring in"), null=True)
    """What is expected of a year to come, in the company's currency."""
    next_on = models.DateField(_("Next purchase"), null=True)
    health = models.FloatField(_("Health"), null=True)
    """From 0 (worst) to 100."""
    rfm = models.CharField(max_length=3, blank=True)
    """Scores of recency, frequency and value, such as "543"."""
    city_key = models.CharField(max_length=100, blank=True)
    """The town as `text.fold` writes it."""
    name_key = models.CharField(max_length=200, blank=True)
    """The customer's: lists sort by it."""

    def __str__(self) -> str:
        return f"figures of {self.customer_id}"


class SegmentAverage(models.Model):
    """What the customers of a segment do on average, to compare one with."""

    segment = models.CharField(primary_key=True, max_length=40)
    label: models.JSONField[Any, Any] = models.JSONField(null=True)
    """What people call it: a message of the core (None: its name)."""
    customers = models.IntegerField(default=0)
    orders = models.FloatField(default=0)
    revenue = models.FloatField(null=True)
    basket = models.FloatField(null=True)
    gap_days = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.segment


class SearchToken(models.Model):
    """A word by which a customer is found, from its first letters on."""

    token = models.CharField(max_length=32)
    customer = models.ForeignKey(Customer, models.CASCADE)
    name_key = models.CharField(max_length=200, blank=True)
    """The customer's: the other words that were typed are looked for in it."""

    class Meta:
        # The names stand in the index: of a word that 30,000 customers have, none is read.
        indexes = (models.Index(fields=["token", "customer", "name_key"], name="token_customer"),)

    def __str__(self) -> str:
        return f"word of {self.customer_id}"


class Unindexed(models.Model):
    """A customer whose words and figures are yet to be made; a bulk import leaves them here."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True)

    def __str__(self) -> str:
        return self.customer_id


class Newcomer(models.Model):
    """An import that has spoken of a customer whom nothing but imports knows.

    Once all of them are undone, the customer goes; when anything else speaks of them, they stay.
    """

    # Written by the million, just after the customers: what is not looked up needs no check.
    customer = models.ForeignKey(
        Customer, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    source = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["customer", "source"], name="newcomer_once"),
        )

    def __str__(self) -> str:
        return self.customer_id


class Note(Base):
    """What someone of the company wrote about a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="notes")
    text = models.TextField(_("Note"), max_length=5000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"note on {self.customer_id}"


class Verbatim(models.Model):
    """What a customer said in their own words; the rest of the row is in the lake.

    Each import that says other words of a row adds a line, and the last one counts: when that
    import is undone, what stood before counts again.
    """

    class Kind(models.TextChoices):
        """What the words belong to, as facts call it."""

        RESPONSE = "response", _("Answer")
        INTERACTION = "interaction", _("Contact")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="verbatims")
    kind = models.CharField(_("Kind"), max_length=11, choices=Kind.choices)
    row = models.CharField(max_length=64)
    """The row of the lake, as `verbatims.row_of` writes its key."""
    text = models.TextField(_("Words"), blank=True)
    """Empty where an import took earlier words back."""
    source = models.CharField(_("Source"), max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "kind", "row"], name="verbatim_once"),
        )
        indexes = (models.Index(fields=["customer", "kind"], name="verbatim_customer"),)

    def __str__(self) -> str:
        return f"words of {self.customer_id}"


class ProfileChange(models.Model):
    """A change of a profile by hand, kept for a while so that it can be undone."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="changes")
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    after: models.JSONField[Any, Any] = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"change of {self.customer_id}"


class ImportedProfile(models.Model):
    """What an import gave to a customer who was there, kept for a while so that it can be undone.

    `values` has field → what was there before, and what the import told; an attribute is called
    `attributes.` and its name.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    source = models.CharField(max_length=64)
    values: models.JSONField[Any, Any] = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "customer"], name="imported_profile_once"),
        )

    def __str__(self) -> str:
        return f"what {self.source} told of {self.customer_id}"


class MergeProposal(models.Model):
    """Two customers that may be one."""

    class Reason(models.TextChoices):
        """What they share."""

        EMAIL = "email", _("Same e-mail address")
        PHONE = "phone", _("Same telephone number")
        NAME_PLACE = "name", _("Same name and place")
        ALIAS = "alias", _("Said by a site or app")

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open", _("To decide")
        MERGED = "merged", _("Merged")
        APART = "apart", _("Two persons")

    left = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    right = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    reason = models.CharField(_("Why"), max_length=5, choices=Reason.choices)
    score = models.FloatField(_("Likeness"), default=1)
    state = models.CharField(_("State"), max_length=6, choices=State.choices, default=State.OPEN)
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["left", "right"], name="pair_once"),)
        indexes = (models.Index(fields=["state", "-score", "id"], name="proposal_open"),)

    def __str__(self) -> str:
        return f"{self.left_id} = {self.right_id}?"


class Merge(models.Model):
    """Two customers made one; what stood before is kept, so that it can be undone."""

    winner = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    loser = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    before: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Fields of the winner that the merge filled → what they held."""
    moved: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Keys of the rows that the merge moved, by table."""
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    reversed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.loser_id} → {self.winner_id}"


class SavedView(Base):
    """A list of customers with its filters, order and columns, under a name."""

    name = models.CharField(_("Name"), max_length=100)
    query = models.CharField(max_length=2000, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """Whose it is (None: a program made it, and it is for everyone)."""
    shared = models.BooleanField(_("For everyone"), default=False)

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(fields=["owner", "name"], name="view_name"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(owner=None), name="view_name_of_programs"
            ),
        )

    def __str__(self) -> str:
        return self.name
