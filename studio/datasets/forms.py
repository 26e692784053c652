"""What people fill in to upload a file and to map its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms

from studio.datasets.choices import Choices, wrong_choices
from studio.datasets.models import Upload
from studio.datasets.sniffing import DELIMITERS, SUFFIXES
from studio.datasets.uploads import columns_of, suggest_again
from studio.engine.signature import Signature

MAP = "map-"
"""Before the name of a signature's field in the name of its select."""
LIVE = ("header", "delimiter", "signature", "split_by", "split_column", "balance")
"""A change of these is checked at once. Texts are not: a click on a button ends typing, and the
button would be exchanged under the mouse."""


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # the service says better what is wrong with it
        error_messages={"required": "Choose a file first: CSV, TSV or JSON lines."},
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES), "class": "file-input w-full"}),
    )


class MappingForm(forms.Form):
    """How the columns of an upload fill the fields of a signature, and how its rows are split."""

    name = forms.CharField(label="Name", max_length=80)
    header = forms.ChoiceField(
        label="The first row holds",
        choices=[("names", "column names"), ("data", "data, like all others")],
        widget=forms.RadioSelect,
        required=False,
    )
    delimiter = forms.ChoiceField(
        label="Cells are separated by",
        choices=[(mark, title) for mark, title in DELIMITERS.items()],
        required=False,
    )
    signature = forms.ChoiceField(label="Signature", required=False)
    split_by = forms.ChoiceField(
        label="Train, dev and test",
        choices=[("column", "as a column says"), ("random", "at random, by shares")],
        widget=forms.RadioSelect,
    )
    split_column = forms.ChoiceField(label="Split column", required=False)
    train = forms.IntegerField(label="Train %", min_value=0, max_value=100)
    dev = forms.IntegerField(label="Dev %", min_value=0, max_value=100)
    test = forms.IntegerField(label="Test %", min_value=0, max_value=100)
    seed = forms.IntegerField(
        label="Seed",
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed gives the same splits.",
    )
    balance = forms.ChoiceField(
        label="Label column",
        required=False,
        help_text="Counted by split; a random split spreads its values evenly.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        upload: Upload,
        signatures: Mapping[str, Signature],
    ) -> None:
        self.upload = upload
        self.signatures = signatures
        self.old = Choices.from_dict(upload.choices)
        self.columns = columns_of(upload, self.old)
        super().__init__(data, initial=self.old.to_dict())
        columns = [("", "—"), *((column, column) for column in self.columns)]
        self._select("split_column", columns)
        self._select("balance", columns)
        titles = [(slug, f"{slug}: {_names(found)}") for slug, found in signatures.items()]
        self._select("signature", [("", "None: the columns are the fields"), *titles])
        if upload.format["kind"] != "csv":
            del self.fields["header"], self.fields["delimiter"]
        self.signature_now = signatures.get(self.old.signature)
        for field in self.signature_now.fields if self.signature_now else ():
            self.fields[MAP + field.name] = forms.ChoiceField(
                label=field.name,
                required=False,
                choices=columns,
                initial=self.old.mapping.get(field.name, ""),
                help_text=f"{field.role}, {field.type}",
            )
        for name in LIVE:
            if name in self.fields:
                self.fields[name].widget.attrs["data-live"] = "yes"
        for bound in self.mapped_fields():
            bound.field.widget.attrs["data-live"] = "yes"

    def _select(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def mapped_fields(self) -> list[forms.BoundField]:
        """The selects of the signature's fields."""
        return [self[name] for name in self.fields if name.startswith(MAP)]

    def clean(self) -> dict[str, Any]:
        """Reads the choices; what does not fit together is told above the form."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        self.choices = self._read(cleaned)
        for problem in wrong_choices(self.choices, columns_of(self.upload, self.choices)):
            self.add_error(None, problem)
        return cleaned

    def _read(self, cleaned: Mapping[str, Any]) -> Choices:
        old = self.old
        header = cleaned.get("header", old.header)
        delimiter = cleaned.get("delimiter") or old.delimiter
        if delimiter != old.delimiter or (header == "data") != (old.header == "data"):
            # Other columns: what was chosen for the old ones means nothing any more.
            return replace(
                suggest_again(upload=self.upload, delimiter=delimiter, header=header),
                name=cleaned["name"],
            )
        names = ("name", "split_by", "split_column", "train", "dev", "test", "seed", "balance")
        chosen = replace(old, header=header, **{name: cleaned[name] for name in names})
        slug = cleaned["signature"]
        if slug != old.signature or not slug:
            return chosen.with_signature(slug, self.signatures.get(slug), self.columns)
        found = {name: cleaned[name] for name in self.fields if name.startswith(MAP)}
        mapping = {name[len(MAP) :]: column for name, column in found.items() if column}
        return replace(chosen, mapping=mapping)


def _names(signature: Signature) -> str:
    """`message → category`: the names are enough to tell signatures apart."""
    sides = (signature.inputs, signature.outputs)
    return " → ".join(", ".join(field.name for field in side) for side in sides)
