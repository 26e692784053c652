"""Tries: all of a pipeline or a part of it, watched while it runs, kept however it ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.engine.errors import GraphError
from studio.engine.graph import build
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, Usage
from studio.engine.rehearsal import NodeNews
from studio.engine.trace import Step
from studio.errors import NotAllowed
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.runs import leases, services
from studio.runs.execute import execute
from studio.runs.live import SHOWN_TEXT, Live
from studio.runs.models import Run
from studio.runs.states import State
from tests import builders
from tests.engine.test_rehearsal import done_by, drawing, end, fork, lm, step
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db

INPUTS = {"question": "Why?", "style": "short"}
API = "/api/projects/support/pipelines/report/"


@pytest.fixture
def report(kit: Kit, lab: Lab) -> Pipeline:
    """plan → draft, and facts beside them; answer takes both."""
    lab.make = lm
    return builders.make_pipeline(kit.project, "report", spec=fork())


def post(client: Client, url: str, body: Any) -> Any:
    """JSON in."""
    return client.post(url, json.dumps(body), content_type="application/json")


def run_it(client: Client, **body: Any) -> dict[str, Any]:
    """Start a try over the API, execute it here, and read it."""
    answer = post(client, f"{API}try/", {"connection": "scripted", "inputs": INPUTS, **body})
    assert answer.status_code == 202, answer.content
    run = answer.json()["run"]
    execute(Run.objects.get(pk=run).pk)
    return dict(client.get(f"/api/projects/support/runs/{run}/").json())


def states(told: dict[str, Any]) -> dict[str, str]:
    """The state of each node."""
    return {name: node["state"] for name, node in told["nodes"].items()}


def test_a_whole_try_tells_every_node(report: Pipeline, as_alice: Client) -> None:
    found = run_it(as_alice)
    assert found["state"] == "succeeded"
    assert found["report"]["outputs"] == {"answer": "answer said"}
    assert set(states(found["report"]).values()) == {"done"}
    plan = found["report"]["nodes"]["plan"]
    assert plan["outputs"] == {"steps": "plan said"}
    assert plan["calls"] == 1
    assert plan["seconds"] >= 0
    assert "plan said" in plan["text"]
    assert found["live"]["nodes"].keys() == found["report"]["nodes"].keys()
    assert states(found["live"]) == states(found["report"])
    assert [one["path"] for one in found["report"]["steps"]] == [
        "facts",
        "plan",
        "draft",
        "answer",
    ]


@pytest.mark.parametrize("until", ["draft", "n9"])
def test_a_try_ends_at_a_step_by_its_name_or_its_id(
    report: Pipeline, lab: Lab, as_alice: Client, until: str
) -> None:
    report.spec["nodes"][2]["id"] = "n9"
    for edge in report.spec["edges"]:
        for at in ("source", "target"):
            edge[at] = "n9" if edge[at] == "draft" else edge[at]
    report.save()
    found = run_it(as_alice, until=until)
    assert found["report"]["outputs"] == {"text": "draft said"}
    assert states(found["report"]) == {
        "plan": "done",
        "draft": "done",
        "facts": "skipped",
        "answer": "skipped",
    }
    assert found["report"]["until"] == "draft"
    assert lab.calls == 2
    page = as_alice.get(found["url"]).content.decode()
    assert "Only run up to" in page


def test_one_node_alone_on_values_of_people(report: Pipeline, lab: Lab, as_alice: Client) -> None:
    given = {"draft": {"text": "<b>Mine</b>"}, "facts": {"facts": "f"}, "plan": {"steps": 1}}
    found = run_it(as_alice, until="answer", given=given, inputs={})
    assert found["state"] == "succeeded"
    assert states(found["report"])["draft"] == "given"
    assert lab.calls == 1
    assert "<b>Mine</b>" in lab.lms[0].requests[0].messages[-1].content
    page = as_alice.get(found["url"]).content.decode()
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "<b>Mine</b>" not in page


def test_a_part_runs_while_the_rest_is_unfinished(
    report: Pipeline, as_alice: Client, kit: Kit
) -> None:
    report.spec["nodes"][2]["signature"] = {"fields": [], "instruction": ""}
    report.spec["nodes"][4] = step("answer", "text facts", "answer", kind="no_such_kind")
    report.spec["nodes"].append(step("lonely", "x", "y", lm="nobody"))
    report.save()
    whole = post(as_alice, f"{API}try/", {"connection": "scripted", "inputs": INPUTS})
    assert whole.status_code == 422
    found = run_it(as_alice, until="facts")
    assert found["state"] == "succeeded"
    assert found["report"]["outputs"] == {"facts": "facts said"}
    assert states(found["report"]) == {
        "facts": "done",
        **dict.fromkeys(("plan", "draft", "answer", "lonely"), "skipped"),
    }
    # The drawing was kept as it is, once; it is no version that anything else could run.
    run_it(as_alice, until="facts")
    version = PipelineVersion.objects.get(pipeline=report)
    assert version.spec == report.spec
    with pytest.raises(GraphError):
        services.start_evaluate(
            actor=kit.actor,
            version=version,
            dataset=kit.dataset,
            metric=kit.metric,
            connection=kit.connection,
            max_calls=10,
        )
    assert as_alice.get(found["url"]).status_code == 200
    told = post(as_alice, f"{API}try/", {"connection": "scripted", "inputs": {}, "until": "draft"})
    assert told.status_code == 422
    assert told.json()["problems"][0]["node"] == "draft"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"until": "nobody"}, "There is no step “nobody”"),
        ({"until": 7}, "until names the step"),
        ({"until": ["plan"]}, "until names the step"),
        ({"until": "plan.body.ask"}, "inside of another step cannot be run alone"),
        ({"given": []}, "given holds values by step and field"),
        ({"given": {"plan": "steps"}}, "given holds values by step and field"),
        ({"given": {"nobody": {}}}, "There is no step “nobody”"),
        ({"given": {"plan": {"stops": 1}}}, "plan has no output “stops”"),
        ({"given": {"plan": {"steps": [1]}}}, "plan: steps: expected"),
        ({"given": {"plan": {}}}, "“steps” is needed and not given"),
        ({"given": {"plan": {"steps": "x" * 600_000}}}, "500,000 is the most"),
        ({"until": "plan", "given": {"plan": {"steps": ""}}}, "choose one of both"),
        ({"until": "draft", "inputs": {"question": "?"}}, "“style” is missing"),
        ({"inputs": {**INPUTS, "strange": 1}}, "no input “strange”"),
    ],
)
def test_what_cannot_be_meant_is_told(
    report: Pipeline, as_alice: Client, body: dict[str, Any], sentence: str
) -> None:
    answer = post(as_alice, f"{API}try/", {"connection": "scripted", "inputs": INPUTS, **body})
    assert answer.status_code == 422
    assert sentence in answer.json()["message"]
    assert not Run.objects.exists()
    assert not PipelineVersion.objects.filter(pipeline=report, runs__isnull=False).exists()


def test_numbers_that_are_none_are_refused(report: Pipeline, as_alice: Client) -> None:
    body = '{"connection": "scripted", "inputs": {}, "given": {"plan": {"steps": NaN}}}'
    answer = as_alice.post(f"{API}try/", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"inputs": {"question": "\0", "style": "x"}}, "character zero"),
        ({"until": "plan", "inputs": {"question": "a", "style": "\0"}}, "character zero"),
        ({"given": {"plan": {"steps": "\0"}}}, "character zero"),
        ({"until": "\ud800"}, "half a character"),
        ({"connection": "\ud800"}, "half a character"),
        ({"inputs": []}, "Send"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_no_database_takes_is_refused(
    report: Pipeline, as_alice: Client, body: dict[str, Any], says: str
) -> None:
    sent = {"connection": "scripted", "inputs": INPUTS, **body}
    answer = post(as_alice, f"{API}try/", sent)
    assert answer.status_code == 422
    assert says in answer.json()["message"]


def test_a_name_with_the_character_zero_is_nobodys(report: Pipeline, as_alice: Client) -> None:
    sent = {"connection": "\0", "inputs": INPUTS}
    assert post(as_alice, f"{API}try/", sent).status_code == 404
    assert as_alice.get(f"{API}examples/?dataset=%00").status_code == 404


def test_a_viewer_may_not_run(report: Pipeline, kit: Kit) -> None:
    viewer = User.objects.create_user("vera")
    kit.project.memberships.create(user=viewer, role="viewer")
    client = builders.make_client(viewer)
    body = {"connection": "scripted", "inputs": INPUTS, "until": "plan"}
    assert post(client, f"{API}try/", body).status_code == 403
    with pytest.raises(NotAllowed):
        services.start_try(
            actor=viewer,
            pipeline=report,
            connection=kit.connection,
            inputs=INPUTS,
            until="plan",
        )
    stranger = builders.make_client(builders.make_user("charly"))
    assert post(stranger, f"{API}try/", body).status_code == 404
    for address in ("last-try", "examples"):
        assert stranger.get(f"{API}{address}/").status_code == 404
        assert client.get(f"{API}{address}/").status_code == 200


def test_a_failed_try_keeps_what_was_done(report: Pipeline, lab: Lab, as_alice: Client) -> None:
    lab.make = lambda: lm(fails="draft")
    found = run_it(as_alice)
    assert found["state"] == "failed"
    assert found["error"] == "draft took too long."
    assert states(found["report"]) == {
        "plan": "done",
        "facts": "done",
        "draft": "failed",
        "answer": "skipped",
    }
    nodes = found["report"]["nodes"]
    assert nodes["plan"]["outputs"] == {"steps": "plan said"}
    assert nodes["draft"]["error"] == "draft took too long."
    assert nodes["answer"]["error"] == "Skipped because draft failed."
    assert {one["path"] for one in found["report"]["steps"]} == {"plan", "facts"}
    assert states(found["live"]) == states(found["report"])
    page = as_alice.get(found["url"]).content.decode()
    assert "draft took too long." in page
    assert "plan said" in page


def test_a_try_that_hits_a_defect_keeps_what_was_told(
    report: Pipeline, kit: Kit, lab: Lab, as_alice: Client
) -> None:
    def answer(request: Request) -> Any:
        if done_by(request) == "draft":
            raise ZeroDivisionError("by zero")
        return lm()._answer(request)

    lab.make = lambda: ScriptedLM(answer)
    run = start(report, kit)
    with pytest.raises(BaseException, match=r"by zero|unhandled"):
        execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "a problem of its own" in run.error
    assert states(run.report)["plan"] == "done"
    assert states(run.report)["draft"] == "skipped"
    page = as_alice.get(run.get_absolute_url())
    assert "a problem of its own" in page.content.decode()


class Held(ScriptedLM):
    """The draft is written word by word, and then waits until it is let go."""

    def __init__(self) -> None:
        super().__init__(lm()._answer)
        self.writing = threading.Event()
        self.go_on = threading.Event()

    async def stream(self, request: Request) -> Any:
        """See `LM.stream`."""
        async for piece in super().stream(request):
            if done_by(request) == "draft" and isinstance(piece, Completion):
                self.writing.set()
                while not self.go_on.is_set():
                    await asyncio.sleep(0.01)
            yield piece


def until_true(look: Callable[[], Any], seconds: float = 20) -> Any:
    """What `look` finds, as soon as it finds something."""
    waiting = threading.Event()
    for _ in range(round(seconds / 0.05)):
        if found := look():
            return found
        waiting.wait(0.05)
    raise AssertionError("It did not come.")


@pytest.fixture
def held(lab: Lab) -> Held:
    """The LM of every run."""
    model = Held()
    lab.make = lambda: model
    return model


def beside(run: Run, on_look: Callable[[Run], None]) -> State | None:
    """Execute a run; `on_look` sees it every half second, as another process would."""
    return execute(run.pk, on_look=on_look)


def start(report: Pipeline, kit: Kit, **options: Any) -> Run:
    return services.start_try(
        actor=kit.actor,
        pipeline=report,
        connection=kit.connection,
        inputs=INPUTS,
        kick=False,
        **options,
    )


def test_while_it_runs_one_sees_how_far_it_is(
    report: Pipeline, kit: Kit, held: Held, as_alice: Client
) -> None:
    run = start(report, kit)
    seen: list[dict[str, Any]] = []

    def look(_: Run) -> None:
        told = as_alice.get(f"/api/projects/support/runs/{run.pk}/").json()
        nodes = told["live"].get("nodes", {})
        if "draft said" in nodes.get("draft", {}).get("text", ""):
            seen.append(told)
            held.go_on.set()

    assert beside(run, look) == State.SUCCEEDED
    told = seen[0]
    assert told["state"] == "running"
    assert told["report"] == {}
    assert states(told["live"]) == {
        "plan": "done",
        "facts": "done",
        "draft": "running",
        "answer": "waiting",
    }
    assert told["live"]["nodes"]["plan"]["outputs"] == {"steps": "plan said"}
    assert told["live"]["nodes"]["draft"]["seconds"] > 0


def test_a_cancelled_try_keeps_what_was_done(
    report: Pipeline, kit: Kit, held: Held, as_alice: Client
) -> None:
    run = start(report, kit)

    def look(_: Run) -> None:
        if held.writing.is_set():
            post(as_alice, f"/api/projects/support/runs/{run.pk}/cancel/", {})

    assert beside(run, look) == State.CANCELLED
    told = as_alice.get(f"/api/projects/support/runs/{run.pk}/").json()
    assert told["state"] == "cancelled"
    assert states(told["report"]) == {
        "plan": "done",
        "facts": "done",
        "draft": "skipped",
        "answer": "skipped",
    }
    assert told["report"]["nodes"]["draft"]["error"] == "The run ended before this step did."
    assert "draft said" in told["report"]["nodes"]["draft"]["text"]
    assert {one["path"] for one in told["report"]["steps"]} == {"plan", "facts"}
    assert states(told["live"]) == states(told["report"])


def test_a_worker_that_lost_its_run_writes_nothing_any_more(report: Pipeline, kit: Kit) -> None:
    run = start(report, kit)
    leases.claim(run.pk, "one")
    assert leases.tell(run.pk, "one", {"nodes": {"plan": {}}})
    assert not leases.tell(run.pk, "two", {"nodes": {}})
    run.refresh_from_db()
    assert run.live == {"nodes": {"plan": {}}}
    leases.finish(run.pk, "one", State.CANCELLED)
    assert not leases.tell(run.pk, "one", {"nodes": {}})


def test_the_last_try_is_ones_own(report: Pipeline, kit: Kit, as_alice: Client) -> None:
    assert as_alice.get(f"{API}last-try/").json() == {}
    first = run_it(as_alice)
    told = as_alice.get(f"{API}last-try/").json()
    assert told == {"inputs": INPUTS, "connection": "scripted", "run": first["run"]}
    # Of a part of it, too; what the part does not need is kept for the next one.
    second = run_it(as_alice, until="facts")
    waiting = post(as_alice, f"{API}try/", {"connection": "scripted", "inputs": INPUTS})
    assert waiting.status_code == 202
    told = as_alice.get(f"{API}last-try/").json()
    assert told == {"inputs": INPUTS, "connection": "scripted", "run": second["run"]}
    other = builders.make_user("anton")
    kit.project.memberships.create(user=other, role="author")
    assert builders.make_client(other).get(f"{API}last-try/").json() == {}
    Run.objects.update(connection=None)
    assert as_alice.get(f"{API}last-try/").json()["connection"] == ""


# Rows of datasets


def test_examples_are_rows_under_the_names_of_the_inputs(kit: Kit, as_alice: Client) -> None:
    rows = [{"Text": f"Message {n}", "urgent": "yes", "category": "billing"} for n in range(60)]
    builders.make_dataset(kit.project, "mail", rows=rows, mapping={"message": "Text"})
    kit.pipeline.spec["nodes"][0]["fields"].append(builders.make_field("urgent", "bool"))
    kit.pipeline.spec["nodes"][0]["fields"].append(builders.make_field("", "nonsense"))
    kit.pipeline.save()
    url = "/api/projects/support/pipelines/triage/examples/"
    found = as_alice.get(url).json()
    assert found == {
        "datasets": [
            {"slug": "mail", "name": "Mail", "rows": 40},
            {"slug": "messages", "name": "Messages", "rows": 32},
        ],
        "rows": [],
        "total": 0,
    }
    found = as_alice.get(url, {"dataset": "mail"}).json()
    assert found["total"] == 40
    assert len(found["rows"]) == 20
    assert found["rows"][0] == {
        "number": 1,
        "split": "train",
        "values": {"message": "Message 0", "urgent": True},
        "expected": {"category": "billing"},
    }
    assert {row["split"] for row in found["rows"]} == {"train", "dev"}
    after = as_alice.get(url, {"dataset": "mail", "offset": "20"}).json()["rows"]
    assert after[0]["number"] > found["rows"][-1]["number"]
    # Of 5 and 50 … 59 what is sealed is not found: every third row.
    some = as_alice.get(url, {"dataset": "mail", "text": "message 5"}).json()
    assert some["total"] == 6
    assert as_alice.get(url, {"dataset": "mail", "text": "Message 2"}).json()["total"] == 6
    assert not as_alice.get(url, {"dataset": "mail", "text": "nowhere"}).json()["rows"]


def test_a_cell_that_is_no_value_of_the_input_is_shown_as_it_is(
    kit: Kit, as_alice: Client
) -> None:
    rows: list[dict[str, Any]] = [{"message": {"a": 1}, "n": "many"}, {"message": None, "n": "2"}]
    builders.make_dataset(kit.project, "odd", rows=rows, splits=["train", "train"])
    kit.pipeline.spec["nodes"][0]["fields"].append(builders.make_field("n", "int"))
    kit.pipeline.save()
    url = "/api/projects/support/pipelines/triage/examples/?dataset=odd"
    first, second = as_alice.get(url).json()["rows"]
    assert first["values"]["n"] == "many"
    assert second["values"] == {"n": 2}


@pytest.mark.parametrize("spec", [{}, {"nodes": [{"kind": "input", "fields": 5}]}])
def test_examples_of_a_drawing_without_inputs(
    kit: Kit, as_alice: Client, spec: dict[str, Any]
) -> None:
    Pipeline.objects.update(spec=spec)
    found = as_alice.get("/api/projects/support/pipelines/triage/examples/?dataset=messages")
    assert found.json()["rows"][0]["values"] == {}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"dataset": "nothing"}, 404),
        ({"dataset": "messages", "offset": "-1"}, 422),
        ({"dataset": "messages", "offset": "²"}, 422),
        ({"dataset": "messages", "offset": "9" * 30}, 422),
        ({"dataset": "messages", "offset": "5000"}, 200),
        ({"dataset": "messages", "text": "\0" + "x" * 5000}, 200),
    ],
)
def test_odd_questions_for_examples(
    kit: Kit, as_alice: Client, asked: dict[str, str], status: int
) -> None:
    answer = as_alice.get("/api/projects/support/pipelines/triage/examples/", asked)
    assert answer.status_code == status
    assert status == 200 or answer.json()["message"]


# What is told


def one_step(path: str, **parts: Any) -> Step:
    fields: dict[str, Any] = {
        "inputs": {},
        "outputs": {},
        "prompt": "",
        "answer": "",
        "scores": {},
        "usage": Usage(calls=1, cost=0.5),
    }
    return Step(path=path, **{**fields, **parts})


def nested() -> Live:
    """A step that is drawn inside, with two steps in there."""
    inner = drawing(
        [
            end("input", "question"),
            step("plan", "question", "steps"),
            step("draft", "steps", "text"),
            end("output", "text"),
        ],
        "input.question plan.question",
        "plan.steps draft.steps",
        "draft.text output.text",
    )
    outer = drawing(
        [
            end("input", "question"),
            step("write", "question", "text", kind="subpipeline", parts={"body": inner}),
            end("output", "text"),
        ],
        "input.question write.question",
        "write.text output.text",
    )
    return Live(build(outer), ["aside"], clock=lambda: 7.0)


def test_steps_inside_are_told_under_their_paths() -> None:
    live = nested()
    live.hear(NodeNews(name="write", state="running"))
    live.write("write.plan", "First ")
    live.write("write.plan", "this.")
    live.write("write.draft", "Dear")
    nodes = live.snapshot()["nodes"]
    assert {name: node["state"] for name, node in nodes.items()} == {
        "aside": "skipped",
        "write": "running",
        "write.plan": "running",
        "write.draft": "running",
    }
    assert nodes["write.plan"]["text"] == "First this."
    # Of a step with several predictors the one that writes is shown.
    assert nodes["write"]["text"] == "Dear"
    steps = (
        one_step("write.plan", outputs={"steps": "s"}),
        one_step("write.plan", outputs={"steps": "no"}, discarded=True),
    )
    live.hear(NodeNews(name="write", state="done", outputs={"text": "t"}, steps=steps))
    nodes = live.report({"text": "t"})["nodes"]
    assert nodes["write.plan"]["state"] == "done"
    assert nodes["write.plan"]["outputs"] == {"steps": "s"}
    assert nodes["write.plan"]["calls"] == 2
    assert nodes["write.plan"]["cost"] == 1.0
    assert nodes["write.draft"]["state"] == "skipped"


def test_inside_of_a_step_that_fails_nothing_goes_on() -> None:
    live = nested()
    live.hear(NodeNews(name="write", state="running"))
    live.write("write.plan", "First")
    live.hear(NodeNews(name="write", state="failed", error="No."))
    nodes = live.report({})["nodes"]
    assert nodes["write.plan"]["state"] == "failed"
    assert nodes["write.plan"]["text"] == "First"
    assert "write.draft" not in nodes


def test_what_is_told_is_short_and_can_be_stored() -> None:
    live = nested()
    live.write("write.plan", "x" * 3_000 + "\0\ud800end")
    long = {"text": "y" * 9_000, "list": ["z" * 9_000], "short": [1]}
    live.hear(NodeNews(name="write", state="done", outputs=long))
    shown = live.snapshot()["nodes"]
    assert len(shown["write.plan"]["text"]) == SHOWN_TEXT
    assert shown["write.plan"]["text"].endswith("x\ufffd\ufffdend")
    assert len(shown["write"]["outputs"]["text"]) == 4_001
    assert shown["write"]["outputs"]["list"].startswith('["zzz')
    assert shown["write"]["outputs"]["short"] == [1]
    assert live.report(long)["nodes"]["write"]["outputs"] == long
