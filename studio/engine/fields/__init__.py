"""Field types: one lattice that the prompt, the parser, the canvas and the API share."""

from studio.engine.fields.brackets import shorten, split_outside
from studio.engine.fields.constraints import (
    NO_CONSTRAINTS,
    Constraints,
    check_applies,
    check_constraints,
)
from studio.engine.fields.converters import CONVERTERS, Converter, converters
from studio.engine.fields.lattice import accepts
from studio.engine.fields.schemas import is_strict, json_schema, signature_schema
from studio.engine.fields.types import (
    MOST_NESTED,
    NAME,
    SCALARS,
    STR,
    FieldType,
    parse_type,
)
from studio.engine.fields.values import read_json, read_value, write_value

__all__ = [
    "CONVERTERS",
    "MOST_NESTED",
    "NAME",
    "NO_CONSTRAINTS",
    "SCALARS",
    "STR",
    "Constraints",
    "Converter",
    "FieldType",
    "accepts",
    "check_applies",
    "check_constraints",
    "converters",
    "is_strict",
    "json_schema",
    "parse_type",
    "read_json",
    "read_value",
    "shorten",
    "signature_schema",
    "split_outside",
    "write_value",
]
