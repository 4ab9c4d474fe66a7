"""Greeting server over TLS 1.3 (announced in seed S0, X3): TCP as before, and all data encrypted.

The certificate is made at start with the openssl command, in a temporary folder that is gone before
the first client comes; its key never leaves this process. Nobody vouches for such a certificate: a
client believes it because it was given the same file (--publish here, --trust there), or not at
all.

On the wire: the TCP handshake, ClientHello (the server's name is readable in it), ServerHello, and
from there on only records whose length shows. Two session tickets follow the handshake; a small
reply may then wait about 40 ms for an ACK (Nagle's algorithm), unless --no-delay is given.
close_notify comes before FIN, so that nobody can cut the stream short unnoticed.

With SSLKEYLOGFILE in the environment the session's keys are appended to that file: Wireshark then
decrypts the capture (Preferences, Protocols, TLS, (Pre)-Master-Secret log).
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

PORT = 12346
REPLY = "服务器已收到消息!"
Say = Callable[[str, str], None]


def main() -> None:
    """Serve ``--count`` connections, or until Ctrl-C."""
    options = read_command_line()
    say = speaker(options.lang)
    try:
        context = make_context(options.name, options.publish)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.address, options.port))
            listener.listen(5)
            address, port = listener.getsockname()
            say(f"TLS server listens on {address}:{port}.", f"TLS 服务器监听 {address}:{port}。")
            for _ in itertools.count() if options.count is None else range(options.count):
                connection, peer = listener.accept()  # TCP is ready; TLS has not begun
                if options.no_delay:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                talk(connection, context, f"{peer[0]}:{peer[1]}", say)
    except KeyboardInterrupt:
        say("Stopped; the listening socket is closed.", "已停止，监听套接字已关闭。")
    except OSError as error:
        where = f"{options.address}:{options.port}"
        raise SystemExit(f"TLS server on {where}: {error.strerror or error}") from None


def make_context(name: str, publish: Path | None) -> ssl.SSLContext:
    """Return a context with a new certificate for the name. Raises SystemExit: no openssl."""
    with tempfile.TemporaryDirectory() as folder:  # readable by this user only
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        make_certificate(name, certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
        if publish:
            shutil.copyfile(certificate, publish)  # the certificate is public; the key is not
    if log := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = log
    return context


def make_certificate(name: str, certificate: Path, key: Path) -> None:
    """Write a self-signed certificate, good for a day, and its key."""
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    try:
        made = subprocess.run([*words.split(), *names, *files], capture_output=True, check=False)
    except FileNotFoundError:
        raise SystemExit("TLS server: no openssl command here (apt install openssl)") from None
    if made.returncode:
        raise SystemExit(f"TLS server: openssl: {made.stderr.decode(errors='replace').strip()}")


def talk(connection: socket.socket, context: ssl.SSLContext, peer: str, say: Say) -> None:
    """Shake hands, answer each chunk, to the end of the stream; a fault ends only itself."""
    try:
        with context.wrap_socket(connection, server_side=True) as secured:  # the TLS handshake
            cipher = secured.cipher()
            what = f"{secured.version()}, {cipher[0] if cipher else '?'}"
            say(f"Secured: {peer}: {what}.", f"已加密：{peer}：{what}。")
            while octets := secured.recv(1024):  # b"": close_notify has come
                secured.sendall(REPLY.encode("utf-8"))
                text = octets.decode("utf-8", errors="backslashreplace")
                say(f"Received {len(octets)} octets: {text}", f"收到 {len(octets)} 字节：{text}")
            secured.unwrap()  # our close_notify
        say(f"Closed: {peer}.", f"已关闭：{peer}。")
    except OSError as error:  # ssl.SSLError is one: no TLS at all, or a certificate not believed
        reason = getattr(error, "reason", None) or error.strerror or error
        say(f"Broken: {peer}: {reason}.", f"已中断：{peer}：{reason}。")
        connection.close()


def read_command_line() -> argparse.Namespace:
    """Return the options: address, port, count, name, publish, no_delay, lang."""
    parser = argparse.ArgumentParser(description="A TLS server that answers a greeting.")
    option = parser.add_argument
    option("--address", default="0.0.0.0", help="where to listen (default: every address)")
    option("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")
    option("--count", type=int, metavar="N", help="end after N connections (default: never)")
    option("--name", default="server", help="in the certificate (default: %(default)s)")
    option("--publish", type=Path, metavar="FILE", help="write the certificate there, without key")
    option("--no-delay", action="store_true", help="turn Nagle's algorithm off")
    option("--lang", choices=("en", "zh"), default=os.environ.get("LAB_LANG", "en"))
    return parser.parse_args()


def speaker(lang: str) -> Say:
    """Return what prints a line, worded in English and in Chinese, in one of the two."""
    return lambda en, zh: print(zh if lang.startswith("zh") else en, flush=True)


if __name__ == "__main__":
    main()
