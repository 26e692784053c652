"""The forms for a new pipeline, drawn here or saved elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from studio.pipelines.imports import MOST_FILE
from studio.pipelines.starts import STARTS


class PipelineForm(forms.Form):
    """A name, and what to begin with."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="What it does, such as “Support triage”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    start = forms.ChoiceField(
        label="Begin with",
        choices=[(name, start.title) for name, start in STARTS.items()],
        initial="classify",
        widget=forms.RadioSelect,
    )


class NameForm(forms.Form):
    """Another name."""

    name = forms.CharField(label="Name", max_length=80)


class _FileForm(forms.Form):
    """One JSON file, not too large."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "file-%s", **options})

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # the service says better what is wrong with it
        error_messages={"required": "Choose a file first."},
        widget=forms.FileInput(attrs={"accept": ".json,application/json", "class": "w-full"}),
    )

    def clean_file(self) -> UploadedFile[Any]:
        """The file, when it is short enough to be read."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > MOST_FILE:
            raise forms.ValidationError(
                f"The file is larger than {MOST_FILE // 1_000_000} MB, the most that is taken."
            )
        return file


class ProgramForm(_FileForm):
    """A saved program, and what to call its pipeline."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        required=False,
        help_text="Left empty, it is called as the file says.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class StateForm(_FileForm):
    """A state that DSPy saved, for the drawing as it was read."""

    revision = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
