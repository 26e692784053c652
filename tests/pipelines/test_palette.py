"""What the canvas may add, and what it knows of the pipelines inside a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.engine.errors import SignatureError
from studio.engine.modules import MODULES
from studio.engine.params import read_params
from studio.engine.signature import Field, Signature
from studio.pipelines.palette import palette
from studio.pipelines.signature_forms import NEED_PARTS
from tests.builders import make_pipeline, make_project

pytestmark = pytest.mark.django_db
PARTS = json.loads((Path(__file__).parents[1] / "fixtures" / "kind_parts.json").read_text())


@pytest.mark.parametrize("row", PARTS, ids=lambda row: row["name"])
def test_the_canvas_knows_the_parts_of_a_node(row: dict[str, Any]) -> None:
    kind = MODULES[row["kind"]]
    signature = Signature.parse(row["signature"])
    params = read_params(kind.params, row["params"])
    if "refused" in row:
        with pytest.raises(SignatureError) as error:
            kind.parts(signature, params)
        assert str(error.value) == row["refused"]
        return
    parts = kind.parts(signature, params)
    assert row["parts"] == [
        {
            "name": part.name,
            "inputs": [shown(field) for field in part.inputs],
            "outputs": [shown(field) for field in part.outputs],
            "required": part.required,
        }
        for part in parts
    ]


def test_the_canvas_knows_the_parts_of_every_kind() -> None:
    assert {row["kind"] for row in PARTS} == set(MODULES)


def test_the_canvas_is_told_the_other_pipelines_of_the_project() -> None:
    project = make_project()
    make_pipeline(project, "triage")
    make_pipeline(make_project(slug="other"), "secret")
    assert [found["slug"] for found in palette(project)["pipelines"]] == ["triage"]


def test_saved_steps_are_of_kinds_that_run_without_a_pipeline_inside() -> None:
    """A saved step has no pipelines of its own: the other kinds could never run."""
    named = {row["kind"] for row in PARTS if row["name"] == row["kind"] and row["parts"]}
    required = {row["kind"] for row in PARTS for part in row.get("parts", []) if part["required"]}
    by_case = {
        row["kind"]
        for row in PARTS
        for part in row.get("parts", [])
        if part["name"] == "otherwise"
    }
    assert required | by_case == NEED_PARTS
    assert named > NEED_PARTS


def shown(field: Field) -> str:
    """`message: str`."""
    return f"{field.name}: {field.type}"
