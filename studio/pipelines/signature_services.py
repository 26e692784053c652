"""What people do with signatures and modules: make, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.accounts.slugs import findable, free_slug
from studio.engine.errors import EngineError
from studio.engine.modules import MODULES
from studio.engine.params import read_params
from studio.engine.signature import Signature as EngineSignature
from studio.errors import Conflict, Invalid, NotFound
from studio.pipelines.models import Module, Signature


def get_signature(*, project: Project, slug: str) -> Signature:
    """The signature of the project, or `NotFound`."""
    found = project.signatures.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no signature “{slug}” in {project.name}.")
    return found


def get_module(*, project: Project, slug: str) -> Module:
    """The module of the project, or `NotFound`."""
    found = project.modules.select_related("signature").filter(slug=findable(slug)).first()
    if found is None:
        raise NotFound(f"There is no module “{slug}” in {project.name}.")
    return found


@transaction.atomic
def create_signature(
    *, actor: User, project: Project, name: str, signature: EngineSignature
) -> Signature:
    """A new named signature. Raises `Invalid` when the name is empty."""
    require(user=actor, project=project, role=Role.AUTHOR)
    name = _clean(name, "A signature")
    # The lock keeps two people from taking one slug at the same time.
    Project.objects.select_for_update().get(pk=project.pk)
    row = Signature.objects.create(
        project=project,
        name=name,
        slug=free_slug(project.signatures.all(), name, fallback="signature"),
        spec=signature.to_dict(),
    )
    record(
        project=project,
        actor=actor,
        action="signature.create",
        subject=name,
        fields=str(signature),
    )
    return row


@transaction.atomic
def update_signature(
    *, actor: User, row: Signature, name: str, signature: EngineSignature
) -> Signature:
    """Another name, other fields. Steps that were drawn with it keep what they were given."""
    require(user=actor, project=row.project, role=Role.AUTHOR)
    row = Signature.objects.select_for_update().get(pk=row.pk)
    before = row.spec
    row.name, row.spec = _clean(name, "A signature"), signature.to_dict()
    row.save()
    record(
        project=row.project,
        actor=actor,
        action="signature.change",
        subject=row.name,
        before=before,
        after=row.spec,
    )
    return row


@transaction.atomic
def delete_signature(*, actor: User, row: Signature) -> None:
    """Remove a signature. Raises `Conflict` while modules are made with it."""
    require(user=actor, project=row.project, role=Role.AUTHOR)
    modules = list(row.modules.values_list("name", flat=True)[:4])
    if modules:
        raise Conflict(
            f"{row.name} is used by {', '.join(modules)}. Delete the module first, "
            "or give it another signature."
        )
    record(project=row.project, actor=actor, action="signature.delete", subject=row.name)
    row.delete()


@transaction.atomic
def create_module(
    *,
    actor: User,
    project: Project,
    name: str,
    kind: str,
    signature: Signature,
    params: Mapping[str, Any],
) -> Module:
    """A new reusable step. Raises `Invalid` that says what does not fit."""
    require(user=actor, project=project, role=Role.AUTHOR)
    module = Module(project=project)
    _fill(module, name, kind, signature, params)
    Project.objects.select_for_update().get(pk=project.pk)
    module.slug = free_slug(project.modules.all(), module.name, fallback="module")
    module.save()
    record(
        project=project,
        actor=actor,
        action="module.create",
        subject=module.name,
        kind=kind,
        signature=signature.slug,
    )
    return module


@transaction.atomic
def update_module(
    *,
    actor: User,
    module: Module,
    name: str,
    kind: str,
    signature: Signature,
    params: Mapping[str, Any],
) -> Module:
    """Change a module. Steps that were drawn with it keep what they were given."""
    require(user=actor, project=module.project, role=Role.AUTHOR)
    module = Module.objects.select_for_update().get(pk=module.pk)
    _fill(module, name, kind, signature, params)
    module.save()
    record(
        project=module.project,
        actor=actor,
        action="module.change",
        subject=module.name,
        kind=kind,
        signature=signature.slug,
    )
    return module


@transaction.atomic
def delete_module(*, actor: User, module: Module) -> None:
    """Take a module off the palette; pipelines keep the steps that were made of it."""
    require(user=actor, project=module.project, role=Role.AUTHOR)
    record(project=module.project, actor=actor, action="module.delete", subject=module.name)
    module.delete()


def _clean(name: str, what: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid(f"{what} needs a name.")
    return name


def _fill(
    module: Module, name: str, kind: str, signature: Signature, params: Mapping[str, Any]
) -> None:
    if kind not in MODULES:
        raise Invalid(f"There is no kind of module “{kind}”. Known: {', '.join(MODULES)}.")
    if signature.project_id != module.project_id:
        raise NotFound("There is no such signature in this project.")
    try:
        read = read_params(MODULES[kind].params, params)
        # A kind may add fields of its own, which must not meet one of the signature's.
        MODULES[kind].make(EngineSignature.from_dict(signature.spec), read, {})
    except EngineError as error:
        raise Invalid(str(error)) from None
    module.name, module.kind = _clean(name, "A module"), kind
    module.signature, module.params = signature, dict(params)
