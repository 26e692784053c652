"""The kinds of findings: what each means, how bad it is, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["stops", "warns", "informs"]
SEVERITIES: dict[Severity, str] = {
    "stops": "stops a compile",
    "warns": "warns",
    "informs": "informs",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding."""

    name: str
    title: str
    severity: Severity
    what: str
    """What it is, and why it matters."""
    advice: str
    """What to do."""
    actions: tuple[str, ...] = ()
    """Names in `actions.ACTIONS`."""


LEAK = Kind(
    "leak",
    "Test rows that train or dev give away",
    "stops",
    "A test row whose inputs equal, or nearly equal, those of a train or dev row. What is "
    "learned or chosen on the one is judged on the other, so the score says too much.",
    "Keep such rows in one split, or delete the train and dev rows. A pair that is fine as it "
    "is can be waived, with a reason.",
    ("delete-learned", "delete-test", "move-train", "move-test"),
)
OVERLAP = Kind(
    "overlap",
    "Dev rows that train gives away",
    "warns",
    "A dev row that equals, or nearly equals, a train row. A candidate is never scored on what "
    "is nearly one of its own demos, so a compile is not stopped; but there are fewer examples "
    "to choose on, and rules and weights that were learned on train look better than they are.",
    "Keep such rows in one split, or delete one of them.",
    ("delete-dev", "delete-train", "move-train", "move-dev"),
)
DUPLICATE = Kind(
    "duplicate",
    "Equal rows",
    "warns",
    "Rows of one split whose inputs are equal up to case, blanks, punctuation and Unicode forms. "
    "Each counts as often as it stands there.",
    "Keep one of them.",
    ("keep-first",),
)
NEAR = Kind(
    "near",
    "Nearly equal rows",
    "informs",
    "Rows of one split whose inputs share at least four fifths of their words, with typos "
    "forgiven. Rows with other numbers or symbols are other rows.",
    "Keep one of them, where they say the same.",
    ("keep-first",),
)
CONFLICT = Kind(
    "conflict",
    "Conflicting labels",
    "warns",
    "Rows that ask the same, or nearly so, and have different labels. No program can get all of "
    "them right, and a metric counts what is right as wrong.",
    "Give all of them the right label, or delete those that are wrong.",
    ("label", "keep-first", "delete"),
)
TYPE = Kind(
    "type",
    "Values that do not fit the signature",
    "stops",
    "A value that cannot be read as its field’s type, or an input that is missing. No run can "
    "read such a row, so none is started.",
    "Correct the cell, or delete the row.",
    ("delete",),
)
PERSONAL = Kind(
    "personal",
    "Hints of personal data",
    "warns",
    "Text that looks like an e-mail address, a phone, card, account or social security number, "
    "or an address in the internet. A hint: it may be something else. Demos are sent to language "
    "models and stand in what is released.",
    "Replace it, delete the row, or waive the hint when it is nobody’s.",
    ("delete",),
)
EMPTY = Kind(
    "empty",
    "Rows without inputs",
    "warns",
    "All inputs of the row are empty, or hold nothing but blanks and punctuation.",
    "Fill them in, or delete the rows.",
    ("delete",),
)
LONG = Kind(
    "long",
    "Very long inputs",
    "warns",
    "Inputs of so many tokens, guessed at four characters each, that a prompt with demos may not "
    "fit into the language model’s context.",
    "Shorten them, or delete the rows; or use a language model with more context.",
    ("delete",),
)
ENCODING = Kind(
    "encoding",
    "Damaged letters",
    "warns",
    "Text that was read in a wrong encoding at some time, such as “Ã©” for “é”, or letters that "
    "were lost (“\ufffd”).",
    "Repair what can be repaired: the preview shows what comes of it.",
    ("repair", "delete"),
)
BALANCE = Kind(
    "balance",
    "Label balance",
    "warns",
    "A label that is rare, that is missing in a split, or that outweighs the others: a score over "
    "all rows then says little of it.",
    "Add rows of rare labels, split the dataset evenly over its labels, or choose a metric that "
    "counts each label alike.",
)
GROUP = Kind(
    "group",
    "Groups that stand in several splits",
    "warns",
    "Rows of one person, conversation or document in several splits: what is told about it in "
    "train helps in test, and will not when somebody new comes.",
    "Split the dataset by that column, or move the rows of a group into one split.",
    ("move-train", "move-dev", "move-test"),
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        LEAK, TYPE, CONFLICT, OVERLAP, GROUP, DUPLICATE, NEAR, EMPTY, LONG, ENCODING, PERSONAL,
        BALANCE,
    )
}  # fmt: skip
