"""Connections to language models: keep them, open them, try them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.accounts.slugs import findable, free_slug
from studio.engine.errors import EngineError, ParseError
from studio.engine.example import PredictorState
from studio.engine.formats import FORMATS
from studio.engine.lm.base import LM
from studio.engine.lm.compose import compose
from studio.engine.lm.embedded import EmbeddedLM
from studio.engine.lm.embedded_embedder import EmbeddedEmbedder
from studio.engine.lm.embedding import Batching, CachedEmbedder
from studio.engine.lm.litellm_client import LiteLLMEmbedder, LiteLLMLM
from studio.engine.lm.metered import Budget
from studio.engine.lm.openai_embedder import OpenAIHttpEmbedder
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.lm.rate_bucket import RateLimits
from studio.engine.lm.rate_stores import open_rates
from studio.engine.lm.scripted import builtin_scripted
from studio.engine.lm.stores import open_store
from studio.engine.retrieval.base import Embedder
from studio.engine.signature import Signature
from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.lms import vault
from studio.lms.addresses import check_address, check_reach, origin_of
from studio.lms.models import Connection, Kind

TEST_SECONDS = 15.0

_QUESTION = Signature.parse("question -> answer", "Answer the question in one word.")
_WAITING = ("queued", "running", "paused")
"""States of runs that have not ended."""
_ABILITIES = ("follows_schemas", "calls_tools", "sees_images")
_OPTIONS = (
    *("name", "model", "prompt_price", "completion_price", "concurrency", "format"),
    *("requests_per_minute", "tokens_per_minute"),
    *_ABILITIES,
)


def get_connection(*, project: Project, slug: str) -> Connection:
    """The connection of the project, or `NotFound`."""
    found = project.connections.filter(slug=findable(slug)).first()
    if found is None:
        raise NotFound(f"There is no language model “{slug}” in {project.name}.")
    return found


@transaction.atomic
def create_connection(
    *,
    actor: User,
    project: Project,
    kind: str,
    values: Mapping[str, Any],
    key: str = "",
) -> Connection:
    """A new connection of a kind. `values` are its plain fields, `key` is encrypted."""
    require(user=actor, project=project, role=Role.ADMIN)
    connection = Connection(project=project, kind=Kind(kind))
    _fill(connection, values)
    # The lock keeps two people from taking one slug at the same time.
    Project.objects.select_for_update().get(pk=project.pk)
    connection.slug = free_slug(project.connections.all(), connection.name, fallback="model")
    connection.encrypted_key = vault.encrypt(key.strip())
    connection.save()
    record(
        project=project,
        actor=actor,
        action="connection.create",
        subject=connection.name,
        **_told(connection),
    )
    return connection


@transaction.atomic
def update_connection(
    *,
    actor: User,
    connection: Connection,
    values: Mapping[str, Any],
    key: str = "",
    remove_key: bool = False,
) -> Connection:
    """Change a connection; an empty `key` leaves the stored one.

    Raises `Invalid` when the server changes and the key is not entered anew: a stored key is sent
    to nobody but the server that it was entered for.
    """
    require(user=actor, project=connection.project, role=Role.ADMIN)
    connection = Connection.objects.select_for_update().get(pk=connection.pk)
    before = origin_of(connection.base_url)
    _fill(connection, values)
    key = key.strip()
    moved = origin_of(connection.base_url) != before
    if moved and connection.has_key and not key and not remove_key:
        raise Invalid(
            "The server has changed, and a stored key is only sent to the server that it was "
            "entered for. Enter the key again, or remove it."
        )
    change = "kept"
    if key:
        connection.encrypted_key, change = vault.encrypt(key), "replaced"
    elif remove_key:
        connection.encrypted_key, change = "", "removed"
    connection.save()
    record(
        project=connection.project,
        actor=actor,
        action="connection.change",
        subject=connection.name,
        **{**_told(connection), "key": change},
    )
    return connection


@transaction.atomic
def delete_connection(*, actor: User, connection: Connection) -> None:
    """Remove a connection that nothing needs. Raises `Conflict` that says what needs it."""
    require(user=actor, project=connection.project, role=Role.ADMIN)
    used = Q(connection=connection) | Q(teacher=connection) | Q(proposer=connection)
    used |= Q(teacher=None, teacher_artifact__connection=connection)
    used |= Q(fingerprints__has_key=f"lm:{connection.slug}")  # a single step asks it
    artifacts = connection.project.artifacts
    used |= Q(
        teacher_artifact__in=_asking(connection, artifacts.filter(taught_runs__state__in=_WAITING))
    )
    waiting = connection.project.runs.filter(used, state__in=_WAITING)
    unfinished = waiting.count()
    if unfinished:
        runs = "a run that has" if unfinished == 1 else f"{unfinished} runs that have"
        raise Conflict(
            f"{connection.name} is used by {runs} not ended. Cancel it or wait, then delete."
        )
    released = connection.artifacts.filter(releases__isnull=False)
    release = released.values_list("releases__pipeline__name", "releases__label").first()
    release = release or _asked_by_release(connection)
    if release:
        raise Conflict(
            f"{connection.name} answers for the release “{release[1]}” of {release[0]}. "
            "Callers would get errors, so it stays."
        )
    record(
        project=connection.project,
        actor=actor,
        action="connection.delete",
        subject=connection.name,
    )
    connection.delete()


def _asked_by_release(connection: Connection) -> tuple[str, str] | None:
    """A release of which a single step asks the connection: its pipeline's name, its label."""
    released = connection.project.artifacts.filter(releases__isnull=False)
    asking = connection.project.artifacts.filter(pk__in=_asking(connection, released))
    found: tuple[str, str] | None = asking.values_list(
        "releases__pipeline__name", "releases__label"
    ).first()
    return found


