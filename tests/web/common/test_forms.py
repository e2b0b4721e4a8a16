"""How form fields are drawn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.template.loader import render_to_string
from django.utils import translation

from revoir_web.common.forms import PercentField, WelcomeCompanyForm


class _Choice(forms.Form):
    kinds = forms.MultipleChoiceField(
        choices=[("a", "A")], widget=forms.CheckboxSelectMultiple, help_text="One at least."
    )


def test_what_is_wrong_with_a_group_of_boxes_is_said_of_them() -> None:
    """A group has no control of its own: every such error was called “-errors”."""
    page = render_to_string("components/field.html", {"field": _Choice({})["kinds"]})
    assert 'id="id_kinds-errors"' in page
    assert 'id="id_kinds-help"' in page
    assert 'aria-describedby="id_kinds-help id_kinds-errors"' in page


class _Share(forms.Form):
    margin = PercentField(min_value=0, max_value=100, decimal_places=2, required=False)


@pytest.mark.parametrize(
    ("language", "typed", "share", "shown"),
    [
        ("fr", "35,5", "0.355", "35,5"),
        ("fr", "35.5", "0.355", "35,5"),
        ("fr", "100", "1", "100"),
        ("en", "35.5", "0.355", "35.5"),
        ("en", "0.35", "0.0035", "0.35"),
        ("en", "0", "0", "0"),
    ],
)
def test_a_share_is_typed_in_percent(language: str, typed: str, share: str, shown: str) -> None:
    with translation.override(language):
        form = _Share({"margin": typed})
        assert form.is_valid(), form.errors
        assert form.cleaned_data["margin"] == Decimal(share)
        again = str(_Share(initial={"margin": form.cleaned_data["margin"]})["margin"])
        assert f'value="{shown}"' in again
        assert 'inputmode="decimal"' in again


@pytest.mark.parametrize(
    "typed", ["101", "-1", "35.255", "x", "35,5", "nan", "snan", "inf", "1e9999999", "0e9999999"]
)
def test_what_is_no_share_is_refused_and_stays_typed(typed: str) -> None:
    with translation.override("en"):
        form = _Share({"margin": typed})
        assert form.errors["margin"]
        assert f'value="{typed}"' in str(form["margin"])
    assert _Share({"margin": ""}).is_valid()


def test_the_first_start_asks_for_what_it_needs_alone() -> None:
    assert list(WelcomeCompanyForm().fields) == [
        "name", "language", "currency", "timezone", "fiscal_year_start_month", "sector",
    ]  # fmt: skip
