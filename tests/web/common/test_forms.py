"""How form fields are drawn."""

from __future__ import annotations

from django import forms
from django.template.loader import render_to_string


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
