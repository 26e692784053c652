"""Forms for signing in, projects and members."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from studio.accounts.models import Project, Role

BLOCKED = "Too many wrong passwords. Wait a quarter of an hour, then try again."


class SignInForm(AuthenticationForm):
    """Name and password."""

    error_messages = {  # noqa: RUF012 - Django's own form of it
        "invalid_login": "Name and password do not fit together. Both heed capital letters.",
        "inactive": "This account is switched off. Ask the site's administrator.",
    }


class ProjectForm(forms.ModelForm[Project]):
    """A new project."""

    class Meta:
        model = Project
        fields = ("name",)
        labels = {"name": "Name"}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "name": "What the programs in it are for, such as “Support” or “Contract review”."
        }


class MemberForm(forms.Form):
    """Somebody to let in."""

    username = forms.CharField(
        label="Username", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.AUTHOR,
        help_text="Each role may do what the ones before it may.",
    )


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=Role.choices)
