"""Saved programs become pipelines; DSPy's states give a drawing their instructions."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from studio.accounts.models import AuditEntry, Project, User
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.graph import build
from studio.engine.saving.programs import dump_program, dump_state
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.pipelines.imports import MOST_FILE, import_pipeline, take_over_instructions
from studio.pipelines.instructions import with_instructions
from studio.pipelines.models import Pipeline
from tests import builders

pytestmark = pytest.mark.django_db

NEW, UPLOAD = "/p/support/pipelines/new/", "/p/support/pipelines/upload/"
DEMO = Demo(values={"message": "Two invoices came.", "category": "billing"})


def saved(
    *, instruction: str = "Choose the team.", demos: tuple[Demo, ...] = (DEMO,), **provenance: Any
) -> dict[str, Any]:
    """A compiled program, as `dump_program` writes it."""
    state = PredictorState(instruction=instruction, demos=demos)
    return dump_program(
        builders.make_spec(), Candidate({"classify": state}), provenance=provenance
    )


def as_bytes(data: Any) -> bytes:
    return json.dumps(data).encode()


def file(data: Any, name: str = "triage.json") -> SimpleUploadedFile:
    """What a browser sends."""
    return SimpleUploadedFile(name, data if isinstance(data, bytes) else as_bytes(data))


def dspy_state(**predictors: str) -> dict[str, Any]:
    """What DSPy's `program.save("state.json")` writes, with these instructions."""
    fields = [
        {"prefix": "Message:", "description": "${message}"},
        {"prefix": "Category:", "description": "${category}"},
    ]
    return {
        "metadata": {"dependency_versions": {"dspy": "3.0"}},
        **{
            path: {
                "traces": [],
                "train": [],
                "demos": [{"message": "Hello", "category": "billing"}],
                "signature": {"instructions": text, "fields": fields},
                "lm": None,
            }
            for path, text in predictors.items()
        },
    }


def instruction_of(pipeline: Pipeline) -> str:
    pipeline.refresh_from_db()
    return str(pipeline.spec["nodes"][1]["signature"]["instruction"])


# ── A saved program ──────────────────────────────────────────────────────────────────────────────


def test_a_program_becomes_a_pipeline_with_its_instructions(alice: User, project: Project) -> None:
    data = as_bytes(saved(pipeline="Support triage", artifact="a" * 64))
    made = import_pipeline(actor=alice, project=project, data=data)
    assert (made.pipeline.name, made.pipeline.slug) == ("Support triage", "support-triage")
    assert instruction_of(made.pipeline) == "Choose the team."
    expected = builders.make_spec()
    expected["nodes"][1]["signature"]["instruction"] = "Choose the team."
    assert made.pipeline.spec == expected, "nothing else has changed"
    assert made.notes == ("1 demo is not taken over: only a compile makes demos.",)
    entry = AuditEntry.objects.get(action="pipeline.import")
    assert (entry.actor, entry.detail["artifact"]) == (alice, "a" * 64)


def test_calibration_is_told_too(alice: User, project: Project) -> None:
    state = PredictorState(
        instruction="Sort.", calibration={"category": {"billing": 0.5, "shipping": 0.0}}
    )
    data = as_bytes(dump_program(builders.make_spec(), Candidate({"classify": state})))
    made = import_pipeline(actor=alice, project=project, data=data)
    assert made.notes == ("The calibration is not taken over: only a compile makes it.",)


@pytest.mark.parametrize(
    ("name", "filename", "provenance", "called"),
    [
        ("  My   own ", "x.json", {"pipeline": "Triage"}, "My own"),
        ("", "x.json", {"pipeline": "Triage"}, "Triage"),
        ("", "../My file.json", {}, "My file"),
        ("", "x.json", {"pipeline": ["no", "text"]}, "x"),
        ("", "x.json", {"pipeline": "a" * 200}, "a" * 80),
        ("", "x.json", {"pipeline": "\0 \ud83d <b>"}, "? <b>"),
        ("", "", {}, "Imported pipeline"),
    ],
)
def test_its_name_is_given_or_found(
    alice: User, project: Project, name: str, filename: str, provenance: Any, called: str
) -> None:
    data = as_bytes(saved(**provenance))
    made = import_pipeline(actor=alice, project=project, data=data, name=name, filename=filename)
    assert made.pipeline.name == called


