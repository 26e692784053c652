"""What each format is on its own: what it reads of what models really write."""

from __future__ import annotations

from typing import Any

import pytest

from studio.engine.errors import ParseError
from studio.engine.example import PredictorState
from studio.engine.fields import FieldType
from studio.engine.formats import FORMATS, Renderer
from studio.engine.signature import Field, Signature

BLANK = PredictorState(instruction="Sort the message.")
TYPED = "a -> b, n: int, tags: list[str]"
WANTED = {"b": "yes", "n": 4, "tags": ["x"]}


def make(format_: str, signature: str = TYPED) -> Renderer:
    """An uncompiled renderer."""
    return FORMATS[format_].renderer(Signature.parse(signature), BLANK)


def test_chat_reads_what_models_really_write() -> None:
    renderer = make("chat", "a -> b, n: int")
    sloppy = "Sure!\n[[ ## n ## ]] 4\n\n[[ ## b ## ]]\nyes\n[[ ## b ## ]]\nno"
    assert renderer.read(sloppy, {}) == {"b": "yes", "n": 4}
    for text in ("", "yes", "[[ ## b ## ]]\nyes", "[[ ## b ## ]]\nyes\n[[ ## n"):
        with pytest.raises(ParseError):
            renderer.read(text, {})


def test_chat_without_the_closing_mark_is_whole_unless_it_was_cut_off() -> None:
    renderer = make("chat", "a -> b")
    text = "[[ ## b ## ]]\nyes, bec"
    assert renderer.read(text, {}) == {"b": "yes, bec"}
    with pytest.raises(ParseError, match="b: the answer ends before this field does"):
        renderer.read(text, {}, truncated=True)
    assert renderer.read(f"{text}\n[[ ## completed ## ]] and", {}, truncated=True)


def test_chat_says_the_instruction_the_fields_and_the_layout() -> None:
    request = make("chat", "a -> b: enum[x, y]").ask({"a": "hello"}, {})
    assert [turn.role for turn in request.messages] == ["system", "user"]
    system, user = (turn.content for turn in request.messages)
    assert system.startswith("Sort the message.\n\nYou are given:\n- `a` (str)\n")
    assert "- `b` (enum[x, y]): exactly one of: x; y" in system
    assert user == (
        "[[ ## a ## ]]\nhello\n\n"
        "Answer with `[[ ## b ## ]]`, and end with `[[ ## completed ## ]]`."
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"b": "yes", "n": 4, "tags": ["x"]}',
        '{"tags": ["x"], "n": "4", "more": null, "b": "yes"}',
        '{"b": "yes", "n": 4, "tags": ["x"], "b": "no"}',
        '[{"b": "yes", "n": 4, "tags": ["x"]}]',
        'I think {so}: {"b": "yes", "n": 4, "tags": ["x"]} {"b": "no"}',
        '```json\n{"b": "yes", "n": 4, "tags": ["x"]}\n```',
        '<think>{"draft": 1}</think>\n{"b": "yes", "n": 4, "tags": ["x"]}',
        "{'b': 'yes', 'n': 4, 'tags': ['x'],}",
        '{b: "yes", "n": 4, "tags": ["x"]',
        '{"b": "yes", "n": 4, "tags": "[\\"x\\"]"}',
        '{"b": "yes", // sure\n"n": 4, "tags": ["x"]}',
    ],
)
def test_json_reads_what_models_really_write(text: str) -> None:
    assert make("json").read(text, {}) == WANTED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"b": "yes", "n": 4}', "The key `tags` is missing"),
        ('{"b": "yes", "n": ', "The key `n` is missing"),
        ('{"n": 4, "tags": [], "b": ', "The key `b` is missing"),
        ('{"b": "yes", "n": NaN, "tags": []}', "n: expected int"),
        ('{"b": ["yes"], "n": 4, "tags": []}', "b: expected str"),
        ('{"b": null, "n": 4, "tags": []}', "`b` is missing"),
        ('"yes"', "no JSON object"),
        ("{" * 5_000, "no JSON object|is missing"),
        ('{"b": ' + "[" * 100_000, "no JSON object|is missing"),
    ],
)
def test_json_refuses_what_is_not_all_there(text: str, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        make("json").read(text, {})


def test_json_repairs_nothing_that_was_cut_off() -> None:
    renderer = make("json", "a -> b")
    text = '{"b": "yes, bec'
    assert renderer.read(text, {}) == {"b": "yes, bec"}
    with pytest.raises(ParseError, match="ends before"):
        renderer.read(text, {}, truncated=True)


def test_json_keeps_all_white_space_and_line_ends_as_they_are_written() -> None:
    renderer = make("json", "a -> b")
    assert renderer.read('{"b": "  two\nlines\t "}', {}) == {"b": "  two\nlines\t "}
    for text in (" ", "\r\n", "\x00"):
        assert renderer.read(renderer.answer({"b": text}), {}) == {"b": text}


def test_json_asks_for_the_open_outputs_in_their_order() -> None:
    renderer = make("json")
    request = renderer.ask({"a": "x"}, {"b": "known"})
    assert request.schema is not None
    assert list(request.schema["properties"]) == ["n", "tags"]
    assert request.messages[-1].content.endswith("Answer with one JSON object: `n`, then `tags`.")


@pytest.mark.parametrize(
    "text",
    [
        '<b>yes</b><n>4</n><tags>["x"]</tags>',
        '<n> 4 </n>\n<tags>\n["x"]\n</tags>\n<b>\nyes\n</b>',
        "<b>yes</b><n>4</n><tags>x</tags>",
        "<b>yes</b><n>4</n><tags><item>x</item></tags>",
        '<b>yes</b>\n<n>4\n<tags>["x"]',
        '<b>yes<n>4<tags>["x"]</ta',
        '<answer><b>yes</b><n >4</n ><tags>["x"]</tags></answer>',
        '<b>yes</b><b>no</b><n>4</n><tags>["x"]</tags><n>5</n>',
        '</b><b>yes</b></n><n>4</n><tags>["x"]</tags>',
        '<a>an input</a><b>yes</b><n>4</n><tags>["x"]</tags>',
    ],
)
def test_xml_reads_what_models_really_write(text: str) -> None:
    assert make("xml").read(text, {}) == WANTED


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<b>1 < 2 &amp; <c>3</c> & 4</b>", "1 < 2 &amp; <c>3</c> & 4"),
        ("<b><!DOCTYPE x [<!ENTITY e 'boom'>]>&e;</b>", "<!DOCTYPE x [<!ENTITY e 'boom'>]>&e;"),
        ("<b><![CDATA[ <\\b> ]]></b>", "<![CDATA[ <b> ]]>"),
        ("<b>a <a>quote</a></b>", "a <a>quote</a>"),
        ("<b>unfinished <", "unfinished"),
    ],
)
def test_xml_knows_the_tags_of_the_fields_and_nothing_else(text: str, value: str) -> None:
    assert make("xml", "a -> b").read(text, {}) == {"b": value}


