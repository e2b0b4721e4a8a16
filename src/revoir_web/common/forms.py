"""Forms of the company, and what all forms share."""

from __future__ import annotations

import re
import zoneinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from revoir.language import LANGUAGES
from revoir.sectors import SECTORS
from revoir.tables import plain_name
from revoir_web.common.models import Company
from revoir_web.common.words import language

LANGUAGE_CHOICES = [("fr", "Français"), ("en", "English")]
NOT_RECOMMENDED_MAX, NAME_MAX = 100, 200
_DIGITS_MAX = 9
"""Of a percentage: what is longer is no number that anybody means, and too long to divide."""

M = TypeVar("M", bound=Model)


if TYPE_CHECKING:
    _Form = forms.BaseForm
else:
    _Form = object


class KnowsShown(_Form):
    """A form that knows what its page showed.

    Each field is sent along as it was shown, too. A page that is out of date then changes what was
    typed into it, and takes back nothing that was changed elsewhere since.
    """

    def keep_shown(self) -> None:
        """Send what is shown along with each field that is there now."""
        for field in self.fields.values():
            # A password is never shown.
            field.show_hidden_initial = not isinstance(field.widget, forms.PasswordInput)

    @property
    def given(self) -> dict[str, Any]:
        """The values that differ from what was shown; all of them where a sender does not tell."""
        if not any(self[name].html_initial_name in self.data for name in self.fields):
            return dict(self.cleaned_data)
        return {name: self.cleaned_data[name] for name in self.changed_data}


class EditForm(KnowsShown, forms.ModelForm[M]):
    """A form that makes a row, or changes what was typed anew in one that is there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.keep_shown()


class PercentField(forms.DecimalField):
    """A share: a fraction that is shown and typed in percent, as 35.5, or 35,5 in French."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "max_decimal_places": _("At most two decimals, such as 35.25."),
    }

    def __init__(self, **options: Any) -> None:
        # Whichever language the browser has, the separator is that of the page.
        super().__init__(localize=True, **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let telephones show digits."""
        return {**super().widget_attrs(widget), "inputmode": "decimal"}

    def prepare_value(self, value: Any) -> Any:
        """The percentage of a fraction; what was typed as it was typed."""
        if isinstance(value, (int, float, Decimal)):
            return (Decimal(str(value)) * 100).normalize()
        return value

    def to_python(self, value: Any) -> Any:
        """The fraction of a percentage."""
        percent: Decimal | None = super().to_python(value)
        if percent is None:
            return None
        if not percent.is_finite() or percent.adjusted() > _DIGITS_MAX:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return percent / 100

    def run_validators(self, value: Any) -> None:
        """Check what was typed: limits and decimals are those of the percentage."""
        super().run_validators(self.prepare_value(value))


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})
    default_error_messages: ClassVar[dict[str, Any]] = {
        "too_many": _("At most %(most)s lines of %(length)s characters."),
    }

    def __init__(self, *, most: int, length: int, **options: Any) -> None:
        super().__init__(**options)
        self.most, self.length = most, length

    def prepare_value(self, value: Any) -> Any:
        """The lines of a list; what was typed as it was typed."""
        return "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> Any:
        """The lines that say something, each once."""
        text = super().to_python(value) or ""
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))

    def validate(self, value: Any) -> None:
        """Refuse more, or longer lines, than anybody means."""
        super().validate(value)
        if len(value) > self.most or any(len(line) > self.length for line in value):
            raise ValidationError(
                self.error_messages["too_many"],
                code="too_many",
                params={"most": self.most, "length": self.length},
            )


def currency_choices() -> list[tuple[str, str]]:
    """Currencies in use, the common ones first, named in the reader's language."""
    from babel import Locale
    from babel.numbers import list_currencies

    names = Locale(language()).currencies
    first = ("EUR", "CHF", "GBP", "USD", "CAD")
    known = [code for code in list_currencies(language()) if code not in first]
    return [(code, f"{code} – {names.get(code, code)}") for code in (*first, *sorted(known))]


def zone_choices() -> list[tuple[str, str]]:
    """Time zones by region."""
    names = sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and "Etc/" not in name
    )
    return [(name, name.replace("_", " ")) for name in ("UTC", *names)]


def month_choices() -> list[tuple[int, str]]:
    """The months in the reader's language."""
    from babel.dates import get_month_names

    return [
        (number, name.capitalize())
        for number, name in get_month_names("wide", "stand-alone", locale=language()).items()
    ]


def sector_choices() -> list[tuple[str, str]]:
    """None, and the sectors that published figures know, named in the reader's language."""
    # Sentences say “pour le commerce de détail”; a list does without the article.
    names = {
        key: re.sub(r"(^|(?<= et ))(les? |la |l’)", "", label.text(language()))
        for key, (label, _others) in SECTORS.items()
    }
    known = [(key, name[:1].upper() + name[1:]) for key, name in names.items()]
    return [("", "—"), *sorted(known, key=lambda choice: plain_name(choice[1]))]


class CompanyForm(EditForm[Company]):
    """What a company says of itself."""

    currency = forms.ChoiceField(label=_("Currency"), choices=currency_choices)
    timezone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices)
    fiscal_year_start_month = forms.TypedChoiceField(
        label=_("First month of the fiscal year"), choices=month_choices, coerce=int
    )
    sector = forms.ChoiceField(
        label=_("Sector"),
        help_text=_("Published figures of your sector stand beside yours, where there are any."),
        choices=sector_choices,
        required=False,
    )
    margin = PercentField(
        label=_("Margin, in % of revenue"),
        help_text=_("Such as 35. It turns revenue into value."),
        min_value=0,
        max_value=100,
        decimal_places=2,
        required=False,
    )
    not_recommended = LinesField(
        label=_("Never recommended"),
        help_text=_("Categories, or codes of products, one a line."),
        most=NOT_RECOMMENDED_MAX,
        length=NAME_MAX,
        required=False,
    )

    class Meta:
        model = Company
        fields: tuple[str, ...] = (
            "name",
            "language",
            "currency",
            "timezone",
            "fiscal_year_start_month",
            "sector",
            "activity_window_days",
            "margin",
            "acquisition_cost",
            "not_recommended",
        )
        help_texts: ClassVar[dict[str, Any]] = {
            "activity_window_days": _("Leave empty: a window is proposed from the data."),
            "acquisition_cost": _("What it costs to win one customer, in your currency."),
        }


class WelcomeCompanyForm(CompanyForm):
    """What the first start asks about the company."""

    # Django's way to leave out a field of the parent: Meta.fields leaves out the model's own alone.
    margin = None  # type: ignore[assignment]
    not_recommended = None  # type: ignore[assignment]

    class Meta(CompanyForm.Meta):
        fields = ("name", "language", "currency", "timezone", "fiscal_year_start_month", "sector")


def known_language(code: Any) -> str:
    """A code of ours, whatever was given."""
    return code if code in LANGUAGES else "fr"
