"""What one request may cost: the largest drawings there are, and those made to be slow."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.engine.drawing import Drawing
from studio.engine.graph import edits
from studio.engine.graph.code.problems import CodeError
from studio.engine.graph.code.read import from_python
from studio.engine.graph.code.write import to_python
from studio.engine.signature import Signature
from studio.pipelines.outline_forms import MOST_OPTIONS, step_form
from studio.pipelines.prompts import MOST_LETTERS, prompts_of
from studio.pipelines.wording import word_diff
from tests import builders

API = "/api/projects/support/pipelines/triage/"


def crowd(steps: int, inputs: int = 1) -> dict[str, Any]:
    """Many steps beside each other, and one that has many inputs."""
    drawing = Drawing(inputs="text")
    for number in range(steps):
        drawing.step(f"s{number}", "predict", "text -> answer", text=drawing.given.text)
    names = ", ".join(f"f{number}" for number in range(inputs))
    drawing.step("many", "predict", f"{names} -> answer", f0=drawing.given.text)
    drawing.answer(answer=drawing.given.text)
    return drawing.spec()


@pytest.mark.timeout(20)
def test_long_texts_are_compared_by_their_ends() -> None:
    chance = random.Random(1)
    lines = [f"{number:03d}\n" for number in range(150)]
    middles = ["".join(chance.choice(lines) for _ in range(60_000)) for _ in range(2)]
    old, new = (f"first\n{middle}last\n" for middle in middles)
    pieces = word_diff(old, new)
    assert [piece.kind for piece in pieces] == ["same", "removed", "added", "same"]
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new
    assert [piece.kind for piece in word_diff(old, old)] == ["same"]
    assert [piece.kind for piece in word_diff(old, old + "more\n")] == ["same", "added"]


def test_prompts_come_to_an_end() -> None:
    body = Drawing(inputs="text")
    last = body.step("s0", "predict", "text -> answer", text=body.given.text)
    for number in range(1, 200):
        last = body.step(f"s{number}", "predict", "text -> answer", text=last.answer)
    body.answer(answer=last.answer)
    node = {
        "id": "a",
        "kind": "subpipeline",
        "name": "a",
        "position": {"x": 0, "y": 0},
        "signature": Signature.parse("text -> answer").to_dict(),
        "params": {},
        "parts": {"body": body.spec()},
    }
    long = "x" * 100_000
    said = prompts_of(node, {"text": long})
    texts = [prompt.text for asked in said.asked for prompt in asked.prompts]
    assert long in texts[0]
    assert "too long" in texts[-1]
    assert sum(map(len, texts)) < MOST_LETTERS + 4 * len(long)


@pytest.mark.timeout(20)
def test_code_of_many_notes_is_read_back_at_once() -> None:
    def noted(word: str) -> dict[str, Any]:
        notes = [
            {"id": f"t{at}", "text": f"{word} {at} " + "w" * 1_500, "position": {"x": at, "y": 0}}
            for at in range(500)
        ]
        return {**crowd(1), "notes": notes}

    old, new = noted("old"), noted("new")
    kept = from_python(to_python(new), old)
    assert [note["id"] for note in kept["notes"]] == [note["id"] for note in old["notes"]]
    assert {note["text"] for note in kept["notes"]} == {note["text"] for note in new["notes"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [("a\n" * 90_000, "lines"), ("1;" * 90_000, "lines"), ("f'{a}'" * 90_000, "braces")],
)
def test_code_that_is_slow_to_parse_is_refused(text: str, says: str) -> None:
    with pytest.raises(CodeError, match=says):
        from_python(text)


@pytest.mark.timeout(60)
def test_a_form_offers_so_many_sources_and_no_more() -> None:
    spec = edits.mended(crowd(1_500, inputs=150))
    (many,) = (node for node in spec["nodes"] if node["name"] == "many")
    form = step_form(spec, many["id"], ())
    assert MOST_OPTIONS <= form.options <= MOST_OPTIONS + 1_600 + 150
    assert not form.wires[0].is_short
    assert form.wires[-1].is_short
    assert form.wires[-1].groups == ()
    short = step_form(spec, many["id"], (), most_options=0)
    ((title, (chosen,)),) = short.wires[0].groups
    assert (title, chosen.label, chosen.chosen) == ("As it is", "input.text", True)


@pytest.mark.django_db
def test_sources_are_shared_by_all_open_forms(as_alice: Client, project: Project) -> None:
    pipeline = builders.make_pipeline(project, "Crowd", spec=crowd(300))
    ids = [node["id"] for node in pipeline.spec["nodes"]][1:200]
    page = as_alice.get("/p/support/pipelines/crowd/outline/", {"open": ids}).content.decode()
    assert page.count("Does not fit") + page.count("Fits") <= 150
    assert page.count("<option") < 60_000


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["versions", "prompts", "check", "code", "read-code"])
def test_half_a_character_is_refused_at_every_door(
    as_alice: Client, project: Project, door: str
) -> None:
    builders.make_pipeline(project)
    for body in ({"message": "\ud800"}, {"node": {"name": "\ud800"}}, {"spec": {"a": ["\udfff"]}}):
        answer = as_alice.post(f"{API}{door}/", json.dumps(body), content_type="application/json")
        assert answer.status_code == 422
        assert "half a character" in answer.json()["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [
        {"revision": "0" * 11 + "9" * 5_000},
        {"revision": "1", "op": "save", "node": "n2", "form": "step", "field.0.max": "[" * 5_000},
        {"revision": "1", "op": "save", "node": "n2", "form": "step", "wire.message": "[" * 5_000},
    ],
    ids=["revision", "bound", "wire"],
)
def test_odd_forms_get_a_sentence(
    as_alice: Client, project: Project, data: dict[str, str]
) -> None:
    pipeline = builders.make_pipeline(project)
    answer = as_alice.post("/p/support/pipelines/triage/outline/edit/", data)
    assert answer.status_code == 422
    pipeline.refresh_from_db()
    assert pipeline.revision == 1
