"""Scripts that play an LM well enough to walk through the whole studio without one.

They read every layout of the engine's prompts, answer in the same, and are the same function of
the request every time.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.engine.fields import FieldType
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.messages import Request

PLAIN_WORDS: dict[str, str] = {
    "account": "account login",
    "billing": "invoice payment billing",
    "returns": "refund returns",
    "shipping": "shipping delivery",
    "technical": "error crashes",
}
"""The words by which `support-triage` knows a category when nothing was shown to it."""

RELATED_WORDS: dict[str, str] = {
    "account": "password profile username email sign log locked verification data delete name "
    "newsletter devices captcha site consent code",
    "billing": "charged charge bank euro euros dollars price debit discount bill paid pay "
    "subscription card credit money amount statement voucher cost fee twice vat promo",
    "returns": "return exchange warranty keep back replacement unopened unused bought wrong size "
    "label damaged faulty swap claim",
    "shipping": "parcel package courier tracking carrier dispatch driver ship shipment deliver "
    "delivered arrive arrived address post customs order door neighbour",
    "technical": "screen app update firmware install mode sensor light water filter device "
    "bluetooth wifi charger manual battery connect noise works reset which",
}
"""What it knows of a category besides, as soon as one demo has shown that category."""

_SURE = 3.0
_LIKELY = 2.0


@dataclass(frozen=True, slots=True)
class BuiltinScript:
    """One script: what it does in a sentence, and how it answers."""

    summary: str
    answer: Callable[[Request], str]
    label_scores: Callable[[str, Sequence[str]], Mapping[str, float]] | None = None


def echo(request: Request) -> str:
    """Every open field gets the last input's text, or its type's plainest value."""
    prompt = read_prompt(request)
    said = prompt.inputs[-1] if prompt.inputs else ""
    return prompt.answer({name: _plain(prompt.types.get(name), said) for name in prompt.open})


def support_triage(request: Request) -> str:
    """Sorts a message: by plain words, and with demos by the demo that shares most words."""
    prompt = read_prompt(request)
    values = {}
    for name in prompt.open:
        type_ = prompt.types.get(name)
        known = {demo.outputs[name] for demo in prompt.demos if name in demo.outputs}
        if type_ is not None and type_.kind == "enum":
            values[name] = _best(_triage(prompt, name, type_.labels))
        elif type_ is None and name in ("category", "label", "topic", "team"):
            values[name] = _best(_triage(prompt, name, sorted(known | set(PLAIN_WORDS))))
        else:
            values[name] = _plain(type_, f"It is about: {' '.join(_words(prompt.text)[:8])}.")
    return prompt.answer(values)


def support_triage_scores(prompt: str, labels: Sequence[str]) -> dict[str, float]:
    """The log-probability of each label, by the same rules."""
    read = read_prompt(Request(prompt=prompt))
    bare = {label: label.strip() for label in labels}
    points = _triage(read, read.open[0] if read.open else "", list(bare.values()))
    total = math.log(sum(math.exp(points[label]) for label in bare.values()))
    return {label: points[name] - total for label, name in bare.items()}


def _triage(prompt: Prompt, name: str, labels: Sequence[str]) -> dict[str, float]:
    words = set(re.findall(r"[a-z]+", prompt.text.casefold()))
    points = {}
    for label in labels:
        topic = label.casefold()
        plain = PLAIN_WORDS.get(topic, topic.replace("_", " ")).split()
        points[label] = _SURE if words & set(plain) else 0.0
    for demo in prompt.demos:
        label = demo.outputs.get(name, "")
        if label in points:
            related = words & set(RELATED_WORDS.get(label.casefold(), "").split())
            likely = _LIKELY * (1 - 0.5 ** len(related))
            near = _SURE * _overlap(set(_words(prompt.text)), set(_words(demo.text)))
            points[label] = max(points[label], likely + near)
    return points


def _overlap(one: set[str], other: set[str]) -> float:
    """Shared words, long ones counting more, as a share of what could be shared."""
    shared = sum(len(word) for word in one & other)
    return shared / (1 + min(sum(map(len, one)), sum(map(len, other))))


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.casefold()) if len(word) > 3]


def _best(points: Mapping[str, float]) -> str:
    """The first of those with most points."""
    return max(points, key=lambda label: points[label])


def _plain(type_: FieldType | None, text: str) -> str:
    if type_ is None or type_.kind == "str":
        return text
    if type_.kind == "enum":
        return next((label for label in type_.labels if label in text), type_.labels[0])
    if type_.kind == "object":
        return json.dumps(_plain_json(json.loads(type_.schema or "{}")))
    return _PLAINEST.get(type_.kind, text)


def _plain_json(schema: Any) -> Any:
    """A plain value for a JSON Schema: only what it requires."""
    schema = schema if isinstance(schema, Mapping) else {}
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("anyOf"):
        return _plain_json(schema["anyOf"][-1])
    kind = schema.get("type", "object")
    if kind == "object":
        inner = schema.get("properties", {})
        return {name: _plain_json(inner.get(name)) for name in schema.get("required", ())}
    if schema.get("format") == "date":
        return _PLAINEST["date"]
    return {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}.get(kind)


_PLAINEST = {
    "int": "0",
    "float": "0",
    "bool": "false",
    "date": "2000-01-01",
    "list": "[]",
    "dict": "{}",
    "optional": "null",
    "history": "[]",
    "image": "https://example.org/image.png",
    "tool": '{"name": "echo"}',
}


SCRIPTS: dict[str, BuiltinScript] = {
    "echo": BuiltinScript("Says back what it was given.", echo),
    "support-triage": BuiltinScript(
        "Sorts customers' messages by plain words, and better when it sees demos.",
        support_triage,
        support_triage_scores,
    ),
}
"""The scripts by name."""
