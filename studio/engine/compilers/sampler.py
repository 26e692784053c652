"""Which choice to try next: a Tree-structured Parzen Estimator.

Bergstra et al. 2011
(https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization), Optuna's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

BATCH = 4
"""Choices that are named together, so that they can be tried side by side; fixed, so that what is
named does not depend on how many calls may be in flight."""
_TRIES = 8
"""How often known choices may be named for one batch before the sampler is taken to be content."""

Choice = tuple[int, ...]
"""For each name of a space, in order: which option."""


class Sampler:
    """Optuna's multivariate TPE over options; the same for the same seed and what it was told."""

    def __init__(self, sizes: Mapping[str, int], seed: int) -> None:
        import optuna

        self._optuna = optuna
        self._options: dict[str, BaseDistribution] = {
            name: optuna.distributions.CategoricalDistribution(tuple(range(size)))
            for name, size in sizes.items()
        }
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=1, multivariate=True, constant_liar=True, seed=seed
        )
        # A new study is told to the log otherwise.
        loud = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._study = optuna.create_study(direction="maximize", sampler=sampler)
        finally:
            optuna.logging.set_verbosity(loud)
        self._running: dict[Choice, Any] = {}

    def ask(self, left: int, known: Mapping[Choice, float | None]) -> list[Choice]:
        """Up to a batch of choices that are not known; none when the sampler names no new one."""
        batch: list[Choice] = []
        tries = 0
        while len(batch) < min(BATCH, left) and tries < _TRIES:
            trial = self._study.ask(self._options)
            choice = tuple(trial.params[name] for name in self._options)
            if choice in known:
                self._finish(trial, known[choice])
                tries += 1
            elif choice in self._running:
                self._finish(trial, None)
                tries += 1
            else:
                self._running[choice] = trial
                batch.append(choice)
        return batch

    def tell(self, choice: Choice, value: float | None) -> None:
        """How far it led; None: nothing could be scored."""
        trial = self._running.pop(choice, None)
        if trial is not None:
            self._finish(trial, value)
        elif value is not None:
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    params=dict(zip(self._options, choice, strict=True)),
                    distributions=self._options,
                    value=value,
                )
            )

    def _finish(self, trial: Any, value: float | None) -> None:
        failed = self._optuna.trial.TrialState.FAIL
        if value is None:
            self._study.tell(trial, state=failed)
        else:
            self._study.tell(trial, value)
