"""Teacher, proposer, what a compile starts from and what it is compared with."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from studio.accounts.models import User
from studio.engine.compilers import CompileTask, compile_program
from studio.engine.compilers.events import Event
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.scripts import support_triage
from studio.errors import Conflict, Invalid
from studio.lms.services import delete_connection
from studio.reviews.models import Release
from studio.runs import jobs
from studio.runs.execute import execute
from studio.runs.models import Artifact, Run
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[CompileTask]:
    """What the engine was asked to compile."""
    seen: list[CompileTask] = []
    real = compile_program

    async def spy(task: CompileTask) -> AsyncGenerator[Event, None]:
        seen.append(task)
        async for event in real(task):
            yield event

    monkeypatch.setattr(jobs, "compile_program", spy)
    return seen


def artifact_of(run: Run) -> Artifact:
    """What the run ended in."""
    assert run.error == ""
    return Artifact.objects.get(project=run.project, hash=run.report["artifact"])


def release(artifact: Artifact, label: str = "production") -> None:
    """Point the label to it."""
    Release.objects.create(
        project=artifact.project,
        pipeline=artifact.version.pipeline,
        artifact=artifact,
        label=label,
    )


def test_a_teacher_makes_the_traces_under_the_runs_budget(kit: Kit, lab: Lab) -> None:
    teacher = builders.make_connection(kit.project, "teacher")
    run = kit.compile(teacher=teacher)
    artifact = artifact_of(run)
    assert lab.calls_of(teacher) == run.traces.count() > 0
    assert run.calls == lab.calls
    assert run.fingerprints["teacher"]
    assert artifact.content["teacher"]["model"] == "scripted"
    assert artifact.content["hashes"]["teacher"] == run.fingerprints["teacher"]


def test_a_proposer_is_handed_to_the_engine(kit: Kit, lab: Lab, tasks: list[CompileTask]) -> None:
    proposer = builders.make_connection(kit.project, "proposer")
    run = kit.compile(proposer=proposer)
    assert tasks[0].proposer is not None
    assert tasks[0].proposer.lm is not tasks[0].runtime.lm
    assert "proposer" in artifact_of(run).content["hashes"]
    assert artifact_of(run).content["proposer"]["model"] == "scripted"


def test_roles_on_one_connection_share_its_lm(kit: Kit, tasks: list[CompileTask]) -> None:
    kit.compile(proposer=kit.connection, teacher=kit.connection)
    (task,) = tasks
    assert task.proposer is not None
    assert task.teacher is not None
    assert task.proposer.lm is task.runtime.lm is task.teacher.runtime.lm


def test_another_role_is_another_artifact(kit: Kit) -> None:
    teacher = builders.make_connection(kit.project, "teacher")
    plain, taught = kit.compile(), kit.compile(teacher=teacher)
    assert artifact_of(plain).content["candidate"] == artifact_of(taught).content["candidate"]
    assert plain.report["artifact"] != taught.report["artifact"]


def test_a_compiled_program_teaches_on_its_own_lm(
    kit: Kit, lab: Lab, tasks: list[CompileTask]
) -> None:
    strong = builders.make_connection(kit.project, "strong", model="support-triage")
    teaching = artifact_of(kit.compile(connection=strong))
    tasks.clear()
    before = lab.calls_of(strong)
    run = kit.compile(teacher_artifact=teaching)
    teacher = tasks[0].teacher
    assert teacher is not None
    assert teacher.candidate == Candidate.from_dict(teaching.content["candidate"])
    assert teacher.runtime.format == teaching.content["format"]
    assert lab.calls_of(strong) - before == run.traces.count() > 0


def test_a_compiled_program_teaches_on_a_named_lm(
    kit: Kit, lab: Lab, tasks: list[CompileTask]
) -> None:
    teaching = artifact_of(kit.compile())
    teacher = builders.make_connection(kit.project, "teacher")
    run = kit.compile(teacher_artifact=teaching, teacher=teacher)
    assert lab.calls_of(teacher) == run.traces.count() > 0
    found = tasks[-1].teacher
    assert found is not None
    assert found.runtime.format == ""


def test_a_teacher_whose_lm_is_gone_is_refused(kit: Kit) -> None:
    teaching = artifact_of(kit.compile())
    teaching.connection = None
    teaching.save()
    with pytest.raises(Invalid, match="Name a teacher"):
        kit.start(teacher_artifact=teaching)


def two_inputs() -> dict[str, Any]:
    """A pipeline that needs an input that the kit's examples do not have."""
    spec = builders.make_spec()
    spec["nodes"][0]["fields"].append(builders.make_field("mood"))
    spec["nodes"][1]["signature"]["fields"].insert(0, builders.make_field("mood", role="input"))
    spec["edges"].append(builders.make_edge("e3", "n1", "mood", "n2", "mood"))
    return spec


def renamed() -> dict[str, Any]:
    """The same pipeline with another name for its step."""
    spec = builders.make_spec()
    spec["nodes"][1]["name"] = "sort"
    return spec


