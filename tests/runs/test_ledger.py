"""What a compile did and was told is kept, and comes back as it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction

from studio.engine.compilers.events import Asked, CandidateMade
from studio.engine.evaluation import Answered, Scored, Traced
from studio.engine.example import Candidate, PredictorState
from studio.engine.lm.metered import Spent
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request, Usage
from studio.engine.metrics import Score, make_metric
from studio.engine.trace import Prediction, Step
from studio.runs import leases
from studio.runs.execute import execute
from studio.runs.ledger import DatabaseLedger
from studio.runs.models import AnswerRow, CandidateRow, Event, Run, ScoreRow
from studio.runs.recorder import Recorder
from studio.runs.sources import Source
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db

ODD = {"zebra": 1, "a": {"long name": 2.5, "b": [1e16, -0.0, 0.1]}, "text": "\0 é \ud83d"}
"""Keys that a database may sort, numbers and letters that it may not take."""


def open_ledger(run: Run) -> DatabaseLedger:
    """The ledger of a run that somebody holds."""
    sources = {"e": Source(7, "dev", {"message": "hello"})}
    metric = make_metric("exact_match", {"field": "category"})
    ledger = DatabaseLedger(run, "me", sources, lambda: Spent(3, 40, 0.5, 6.0), metric=metric)
    ledger.load()
    return ledger


@pytest.fixture
def run(kit: Kit) -> Run:
    """A run that `me` has claimed."""
    run = kit.start()
    assert leases.claim(run.pk, "me")
    return Run.objects.get(pk=run.pk)


def make_step() -> Step:
    """A step with something odd in it."""
    return Step(
        path="classify",
        inputs=ODD,
        outputs=ODD,
        prompt="?",
        answer="!",
        scores={},
        usage=Usage(calls=1),
    )


def in_order(value: Any) -> str:
    """A text that tells the order of keys."""
    return repr(value)


def test_a_score_comes_back_as_it_was(run: Run) -> None:
    scored = Scored(Score(0.5, "half"), Prediction(ODD, (make_step(),)), 2, 0.75)
    async_to_sync(open_ledger(run).put_score)("c", "e", scored)
    again = async_to_sync(open_ledger(run).get_score)("c", "e")
    assert again == scored
    assert again.seconds == 0.75
    assert in_order(again.prediction) == in_order(scored.prediction)
    row = ScoreRow.objects.get()
    assert (row.split, row.number, row.borrowed, row.seconds) == ("dev", 7, False, 0.75)


def test_a_trace_comes_back_as_it_was(run: Run) -> None:
    traced = Traced(True, "well done", (make_step(),), 3)
    async_to_sync(open_ledger(run).put_trace)("t", "e", 1, traced)
    again = async_to_sync(open_ledger(run).get_trace)("t", "e", 1)
    assert in_order(again) == in_order(traced)


def test_an_answer_comes_back_as_it_was(run: Run) -> None:
    for key, answered in (
        ("a", Answered(ODD, "", 2)),
        ("b", Answered({}, "It could not be read.", 4)),
    ):
        async_to_sync(open_ledger(run).put_answer)(key, "proposer", answered)
        assert in_order(async_to_sync(open_ledger(run).get_answer)(key)) == in_order(answered)
    assert async_to_sync(open_ledger(run).get_answer)("c") is None


def test_every_write_keeps_what_was_spent(run: Run) -> None:
    async_to_sync(open_ledger(run).put_answer)("a", "proposer", Answered({"x": 1}))
    run.refresh_from_db()
    assert (run.calls, run.tokens, run.cost, run.seconds) == (3, 40, 0.5, 6.0)
    assert run.saved == {"runs": 0, "answers": 0, "calls": 0}


def test_who_lost_the_run_writes_nothing(run: Run) -> None:
    ledger = open_ledger(run)
    Run.objects.filter(pk=run.pk).update(owner="somebody else")
    with pytest.raises(leases.LeaseLost):
        async_to_sync(ledger.put_answer)("a", "proposer", Answered({"x": 1}))
    assert not AnswerRow.objects.exists()


def test_no_question_is_answered_twice(run: Run) -> None:
    AnswerRow.objects.create(run=run, key="a", role="proposer")
    with pytest.raises(IntegrityError), transaction.atomic():
        AnswerRow.objects.create(run=run, key="a", role="teacher")


def test_equal_events_are_each_stored_once_also_over_restarts(run: Run) -> None:
    asked = Asked(role="proposer", purpose="a new instruction", path="", answer={"x": "y"})
    for _ in range(2):
        recorder = Recorder(run, "me")
        recorder.load()
        for _ in range(3):
            recorder.record(asked)
    rows = Event.objects.filter(run=run, kind="asked")
    assert list(rows.values_list("number", flat=True)) == [1, 2, 3]
    assert rows[0].data["answer"] == {"x": "y"}


def test_candidates_know_their_parents(run: Run) -> None:
    recorder = Recorder(run, "me")
    candidate = Candidate({"classify": PredictorState(instruction="Sort.\0")})
    recorder.record(CandidateMade(number=3, origin="a child", candidate=candidate, parents=(1, 2)))
    row = CandidateRow.objects.get()
    assert (row.number, row.parents, row.hash) == (3, [1, 2], candidate.hash)


def propose(request: Request) -> str:
    """Sorts messages, and has an instruction for whoever asks for one."""
    prompt = read_prompt(request)
    if set(prompt.open) == {"category"}:
        return support_triage(request)
    return prompt.answer(dict.fromkeys(prompt.open, f"Sort it, {len(str(request.messages))}."))


def test_a_compile_that_asks_goes_on_without_asking_again(kit: Kit, lab: Lab) -> None:
    lab.make = lambda: ScriptedLM(propose)
    proposer = builders.make_connection(kit.project, "proposer", model="support-triage")
    options: dict[str, Any] = {"compiler": "instructions", "params": {}, "proposer": proposer}
    whole = kit.compile(**options)
    assert whole.error == ""
    wanted = whole.answers.count()
    assert wanted > 1
    assert lab.calls_of(proposer) == sum(whole.answers.values_list("calls", flat=True))
    assert whole.events.filter(kind="asked").count() == wanted

    before = lab.calls_of(proposer)
    run = kit.start(**options)
    stop = threading.Event()

    def ask(now: Run) -> None:
        if now.answers.exists():
            stop.set()

    lab.make = lambda: ScriptedLM(propose, latency_s=0.05)
    assert execute(run.pk, shutting_down=stop, on_look=ask) == State.QUEUED
    kept = set(run.answers.values_list("pk", flat=True))
    assert kept
    lab.make = lambda: ScriptedLM(propose)
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert kept <= set(run.answers.values_list("pk", flat=True))
    assert run.answers.count() == wanted
    assert run.events.filter(kind="asked").count() == wanted
    # What was in flight when the worker left is asked again.
    assert lab.calls_of(proposer) - before <= wanted + kit.connection.concurrency
    assert run.report["artifact"] == whole.report["artifact"]


def test_answers_of_the_same_proposer_are_taken_over(kit: Kit, lab: Lab) -> None:
    lab.make = lambda: ScriptedLM(propose)
    options: dict[str, Any] = {"compiler": "instructions", "params": {}}
    first = kit.compile(**options)
    again = kit.compile(**options, reuse=True)
    assert again.calls == 0
    assert again.saved["answers"] == first.answers.count() > 0
    assert again.saved["calls"] == first.calls
    assert again.report["artifact"] == first.report["artifact"]
