"""The keys of answers: all that decides an answer is in them, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.lm.keys import Keys
from studio.engine.messages import Attachment, Message, Request, ToolCall, ToolSpec

USER = Message("user", "hello")
CHAT = Request(messages=(Message("system", "Be kind."), USER))
TOOL = ToolSpec("f", "Does.", {"type": "object"})
OTHERS = [
    Request(prompt="hello"),
    Request(messages=(USER,)),
    Request(messages=(Message("assistant", "Be kind."), USER)),
    Request(messages=(Message("system", "Be kind.hello"), Message("user", ""))),
    Request(messages=(*CHAT.messages, USER)),
    Request(messages=(CHAT.messages[0], replace(USER, attachments=(Attachment("image", "u"),)))),
    Request(messages=(CHAT.messages[0], replace(USER, attachments=(Attachment("image", "v"),)))),
    Request(messages=(CHAT.messages[0], replace(USER, tool_call_id="1"))),
    Request(messages=(CHAT.messages[0], replace(USER, tool_calls=(ToolCall("1", "f", {}),)))),
    replace(CHAT, temperature=0.5),
    replace(CHAT, max_tokens=1),
    replace(CHAT, stop=("x",)),
    replace(CHAT, stop=("x", "y")),
    replace(CHAT, rollout=1),
    replace(CHAT, schema={}),
    replace(CHAT, schema={"type": "object"}),
    replace(CHAT, tools=(TOOL,)),
    replace(CHAT, tools=(TOOL, TOOL)),
    replace(CHAT, tools=(replace(TOOL, description="Does not."),)),
]


def test_each_request_has_its_own_key() -> None:
    keys = Keys("here", "model")
    found = {keys.complete(request) for request in (CHAT, *OTHERS)}
    found |= {Keys("there", "model").complete(CHAT), Keys("here", "other").complete(CHAT)}
    found |= {keys.of("score_labels", ("hello", [" a"])), keys.of("score_labels", ("hello", []))}
    assert len(found) == len(OTHERS) + 5


@pytest.mark.parametrize("request_", [CHAT, *OTHERS], ids=range(len(OTHERS) + 1))
def test_equal_requests_have_equal_keys_whoever_asks(request_: Request) -> None:
    keys = Keys("here", "model")
    first = keys.complete(request_)
    twin = replace(request_, messages=tuple(replace(turn) for turn in request_.messages))
    assert keys.complete(request_) == keys.complete(twin) == first
    assert Keys("here", "model").complete(twin) == first


texts = st.text(st.characters(), max_size=5)
turns = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), texts), max_size=3)


@given(turns, turns)
def test_keys_are_equal_when_the_requests_are(one: list[Message], two: list[Message]) -> None:
    keys = Keys("here", "model")
    first, second = Request(messages=tuple(one)), Request(messages=tuple(two))
    assert (keys.complete(first) == keys.complete(second)) == (first == second)
