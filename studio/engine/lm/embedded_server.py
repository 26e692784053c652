"""The embedded model's server, a process of its own.

    python -m studio.engine.lm.embedded_server --model-dir DIR [--port 0] [--parallel 2]

When it is ready it writes one line to standard output, `{"endpoint": "http://127.0.0.1:PORT"}`,
and then serves until SIGTERM or SIGINT; with `--parent-pipe` also until its standard input is
closed, which happens when the process that started it is gone, however it went.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import studio
from studio.engine.errors import LMUnavailable
from studio.engine.lm.embedded_model import MISSING, assemble_model

__all__ = ["assemble_model", "main", "running_server"]

CONTEXT_TOKENS = 2048
"""Tokens that one request may have, prompt and answer together."""

PARALLEL = 2
"""Requests that are read at the same time. Each of these places reads a prompt's demos for itself
before it can share them, so that more places make a compile slower on few cores."""

_PROMPT_CACHE_MIB = 512
_START_S = 120.0
_STOP_S = 10.0
# Threads that wait for each other in a busy loop make every call ten times slower as soon as
# another process wants a core. The library reads these once, when it is loaded.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


@contextlib.asynccontextmanager
async def running_server(model_dir: Path, *, parallel: int = PARALLEL) -> AsyncIterator[str]:
    """Start the server in a process of its own; gives its endpoint, and ends it afterwards.

    Raises `LMUnavailable` with what the process said when it does not get ready.
    """
    root = str(Path(studio.__file__).parents[1])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "studio.engine.lm.embedded_server", "--parent-pipe"),
            *("--model-dir", str(model_dir), "--parallel", str(parallel)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": path},
        )
        try:
            yield await _endpoint(process, log)
        finally:
            await _stop(process)


async def _endpoint(process: asyncio.subprocess.Process, log: IO[bytes]) -> str:
    assert process.stdout is not None
    line = b""
    with contextlib.suppress(TimeoutError):
        line = await asyncio.wait_for(process.stdout.readline(), _START_S)
    try:
        return str(json.loads(line)["endpoint"])
    except (ValueError, KeyError, TypeError):
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
        raise LMUnavailable(
            said[-1] if said else "The embedded model's server did not start."
        ) from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit status."""
    options = _parser().parse_args(arguments)
    if any(name not in os.environ for name in _ENVIRONMENT):
        os.execve(
            sys.executable,
            [sys.executable, *sys.orig_argv[1:]],
            {**_ENVIRONMENT, **os.environ},
        )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.parent_pipe:
        threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    try:
        server = _serve(assemble_model(options.model_dir), options.port, options.parallel)
    except (LMUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    ready = json.dumps({"endpoint": server.listening_address})
    if options.ready_file:
        _write_whole(options.ready_file, ready)
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    stop.wait()
    if options.ready_file:
        options.ready_file.unlink(missing_ok=True)
    # The library would finish its open requests first; nobody waits for their answers any more.
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m studio.engine.lm.embedded_server",
        description="Serve the embedded model on this machine.",
    )
    parser.add_argument("--model-dir", type=Path, required=True, help="where the model's file is")
    parser.add_argument("--port", type=int, default=0, help="0 finds a free one")
    parser.add_argument("--parallel", type=int, default=PARALLEL, help="requests at the same time")
    parser.add_argument("--ready-file", type=Path, help="a file that gets the endpoint, too")
    parser.add_argument(
        "--parent-pipe", action="store_true", help="end when standard input is closed"
    )
    return parser


def _watch_parent(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def _serve(model: Path, port: int, parallel: int) -> Any:
    try:
        xllamacpp = import_module("xllamacpp")
    except ImportError:
        raise LMUnavailable(MISSING) from None
    settings = xllamacpp.CommonParams()
    settings.model.path = str(model)
    settings.port = port
    settings.n_parallel = parallel
    settings.n_ctx = parallel * CONTEXT_TOKENS
    # Without the whole window kept, this model's sliding attention forbids reuse of a prefix.
    settings.swa_full = True
    settings.cache_ram_mib = _PROMPT_CACHE_MIB
    settings.verbosity = 0
    # Vectors beside completions, from the same weights: the mean over a text's tokens.
    settings.embedding = True
    settings.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # With these two, the same prompt scores more alike whatever else is in the server's batch.
    settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.no_extra_bufts = True
    for cpu in (settings.cpuparams, settings.cpuparams_batch):
        cpu.n_threads = max(1, _cores() - 1)
        cpu.poll = 0
    try:
        return xllamacpp.Server(settings)
    except RuntimeError as error:
        raise LMUnavailable(f"The embedded model's server did not start: {error}") from None


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(f"{text}\n")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
