from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from revoir.errors import RevoirError
from revoir_web.common.forms import EditForm
from revoir_web.common.words import language
from revoir_web.ingest import fetching, outside, webhooks
from revoir_web.ingest.models import Source, WebhookEndpoint
from revoir_web.ingest.planning import server_of

_HELP: dict[str, dict[str, Any]] = {
    "folder": {
        "location": _("A folder below the one that the server keeps for files, such as “till”."),
    },
    "sftp": {
        "location": _("Such as sftp://files.example.com:22/exports, without a password."),
    },
    "database": {
        "location": _("Such as postgresql://db.example.com:5432/shop, without a password."),
        "query": _("The name of a table, or a SELECT. Leave it empty to read every table."),
    },
    "url": {
        "location": _("Such as https://example.com/exports/orders.csv, without a password."),
    },
}


class SourceForm(EditForm[Source]):
    """A source of the kind that its row says; the password is typed anew to change it."""

    password = forms.CharField(
        label=_("Password"), required=False, strip=False, max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Kept encrypted. Leave it empty to keep the one that is there."),
    )  # fmt: skip
    weekday = forms.TypedChoiceField(
        label=_("Day of the week"), required=False, coerce=int, empty_value=None,
        choices=[("", "—"), *((number, name) for number, name in WEEKDAYS.items())],
    )  # fmt: skip

    class Meta:
        model = Source
        fields: tuple[str, ...] = (
            "name", "location", "user_name", "password", "pattern", "query", "every", "at",
            "weekday", "day", "lands_by_itself",
        )  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {
            "at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "query": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "pattern": _("Names with * for any letters, and commas between several: *.csv, *.xlsx"),
            "at": _("By the company's clock."),
            "day": _("1 to 31; the last one where the month is shorter."),
            "lands_by_itself": _("Otherwise each import waits for a yes on its page."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind = self.instance.kind
        unused = {
            "folder": ("user_name", "password", "query"), "sftp": ("query",),
            "database": ("pattern",), "url": ("pattern", "query"),
        }[kind]  # fmt: skip
        for name in unused:
            del self.fields[name]
        for name, text in _HELP[kind].items():
            self.fields[name].help_text = text
        self.fields["at"].required = False

    def clean_location(self) -> str:
        """The place, if it is one that may be asked.

        One that was kept before is not looked at here: it is whenever the source is asked, and a
        source whose host is gone can be put to rest.
        """
        location = str(self.cleaned_data["location"]).strip()
        if self.instance.pk and location == self.initial["location"]:
            return location
        try:
            match self.kind:
                case "folder":
                    fetching.folder_of(location)
                case "sftp":
                    host, port, _path = fetching.sftp_place(location)
                    outside.checked(host, port)
                case "database":
                    fetching.database_url(Source(kind=self.kind, location=location))
                case "url":
                    webhooks.check(location)
        except RevoirError as error:
            raise forms.ValidationError(error.text(language())) from None
        except outside.Unreachable as error:
            raise forms.ValidationError(error.why.text(language())) from None
        return location

    def clean_password(self) -> str:
        """The password; that of one server is not given to another."""
        password = str(self.cleaned_data["password"])
        kept = bool(self.instance.secret) and not password
        moved = "location" in self.changed_data
        location = self.cleaned_data.get("location")
        if (
            kept
            and moved
            and location
            and server_of(location) != server_of(self.initial["location"])
        ):
            raise forms.ValidationError(
                _("Type the password again: the one that is kept is for the server of before.")
            )
        return password

    def clean_day(self) -> int | None:
        """A day that some month has."""
        day: int | None = self.cleaned_data["day"]
        if day is not None and not 1 <= day <= 31:
            raise forms.ValidationError(_("Give a day from 1 to 31."))
        return day


class WebhookForm(EditForm[WebhookEndpoint]):
    """An address that is told what happens."""

    kinds = forms.MultipleChoiceField(
        label=_("Told of"), choices=lambda: list(webhooks.KINDS.items()),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = WebhookEndpoint
        fields: tuple[str, ...] = ("name", "url", "kinds", "enabled")
        help_texts: ClassVar[dict[str, Any]] = {
            "url": _("An https address of the open Internet; it answers 200 within 15 seconds."),
        }

    def clean_url(self) -> str:
        """The address, if it may be asked."""
        url = str(self.cleaned_data["url"]).strip()
        try:
            webhooks.check(url)
        except RevoirError as error:
            raise forms.ValidationError(error.text(language())) from None
        return url


class WriteKeyForm(forms.Form):
    """A key that writes events."""

    name = forms.CharField(
        label=_("Name"), max_length=100,
        help_text=_("Where the events come from, such as “site” or “app”."),
    )  # fmt: skip
