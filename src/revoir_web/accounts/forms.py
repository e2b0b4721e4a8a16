from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from revoir_web.accounts.models import User
from revoir_web.accounts.rights import Right, Role
from revoir_web.common.forms import LANGUAGE_CHOICES, EditForm


class NewPassword(forms.Form):
    """A name and a password for a new account.

    Args:
        email: The address of the account, where it is known before.
    """

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 12 characters: a sentence is easier to remember than signs."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = email

    def candidate(self) -> User:
        """The user that the password must not resemble."""
        email = self.cleaned_data.get("email", self.address)
        return User(name=self.cleaned_data.get("name", ""), email=email)

    def clean_password(self) -> str:
        """Refuse what is guessed easily."""
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.candidate())
        return password


class FirstAccount(NewPassword):
    """The first owner."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("name", "email", "password")


class Invite(forms.Form):
    """Someone to invite."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.ANALYST)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGE_CHOICES)


class Preferences(EditForm[User]):
    """How someone wants to be called and shown things."""

    class Meta:
        model = User
        fields = ("name", "language", "theme")


class NewKey(forms.Form):
    """A key to make."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What the key is for, such as “Web shop”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it allows"), widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=_("Ends"),
        coerce=int,
        choices=[
            (0, _("Never")),
            (30, _("In 30 days")),
            (90, _("In 90 days")),
            (365, _("In a year")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(right.value, right.label) for right in Right]
