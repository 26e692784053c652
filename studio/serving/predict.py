"""Running a release: its artifact's program, on the LM that it was approved with."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async

from studio.engine.errors import EngineError, LMError, ParseError
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.lm.base import LM
from studio.engine.modules.inside import named_lms
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.errors import Invalid, NotAllowed, NotFound, StudioError
from studio.lms.models import Connection
from studio.lms.services import open_lm
from studio.pipelines.models import Pipeline
from studio.reviews.models import Release
from studio.reviews.releases import current, is_approved
from studio.runs.equipment import equip
from studio.runs.fingerprints import lm_identity, step_lm_identity
from studio.runs.inputs import read_inputs
from studio.runs.models import Artifact
from studio.serving.models import ApiKey, Call
from studio.serving.services import note_use

LONGEST_WAIT_S = 60.0
_MOST_PROGRAMS = 64
_MOST_LMS = 16


class LMDown(StudioError):
    """The language model does not answer at the moment. Try again soon."""

    status = 503
    code = "lm-down"


class BadAnswer(StudioError):
    """The language model answered something that does not fit the outputs."""

    status = 502
    code = "bad-answer"


@dataclass(frozen=True, slots=True)
class Served:
    """What is needed to answer calls of one release."""

    release: Release
    program: Program
    connection: Connection


_programs: OrderedDict[str, Program] = OrderedDict()
_lms: OrderedDict[tuple[Any, ...], LM] = OrderedDict()


def find_release(*, key: ApiKey, project: str, pipeline: str, label: str) -> Served:
    """The release in force, ready to run.

    Raises `NotAllowed` when the key is for another project (whether or not that project exists),
    and `NotFound` when there is no such pipeline, label, or approved artifact.
    """
    if key.project.slug != project:
        raise NotAllowed("This key is for another project. Make one on that project's keys page.")
    found = Pipeline.objects.filter(project=key.project, slug=pipeline).first()
    if found is None:
        raise NotFound(f"There is no pipeline “{pipeline}” in {key.project.name}.")
    release = current(found, label)
    if release is None:
        labels = sorted(set(found.releases.values_list("label", flat=True)))
        known = f"It has {', '.join(labels)}." if labels else "Approve an artifact and release it."
        raise NotFound(f"{found} has no release “{label}”. {known}")
    artifact = release.artifact
    if not is_approved(artifact):
        raise NotFound(f"{label} of {found} points to an artifact that is not approved.")
    return Served(release, program_of(artifact), connection_of(artifact))


def program_of(artifact: Artifact) -> Program:
    """The artifact's program, kept by its hash."""
    program = _programs.get(artifact.hash)
    if program is None:
        candidate = Candidate.from_dict(artifact.content["candidate"])
        program = build(artifact.content["spec"]).apply(candidate)
        _keep(_programs, artifact.hash, program, _MOST_PROGRAMS)
    return program


def connection_of(artifact: Artifact) -> Connection:
    """The connection, if it still is the LM that the artifact was approved with."""
    connection = artifact.connection
    if connection is None:
        raise LMDown("The LM connection of this release was deleted. Compile and release anew.")
    approved = artifact.content.get("lm", {})
    if approved and approved != lm_identity(connection):
        raise LMDown(
            f"The connection {connection} leads to another model or server now; this release was "
            f"approved with {approved.get('model')}. Change it back, or compile and release anew."
        )
    return connection


def read_body(program: Program, body: Any) -> dict[str, Any]:
    """The typed inputs of `{"inputs": {...}}`; raises `Invalid` that names every wrong field."""
    if not isinstance(body, Mapping) or not isinstance(body.get("inputs"), Mapping):
        raise Invalid('Send {"inputs": {…}} with one value for each input.')
    extra = sorted(set(body) - {"inputs"})
    if extra:
        raise Invalid(f"“{extra[0]}” is not known here: the body holds only “inputs”.")
    return read_inputs(program, body["inputs"])


async def predict(served: Served, key: ApiKey, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Run the release on typed inputs and keep a row of the call.

    Raises `LMDown` (with `retry_after`) when the LM cannot answer now, `BadAnswer` when it
    answered something that cannot be used.
    """
    started = time.monotonic()
    outputs: dict[str, Any] = {}
    problem: StudioError | None = None
    try:
        runtime = await sync_to_async(_runtime_of)(served)
        async with asyncio.timeout(LONGEST_WAIT_S):
            prediction = await served.program(inputs, runtime)
        outputs = dict(prediction.values)
    except TimeoutError:
        problem = LMDown(f"The LM did not answer within {LONGEST_WAIT_S:.0f} s.", retry_after=10)
    except LMError as error:
        if error.retryable:
            problem = LMDown(str(error), retry_after=round(error.retry_after_s or 5))
        else:
            problem = BadAnswer(str(error))
    except ParseError as error:
        problem = BadAnswer(f"The LM's answer could not be read: {error}")
    except EngineError as error:
        problem = BadAnswer(str(error))
    except StudioError as error:
        problem = error
    seconds = time.monotonic() - started
    await sync_to_async(_keep_call)(served, key, inputs, outputs, problem, seconds)
    if problem is not None:
        raise problem
    return outputs


def _runtime_of(served: Served) -> Runtime:
    artifact = served.release.artifact
    return equip(
        artifact.content["spec"],
        project=served.release.pipeline.project,
        lm=lm_of(served.connection),
        format=artifact.content["format"],
        lms=_lms_of_steps(artifact, served.program),
    )


def _lms_of_steps(artifact: Artifact, program: Program) -> dict[str, LM]:
    """The LMs that single steps name, if they still are those that it was approved with."""
    named = named_lms(program)
    if not named:
        return {}
    approved = artifact.content.get("lms", {})
    found = artifact.project.connections.filter(slug__in=set(named.values()))
    now = {connection.slug: connection for connection in found}
    for slug in sorted(set(named.values())):
        if slug not in now:
            raise LMDown(
                f"The LM connection “{slug}”, which a step of this release asks, was deleted. "
                "Compile and release anew."
            )
        if slug in approved and approved[slug] != step_lm_identity(now[slug]):
            raise LMDown(
                f"The connection {now[slug]} leads to another model or server now, or is asked "
                f"in another format; this release was approved with {approved[slug]['model']}. "
                "Change it back, or compile and release anew."
            )
    return {path: lm_of(now[slug]) for path, slug in named.items()}


def lm_of(connection: Connection) -> LM:
    """The connection's LM, kept as long as the connection stays the same."""
    mark = (
        connection.pk,
        connection.kind,
        connection.model,
        connection.base_url,
        connection.encrypted_key,
        connection.concurrency,
    )
    lm = _lms.get(mark)
    if lm is None:
        lm = open_lm(connection)
        _keep(_lms, mark, lm, _MOST_LMS)
    return lm


def _keep(store: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    store[key] = value
    while len(store) > most:
        store.popitem(last=False)


def _keep_call(
    served: Served,
    key: ApiKey,
    inputs: Mapping[str, Any],
    outputs: dict[str, Any],
    problem: StudioError | None,
    seconds: float,
) -> None:
    Call.objects.create(
        release=served.release,
        key=key,
        inputs=dict(inputs),
        outputs=outputs,
        error=str(problem or ""),
        seconds=seconds,
    )
    note_use(key)


def forget() -> None:
    """Drop the programs and LMs that this process keeps."""
    _programs.clear()
    _lms.clear()