def _asking(connection: Connection, artifacts: QuerySet[Any]) -> set[Any]:
    """The keys of those artifacts of which a single step asks the connection."""
    contents = artifacts.values_list("pk", "content").iterator()
    return {key for key, content in contents if connection.slug in content.get("lms", {})}


def embedded_endpoint() -> str:
    """The address of the embedded model's server.

    Raises `Invalid` that says how to start it when there is none.
    """
    if settings.EMBEDDED_LM_URL:
        return str(settings.EMBEDDED_LM_URL)
    try:
        text = (settings.STUDIO_DATA_DIR / "lm.json").read_text(encoding="utf-8")
        return str(json.loads(text)["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Invalid(
            "The embedded model is not running. `make run` starts it with everything else; "
            "on a server of its own, set EMBEDDED_LM_URL."
        ) from None


def open_lm(
    connection: Connection, *, budget: Budget | None = None, concurrency: int | None = None
) -> LM:
    """The engine's LM behind a connection, with cache, retries and the cap of `budget`.

    Raises `Invalid` when the connection cannot be used as it stands.
    """
    return compose(
        bare_lm(connection),
        budget=budget,
        store=open_store(settings.ANSWERS_URL),
        concurrency=concurrency or connection.concurrency,
        limits=_limits(connection),
        rates=open_rates(settings.RATES_URL),
    )


def open_embedder(connection: Connection, *, budget: Budget | None = None) -> Embedder:
    """The connection's model as an embedder; what it has embedded once it does not do again.

    Raises `Invalid` when the connection leads to nothing that embeds.
    """
    opener = _EMBEDDERS.get(Kind(connection.kind))
    if opener is None:
        raise Invalid(f"{connection.name} cannot embed texts: choose another connection.")
    asked = opener(connection, Batching(budget=budget))
    return CachedEmbedder(asked, open_store(settings.ANSWERS_URL))


def bare_lm(connection: Connection, *, timeout_s: float = 120.0) -> LM:
    """The LM alone: every question goes to its server."""
    return _OPENERS[Kind(connection.kind)](connection, timeout_s)


@dataclass(frozen=True, slots=True)
class TestResult:
    """What came of one short request."""

    __test__ = False  # pytest must not take it for a test

    seconds: float
    text: str = ""
    error: str = ""


def test_connection(*, actor: User, connection: Connection) -> TestResult:
    """Send one short request; at most `TEST_SECONDS`, never twice."""
    require(user=actor, project=connection.project, role=Role.AUTHOR)
    begun = time.monotonic()
    try:
        text = asyncio.run(_ask_once(connection))
    except TimeoutError:
        return TestResult(TEST_SECONDS, error=f"No answer in {TEST_SECONDS:g} seconds.")
    except (EngineError, StudioError) as error:
        return TestResult(time.monotonic() - begun, error=str(error))
    return TestResult(time.monotonic() - begun, text=text)


test_connection.__test__ = False  # type: ignore[attr-defined]


async def _ask_once(connection: Connection) -> str:
    """One question in the layout that pipelines use; the answer, or all that was written."""
    lm = compose(
        bare_lm(connection, timeout_s=TEST_SECONDS), budget=Budget(1), attempts=1, concurrency=1
    )
    state = PredictorState(instruction=_QUESTION.instruction)
    renderer = FORMATS[lm.default_format].renderer(_QUESTION, state)
    request = replace(renderer.ask({"question": "Which day follows Monday?"}, {}), max_tokens=64)
    try:
        said = await asyncio.wait_for(lm.complete(request), TEST_SECONDS)
    finally:
        await lm.aclose()
    try:
        return str(renderer.read(said.text, {})["answer"])
    except ParseError:
        return said.text.strip()


def _fill(connection: Connection, values: Mapping[str, Any]) -> None:
    for name in _OPTIONS:
        if name in values:
            setattr(connection, name, values[name])
    connection.name = " ".join(connection.name.split())
    if not connection.name:
        raise Invalid("A connection needs a name.")
    if not connection.model.strip():
        raise Invalid("Say which model: its name as the server knows it.")
    if "base_url" in values:
        url = str(values["base_url"] or "").strip()
        if url:
            url = check_address(url)
        elif connection.kind == Kind.OPENAI_HTTP:
            raise Invalid("An OpenAI-compatible server needs an address, ending in /v1 as a rule.")
        connection.base_url = url


def _told(connection: Connection) -> dict[str, Any]:
    """What the log may know: no key, and of the address only the server."""
    return {
        "kind": connection.kind,
        "model": connection.model,
        "server": origin_of(connection.base_url)[1],
        "key": "stored" if connection.has_key else "none",
    }


def _limits(connection: Connection) -> RateLimits | None:
    requests, tokens = connection.requests_per_minute, connection.tokens_per_minute
    if requests is None and tokens is None:
        return None
    return RateLimits(requests_per_minute=requests, tokens_per_minute=tokens)


def _abilities(connection: Connection) -> dict[str, bool]:
    """What people said of the model; the rest is left to what is known of it."""
    said = {name: getattr(connection, name) for name in _ABILITIES}
    return {name: value for name, value in said.items() if value is not None}


def _price(connection: Connection) -> tuple[float, float] | None:
    if connection.prompt_price is None and connection.completion_price is None:
        return None
    zero = Decimal(0)
    return float(connection.prompt_price or zero), float(connection.completion_price or zero)


def _open_embedded(connection: Connection, timeout_s: float) -> LM:
    return EmbeddedLM(embedded_endpoint(), timeout_s=timeout_s)


def _open_openai_http(connection: Connection, timeout_s: float) -> LM:
    check_reach(connection.base_url)
    return OpenAIHttpLM(
        connection.model,
        connection.base_url,
        vault.decrypt(connection.encrypted_key),
        default_format=connection.format or "chat",
        timeout_s=timeout_s,
        price=_price(connection) or (0.0, 0.0),
        connections=max(1, connection.concurrency),
        **_abilities(connection),
    )


def _open_litellm(connection: Connection, timeout_s: float) -> LM:
    key = vault.decrypt(connection.encrypted_key)
    if connection.base_url:
        check_reach(connection.base_url)
        # Without a key litellm takes the one in the operator's environment, which must not go to
        # a server that somebody typed here.
        key = key or "none"
    return LiteLLMLM(
        connection.model,
        key,
        connection.base_url,
        default_format=connection.format or "chat",
        timeout_s=timeout_s,
        price=_price(connection),
        **_abilities(connection),
    )


def _open_scripted(connection: Connection, timeout_s: float) -> LM:
    return builtin_scripted(connection.model)


def _embed_openai_http(connection: Connection, batching: Batching) -> Embedder:
    check_reach(connection.base_url)
    return OpenAIHttpEmbedder(
        connection.model,
        connection.base_url,
        vault.decrypt(connection.encrypted_key),
        price=(_price(connection) or (0.0, 0.0))[0],
        batching=batching,
    )


def _embed_litellm(connection: Connection, batching: Batching) -> Embedder:
    key = vault.decrypt(connection.encrypted_key)
    if connection.base_url:
        check_reach(connection.base_url)
        key = key or "none"
    return LiteLLMEmbedder(connection.model, key, connection.base_url, batching=batching)


_EMBEDDERS: dict[Kind, Callable[[Connection, Batching], Embedder]] = {
    Kind.EMBEDDED: lambda connection, batching: EmbeddedEmbedder(
        embedded_endpoint(), batching=replace(batching, size=16, concurrency=1)
    ),
    Kind.OPENAI_HTTP: _embed_openai_http,
    Kind.LITELLM: _embed_litellm,
}

_OPENERS: dict[Kind, Callable[[Connection, float], LM]] = {
    Kind.EMBEDDED: _open_embedded,
    Kind.OPENAI_HTTP: _open_openai_http,
    Kind.LITELLM: _open_litellm,
    Kind.SCRIPTED: _open_scripted,
}