def test_xml_writes_own_tags_inside_values_so_that_they_close_nothing() -> None:
    renderer = make("xml", "a -> b")
    request = renderer.ask({"a": "x</a><b>y</b><other/>"}, {})
    assert request.messages[-1].content.startswith("<a>\nx<\\/a><\\b>y<\\/b><other/>\n</a>")


def test_completion_ends_in_the_first_open_label_and_stops_at_the_rule() -> None:
    signature = Signature(
        (
            Field(name="message", role="input"),
            Field(name="reasoning", role="output", description="Think."),
            Field(name="area", role="output", type=FieldType("enum", labels=("a", "b"))),
        )
    )
    renderer = FORMATS["completion"].renderer(signature, BLANK, scored=True)
    request = renderer.ask({"message": "hello\nthere"}, {})
    assert request.prompt == "Sort the message.\n\n---\n\nMessage: hello\n  there\nReasoning:"
    assert "\nArea:" in request.stop
    follow = renderer.ask({"message": "m"}, {"reasoning": "because"})
    assert follow.prompt.endswith("Message: m\nReasoning: because\nArea:")


def test_completion_takes_the_first_field_alone() -> None:
    renderer = make("completion", "message, note -> summary, urgent: bool, tags: list[str], area")
    assert renderer.read(" short\n---\nMessage: made up", {}) == {"summary": "short"}
    assert renderer.read(" short\nUrgent: true", {}) == {"summary": "short", "urgent": True}
    assert renderer.read(" true\nMessage: made up", {"summary": "s"}) == {"urgent": True}


def test_completion_leaves_a_cut_off_field_to_be_asked_for() -> None:
    renderer = make("completion", "a -> b, c")
    cases: list[tuple[str, dict[str, Any]]] = [
        (" yes\nC: n", {"b": "yes"}),
        (" yes, bec", {"b": "yes, bec"}),
        (" yes\nC: no\n---", {"b": "yes", "c": "no"}),
    ]
    for text, found in cases:
        assert renderer.read(text, {}, truncated=True) == found
