"""The tables that the canvas keeps too: what they say is what the engine does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.engine.errors import SignatureError
from studio.engine.fields import parse_type
from studio.engine.graph import check
from studio.engine.signature import Signature

FIXTURES = Path(__file__).parents[1] / "fixtures"
RULES = json.loads((FIXTURES / "type_rules.json").read_text())
PROBLEMS = json.loads((FIXTURES / "graph_problems.json").read_text())


@pytest.mark.parametrize(("text", "canonical"), RULES["types"])
def test_a_type_reads(text: str, canonical: str) -> None:
    assert str(parse_type(text)) == canonical


@pytest.mark.parametrize(("text", "message"), RULES["refused_types"])
def test_a_type_is_refused(text: str, message: str) -> None:
    with pytest.raises(SignatureError) as error:
        parse_type(text)
    assert str(error.value) == message


@pytest.mark.parametrize(("text", "whole", "fields"), RULES["signatures"])
def test_a_signature_reads(text: str, whole: str, fields: list[list[str]]) -> None:
    signature = Signature.parse(text)
    assert str(signature) == whole
    assert [[f.name, f.role, str(f.type)] for f in signature.fields] == fields


@pytest.mark.parametrize(("text", "message"), RULES["refused_signatures"])
def test_a_signature_is_refused(text: str, message: str) -> None:
    with pytest.raises(SignatureError) as error:
        Signature.parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize("case", PROBLEMS, ids=lambda case: case["name"])
def test_a_drawing_has_these_problems(case: dict[str, Any]) -> None:
    assert [problem.to_dict() for problem in check(case["spec"])] == case["problems"]