def artifact_for(kit: Kit, spec: dict[str, Any]) -> Artifact:
    """An artifact of another drawing."""
    pipeline = builders.make_pipeline(kit.project, "other", spec=spec)
    version = builders.make_version(pipeline)
    program = build(spec)
    content = {
        "spec": spec,
        "candidate": program.candidate().to_dict(),
        "signatures": {path: one.to_dict() for path, one in program.predictors.items()},
        "format": "chat",
    }
    return builders.make_artifact(
        kit.project, version=version, content=content, connection=kit.connection
    )


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (two_inputs(), "it needs mood"),
        (renamed(), "other names or fields"),
        (builders.make_spec(labels=("good", "bad")), "other names or fields"),
    ],
)
def test_a_teacher_that_cannot_teach_this_pipeline_is_refused(
    kit: Kit, spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        kit.start(teacher_artifact=artifact_for(kit, spec))
    assert caught.value.problems[0]["field"] == "teacher_artifact"
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (renamed(), "it sets sort, and the pipeline as it is drawn has classify"),
        (builders.make_spec(labels=("good", "bad")), "the fields of classify have changed"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(
    kit: Kit, spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        kit.start(start_artifact=artifact_for(kit, spec))
    assert caught.value.problems[0]["field"] == "start_artifact"
    assert not Run.objects.exists()


def test_a_compile_improves_the_artifact_that_it_starts_from(
    kit: Kit, tasks: list[CompileTask]
) -> None:
    first = artifact_of(kit.compile())
    run = kit.compile(start_artifact=first)
    assert tasks[-1].start == Candidate.from_dict(first.content["candidate"])
    assert artifact_of(run).content["hashes"]["start"] == first.hash


def test_roles_of_another_project_are_refused(kit: Kit, alice: User) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    strange = builders.make_connection(other, "strange")
    artifact = builders.make_artifact(other, connection=strange)
    for role in ("teacher", "proposer"):
        with pytest.raises(Invalid, match="another project"):
            kit.start(**{role: strange})
    for role in ("teacher_artifact", "start_artifact"):
        with pytest.raises(Invalid, match="another project"):
            kit.start(**{role: artifact})
    assert not Run.objects.exists()


def test_the_winner_is_compared_with_what_is_released(kit: Kit, tasks: list[CompileTask]) -> None:
    old, new = artifact_of(kit.compile(seed=1)), artifact_of(kit.compile(seed=2))
    release(old)
    release(new)
    release(old, "staging")
    run = kit.compile(seed=3)
    candidate = Candidate.from_dict(new.content["candidate"])
    assert tasks[-1].release == candidate
    assert run.release_artifact == new
    assert run.report["release"] == {"artifact": new.hash, "candidate": candidate.hash}
    assert run.fingerprints["release"] == new.hash


def test_what_it_is_compared_with_does_not_name_the_artifact(kit: Kit) -> None:
    first = artifact_of(kit.compile())
    release(first)
    assert kit.compile().report["artifact"] == first.hash


def test_a_release_that_does_not_fit_any_more_is_not_compared_with(
    kit: Kit, tasks: list[CompileTask]
) -> None:
    release(artifact_of(kit.compile()))
    kit.pipeline.spec = renamed()
    kit.pipeline.save()
    run = kit.compile()
    assert run.state == State.SUCCEEDED
    assert tasks[-1].release is None
    assert run.release_artifact is None


@pytest.mark.parametrize("role", ["teacher", "proposer"])
@pytest.mark.parametrize("what", ["changed", "deleted"])
def test_a_run_whose_role_was_changed_says_so(kit: Kit, role: str, what: str) -> None:
    connection = builders.make_connection(kit.project, "helper")
    run = kit.start(**{role: connection})
    if what == "changed":
        connection.model = "other"
        connection.save()
    else:
        connection.delete()
    assert execute(run.pk) == State.FAILED
    run.refresh_from_db()
    assert f"The {role}" in run.error
    assert what in run.error


@pytest.mark.parametrize("role", ["teacher", "proposer", "teacher_artifact"])
def test_a_connection_that_a_run_needs_cannot_be_deleted(kit: Kit, role: str) -> None:
    connection = builders.make_connection(kit.project, "helper")
    player: Any = connection
    if role == "teacher_artifact":
        player = artifact_for(kit, builders.make_spec())
        player.connection = connection
        player.save()
    run = kit.start(**{role: player})
    with pytest.raises(Conflict, match="not ended"):
        delete_connection(actor=kit.actor, connection=connection)
    Run.objects.filter(pk=run.pk).update(state=State.PAUSED)
    with pytest.raises(Conflict, match="not ended"):
        delete_connection(actor=kit.actor, connection=connection)


def test_a_run_that_is_interrupted_ends_in_the_same_with_roles(kit: Kit, lab: Lab) -> None:
    teacher = builders.make_connection(kit.project, "teacher")
    start = artifact_of(kit.compile(seed=9))
    options = {"teacher": teacher, "start_artifact": start}
    whole = kit.compile(**options)
    lab.makers["teacher"] = lambda: ScriptedLM(support_triage, latency_s=0.05)
    run = kit.start(**options)
    for _ in range(20):
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        if execute(run.pk, shutting_down=stop) != State.QUEUED:
            break
    run.refresh_from_db()
    assert run.report["artifact"] == whole.report["artifact"]
