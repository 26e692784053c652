"""The client of the embedded model's server: completions, and the scores of whole labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from studio.engine.errors import LMBadAnswer, LMInvalidRequest
from studio.engine.lm.label_tree import LabelTree
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.messages import LabelScores, Usage

MODEL_NAME = "gemma-3-270m"
ENDPOINT = "embedded:a5fd3b62230a"

_ENDS = ("\n", "\n\n")
_NEGLIGIBLE = -12.0
"""Labels behind a way that is less likely than this (one in 160,000) are not told apart."""
_LIFT = 100.0
_NO_CHANCE = -100.0
"""The score of what underflows: below every number that a float of 32 bits leaves."""


class EmbeddedLM(OpenAIHttpLM):
    """The small base model that comes with the studio.

    `base_url` is what the server printed when it was ready. The port changes with every start, so
    `endpoint` names the weights instead: answers stay valid in a cache after a restart.
    """

    scores_labels = True
    folder = "v1/"
    schemas_of_prompts = True

    def __init__(
        self,
        base_url: str,
        *,
        name: str = MODEL_NAME,
        endpoint: str = ENDPOINT,
        timeout_s: float = 120.0,
    ) -> None:
        super().__init__(
            name,
            base_url.rstrip("/"),
            default_format="completion",
            timeout_s=timeout_s,
            follows_schemas=True,
        )
        self._identity = endpoint
        self._tokens: dict[str, tuple[int, ...]] = {}

    @property
    def endpoint(self) -> str:
        """Which weights answer, wherever their server listens."""
        return self._identity

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Log-probability of each whole label right after `prompt`, among these labels.

        The scores are those of a model that may write nothing but one of the labels: at each
        place where labels part, the probabilities of the next tokens are normalised over the
        labels that are left, and a label's score is the sum along its way. So the exponentials
        sum to 1, and a way that no other label shares costs nothing and changes nothing. A label
        that another one continues ends with a line end, or a blank line, which competes with
        the continuation. What stands behind a way that is next to impossible is shared evenly.

        One request to the server for each place of parting; together they count as one call.
        Raises an `LMError`; `LMInvalidRequest` when there are fewer than two different labels.
        """
        if len(set(labels)) < 2:
            raise LMInvalidRequest("Scoring needs two labels or more, all different.")
        tree = await self._tree(labels)
        scores = dict.fromkeys(labels, 0.0)
        evaluated = 0
        # One after the other: requests side by side land in different slots of the server, and
        # each slot reads the whole prompt anew.
        for place in tree.partings():
            branches = tree.branches(place)
            if scores[branches[0].labels[0]] < _NEGLIGIBLE:
                for branch in branches:
                    for label in branch.labels:
                        scores[label] -= math.log(len(branches))
                continue
            wanted = [token for branch in branches for token in branch.tokens]
            chances, read = await self._chances(prompt, place, wanted)
            evaluated += read
            for branch in branches:
                chance = sum(chances[token] for token in branch.tokens)
                for label in branch.labels:
                    scores[label] += math.log(chance) if chance > 0.0 else _NO_CHANCE
        return LabelScores(scores=scores, usage=Usage(calls=1, prompt_tokens=evaluated))

    async def _tree(self, labels: Sequence[str]) -> LabelTree:
        ends = [await self._tokenize(text) for text in _ENDS]
        return LabelTree(
            {label: await self._tokenize(label) for label in labels},
            ends=tuple(tokens[0] for tokens in ends if len(tokens) == 1),
        )

    async def _tokenize(self, text: str) -> tuple[int, ...]:
        known = self._tokens.get(text)
        if known is None:
            data = await self.post("tokenize", {"content": text, "add_special": False})
            tokens = data.get("tokens")
            if not isinstance(tokens, list) or not all(isinstance(t, int) for t in tokens):
                raise LMBadAnswer(f"{self.name} answered something that is no list of tokens.")
            known = self._tokens[text] = tuple(tokens)
        return known

    async def _chances(
        self, prompt: str, place: tuple[int, ...], tokens: Sequence[int]
    ) -> tuple[dict[int, float], int]:
        """The probability of each of `tokens` among themselves, and the prompt's length.

        All of them get the same lift, which leaves their proportions as they are and puts them
        above every other token; `top_k` then cuts the others off. Compared with the full
        distribution, the result is equal to the last digit, at no cost.
        """
        data = await self.post(
            "completion",
            {
                "prompt": [prompt, *place] if place else prompt,
                "n_predict": 1,
                "logit_bias": [[token, _LIFT] for token in tokens],
                "samplers": ["top_k"],
                "top_k": len(tokens),
                "n_probs": len(tokens),
                "post_sampling_probs": True,
                "temperature": 1.0,
                "cache_prompt": True,
            },
        )
        chances = dict.fromkeys(tokens, 0.0)
        try:
            for entry in data["completion_probabilities"][0]["top_probs"]:
                if entry["id"] in chances:
                    chances[entry["id"]] = float(entry["prob"])
            read = int(data["tokens_evaluated"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise LMBadAnswer(f"{self.name} answered something that is no scores.") from None
        if sum(chances.values()) < 0.5:
            raise LMBadAnswer(f"{self.name} scored none of the labels.")
        return chances, read
