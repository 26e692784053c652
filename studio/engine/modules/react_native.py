"""An agent's loop with an LM that calls tools itself: a conversation, several calls a turn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.formats import Renderer
from studio.engine.lm.base import LM
from studio.engine.messages import Completion, Message, Request, ToolCall
from studio.engine.modules.base import join_path
from studio.engine.modules.react_loop import FINISH, Agent
from studio.engine.modules.together import together
from studio.engine.runtime import Runtime
from studio.engine.tools.toolbox import cut_middle
from studio.engine.trace import Step

_RATHER = "Rather than writing these fields, call the tools yourself."
_SHORT = 200
"""Characters that are left of a tool's answer which had to make room."""


class Conversation:
    """The messages of one run.

    They begin with the head of `next` as its format renders it: instruction and demos. An LM that
    writes the layout instead of calling is read as its format says; one that does neither is done.
    """

    def __init__(self, agent: Agent, lm: LM, most_chars: int) -> None:
        self._agent, self._lm, self._most_chars = agent, lm, most_chars
        self._renderer: Renderer = agent.kit.next.renderer(agent.runtime, lm, agent.asked)
        request = self._renderer.ask(agent.asked, {})
        params, runtime = agent.kit.next.params, agent.runtime
        self._request = replace(
            request,
            schema=None,
            tools=agent.kit.offered,
            temperature=(
                runtime.temperature if params.temperature is None else params.temperature
            ),
            max_tokens=params.max_tokens or runtime.max_tokens,
            rollout=runtime.rollout,
        )
        *head, asked = request.messages
        self._messages = [*head, replace(asked, content=f"{asked.content}\n\n{_RATHER}")]
        self._answers: list[int] = []
        """Where the tools' messages stand, but for those that were shortened."""

    async def turn(self) -> bool:
        """One question and all its calls; whether there is more to do."""
        request = replace(self._request, messages=tuple(self._messages))
        path = join_path(self._agent.path, "next")
        completion = await _complete(self._lm, request, self._agent.runtime, path)
        thought, calls = self._read(completion)
        self._agent.steps.append(self._step(path, request, completion, thought, calls))
        wanted = [call for call in calls if call.name != FINISH]
        if wanted:
            await self._run(thought, completion, wanted)
        else:
            self._agent.trajectory.note(thought)
        return bool(wanted) and len(wanted) == len(calls)

    def _read(self, completion: Completion) -> tuple[str, tuple[ToolCall, ...]]:
        """What the LM thinks, and its calls with ids that differ."""
        count = len(self._messages)
        if completion.tool_calls:
            calls = completion.tool_calls
            ids = {call.id for call in calls}
            if len(ids) < len(calls) or "" in ids:
                calls = tuple(
                    replace(call, id=f"call_{count}_{index}") for index, call in enumerate(calls)
                )
            return completion.text, calls
        try:
            found = self._renderer.read(completion.text, {})
            thought, tool, arguments = (found[name] for name in self._agent.outputs)
        except (ParseError, KeyError):
            return completion.text, ()
        return thought, (ToolCall(f"call_{count}_0", tool, arguments),)

    async def _run(self, thought: str, completion: Completion, calls: list[ToolCall]) -> None:
        """Run the calls at the same time; their answers stand in the order of the calls."""
        found = await together([self._agent.call(call.name, call.arguments) for call in calls])
        self._messages.append(Message("assistant", thought, tool_calls=tuple(calls)))
        for call, (step, seen) in zip(calls, found, strict=True):
            self._agent.steps.append(step)
            told = self._agent.remember(thought, call.name, call.arguments, seen)
            thought = "(in the same step)"
            self._answers.append(len(self._messages))
            self._messages.append(Message("tool", told, tool_call_id=call.id))
        self._shorten(keep=len(calls))

    def _shorten(self, keep: int) -> None:
        """Make room: the oldest answers first, and never those of the last turn."""
        size = sum(len(self._messages[index].content) for index in self._answers)
        while size > self._most_chars and len(self._answers) > keep:
            index = self._answers.pop(0)
            message = self._messages[index]
            short = cut_middle(message.content, _SHORT)
            size -= len(message.content)
            self._messages[index] = replace(message, content=short)

    def _step(
        self,
        path: str,
        request: Request,
        completion: Completion,
        thought: str,
        calls: tuple[ToolCall, ...],
    ) -> Step:
        first: Mapping[str, Any] = calls[0].arguments if calls else {}
        tool = calls[0].name if calls else FINISH
        shown = [{"tool": call.name, "arguments": dict(call.arguments)} for call in calls]
        written = json.dumps(shown, ensure_ascii=False) if completion.tool_calls else ""
        return Step(
            path=path,
            inputs=self._agent.asked,
            outputs=dict(zip(self._agent.outputs, (thought, tool, dict(first)), strict=True)),
            prompt=_as_text(request),
            answer="\n".join(part for part in (completion.text, written) if part),
            scores={},
            usage=completion.usage,
        )


async def _complete(lm: LM, request: Request, runtime: Runtime, path: str) -> Completion:
    """The answer, heard piece by piece when somebody listens."""
    if runtime.listener is None:
        return await lm.complete(request)
    found: Completion | None = None
    async for piece in lm.stream(request):
        if isinstance(piece, Completion):
            found = piece
        else:
            runtime.listener(path, piece)
    assert found is not None
    return found


def _as_text(request: Request) -> str:
    return "\n\n".join(
        f"[{turn.role}]\n{turn.content}"
        + "".join(
            f"\n{call.name}({json.dumps(dict(call.arguments), ensure_ascii=False)})"
            for call in turn.tool_calls
        )
        for turn in request.messages
    )
