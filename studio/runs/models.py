"""Runs and everything that they leave behind: events, scores, traces, artifacts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from studio.accounts.models import Project
from studio.datasets.models import Dataset
from studio.lms.models import Connection
from studio.metrics.models import Metric, MetricVersion
from studio.pipelines.models import PipelineVersion
from studio.runs.ordered_json import OrderedJSON
from studio.runs.states import State


class Run(models.Model):
    """One piece of worker work. The row is the truth; a message to a worker is only a kick."""

    class Kind(models.TextChoices):
        """What the worker does."""

        TRY = "try", "Try"
        EVALUATE = "evaluate", "Evaluate"
        COMPILE = "compile", "Compile"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    version = models.ForeignKey(PipelineVersion, on_delete=models.PROTECT, related_name="runs")
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="runs")
    dataset_number = models.PositiveIntegerField(null=True)
    """The dataset's version that is read."""
    metric = models.ForeignKey(Metric, null=True, on_delete=models.SET_NULL, related_name="runs")
    metric_version = models.ForeignKey(
        MetricVersion, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    """The metric as it was when the run was made."""
    compiler = models.CharField(max_length=40, blank=True)
    params = models.JSONField(default=dict)
    """The compiler's parameters, or the inputs of a try."""
    seed = models.IntegerField(default=0)
    teacher = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="taught_runs"
    )
    """The LM whose answers become demos; None: the student's, or the teacher artifact's own."""
    proposer = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="proposed_runs"
    )
    """The LM that is asked for instructions; None: the student's."""
    teacher_artifact = models.ForeignKey(
        "Artifact", null=True, on_delete=models.SET_NULL, related_name="taught_runs"
    )
    """The compiled program that teaches; None: the program that is compiled."""
    start_artifact = models.ForeignKey(
        "Artifact", null=True, on_delete=models.SET_NULL, related_name="improving_runs"
    )
    """What a compile improves; None: the program as it is drawn."""
    release_artifact = models.ForeignKey(
        "Artifact", null=True, on_delete=models.SET_NULL, related_name="compared_runs"
    )
    """What answered calls when the run was made: the winner is compared with it as well."""
    matrix = models.UUIDField(null=True, db_index=True)
    """Runs of one matrix share it: the same compile, each for another LM."""
    reuse = models.BooleanField(default=True)
    """Whether results of earlier runs are taken over where they still hold."""
    max_calls = models.PositiveIntegerField(default=2000)
    """The hard cap on LM calls."""
    max_tokens = models.BigIntegerField(null=True)
    """The hard cap on tokens, of prompts and of answers; None: as many as one likes."""
    max_cost = models.FloatField(null=True)
    """The hard cap on US dollars."""
    max_seconds = models.PositiveIntegerField(null=True)
    """The hard cap on seconds of work, over all attempts."""
    fingerprints = models.JSONField(default=dict)
    """Hashes of pipeline, dataset, metric, LM and so on, as they were when the run was made."""
    calls = models.PositiveIntegerField(default=0)
    """LM calls that were spent, over all attempts."""
    tokens = models.BigIntegerField(default=0)
    """Tokens that were spent, of prompts and of answers."""
    cost = models.FloatField(default=0.0)
    """US dollars."""
    seconds = models.FloatField(default=0.0)
    """Seconds of work, over all attempts; waiting in the queue does not count."""
    saved = models.JSONField(default=dict)
    """`{"runs", "answers", "calls"}`: what was taken over from earlier runs."""
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    owner = models.CharField(max_length=80, blank=True)
    """The worker process that has claimed it."""
    heartbeat_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    """How often a worker has claimed it."""
    crashes = models.PositiveIntegerField(default=0)
    """How often the worker that had claimed it went away without a word."""
    kicked_at = models.DateTimeField(null=True)
    """When a worker was last told about it."""
    report = models.JSONField(default=dict)
    """What the run ended in, for people."""
    live = models.JSONField(default=dict)
    """Of a try while it runs: how far each step is, and what the LM has written so far."""
    error = models.TextField(blank=True)
    """Why it failed, and what to do."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.kind} {str(self.id)[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("runs:run", args=[self.project.slug, self.id])


class Event(models.Model):
    """Something that a compiler told; see `engine.compilers.events`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "number"], name="one_event_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class CandidateRow(models.Model):
    """One setting of all predictors that a run looked at."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="candidates")
    hash = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    """Its place in the order in which the compiler made them; 0 is the uncompiled program."""
    origin = models.CharField(max_length=200)
    """How it was made, in words."""
    states = OrderedJSON()
    """`engine.example.Candidate.to_dict()`."""
    parents = models.JSONField(default=list)
    """The numbers of the candidates that it was made from."""

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "hash"], name="one_candidate_a_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.origin}"


class ScoreRow(models.Model):
    """What the metric said of one candidate on one example. Resume reads these."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    candidate = models.CharField(max_length=64)
    example = models.CharField(max_length=64)
    repeat = models.PositiveSmallIntegerField(default=0)
    """Which answer it is, of a program that is asked several times."""
    value = models.FloatField(null=True)
    """None: unscored."""
    reason = models.TextField(blank=True)
    prediction = OrderedJSON(default=dict)
    """`{"values": …, "steps": […]}`."""
    split = models.CharField(max_length=5, blank=True)
    number = models.PositiveIntegerField(null=True)
    """The row of the dataset that the example was read from."""
    gold = models.JSONField(default=dict)
    """The example's values as they were then: a dataset may change or go."""
    calls = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(null=True)
    """How long the program took to answer; None where nobody has measured it."""
    cost = models.FloatField(default=0.0)
    """US dollars of the program's calls; what a judge took stands with the run only."""
    failed = models.BooleanField(default=False)
    """The program gave no answer."""
    answer = models.CharField(max_length=16, blank=True)
    """The beginning of a hash of what it answered: equal answers have equal ones."""
    words = models.TextField(blank=True)
    """Of an evaluation: inputs, answer and reason in small letters, to search in."""
    borrowed = models.BooleanField(default=False)
    """Taken over from an earlier run, without a call."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["run", "candidate", "example", "repeat"], name="one_score_a_repeat"
            ),
        ]
        # The means of all candidates every second: from the index alone, without the predictions.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "split", "candidate", "value"], name="score_means"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate[:8]} on {self.example[:8]}: {self.value}"


class TraceRow(models.Model):
    """What a teacher did on one training example in one round. Resume reads these."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="traces")
    teacher = models.CharField(max_length=64)
    """Hash of the candidate that taught."""
    example = models.CharField(max_length=64)
    round = models.PositiveIntegerField(default=0)
    passed = models.BooleanField()
    reason = models.TextField(blank=True)
    steps = OrderedJSON(default=list)
    calls = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField(null=True)
    """The row of the dataset that the example was read from."""
    borrowed = models.BooleanField(default=False)
    """Taken over from an earlier run, without a call."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["run", "teacher", "example", "round"], name="one_trace_a_try"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.example[:8]} round {self.round}: {'passed' if self.passed else 'failed'}"


class AnswerRow(models.Model):
    """What an LM said when a compiler asked it how to go on. Resume reads these."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=64)
    """The hash of the question."""
    role = models.CharField(max_length=20)
    """Which LM was asked: `proposer`, `teacher` or `student`."""
    answer = OrderedJSON(default=dict)
    """The outputs that it was asked for; empty when what it said could not be read."""
    problem = models.TextField(blank=True)
    """Why it could not."""
    calls = models.PositiveIntegerField(default=0)
    borrowed = models.BooleanField(default=False)
    """Taken over from an earlier run, without a call."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "key"], name="one_answer_a_question"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.key[:8]}"


class Artifact(models.Model):
    """The immutable result of a compile, named by its content hash."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="artifacts")
    hash = models.CharField(max_length=64)
    version = models.ForeignKey(
        PipelineVersion, on_delete=models.PROTECT, related_name="artifacts"
    )
    connection = models.ForeignKey(
        Connection, null=True, on_delete=models.SET_NULL, related_name="artifacts"
    )
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="artifacts")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children"
    )
    """The artifact that a reviewer edited into this one."""
    content = OrderedJSON()
    """What the hash is made of: spec, candidate, LM, format, dataset, metric, compiler, seed."""
    report = models.JSONField(default=dict)
    """Baseline, compiled and their difference on held-out examples."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "hash"], name="one_artifact_a_hash"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]
