"""Many clients in one thread, with asyncio (seed program S0-P5, repaired): a coroutine for each.

Where a coroutine awaits, the event loop goes on with whichever connection is ready: the same epoll
as in server_selectors.py, written as if it blocked. The call log shows listen(100), asyncio's own
default, and that asyncio sets TCP_NODELAY on each connection, so that no small reply waits for an
ACK (Nagle).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
from collections.abc import Callable

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        asyncio.run(serve(options, say))
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


async def serve(options: argparse.Namespace, say: Say) -> None:
    """Listen, and wait for the end of as many connections as asked for."""
    over = asyncio.Semaphore(0)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Ctrl-C cancels every coroutine; here, where this one began, that is no error.
        with contextlib.suppress(asyncio.CancelledError):
            await talk(reader, writer, say)
        over.release()

    server = await asyncio.start_server(greet, options.address, options.port)
    address, port = server.sockets[0].getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    try:
        for _ in itertools.count() if options.count is None else range(options.count):
            await over.acquire()
    finally:
        server.close()  # not awaited: from Python 3.12 on that waits for clients still connected


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, say: Say) -> None:
    """Answer each chunk, to the end of the stream; a broken connection ends only itself."""
    address, port = writer.get_extra_info("peername")
    peer = f"{address}:{port}"
    say(f"Connected: {peer}.", f"已连接：{peer}。")
    try:
        while octets := await reader.read(1024):
            writer.write(REPLY.encode("utf-8"))  # tries to send at once, keeps what is left over
            await writer.drain()  # waits only while too much is left over
            say(f"Answered {peer}: {len(octets)} octets.", f"已应答 {peer}：{len(octets)} 字节。")
        writer.close()
        await writer.wait_closed()  # what was written has gone out, then FIN
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:
        say(f"Broken: {peer}: {error.strerror}.", f"已中断：{peer}：{error.strerror}。")
    finally:
        writer.close()  # whatever happened


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, lang."""
    parser = argparse.ArgumentParser(description="A greeting server: one thread, asyncio.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
