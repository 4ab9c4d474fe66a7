"""Greeting server as printed (seed program S0-P3): exception handling that handles too little.

Three faults are kept, and show in the evidence:

- A client that writes GBK ends the server: UnicodeDecodeError is a ValueError, and passes by
  ``except OSError``. The log shows recv, close, close, and no sendall.
- Ctrl-C before the first client: ``finally`` closes a connection that no accept has named yet.
- It binds 127.0.0.1, so another host's SYN is answered with RST, and it does not set SO_REUSEADDR,
  so after it has closed first it cannot be started again for 60 s (EADDRINUSE).

server.py beside this file is the repaired form.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable

PORT = 12345
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve until Ctrl-C or a fault; where the original ends in a traceback, this is one line."""
    options = read_command_line()
    say = speaker(options.lang)
    where = f"TCP server on {options.address}:{options.port}"
    try:
        serve((options.address, options.port), say)
    except KeyboardInterrupt:
        say("Stopped.", "已停止。")
    except UnicodeDecodeError as error:
        raise SystemExit(f"{where}: UnicodeDecodeError, not an OSError: {error}") from None
    except NameError as error:  # out of the finally clause below
        raise SystemExit(f"{where}: {type(error).__name__}: {error}") from None
    except OSError as error:  # the original's "except socket.error": bind or listen failed
        raise SystemExit(f"{where}: {error.strerror or error}") from None


def serve(where: tuple[str, int], say: Say) -> None:
    """Read once from each connection, answer, close."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(where)
    listener.listen(5)
    address, port = listener.getsockname()
    say(f"TCP server listens on {address}:{port}.", f"TCP 服务器监听 {address}:{port}。")
    while True:
        try:
            connection, peer = listener.accept()
            say(f"Connected: {peer[0]}:{peer[1]}.", f"已连接：{peer[0]}:{peer[1]}。")
            octets = connection.recv(1024)
            if not octets:  # not an error but the end of the stream: the client's FIN has come
                raise OSError("the client has disconnected")
            text = octets.decode("utf-8")  # raises past the handler below
            say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
            connection.sendall(REPLY.encode("utf-8"))
        except OSError as error:
            say(f"Connection failed: {error}.", f"连接出错：{error}。")
        finally:
            connection.close()  # FIN; a NameError if the first accept did not return


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, lang."""
    parser = argparse.ArgumentParser(description="The greeting server, its faults kept.")
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
