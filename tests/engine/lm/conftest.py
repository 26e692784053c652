"""What the tests of language models leave behind is cleared away before others run."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _litellm_is_swept() -> Iterator[None]:
    """litellm leaves connections to the garbage collector, which complains at some later time.

    The complaint would then fail whichever test runs at that moment.
    """
    yield
    if "litellm" in sys.modules:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
