"""What a served call offers a dataset: its inputs, and its answer to be corrected."""

from __future__ import annotations

from studio.accounts.models import Project
from studio.datasets.editing.offers import Offer
from studio.errors import NotFound
from studio.serving.models import Call


def get_call(project: Project, pk: int) -> Call:
    """The call of one of the project's releases, or `NotFound`."""
    found = (
        Call.objects.filter(release__project=project, pk=pk)
        .select_related("release__pipeline", "release__artifact")
        .first()
    )
    if found is None:
        raise NotFound(f"There is no such call in {project.name}.")
    return found


def offer_of_call(call: Call) -> Offer:
    """What went in, and what came out; of a call that failed the answer is to be written."""
    spec = call.release.artifact.content["spec"]
    ends = [node.get("fields") or () for node in spec["nodes"] if node["kind"] == "output"]
    names = [str(field["name"]) for fields in ends for field in fields]
    return Offer(
        inputs=call.inputs,
        outputs={name: call.outputs.get(name) for name in names},
        answered=call.outputs,
        message=f"From a call of {call.release}",
    )
