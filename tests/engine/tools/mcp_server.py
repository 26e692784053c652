"""An MCP server made with the official package, on stdio or on a port of this machine."""

from __future__ import annotations

import os
import sys
import time

from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("test")


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Grüße, {name}!"


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ToolError("The printer is on fire.")


@server.tool()
def long() -> str:
    """Says a lot."""
    return "x" * 1_000_000


@server.tool()
def slow() -> str:
    """Takes its time."""
    time.sleep(3)
    return "done"


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(1)


@server.tool()
def secret() -> str:
    """What of our environment arrived here."""
    return os.environ.get("STUDIO_SECRET", "none") + " " + os.environ.get("GIVEN", "none")


@server.tool(name="odd name/with:signs")
def odd() -> str:
    """Has a name that no LM may use."""
    return "odd"


@server.tool()
def picture() -> Image:
    """Draws a picture."""
    return Image(data=b"\x89PNG" * 100, format="png")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
