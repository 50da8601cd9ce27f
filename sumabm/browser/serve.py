"""The server: Solara's, on this machine alone unless told otherwise, asking nobody else."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sumabm.browser.config import config
from sumabm.browser.look import close_all
from sumabm.files import RunError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_CDN = "/_solara/cdn/"
_SETTINGS = {
    "SOLARA_APP": "sumabm.browser.app",
    "SOLARA_MODE": "production",
    "SOLARA_CHECK_HOOKS": "off",  # it complains of Mesa's own page
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_THEME_SHOW_BANNER": "false",
    "SOLARA_THEME_TITLE": "sumabm",
    "SOLARA_KERNEL_CULL_TIMEOUT": "10m",  # of a tab that is gone; a reload within it finds its run
    "SOLARA_KERNEL_MAX_COUNT": "100",
}


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Doorkeeper:
    """Lets in who asks for this server by its own name, and asks no other server for anything.

    A page of another site may not talk to it (its ``Origin`` differs), nor one that gave this
    machine a name of its own (on loopback, the ``Host`` must be a name of loopback). Solara would
    fetch a file that its front end lacks from the internet: it is not found instead.
    """

    def __init__(self, app: App, *, loopback: bool, assets: Path) -> None:
        self.app = app
        self.loopback = loopback
        self.assets = assets.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {name.decode(): text.decode("latin-1") for name, text in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        try:
            name = urlsplit(f"//{host}").hostname or ""
            home = origin is None or urlsplit(origin).netloc == host
        except ValueError:
            return await _refuse(scope, send, 400, "the request says badly where it goes")
        if self.loopback and not is_loopback(name):
            return await _refuse(scope, send, 403, "this server answers to names of loopback only")
        if not home:
            return await _refuse(scope, send, 403, "a page of another site may not come in")
        if scope["path"].startswith(_CDN) and not self._has(scope["path"].removeprefix(_CDN)):
            return await _refuse(scope, send, 404, "there is no such file")
        if self.loopback:  # to compress takes longer than to send
            kept = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
            scope = {**scope, "headers": kept}
        return await self.app(scope, receive, send)

    def _has(self, name: str) -> bool:
        try:
            path = (self.assets / name).resolve()
            return path.is_relative_to(self.assets) and path.is_file()
        except (OSError, ValueError):
            return False


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": why.encode()})


def application(host: str) -> App:
    """Return the ASGI application that serves the pages; settings of Solara are made here."""
    os.environ.update(_SETTINGS)  # read when Solara is imported
    import solara.server.settings
    import solara.server.starlette  # isort: split
    import solara.server.patch

    # a copy of matplotlib's settings per tab, which matplotlib 3.11 does not take; ours needs none
    solara.server.patch.patch_heavy_imports = lambda: None

    assets = Path(solara.server.settings.assets.proxy_cache_dir)
    return Doorkeeper(solara.server.starlette.app, loopback=is_loopback(host), assets=assets)


def serve(
    runs: Path,
    scenario: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    show: bool = True,
    told: Callable[[str], None] = print,
) -> None:
    """Serve the pages until interrupted; ``show`` opens a browser on them, ``told`` gets the URL.

    Port 0 takes any that is free. Raises RunError when the port cannot be had, and
    KeyboardInterrupt in the end.
    """
    import uvicorn

    config.runs, config.scenario = runs, scenario
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise RunError(f"{host}:{port}: cannot be listened on: {error}") from None
    server = uvicorn.Server(
        uvicorn.Config(
            application(host),
            log_level="error",
            timeout_graceful_shutdown=2,
            ws_per_message_deflate=False,  # it costs more than it saves on one machine
        )
    )
    where = f"[{host}]" if ":" in host else host
    url = f"http://{where}:{listener.getsockname()[1]}/"
    threading.Thread(target=_announce, args=(server, url, show, told), daemon=True).start()
    try:
        server.run(sockets=[listener])
        raise KeyboardInterrupt  # it ends in no other way, but asyncio at times keeps it to itself
    finally:
        close_all()  # what still plays, in threads that Python would wait for


def _announce(server: Any, url: str, show: bool, told: Callable[[str], None]) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    told(f"sumabm is at {url} (Ctrl-C ends it)")
    sys.stdout.flush()
    if show:
        webbrowser.open(url)
    import_module("sumabm.browser.live_page")  # while the browser loads the front end
