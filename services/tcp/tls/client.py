"""Greeting client over TLS 1.3 (announced in seed S0, X3).

With --trust FILE (what the server wrote with --publish) the certificate and the name in it are
checked. Without, they are not, and the program says so: the data is encrypted, but for whoever
answered.

On the wire: TCP handshake, ClientHello with the server's name in plain text, one round trip later
the first encrypted data; then close_notify, and FIN from this side. SSLKEYLOGFILE works here too.
"""

from __future__ import annotations

import argparse
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

PORT = 12346
MESSAGE = "你好,服务器!"
REPLY_SIZE = 25
Say = Callable[[str, str], None]


def main() -> None:
    """Greet once; a failure is one line and exit code 1."""
    options = read_command_line()
    say = speaker(options.lang)
    where = f"{options.host}:{options.port}"
    try:
        address = socket.gethostbyname(options.host)
        context = make_context(options.trust, say)
        with socket.create_connection((address, options.port)) as connection:
            greet(connection, context, options, say)
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message
        raise SystemExit(f"TLS client to {where}: certificate not believed: {reason}") from None
    except EOFError:
        raise SystemExit(f"TLS client to {where}: the server closed without an answer") from None
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        raise SystemExit(f"TLS client to {where}: {reason}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def make_context(trust: Path | None, say: Say) -> ssl.SSLContext:
    """Return a context that believes the certificate in the file, or any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if log := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = log
    if trust:
        context.load_verify_locations(trust)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        say("The server's certificate is not checked.", "不检查服务器证书。")
    return context


def greet(
    connection: socket.socket, context: ssl.SSLContext, options: argparse.Namespace, say: Say
) -> None:
    """Shake hands, send the message, read the answer, say goodbye. Raises EOFError."""
    with context.wrap_socket(connection, server_hostname=options.name) as secured:
        cipher = secured.cipher()
        what = f"{secured.version()}, {cipher[0] if cipher else '?'}"
        say(f"Secured: {what}.", f"已加密：{what}。")
        secured.sendall(options.message.encode("utf-8"))
        reply = b""
        while len(reply) < REPLY_SIZE:
            octets = secured.recv(1024)
            if not octets:
                raise EOFError
            reply += octets
        text = reply.decode("utf-8", errors="backslashreplace")
        say(f"Received {len(reply)} octets: {text}", f"收到 {len(reply)} 字节：{text}")
        secured.unwrap()  # close_notify, and the server's in return


def read_command_line() -> argparse.Namespace:
    """Return the options: host, port, message, name, trust, lang."""
    parser = argparse.ArgumentParser(description="A TLS client that greets a server.")
    option = parser.add_argument
    option("host", help="name or IPv4 address of the server")
    option("--port", type=int, default=PORT, help="default: %(default)s")
    option("--message", default=MESSAGE, help="default: %(default)s")
    option("--name", default="server", help="expected in the certificate (default: %(default)s)")
    option("--trust", type=Path, metavar="FILE", help="the certificate to believe (default: any)")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
