"""The tool that asks web servers, with servers on this machine."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from studio.engine.errors import ToolError
from studio.engine.tools.html_text import html_text
from studio.engine.tools.http_tool import HttpTool
from tests.engine.tools.servers import Handler, serving


def ask(handler: Handler, make: Callable[[str], HttpTool], **arguments: Any) -> str:
    """What a tool says of a server; `{here}` in an argument is the server's address."""

    async def run() -> str:
        async with serving(handler) as here:
            given = {
                name: value.replace("{here}", here) if isinstance(value, str) else value
                for name, value in arguments.items()
            }
            return await make(here)(given)

    return asyncio.run(run())


def fetch(here: str, **more: Any) -> HttpTool:
    """A tool to which the LM gives the address."""
    return HttpTool("fetch", "Fetches a page.", allow=[here], **more)


def saying(**response: Any) -> Handler:
    """A server with one answer."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(**response)

    return handler


async def echo(request: web.Request) -> web.StreamResponse:
    """A server that says what it was asked."""
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "query": dict(request.query),
            "body": (await request.read()).decode(),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
    )


def test_it_gets_what_the_lm_names() -> None:
    assert ask(saying(text="Grüße 🧪"), fetch, url="{here}/x") == "Grüße 🧪"


def test_a_template_is_filled_and_cannot_be_left() -> None:
    def make(here: str) -> HttpTool:
        return HttpTool("order", "An order.", url=here + "/orders/{order}/x?full={full}")

    async def path(order: str, full: str = "1") -> str:
        async with serving(echo) as here:
            said = json.loads(await make(here)({"order": order, "full": full}))
            return str(said["path"])

    for order, found in {
        "7": "/orders/7/x?full=1",
        "a/../../b": "/orders/a%2F..%2F..%2Fb/x?full=1",
        "a?b=c&d#e": "/orders/a%3Fb=c&d%23e/x?full=1",
        "%2e%2e": "/orders/%252e%252e/x?full=1",
        "東京": "/orders/%E6%9D%B1%E4%BA%AC/x?full=1",
        "@evil.org/": "/orders/@evil.org%2F/x?full=1",
    }.items():
        said = asyncio.run(path(order))
        assert said.replace("%40", "@").replace("%3a", "%3A") == found
    assert asyncio.run(path("1", "&admin=1")) == "/orders/1/x?full=%26admin%3D1"

    async def queried(full: str) -> str:
        async with serving(echo) as here:
            said = json.loads(await make(here)({"order": "1", "full": full}))
            return str(said["query"]["full"])

    for full in ("a+b c", "%2B", "&x=1#y", "東京 ?", "a\r\nX-Evil: 1"):
        assert asyncio.run(queried(full)) == full
    for dots in (".", "..", "..."):
        with pytest.raises(ToolError, match="dots alone"):
            asyncio.run(path(dots))


def test_a_post_sends_the_other_arguments_as_json() -> None:
    def make(here: str) -> HttpTool:
        return HttpTool(
            "note",
            "Writes a note.",
            url=here + "/notes/{book}",
            method="POST",
            parameters={
                "type": "object",
                "properties": {"book": {"type": "string"}, "text": {"type": "string"}},
                "required": ["book", "text"],
            },
        )

    said = json.loads(ask(echo, make, book="b", text="hé\x00\n"))
    assert (said["method"], said["path"]) == ("POST", "/notes/b")
    assert json.loads(said["body"]) == {"text": "hé\x00\n"}
    assert said["headers"]["content-type"] == "application/json"


def test_the_operator_s_headers_are_sent_and_never_shown() -> None:
    def make(here: str) -> HttpTool:
        return HttpTool("x", "X.", url=here + "/", headers={"Authorization": "Bearer s3cret"})

    said = json.loads(ask(echo, make))
    assert said["headers"]["authorization"] == "Bearer s3cret"
    assert "cookie" not in said["headers"]
    assert "s3cret" not in repr(make("http://127.0.0.1:1"))
    with pytest.raises(ToolError) as error:
        HttpTool("x", "X.", url="http://x.org/", headers={"A": "s3cret\r\nB: c"})
    assert "s3cret" not in str(error.value)


def test_a_host_that_is_not_allowed_is_not_asked() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.raw_path)
        return web.Response(text="secret")

    def strict(here: str) -> HttpTool:
        return HttpTool("fetch", "F.", allow=["example.com"])

    for url in ("{here}/", "http://127.0.0.1@evil.org/", "http://localhost/"):
        with pytest.raises(ToolError):
            ask(handler, strict, url=url)
    assert not asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "127.0.0.1.",
    ],
)
def test_every_public_host_does_not_mean_this_machine(host: str) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.raw_path)
        return web.Response(text="secret")

    async def run() -> None:
        async with serving(handler) as here:
            port = here.rpartition(":")[2]
            tool = HttpTool("fetch", "F.", allow=["*:*"])
            with pytest.raises(ToolError):
                await tool({"url": f"http://{host}:{port}/"})

    asyncio.run(run())
    assert not asked


def test_a_name_that_points_inside_is_refused_and_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    inside = "127.0.0.1"

    async def run(address: str, **more: Any) -> str:
        async with serving(saying(text="inside")) as here:
            port = here.rpartition(":")[2]
            loop = asyncio.get_running_loop()

            async def getaddrinfo(host: str, port: int, **kw: Any) -> list[Any]:
                looked_up.append(host)
                # A name server that changes its mind: public at first, private from then on.
                found = address if len(looked_up) == 1 else inside
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]

            monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
            tool = HttpTool("fetch", "F.", timeout_s=2, **more)
            return await tool({"url": f"http://rebind.example.org:{port}/"})

    with pytest.raises(ToolError, match="private network"):
        asyncio.run(run(inside, allow=["*.example.org:*"]))
    looked_up.clear()
    with pytest.raises((ToolError, RuntimeError), match=r"cannot be reached|tried to reach"):
        asyncio.run(run("93.184.216.34", allow=["rebind.example.org:*"]))
    assert looked_up == ["rebind.example.org"]
    looked_up.clear()
    said = asyncio.run(run(inside, allow_private=["rebind.example.org:*"], allow=["x.org"]))
    assert said == "inside"


def test_a_name_that_nobody_knows() -> None:
    tool = HttpTool("fetch", "F.", allow=["*"])
    with pytest.raises(ToolError, match="cannot be found"):
        asyncio.run(tool({"url": "http://nobody.invalid/"}))


def test_a_redirect_is_followed_to_allowed_hosts_only() -> None:
    async def run(target: str, **more: Any) -> str:
        async def inner(request: web.Request) -> web.StreamResponse:
            return web.Response(text="other " + request.headers.get("X-Key", "none"))

        async with serving(inner) as other:

            async def handler(request: web.Request) -> web.StreamResponse:
                if request.path == "/end":
                    return web.Response(text="end " + request.headers.get("X-Key", "none"))
                raise web.HTTPFound(target.replace("{other}", other))

            async with serving(handler) as here:
                allow = [here, other] if more.get("both") else [here]
                tool = HttpTool("fetch", "F.", allow=allow, headers={"X-Key": "k"})
                return await tool({"url": here + "/start"})

    assert asyncio.run(run("/end")) == "end k"
    with pytest.raises(ToolError, match=r"another address\. This tool may not ask"):
        asyncio.run(run("{other}/"))
    assert asyncio.run(run("{other}/", both=True)) == "other none"
    for target in (
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "http://u:p@x/",
        "//evil.org/",
    ):
        with pytest.raises(ToolError, match="sends on"):
            asyncio.run(run(target))
    with pytest.raises(ToolError, match="without an end"):
        asyncio.run(run("/again"))


def test_a_post_is_not_sent_on() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    def make(here: str) -> HttpTool:
        return HttpTool("p", "P.", url=here + "/", method="POST")

    with pytest.raises(ToolError, match="a POST stays"):
        ask(handler, make)


def test_a_huge_answer_is_cut() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except (ConnectionError, asyncio.CancelledError):
            return response

    said = ask(endless, lambda here: fetch(here, max_bytes=100_000, max_chars=500), url="{here}/")
    assert said == "x" * 500 + "\n… The answer goes on; this is its beginning."


def test_a_packed_answer_is_unpacked_up_to_the_bound() -> None:
    def packed(text: bytes) -> Handler:
        return saying(
            body=gzip.compress(text),
            headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"},
        )

    assert ask(packed(b"hello"), fetch, url="{here}/") == "hello"
    bomb = packed(b"0" * 200_000_000)
    before = time.perf_counter()
    said = ask(bomb, lambda here: fetch(here, max_chars=10), url="{here}/")
    assert said.startswith("0000000000\n…")
    assert time.perf_counter() - before < 20
    broken = saying(
        body=b"no gzip", headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    )
    with pytest.raises(ToolError, match="cannot be unpacked"):
        ask(broken, fetch, url="{here}/")
    with pytest.raises(ToolError, match="not asked for"):
        ask(
            saying(body=b"x", headers={"Content-Encoding": "br", "Content-Type": "text/plain"}),
            fetch,
            url="{here}/",
        )


def test_a_slow_answer_is_given_up() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        try:
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            pass
        return response

    with pytest.raises(ToolError, match=r"no answer in 0\.2 s"):
        ask(slow, lambda here: fetch(here, timeout_s=0.2), url="{here}/")


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "application/pdf"])
def test_what_is_no_text_is_not_read(kind: str) -> None:
    with pytest.raises(ToolError, match="is no text"):
        ask(saying(body=b"\x89PNG", content_type=kind), fetch, url="{here}/")


def test_bytes_that_only_claim_to_be_text() -> None:
    with pytest.raises(ToolError, match="no text has"):
        ask(saying(body=b"MZ\x00\x01", content_type="text/plain"), fetch, url="{here}/")
    said = ask(
        saying(body="Grüße".encode("latin-1"), headers={"Content-Type": "text/plain"}),
        fetch,
        url="{here}/",
    )
    assert said == "Gr\ufffd\ufffde"
    headers = {"Content-Type": "text/plain; charset=nonsense"}
    assert ask(saying(body=b"fine", headers=headers), fetch, url="{here}/") == "fine"


@pytest.mark.parametrize("kind", ["application/json", "application/ld+json", "text/csv"])
def test_kinds_of_text(kind: str) -> None:
    assert ask(saying(body=b"{}", content_type=kind), fetch, url="{here}/") == "{}"


def test_a_refusal_is_told() -> None:
    with pytest.raises(ToolError, match="status 404: No such order"):
        ask(saying(status=404, text="No such order"), fetch, url="{here}/")


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        here = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ToolError, match="cannot be reached"):
            asyncio.run(fetch(here)({"url": here}))


def test_a_server_that_speaks_no_http() -> None:
    async def run() -> None:
        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"SSH-2.0-nothing\r\n" * 10)
            writer.close()

        server = await asyncio.start_server(rude, "127.0.0.1", 0)
        async with server:
            here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ToolError, match="cannot be reached"):
                await fetch(here)({"url": here})

    asyncio.run(run())


def test_a_page_becomes_its_text() -> None:
    page = (
        "<html><head><title>Prices</title><style>p{color:red}</style></head><body>"
        "<script>steal()</script><h1>Our  prices</h1><ul><li>Tea &amp; milk<li>Coffee</ul>"
        "<table><tr><td>a</td><td>1</td></tr></table><p>bye<br>bye</body>"
    )
    said = ask(saying(text=page, content_type="text/html"), fetch, url="{here}/")
    assert said == "Prices\nOur prices\n- Tea & milk\n- Coffee\n| a | 1\nbye\nbye"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain", "plain"),
        ("a < b and c > d", "a < b and c > d"),
        ('<a title="a > b">link</a>', "link"),
        ("<SCRIPT>x</script >y", "y"),
        ("<script>if (a</script>b", "b"),
        ("<script>never closed", ""),
        ("<svg><g>x</svg>y", "y"),
        ("<!-- a -- b -->c<!-- d", "c"),
        ("<!doctype html><?xml x?>c", "c"),
        ("<p>one<p>two</p></p>three", "one\ntwo\nthree"),
        ("&lt;b&gt; &eacute;&#233;&#xe9; &unknown;", "<b> ééé &unknown;"),
        ("<p", ""),
        ("x<", "x<"),
        ("", ""),
    ],
)
def test_pages(page: str, text: str) -> None:
    assert html_text(page) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<a '>",
        "<a b='",
        '<a "',
        "<!--",
        "<!",
        "</",
        "</a",
        "&#",
        "&#9",
        "9",
        "&amp;",
        "<p><div>",
        "<script>",
        "<script",
        "<svg>",
        "</svg>",
        "<svg><b>",
        "\n ",
    ],
)
@pytest.mark.parametrize("end", ["", ">", "-->", "</script>"])
def test_a_hostile_page_is_read_in_time(piece: str, end: str) -> None:
    before = time.perf_counter()
    html_text("&#" + piece * (50_000 // len(piece)) + end)
    assert time.perf_counter() - before < 15


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "needs a host"),
        ({"method": "DELETE", "url": "http://x.org/"}, "GET or POST"),
        ({"method": "POST", "allow": ["x.org"]}, "needs the address"),
        ({"url": "http://{host}/"}, "host without places"),
        ({"url": "http://a{host}.org/"}, "host without places"),
        ({"url": "x.org/{a}"}, "must begin with https://"),
        ({"url": "http://x.org/{"}, "not closed"),
        ({"url": "http://x.org/{0.__class__}"}, "which is none"),
        ({"url": "http://user:pw@x.org/"}, "no host"),
        ({"allow": ["nonsense here"]}, "no host"),
    ],
)
def test_tools_that_make_no_sense_are_not_made(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words):
        HttpTool("x", "X.", **more)


def test_calls_at_the_same_time_and_cancelled_ones() -> None:

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.Response(text=request.path)

    async def run() -> None:
        async with serving(slow) as here:
            tool = fetch(here)
            before = time.perf_counter()
            found = await asyncio.gather(*(tool({"url": f"{here}/{n}"}) for n in range(20)))
            assert found == [f"/{n}" for n in range(20)]
            assert time.perf_counter() - before < 15
            task = asyncio.create_task(tool({"url": here}))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
