"""The compiler on the form, its preset, and its parameters as they stand on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.accounts.param_forms import ParamsForm, params_form
from studio.engine.compilers import COMPILERS, CompilerKind
from studio.engine.errors import EngineError
from studio.engine.params import read_params
from studio.runs.choosing import CUSTOM, preset_values, usual_preset

DEFAULT_COMPILER = "random-search"


class Settings:
    """The compiler, its preset, and its parameters as they stand on the page."""

    def __init__(self, kind: CompilerKind, preset: str, form: ParamsForm, problem: str = ""):
        self.kind = kind
        self.preset = preset
        self.form = form
        """Its fields; bound when the parameters are set by hand."""
        self.problem = problem

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Settings:
        """From what a browser has sent; anything that is missing is as usual."""
        name = str(data.get("compiler") or "")
        if name not in COMPILERS:
            name = DEFAULT_COMPILER if DEFAULT_COMPILER in COMPILERS else next(iter(COMPILERS))
        kind = COMPILERS[name]
        preset, filled = str(data.get("preset") or ""), str(data.get("filled") or "")
        prefix = f"params-{name}"
        posted = any(str(key).startswith(f"{prefix}-") for key in data)
        bound = params_form(kind.params)(data, prefix=prefix) if posted else None
        if preset in kind.presets:
            untouched = (
                bound is None or filled != f"{name}/{preset}" or not _edited(kind, preset, bound)
            )
            if untouched:
                return cls(kind, preset, _shown(kind, preset))
        if bound is not None:
            return cls(kind, CUSTOM, bound)
        usual, problem = usual_preset(kind), ""
        if preset == CUSTOM != usual and filled.partition("/")[0] != name:
            problem = (
                f"You chose Custom, but the settings of {kind.title} were not on the page yet. "
                "They are now: look at them, then start."
            )
        return cls(kind, usual, _shown(kind, usual), problem)

    @property
    def filled(self) -> str:
        """Which compiler and preset the fields are of."""
        return f"{self.kind.name}/{self.preset}"

    @property
    def form_is_valid(self) -> bool:
        """Whether the compiler can be set so."""
        if not self.form.is_bound:
            return True
        if not self.form.is_valid():
            return False
        try:
            read_params(self.kind.params, self.form.params())
        except EngineError as error:
            self.problem = str(error)
            return False
        return True

    def values(self) -> dict[str, Any]:
        """The parameters as JSON for services."""
        if self.form.is_bound:
            return self.form.params()
        return preset_values(self.kind, self.preset)


def _edited(kind: CompilerKind, preset: str, bound: ParamsForm) -> bool:
    """Whether the fields hold something else than the preset filled in."""
    if not bound.is_valid():
        return True
    try:
        found = vars(read_params(kind.params, bound.params()))
    except EngineError:
        return True
    return dict(found) != preset_values(kind, preset)


def _shown(kind: CompilerKind, preset: str) -> ParamsForm:
    form = params_form(kind.params)
    return form(initial=preset_values(kind, preset), prefix=f"params-{kind.name}")
