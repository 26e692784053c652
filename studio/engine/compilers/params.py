"""The parameters that several compilers share, each with its words for the form."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def max_labeled(default: int = 16) -> Any:
    """Demos made from labels."""
    return field(
        default=default,
        metadata={
            "label": "Labelled demos",
            "help": "At most so many demos made from the labels of training examples.",
            "min": 0,
            "max": 64,
        },
    )


def max_bootstrapped(default: int = 4) -> Any:
    """Demos made from traces."""
    return field(
        default=default,
        metadata={
            "label": "Bootstrapped demos",
            "help": "At most so many demos made from answers that the metric liked; "
            "they show every step, also those that have no labels.",
            "min": 0,
            "max": 32,
        },
    )


def rounds(default: int = 1) -> Any:
    """Passes over the training examples."""
    return field(
        default=default,
        metadata={
            "label": "Rounds of bootstrapping",
            "help": "How often the teacher may try a training example that it got wrong.",
            "min": 1,
            "max": 5,
        },
    )


def metric_threshold(default: float = 1.0) -> Any:
    """What a trace has to reach."""
    return field(
        default=default,
        metadata={
            "label": "Score that a demo needs",
            "help": "An answer becomes a bootstrapped demo when the metric gives it this much.",
            "min": 0.0,
            "max": 1.0,
        },
    )


def candidates(default: int) -> Any:
    """Random candidates."""
    return field(
        default=default,
        metadata={
            "label": "Random candidates",
            "help": "Sets of demos drawn at random, besides the labelled and the first "
            "bootstrapped one.",
            "min": 0,
            "max": 64,
        },
    )


def dev_limit(default: int = 0) -> Any:
    """Dev examples."""
    return field(
        default=default,
        metadata={
            "label": "Dev examples",
            "help": "Candidates are compared on so many dev examples; 0 takes all.",
            "min": 0,
            "max": 100_000,
        },
    )


def calibrate(default: bool = True) -> Any:
    """Calibration, yes or no."""
    return field(
        default=default,
        metadata={
            "label": "Calibrate labels",
            "help": "Learn from training examples which labels the model favours, and even it "
            "out. Works with models that score labels; others are left as they are.",
        },
    )


def calibration_examples(default: int = 40) -> Any:
    """Training examples for a calibration."""
    return field(
        default=default,
        metadata={
            "label": "Calibration examples",
            "help": "Training examples that each candidate's calibration may use.",
            "min": 5,
            "max": 1_000,
        },
    )
