"""The embedded model's server with room for longer prompts.

With 77 labels DSPy's chat format is longer than what the studio's own server takes. All sides ask
this one; the model is the same, and so are its answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from studio.engine.lm import embedded_server

CONTEXT_TOKENS = 4096
_START_S = 180.0
_STOP_S = 10.0


@contextlib.asynccontextmanager
async def running_server(model_dir: Path) -> AsyncIterator[str]:
    """Start it in a process of its own; gives its endpoint, and ends it afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.quality.server", "--parent-pipe"),
        *("--model-dir", str(model_dir)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_S)
        if not line:
            raise SystemExit("The embedded model's server did not start: is the extra installed?")
        yield str(json.loads(line)["endpoint"])
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    embedded_server.CONTEXT_TOKENS = CONTEXT_TOKENS
    sys.exit(embedded_server.main())