def changed(**parts: Any) -> bytes:
    return as_bytes({**saved(), **parts})


def edited(change: Any) -> bytes:
    data = copy.deepcopy(saved())
    change(data)
    return as_bytes(data)


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"  \n", "is empty"),
    "no JSON": (b"{'spec': 1}", "no JSON"),
    "no object": (b"[1]", "expected a JSON object"),
    "no UTF-8": (b"\xff\xfe{}", "no UTF-8"),
    "pickle": (pickle.dumps({"a": 1}), "pickle"),
    "archive": (b"PK\x03\x04rest", "archive"),
    "twice": (b'{"format": 1, "format": 2}', "stands twice"),
    "deep": (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested deeper"),
    "NaN": (b'{"format": NaN}', "not a number"),
    "something else": (as_bytes({"rows": []}), "no saved program"),
    "messages": (as_bytes({"format": "compile-studio/messages"}), "no saved program"),
    "newer": (changed(version=99), "newer studio"),
    "no version": (changed(version=None), "whole number"),
    "no spec": (changed(spec=None), "no spec"),
    "spec of another version": (changed(spec={"version": 7}), "does not build here"),
    "no states": (changed(states=None), "“states” must be an object"),
    "states of another": (changed(states={}), "is for another program"),
    "provenance": (changed(provenance=[1]), "provenance is no object"),
    "unwired": (edited(lambda data: data["spec"].update(edges=[])), "does not build here"),
    "unknown kind": (
        edited(lambda data: data["spec"]["nodes"][1].update(kind="not_here")),
        "does not build here",
    ),
    "deep type": (
        edited(
            lambda data: data["spec"]["nodes"][1]["signature"]["fields"][0].update(
                type="list[" * 3_000 + "str" + "]" * 3_000
            )
        ),
        "nested",
    ),
    "long type": (
        edited(
            lambda data: data["states"]["classify"]["signature"]["fields"][0].update(
                type="list[" * 20_000 + "str" + "]" * 20_000
            )
        ),
        "longer than",
    ),
    "zero": (as_bytes(saved(instruction="a\0b")), "character zero"),
    "half a character": (as_bytes(saved(instruction="a\ud83d")), "no text can"),
    "half a character in a path": (
        edited(lambda data: data["states"].update({"\ud83d": data["states"]["classify"]})),
        "is for another program",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_program_is_told_at_the_field(
    project: Project, as_alice: Client, name: str
) -> None:
    data, says = BAD_FILES[name]
    answer = as_alice.post(UPLOAD, {"file": file(data)})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert 'id="file-file_error"' in page
    assert not project.pipelines.exists(), "nothing is left half made"
    assert not AuditEntry.objects.exists()


def test_what_is_larger_than_two_megabytes_is_refused(
    alice: User, project: Project, as_alice: Client
) -> None:
    large = as_bytes(saved(padding="x" * MOST_FILE))
    answer = as_alice.post(UPLOAD, {"file": file(large)})
    assert answer.status_code == 422
    assert "larger than 2 MB" in answer.content.decode()
    with pytest.raises(Invalid, match="larger than 2 MB"):
        import_pipeline(actor=alice, project=project, data=large)


def test_a_drawing_that_is_too_large_is_rolled_back(alice: User, project: Project) -> None:
    data = as_bytes(saved(instruction="x" * 1_100_000, demos=()))
    with pytest.raises(Invalid, match="1,000,000 is the most"):
        import_pipeline(actor=alice, project=project, data=data)
    assert not project.pipelines.exists()


def test_a_state_without_a_drawing_tells_what_to_do(project: Project, as_alice: Client) -> None:
    ours = as_alice.post(UPLOAD, {"file": file(dump_state(build(builders.make_spec())))})
    assert "without a drawing" in ours.content.decode()
    theirs = as_alice.post(UPLOAD, {"file": file(dspy_state(classify="Sort."))})
    assert theirs.status_code == 422
    assert "Draw the pipeline first" in theirs.content.decode()
    alone = dspy_state(classify="Sort.")["classify"]
    assert (
        "Draw the pipeline first" in as_alice.post(UPLOAD, {"file": file(alone)}).content.decode()
    )


def test_the_page_takes_a_file_and_opens_the_pipeline(project: Project, as_alice: Client) -> None:
    assert f'action="{UPLOAD}"' in as_alice.get(NEW).content.decode()
    data = saved(instruction="<script>alert(1)</script>", pipeline="<b>Sorting</b>")
    answer = as_alice.post(UPLOAD, {"file": file(data), "name": ""}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [("/p/support/pipelines/bsortingb/outline/", 302)]
    assert "Ready to compile" in page
    assert "1 demo is not taken over" in page
    assert "<script>alert" not in page
    assert "<b>Sorting" not in page
    assert as_alice.get("/p/support/pipelines/bsortingb/").status_code == 200


@pytest.mark.parametrize(
    ("form", "says"),
    [({}, "Choose a file first"), ({"name": "x" * 81}, "at most 80")],
)
def test_a_form_without_what_it_needs_is_shown_again(
    project: Project, as_alice: Client, form: dict[str, Any], says: str
) -> None:
    more = {"file": file(saved())} if "name" in form else {}
    answer = as_alice.post(UPLOAD, {**form, **more})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not project.pipelines.exists()
    assert as_alice.get(UPLOAD).headers["Location"] == NEW


def test_authors_import_viewers_do_not_and_strangers_find_nothing(
    project: Project, charlie: User, as_charlie: Client
) -> None:
    viewer = builders.make_user("vera")
    project.memberships.create(user=viewer, role="viewer")
    assert builders.make_client(viewer).post(UPLOAD, {"file": file(saved())}).status_code == 403
    assert as_charlie.post(UPLOAD, {"file": file(saved())}).status_code == 404
    data = as_bytes(saved())
    with pytest.raises(NotAllowed):
        import_pipeline(actor=viewer, project=project, data=data)
    with pytest.raises(NotFound):
        import_pipeline(actor=charlie, project=project, data=data)
    assert not project.pipelines.exists()


def test_a_reviewer_may_import(project: Project, as_bob: Client) -> None:
    assert as_bob.post(UPLOAD, {"file": file(saved())}).status_code == 302


def test_the_download_of_a_review_can_be_uploaded(
    project: Project, alice: User, as_alice: Client
) -> None:
    spec = builders.make_spec()
    compiled = Candidate({"classify": PredictorState(instruction="Better.", demos=(DEMO,))})
    version = builders.make_version(builders.make_pipeline(project, spec=spec))
    artifact = builders.make_artifact(
        project, version=version, content={"spec": spec, "candidate": compiled.to_dict()}
    )
    got = as_alice.get(f"/p/support/artifacts/{artifact.hash}/program/").content
    made = import_pipeline(actor=alice, project=project, data=got)
    assert (made.pipeline.name, made.pipeline.slug) == ("Triage", "triage-2")
    assert build(made.pipeline.spec).candidate().states["classify"].instruction == "Better."


# ── Instructions in a drawing ────────────────────────────────────────────────────────────────────


def test_equal_instructions_leave_the_drawing_alone() -> None:
    spec = builders.make_spec()
    same, left = with_instructions(spec, build(spec).candidate())
    assert same is spec
    assert left == ()


def nested() -> dict[str, Any]:
    """A step whose pipeline is drawn inside of it."""
    spec = builders.make_spec(kind="majority")
    spec["nodes"][1]["parts"] = {"body": builders.make_spec()}
    return spec


def test_a_step_inside_a_step_gets_its_own_instruction() -> None:
    spec = nested()
    program = build(spec)
    (path,) = program.predictors
    candidate = Candidate({path: PredictorState(instruction="Inside.")})
    drawn, left = with_instructions(spec, candidate)
    assert left == ()
    inner = drawn["nodes"][1]["parts"]["body"]["nodes"][1]["signature"]
    assert inner["instruction"] == "Inside."
    assert drawn["nodes"][1]["signature"] == spec["nodes"][1]["signature"]
    assert build(drawn).candidate() == candidate
    assert spec == nested(), "what was given is as it was"


def test_steps_of_one_name_in_two_parts_are_told_apart() -> None:
    spec = builders.make_spec(kind="router")
    router = spec["nodes"][1]
    router["params"] = {"cases": ["billing", "other"]}
    router["parts"] = {"billing": builders.make_spec(), "other": builders.make_spec()}
    paths = list(build(spec).predictors)
    states = {path: PredictorState(instruction=f"For {path}.") for path in paths}
    drawn, left = with_instructions(spec, Candidate(states))
    assert len(paths) == 3
    assert left == ()
    assert build(drawn).candidate() == Candidate(states)


def test_what_a_step_writes_by_itself_is_left_out_and_told(alice: User, project: Project) -> None:
    spec = builders.make_spec(kind="react")
    spec["nodes"][1]["params"] = {"tools": ["search"]}
    states = dict(build(spec).candidate().states)
    states["classify.next"] = PredictorState(instruction="Think first.")
    states["classify.extract"] = PredictorState(instruction="Its own words.")
    drawn, left = with_instructions(spec, Candidate(states))
    assert drawn["nodes"][1]["signature"]["instruction"] == "Think first."
    assert left == ("classify.extract",)
    data = as_bytes(dump_program(spec, Candidate(states)))
    made = import_pipeline(actor=alice, project=project, data=data)
    assert "“classify.extract” is not taken over" in made.notes[0]


def test_a_step_of_which_nothing_fits_stays_as_it_was() -> None:
    spec = builders.make_spec(kind="react")
    spec["nodes"][1]["params"] = {"tools": ["search"]}
    states = dict(build(spec).candidate().states)
    states["classify.extract"] = PredictorState(instruction="Its own words.")
    drawn, left = with_instructions(spec, Candidate(states))
    assert drawn == spec
    assert left == ("classify.extract",)


# ── A state that DSPy saved ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return builders.make_pipeline(project)


STATE_URL = "/p/support/pipelines/triage/instructions/"


def test_instructions_of_dspy_go_into_the_drawing(pipeline: Pipeline, as_alice: Client) -> None:
    assert (
        f'action="{STATE_URL}"'
        in as_alice.get("/p/support/pipelines/triage/outline/").content.decode()
    )
    state = dspy_state(classify="Choose <i>one</i> team.")
    state["classify"]["lm"] = {"model": "openai/gpt-4o-mini"}
    answer = as_alice.post(STATE_URL, {"file": file(state), "revision": 1}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [("/p/support/pipelines/triage/outline/", 302)]
    assert "The instructions are taken over." in page
    assert "1 demo is not taken over" in page
    assert "the LM saved with it" in page
    assert "<i>one" not in page
    assert instruction_of(pipeline) == "Choose <i>one</i> team."
    assert pipeline.revision == 2
    assert AuditEntry.objects.filter(action="pipeline.take-over-instructions").count() == 1


def test_the_same_state_twice_changes_nothing(pipeline: Pipeline, as_alice: Client) -> None:
    for revision in (1, 2):
        form = {"file": file(dspy_state(classify="Sort well.")), "revision": revision}
        page = as_alice.post(STATE_URL, form, follow=True).content.decode()
    assert "nothing changed" in page
    pipeline.refresh_from_db()
    assert pipeline.revision == 2


def test_somebody_who_saved_since_is_not_overwritten(
    alice: User, pipeline: Pipeline, as_alice: Client
) -> None:
    data = as_bytes(dspy_state(classify="Sort well."))
    with pytest.raises(Conflict):
        take_over_instructions(actor=alice, pipeline=pipeline, data=data, base_revision=7)
    assert as_alice.post(STATE_URL, {"file": file(data), "revision": 7}).status_code == 409
    assert instruction_of(pipeline) == "Sort the message into one category."


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (pickle.dumps([1]), "pickle"),
        (as_bytes({}), "holds no predictor"),
        (as_bytes({"rows": []}), "is no predictor"),
        (as_bytes(saved()), "not saved by DSPy"),
        (as_bytes(dspy_state(one="x", two="y")), "has a predictor “one”"),
        (as_bytes(dspy_state(**{"\ud83d": "x", "two": "y"})), "has a predictor"),
        (as_bytes(dspy_state(classify="a\0b")), "character zero"),
        (as_bytes(dspy_state(classify="a\ud83d")), "no text can"),
        (as_bytes(dspy_state(classify="x" * 1_100_000)), "is the most"),
    ],
)
def test_a_file_that_does_not_fit_is_told_at_the_field(
    pipeline: Pipeline, as_alice: Client, data: bytes, says: str
) -> None:
    answer = as_alice.post(STATE_URL, {"file": file(data), "revision": 1})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert 'id="file-file_error"' in page
    assert instruction_of(pipeline) == "Sort the message into one category."


@pytest.mark.parametrize("revision", ["", "x", -1, 2**40])
def test_a_revision_that_is_none_is_refused(
    pipeline: Pipeline, as_alice: Client, revision: Any
) -> None:
    form = {"file": file(dspy_state(classify="x")), "revision": revision}
    assert as_alice.post(STATE_URL, form).status_code == 422


def test_a_drawing_that_does_not_build_has_to_be_put_right_first(
    project: Project, as_alice: Client
) -> None:
    builders.make_pipeline(project, spec={**builders.make_spec(), "edges": []})
    form = {"file": file(dspy_state(classify="x")), "revision": 1}
    page = as_alice.post(STATE_URL, form).content.decode()
    assert "Put the drawing right first" in page


def test_a_file_with_many_notes_shows_some_of_them(pipeline: Pipeline, as_alice: Client) -> None:
    state = dspy_state(classify="Sort well.")
    state["classify"] |= {f"extra{n}": n for n in range(500)}
    form = {"file": file(state), "revision": 1}
    page = as_alice.post(STATE_URL, form, follow=True).content.decode()
    assert page.count("is not taken over.") == 8
    assert "And 493 more of the kind." in page


def test_only_authors_take_over(pipeline: Pipeline, as_charlie: Client, charlie: User) -> None:
    viewer = builders.make_user("vera")
    pipeline.project.memberships.create(user=viewer, role="viewer")
    as_viewer = builders.make_client(viewer)
    form = {"file": file(dspy_state(classify="x")), "revision": 1}
    assert as_viewer.post(STATE_URL, form).status_code == 403
    assert as_charlie.post(STATE_URL, form).status_code == 404
    page = as_viewer.get("/p/support/pipelines/triage/outline/").content.decode()
    assert "Instructions from DSPy" not in page
    with pytest.raises(NotAllowed):
        take_over_instructions(actor=viewer, pipeline=pipeline, data=b"{}", base_revision=1)
    with pytest.raises(NotFound):
        take_over_instructions(actor=charlie, pipeline=pipeline, data=b"{}", base_revision=1)
