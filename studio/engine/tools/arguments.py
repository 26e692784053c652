"""Arguments of a tool: what an LM wrote, read with suspicion before anything is done with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from studio.engine.errors import ToolError
from studio.engine.messages import ToolSpec

MOST_CHARS = 200_000
"""Of the arguments of one call, as JSON."""
_PATTERN_S = 0.2
"""How long one pattern of a schema may be tried: some patterns take for ever on some texts."""
_MOST_REFERENCES = 2_000
"""How many references one check may follow: a small schema can ask for endless work."""
_OPEN = {
    "$dynamicRef",
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "if",
    "oneOf",
    "patternProperties",
    "unevaluatedProperties",
}
"""With one of these a schema may mean more arguments than its `properties`."""
_MOST_ERRORS = 20
"""How many are looked at to find the one that says most."""
_SHOWN = 80


class Arguments:
    """The arguments that one tool takes.

    Other arguments than the schema's `properties` are refused, unless it says more on that. The
    schema is compiled at the first call: many tools are offered and never called. A `$ref` to
    another document is never fetched.
    """

    def __init__(self, spec: ToolSpec) -> None:
        self.spec = spec
        self._left = 0

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of `arguments`, or raise `ToolError` with what is wrong."""
        read = dict(arguments)
        self._check_size(read)
        if problem := self._problem(read):
            raise ToolError(f"The arguments of “{self.spec.name}” do not fit: {problem}")
        return read

    def _check_size(self, arguments: dict[str, Any]) -> None:
        name = self.spec.name
        try:
            size = len(json.dumps(arguments, ensure_ascii=False, allow_nan=False))
        except RecursionError:
            raise ToolError(f"The arguments of “{name}” are nested too deeply.") from None
        except (TypeError, ValueError):
            raise ToolError(
                f"The arguments of “{name}” are no JSON: they hold a value that JSON has not."
            ) from None
        if size > MOST_CHARS:
            raise ToolError(
                f"The arguments of “{name}” have {size:,} characters; {MOST_CHARS:,} is the most."
            )

    def _problem(self, arguments: dict[str, Any]) -> str:
        from jsonschema.exceptions import ValidationError, best_match
        from referencing.exceptions import Unresolvable

        try:
            self._left = _MOST_REFERENCES
            found = best_match(islice(self._validator.iter_errors(arguments), _MOST_ERRORS))
        except Unresolvable:
            return "the tool's own schema refers to something that it does not hold."
        except RecursionError:
            return "they are nested too deeply, or the tool's schema refers to itself too often."
        except TimeoutError:
            return "a pattern of the tool's schema takes too long on them."
        if not isinstance(found, ValidationError):
            return ""
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in found.absolute_path
        ).lstrip(".")
        said = _shorten(found.message)
        return f"{place}: {said}." if place else f"{said}."

    @cached_property
    def _validator(self) -> Any:
        from jsonschema.validators import Draft202012Validator, extend, validator_for
        from referencing import Registry

        schema = dict(self.spec.parameters)
        if "properties" in schema and not _OPEN.intersection(schema):
            # An argument that nobody reads was meant for something: better said than lost.
            schema["additionalProperties"] = False
        kind = validator_for(schema, default=Draft202012Validator)
        follow = kind.VALIDATORS.get("$ref")

        def ref(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._left -= 1
            if self._left < 0:
                raise RecursionError
            yield from follow(validator, value, instance, schema)

        checks = {**_CHECKS, "$ref": ref} if follow else _CHECKS
        # An empty registry: the default one would fetch a `$ref` from wherever it points to.
        return extend(kind, checks)(schema, registry=Registry())


def _shorten(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    # The value stands first and the complaint last: the middle is what can be spared.
    if len(text) <= 3 * _SHOWN:
        return text
    return f"{text[:_SHOWN]} … {text[-_SHOWN:]}"


def _found(pattern: str, text: str) -> bool:
    import regex

    try:
        return regex.search(pattern, text, timeout=_PATTERN_S) is not None
    except regex.error:
        return True


def _check_pattern(validator: Any, pattern: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and isinstance(pattern, str) and not _found(pattern, value):
        yield ValidationError(f"{value!r} does not match the pattern {pattern}")


def _check_pattern_properties(
    validator: Any, patterns: Any, value: Any, schema: Any
) -> Iterator[Any]:
    if not isinstance(value, dict) or not isinstance(patterns, dict):
        return
    for pattern, below in patterns.items():
        for name, item in value.items():
            if _found(pattern, name):
                yield from validator.descend(item, below, path=name, schema_path=pattern)


def _check_additional(validator: Any, rule: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties") or {}, schema.get("patternProperties") or {}
    for name, item in value.items():
        if name in known or any(_found(pattern, name) for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError(f"there is no argument “{name}”; {_known(known)}")
        elif isinstance(rule, dict):
            yield from validator.descend(item, rule, path=name)


def _known(properties: Mapping[str, Any]) -> str:
    return f"known are {', '.join(properties)}" if properties else "none is taken"


_CHECKS: dict[str, Callable[..., Iterator[Any]]] = {
    "pattern": _check_pattern,
    "patternProperties": _check_pattern_properties,
    "additionalProperties": _check_additional,
}


class CheckedTool:
    """A tool that reads its arguments with suspicion and then does `run`."""

    def __init__(self, spec: ToolSpec) -> None:
        self._arguments = Arguments(spec)

    @property
    def spec(self) -> ToolSpec:
        """See `Tool.spec`."""
        return self._arguments.spec

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec.name!r})"

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """See `Tool.__call__`."""
        return await self.run(self._arguments.read(arguments))

    async def run(self, arguments: dict[str, Any]) -> str:
        """The answer to arguments that fit the schema, or raise `ToolError`."""
        raise NotImplementedError
