"""The three parts of a compile's data, in order, without examples that stand in two places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from studio.engine.compilers.base import CompileTask
from studio.engine.compilers.near import NearDuplicates
from studio.engine.compilers.selecting import stratified, unique
from studio.engine.errors import CompileError
from studio.engine.example import Example


@dataclass(frozen=True)
class Parts:
    """What demos are made from, what candidates are compared on, what confirms the result."""

    train: Sequence[Example]
    dev: Sequence[Example]
    test: Sequence[Example]
    """None of them stands in train or on dev, nor does one that is nearly the same."""
    train_only: Sequence[Example]
    """Training examples of which that is true for dev and test."""
    notes: tuple[str, ...]
    """What was left out, in sentences."""
    near: NearDuplicates
    """What is nearly the same."""

    @classmethod
    def of(cls, task: CompileTask, dev_limit: int) -> Self:
        """The parts of a task, dev and test in a seeded order that is balanced over labels.

        Raises `CompileError` for a part that is empty.
        """
        program = task.program
        for name, part, use in (
            ("train", task.train, "demos are made from them"),
            ("dev", task.dev, "candidates are compared on them"),
            ("test", task.test, "the result is confirmed on them"),
        ):
            if not part:
                raise CompileError(f"There are no {name} examples: {use}. Give the split some.")
        train = unique(program, task.train)
        near = NearDuplicates(program, train)
        dev = stratified(program, unique(program, task.dev), f"{task.seed}/dev")
        dev = dev[: dev_limit or None]
        test = near.not_like([*dev, *train], unique(program, task.test))
        if not test:
            raise CompileError(
                "Every test example is a dev example as well, or a training example, or nearly "
                "the same as one, so nothing is left to confirm the result on. Give the test "
                "split examples of its own."
            )
        notes = tuple(
            f"{len(given) - len(kept)} of {len(given)} {what} examples stand twice{where} and are "
            "left out."
            for what, where, given, kept in (
                ("test", ", on dev or in train, or nearly so,", task.test, test),
                ("train", "", task.train, train),
            )
            if len(kept) < len(given)
        )
        return cls(
            train=train,
            dev=dev,
            test=stratified(program, test, f"{task.seed}/test"),
            train_only=near.not_like([*dev, *test], train),
            notes=notes,
            near=near,
        )
