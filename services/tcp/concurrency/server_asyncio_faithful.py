"""The asyncio server as printed (seed program S0-P5): one read, one reply, close.

Two faults are kept, and show in the evidence:

- One ``read(1024)`` is taken for the message. A greeting that arrives in two segments is answered
  after the first; the second meets a closed connection and is answered with RST.
- A client that writes GBK gets no reply: UnicodeDecodeError ends its coroutine before the close.
  asyncio reports that and, in recent versions only, closes the connection for it.

From Python 3.12 on, serve_forever at Ctrl-C waits until the clients still connected have gone.

server_asyncio.py reads to the end of the stream and awaits ``wait_closed``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from typing import Any

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        asyncio.run(serve(options, say))
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TCP server on {where}: {error.strerror or error}") from None


async def serve(options: argparse.Namespace, say: Say) -> None:
    """Listen for ever."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        octets = await reader.read(1024)  # what has come so far, not "the message"
        text = octets.decode()
        say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
        writer.write(REPLY.encode())
        await writer.drain()
        writer.close()  # not awaited: nobody learns whether the reply went out

    def report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        say(f"Failed: {type(error).__name__}: {error}.", f"失败：{type(error).__name__}：{error}。")

    asyncio.get_running_loop().set_exception_handler(report)  # one line instead of a traceback
    server = await asyncio.start_server(greet, options.address, options.port)
    address, port = server.sockets[0].getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    async with server:
        await server.serve_forever()


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The asyncio greeting server, its faults kept.")
    option = parser.add_argument
    option("--address", default="127.0.0.1", help="where to listen (default: %(default)s)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
