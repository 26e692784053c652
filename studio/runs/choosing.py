"""Which compiler to take: their groups on the form, and advice by what one has."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.compilers import COMPILERS, CompilerKind, Preset
from studio.engine.compilers.base import Situation
from studio.engine.params import read_params

CUSTOM = "custom"
"""The choice beside the presets: the parameters are set by hand."""

PRESET_WORDS: dict[str, tuple[str, str]] = {
    "light": ("Light", "Quick and cheap: to see whether compiling helps at all."),
    "medium": ("Medium", "The usual choice."),
    "thorough": ("Thorough", "Looks at more candidates and takes its time."),
    CUSTOM: ("Custom", "Your own values in the settings below."),
}

_TYPICAL = Situation(train=200, dev=100, predictors=2)


@dataclass(frozen=True, slots=True)
class Group:
    """Compilers that change the same thing."""

    title: str
    sentence: str
    kinds: tuple[CompilerKind, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """When to take which compiler."""

    when: str
    kind: CompilerKind


_GROUPS = (
    (
        "Demos",
        "Worked examples inside the prompt. They help every model, small ones most.",
        ("random-search", "bootstrap", "labeled", "knn"),
    ),
    (
        "Instructions",
        "What the prompt asks for, written anew. For models that follow instructions.",
        ("instructions", "rules"),
    ),
    (
        "Demos and instructions together",
        "The widest search; it wants more examples and a larger budget.",
        ("joint", "reflect", "mini-batch-ascent"),
    ),
    (
        "Several in one",
        "Programs side by side, or one compiler after another.",
        ("ensemble", "then"),
    ),
)

_ADVICE = (
    ("no idea yet, or a small model", "random-search"),
    ("only a handful of calls to spend", "labeled"),
    ("several steps, and labels for the last one only", "bootstrap"),
    ("many labels, or hundreds of training examples", "knn"),
    ("a model that follows instructions, and short prompts to pay for", "instructions"),
    ("examples that follow rules which nobody has written down", "rules"),
    ("fifty dev examples or more, and a thousand calls or more", "joint"),
    ("a metric that gives reasons, and a strong model to read them", "reflect"),
    ("answers that are right one time and wrong the next", "mini-batch-ascent"),
    ("calls to spare for every answer, for the last points of accuracy", "ensemble"),
    ("time for two searches, the second on top of the first", "then"),
)


def compiler_groups() -> tuple[Group, ...]:
    """The compilers in the order of the form; those that are not known here stand last."""
    known = {name for _, _, names in _GROUPS for name in names}
    groups = [
        Group(title, sentence, tuple(COMPILERS[name] for name in names if name in COMPILERS))
        for title, sentence, names in _GROUPS
    ]
    others = tuple(kind for name, kind in COMPILERS.items() if name not in known)
    groups.append(Group("Others", "Added to this studio.", others))
    return tuple(group for group in groups if group.kinds)


def advice() -> tuple[Advice, ...]:
    """What to take when."""
    return tuple(Advice(when, COMPILERS[name]) for when, name in _ADVICE if name in COMPILERS)


def presets_of(kind: CompilerKind) -> tuple[str, ...]:
    """The names of the presets that can be chosen, `custom` last."""
    return (*(name for name in PRESET_WORDS if name in kind.presets), CUSTOM)


def usual_preset(kind: CompilerKind) -> str:
    """The preset of a form that nobody has touched."""
    return "medium" if "medium" in kind.presets else presets_of(kind)[0]


def preset_values(kind: CompilerKind, preset: str) -> dict[str, object]:
    """All parameters of the compiler under a preset; its defaults where it has no such preset."""
    name: Preset | None = next((one for one in kind.presets if one == preset), None)
    return dict(vars(read_params(kind.params, kind.presets[name] if name else {})))


def teaches(kind: CompilerKind) -> bool:
    """Whether the compiler has a teacher make demos, as it usually is set."""
    params = read_params(kind.params, preset_values(kind, usual_preset(kind)))
    return kind.plan(params, _TYPICAL).traces[2] > 0
