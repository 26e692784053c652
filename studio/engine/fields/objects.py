"""Values against the JSON Schema of their type."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.errors import ParseError
from studio.engine.fields.brackets import shorten
from studio.engine.fields.constraints import is_multiple, is_number
from studio.engine.fields.patterns import found_in

_MOST_ERRORS = 20
"""How many are looked at to find the one that says most."""
_MOST_REFERENCES = 10_000
"""How many references one check may follow: a small schema can ask for endless work."""

_PATIENCE_S = 1.0
"""How long all patterns of one check may take together."""


@lru_cache(maxsize=500)
def schema_check(schema: str) -> SchemaCheck:
    """The check of a schema in JSON; made once for each schema."""
    return SchemaCheck(json.loads(schema))


class SchemaCheck:
    """Says what is wrong with a value under one schema, with a bound on the work."""

    def __init__(self, schema: dict[str, Any]) -> None:
        # Here, because jsonschema takes longer to import than the whole engine.
        from jsonschema import Draft202012Validator, ValidationError
        from jsonschema.validators import extend
        from referencing import Registry

        follow = Draft202012Validator.VALIDATORS["$ref"]

        def ref(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._left -= 1
            if self._left < 0:
                raise RecursionError
            yield from follow(validator, value, instance, schema)

        def pattern(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            if time.monotonic() > self._until:
                raise ParseError(f"{self._field}: its patterns took too long. Write simpler ones.")
            if isinstance(instance, str) and not found_in(value, instance, field=self._field):
                yield ValidationError(f"{shorten(instance)!r} does not match {value!r}")

        def multiple_of(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            if is_number(instance) and not is_multiple(instance, value):
                yield ValidationError(f"{instance} is not a multiple of {value}")

        def unique(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            if value and isinstance(instance, list) and not _all_different(instance):
                yield ValidationError("two of its items are the same")

        checks = {
            "$ref": ref,
            "pattern": pattern,
            "multipleOf": multiple_of,
            "uniqueItems": unique,
        }
        kind = extend(Draft202012Validator, checks)
        self._validator = kind(schema, registry=Registry())
        self._left = 0
        self._field = ""
        self._until = 0.0

    def problem(self, value: Any, field: str) -> str:
        """A sentence that begins with the path of what is wrong; empty when nothing is."""
        from jsonschema.exceptions import best_match

        self._left, self._field = _MOST_REFERENCES, field
        self._until = time.monotonic() + _PATIENCE_S
        try:
            error = best_match(islice(self._validator.iter_errors(value), _MOST_ERRORS))
        except RecursionError:
            return f"{field}: its JSON Schema refers to itself too often to be checked."
        except ParseError as slow:
            return str(slow)
        if error is None:
            return ""
        path = str(error.json_path).removeprefix("$")
        return f"{field}{shorten(path, 200)}: {shorten(error.message, 200)}."


def _all_different(items: list[Any]) -> bool:
    """Whether no two items are the same JSON; in linear time, unlike comparing pairs."""
    return len({canonical_json(_normal(item)) for item in items}) == len(items)


def _normal(value: Any) -> Any:
    """In JSON Schema 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    return value
