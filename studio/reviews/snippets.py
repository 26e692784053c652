"""How to call a release, ready to be copied."""

from __future__ import annotations

import json
import shlex
from typing import Any


def curl_snippet(url: str, body: dict[str, Any]) -> str:
    """A command for a shell."""
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return (
        f"curl -X POST {url} \\\n"
        '  -H "Authorization: Bearer $STUDIO_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {data}"
    )


def python_snippet(url: str, body: dict[str, Any]) -> str:
    """A few lines that need nothing but Python."""
    return f"""import json, os, urllib.request

request = urllib.request.Request(
    "{url}",
    data=json.dumps({json.dumps(body, ensure_ascii=False)}).encode(),
    headers={{
        "Authorization": f"Bearer {{os.environ['STUDIO_KEY']}}",
        "Content-Type": "application/json",
    }},
)
with urllib.request.urlopen(request) as response:
    print(json.load(response)["outputs"])"""
