"""Forms for signatures and modules. A signature's fields are read by `signature_draft`."""

from __future__ import annotations

from typing import Any

from django import forms

from studio.accounts.models import Project
from studio.engine.modules import MODULES
from studio.pipelines.models import Module, Signature

NEED_PARTS = frozenset({"branch", "router", "subpipeline"})
"""Kinds that run nothing but pipelines inside of the node: no saved step can be of these."""


class SignatureForm(forms.ModelForm[Signature]):
    """What stands beside the fields: the name."""

    class Meta:
        model = Signature
        fields = ("name",)
        labels = {"name": "Name"}  # noqa: RUF012
        help_texts = {"name": "What it is for, such as “Triage”."}  # noqa: RUF012


class ModuleForm(forms.ModelForm[Module]):
    """A kind of step with a signature."""

    kind = forms.ChoiceField(
        label="Kind",
        # Another kind has other settings: they are fetched as soon as it is chosen.
        widget=forms.Select(
            attrs={
                "hx-get": "",
                "hx-trigger": "change",
                "hx-params": "kind",
                "hx-select": "#kind-settings",
                "hx-target": "#kind-settings",
                "hx-swap": "outerHTML",
            }
        ),
        choices=lambda: [
            (kind.name, f"{kind.title}: {kind.summary}")
            for kind in MODULES.values()
            if kind.name not in NEED_PARTS
        ],
        initial="predict",
    )

    class Meta:
        model = Module
        fields = ("name", "kind", "signature")
        labels = {"name": "Name", "signature": "Signature"}  # noqa: RUF012
        help_texts = {"name": "How the palette calls it."}  # noqa: RUF012

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signature = self.fields["signature"]
        assert isinstance(signature, forms.ModelChoiceField)
        signature.queryset = project.signatures.all()
        signature.empty_label = None
