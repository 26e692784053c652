"""What people fill in to upload a file and to map its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms

from studio.datasets.models import Upload
from studio.datasets.reading.opening import COMPRESSIONS, KINDS
from studio.datasets.reading.sniffing import DELIMITERS
from studio.datasets.uploading.choices import Choices, wrong_choices, wrong_cut
from studio.datasets.uploading.looking import CUT
from studio.datasets.uploading.uploads import columns_of, is_cut_anew
from studio.engine.signature import Signature

MAP = "map-"
"""Before the name of a signature's field in the name of its select."""
LIVE = (
    "header", "delimiter", "sheet", "signature", "split_by", "split_column", "group", "balance",
    "id_column",
)  # fmt: skip
"""A change of these is checked at once. Texts are not: a click on a button ends typing, and the
button would be exchanged under the mouse."""
CHOSEN = (
    "name", "split_by", "split_column", "group", "train", "dev", "test", "seed", "balance",
    "id_column",
)  # fmt: skip
SUFFIXES = (*KINDS, *COMPRESSIONS)
"""What a browser offers to choose."""


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # the service says better what is wrong with it
        error_messages={
            "required": "Choose a file first: CSV, JSON, JSON lines, Parquet or Excel."
        },
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
    sheet = forms.ChoiceField(label="Sheet", required=False)
    signature = forms.ChoiceField(label="Signature", required=False)
    split_by = forms.ChoiceField(
        label="Train, dev and test",
        choices=[
            ("column", "as a column says"),
            ("random", "at random, by shares"),
            ("group", "by shares, groups stay together"),
        ],
        widget=forms.RadioSelect,
    )
    split_column = forms.ChoiceField(label="Split column", required=False)
    group = forms.ChoiceField(
        label="Group column",
        required=False,
        help_text="Rows with the same value go to the same split, such as those of one customer.",
    )
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
    id_column = forms.ChoiceField(
        label="Id column",
        required=False,
        help_text="Names a row, so that a later file can bring it again, corrected.",
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
        self.columns = columns_of(upload)
        super().__init__(data, initial=self.old.to_dict())
        columns = [("", "—"), *((column, column) for column in self.columns)]
        for name in ("split_column", "group", "balance", "id_column"):
            self._select(name, columns)
        titles = [(slug, f"{slug}: {_names(found)}") for slug, found in signatures.items()]
        self._select("signature", [("", "None: the columns are the fields"), *titles])
        self._leave_out_cut(upload.format)
        self.signature_now = signatures.get(self.old.signature)
        for field in self.signature_now.fields if self.signature_now else ():
            self.fields[MAP + field.name] = forms.ChoiceField(
                label=field.name,
                required=False,
                choices=columns,
                initial=self.old.mapping.get(field.name, ""),
                help_text=f"{field.role}, {field.type}",
            )
        if upload.target_id:
            self._for_target()
        for name in LIVE:
            if name in self.fields:
                self.fields[name].widget.attrs["data-live"] = "yes"
        for bound in self.mapped_fields():
            bound.field.widget.attrs |= {"data-live": "yes", "data-takes-column": "yes"}

    def _select(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def _leave_out_cut(self, about: Mapping[str, Any]) -> None:
        """Only tables have a header, only text tables a delimiter, only workbooks sheets."""
        sheets = about.get("sheets") or []
        if about["kind"] not in ("csv", "xlsx"):
            del self.fields["header"]
        if about["kind"] != "csv":
            del self.fields["delimiter"]
        if len(sheets) > 1:
            self._select("sheet", [(sheet, sheet) for sheet in sheets])
        else:
            del self.fields["sheet"]

    def _for_target(self) -> None:
        """Rows that go into a dataset have its names, and its fields' columns."""
        for name in ("name", "signature", "balance"):
            del self.fields[name]
        self.fields["id_column"].required = True
        self.fields["split_by"].label = "Train, dev and test of new rows"

    def mapped_fields(self) -> list[forms.BoundField]:
        """The selects of the signature's fields."""
        return [self[name] for name in self.fields if name.startswith(MAP)]

    def extra_columns(self) -> list[str]:
        """Columns that fill no field and say no split: they are kept beside the others."""
        used = {*self.old.mapping.values()}
        used |= {self.old.split_column} if self.old.split_by == "column" else set()
        return [column for column in self.columns if column not in used]

    def clean(self) -> dict[str, Any]:
        """Reads the choices; what does not fit together is told above the form."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        cut = {name: cleaned[name] for name in CUT if cleaned.get(name)}
        self.cut = cut if is_cut_anew(self.upload, cut) else {}
        """How the file is to be cut into columns, when that is another way than now."""
        if self.cut:
            self.choices = replace(self.old, name=cleaned.get("name", self.old.name))
            problems = wrong_cut(replace(self.old, **cut), self.upload.format)
        else:
            self.choices = self._read(cleaned)
            problems = wrong_choices(self.choices, self.columns)
        for problem in problems:
            self.add_error(None, problem)
        return cleaned

    def _read(self, cleaned: Mapping[str, Any]) -> Choices:
        old = self.old
        said = {name: cleaned[name] for name in CHOSEN if name in cleaned}
        said |= {name: cleaned[name] for name in CUT if cleaned.get(name)}
        chosen = replace(old, **said)
        if self.upload.target_id:
            return chosen
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
