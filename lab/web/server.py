"""Serving: the address, the token, and when to end."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from threading import Thread
from typing import Any

import uvicorn

from lab.errors import AddressTaken, AddressUnknown
from lab.web.app import application
from lab.web.live import TURN, Follower
from lab.web.site import Site

LEAVE_AFTER = 2.0  # s without a run and without a watcher
COME_WITHIN = 20.0  # s in which a run, or a watcher, has to appear at all


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """The address that a name stands for, with its family; raises AddressUnknown."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:  # UnicodeError: no name at all
        raise AddressUnknown(host=host, detail=getattr(error, "strerror", error)) from error
    return family, address


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises AddressUnknown and AddressTaken."""
    family, address = resolve(host, port)
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(64)
    except OSError as error:
        made.close()
        raise AddressTaken(address=f"{host}:{port}", detail=error.strerror) from error
    return made


def address(site: Site, port: int) -> str:
    """What is put into a browser of this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(site.host, site.host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?token={site.token}" if site.token else "")


class Server(uvicorn.Server):
    """Ends at SIGINT and SIGTERM, and, if asked to, as soon as it is of no use to anybody."""

    def __init__(self, site: Site, *, leave: bool = False) -> None:
        """``leave``: end when no run is on and nobody watches."""
        self.follower, self._leave = Follower(site.captures), leave
        super().__init__(
            uvicorn.Config(
                application(site, self.follower, lambda: self.should_exit),
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                ws="none",
                limit_concurrency=200,
                timeout_graceful_shutdown=2,
            )
        )

    def serve_on(self, listening: socket.socket) -> None:
        """Serve until the end."""
        with listening, suppress(KeyboardInterrupt):
            Thread(target=self.follower.warm_up, daemon=True).start()
            asyncio.run(self._until_end(listening))

    async def _until_end(self, listening: socket.socket) -> None:
        watch = asyncio.create_task(self._watch()) if self._leave else None
        await self.serve(sockets=[listening])
        if watch:
            watch.cancel()

    async def _watch(self) -> None:
        """Look for runs though nobody watches, and end when there is nothing left to wait for."""
        follower = self.follower
        began = time.monotonic()
        while not self.should_exit:
            await follower.now()
            idle = time.monotonic() - max(follower.last_busy, began)
            waits = LEAVE_AFTER if follower.followed else COME_WITHIN
            self.should_exit = self.should_exit or (not follower.watchers and idle > waits)
            await asyncio.sleep(TURN * 2)
