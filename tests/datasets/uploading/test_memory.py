"""Large files do not grow the web process, in pieces and in one request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.data import measures, world
from tests.benchmarks.data.site import Site, running_site

LIMIT_MB = 300
ROWS = 400_000
"""About 90 MB."""
BOUNDARY = "----a-boundary"


def upload_at_once(site: Site, path: Path) -> bytes:
    """Sends the file as a page without JavaScript does."""
    disposition = f'form-data; name="file"; filename="{path.name}"'
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    body = head + path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return site.request("POST", measures.API, body, **{"Content-Type": kind})


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_large_file_keeps_the_web_process_small(tmp_path: Path) -> None:
    path, folder = tmp_path / "large.csv", tmp_path / "data"
    world.write_csv(path, ROWS)
    with running_site(folder, "") as site:
        _seconds, slug = measures.upload(site, path)
        assert site.ask("GET", f"{measures.API}{slug}/")["row_count"] == ROWS
        in_pieces = site.peak_mb()
        assert b'"state":"received"' in upload_at_once(site, path)
        at_once = site.peak_mb()
    assert (in_pieces < LIMIT_MB, at_once < LIMIT_MB) == (True, True), (in_pieces, at_once)
