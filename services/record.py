"""Run a Python program unchanged and write down every socket call it makes.

    python -m services.record [--log FILE] PROGRAM [ARGUMENTS...]

The program finds a `socket.socket` that behaves as the real one: a subclass whose calls read the
clock, make the real call, read the clock again, and write one line of JSON, with the fields of
``lab/evidence/calls.py``. Waits for many sockets at once are written down by services.readiness. What is built on sockets goes through it too: asyncio, socketserver,
selectors, makefile; of ssl, all but the reads and writes that OpenSSL makes by itself. Without
``--log``, LAB_CALLS_FD in the environment names an open descriptor.

A process that has imported this module can also be forked and `become` the recorder of a program:
no interpreter has to start for it.

A line is one write to a descriptor opened for appending, so processes and threads share a log.
SIGTERM ends the program as `sys.exit` does, so that its last calls are written as well.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Callable
from time import time_ns
from types import TracebackType
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from services import calls, readiness

USAGE = "usage: python -m services.record [--log FILE] PROGRAM [ARGUMENTS...]"
GC_THRESHOLD = (700, 10, 10)  # as in a new interpreter
LONGEST_LINE = 160  # characters of a line of the program that are written down
HIGH = 200  # the log's descriptor moves up here, so that the program's own count from 3 as usual

# The real calls that tell of a socket; made on recording sockets they leave no line.
_fileno = _socket.socket.fileno
_getsockname = _socket.socket.getsockname
_getpeername = _socket.socket.getpeername

INTERNET = (socket.AF_INET, socket.AF_INET6)
FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
IPPROTO_MPTCP = 262  # linux/in.h; not every Python has a name for it
KINDS: dict[tuple[int, int], str] = {
    (socket.SOCK_STREAM, 0): "tcp",
    (socket.SOCK_STREAM, socket.IPPROTO_TCP): "tcp",
    (socket.SOCK_STREAM, IPPROTO_MPTCP): "tcp",
    (socket.SOCK_DGRAM, 0): "udp",
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP): "udp",
}
CONNECTS = ("connect", "connect_ex")
NAMING = (*CONNECTS, "bind", "listen")  # after these a socket may have another local address
HOUSEKEEPING = frozenset({"detach", "getsockopt", "setblocking", "settimeout"})
"""Calls with which ssl moves a connection from a plain socket to its own: no program asked for them."""


SOCKETS: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""The program's sockets by their descriptors, perhaps some that they no longer have."""


class Log:
    """The lines of one program, on a descriptor opened for appending."""

    def __init__(self, descriptor: int, program: str) -> None:
        self.descriptor = descriptor
        self.file = program  # as its code objects name it
        self.program = os.path.relpath(program)
        self.lines = _lines(program)
        self.encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

    def write(self, fields: dict[str, object]) -> None:
        """Append one line; when that fails, say so once and leave the program alone."""
        if self.descriptor < 0:
            return
        fields["source"] = self.source(fields["line"])
        line = self.encode(fields).encode() + b"\n"
        try:
            whole = os.write(self.descriptor, line) == len(line)
            reason = "the disk is full"
        except OSError as error:
            whole, reason = False, str(error)
        if not whole:
            self.descriptor = -1
            print(f"record: no more calls are written down: {reason}", file=sys.stderr)

    def source(self, line: Any) -> str:
        """Return what stands in a line of the program; "" if there is no such line."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def line_of_program(self, depth: int) -> int:
        """Return the line, in the program's own file, that led to the call; 0 if none did."""
        frame = sys._getframe(depth)
        while frame.f_code.co_filename != self.file:
            if frame.f_back is None:
                return 0
            frame = frame.f_back
        return frame.f_lineno


def _lines(program: str) -> list[str]:
    """Return the lines of a program, without what indents them, none too long."""
    try:
        with open(program, encoding="utf-8", errors="replace") as file:
            return [line.strip()[:LONGEST_LINE] for line in file]
    except OSError:  # where a program was forked, and its file is not ours to read
        return []


def recording_socket(log: Log) -> type[socket.socket]:
    """Return a subclass of `socket.socket` whose calls are written to the log."""

    class RecordingSocket(socket.socket):
        __slots__ = ("_kind", "_local", "_peer")

        def __init__(
            self,
            family: int = -1,
            type: int = -1,  # noqa: A002  named as in socket.socket
            proto: int = -1,
            fileno: int | None = None,
        ) -> None:
            self._kind, self._local, self._peer = "", None, None
            if fileno is None:
                family = socket.AF_INET if family == -1 else family
                type = socket.SOCK_STREAM if type == -1 else type  # noqa: A001
                self._kind = kind_of(family, type, max(proto, 0))
                create(self, family, type, max(proto, 0))
            else:  # wraps a descriptor that exists: no call to tell of
                super().__init__(family, type, proto, fileno)
                self._kind = kind_of(self.family, self.type, self.proto)
            SOCKETS[_fileno(self)] = self

        def __del__(self) -> None:
            if _fileno(self) >= 0:  # dropped without close: the descriptor is closed all the same
                drop(self)

    create = _recorded("socket", socket.socket.__init__, calls.creation, log)
    drop = _recorded("close", _socket.socket.__del__, calls.simple, log)  # type: ignore[attr-defined]
    # close() only counts down what makefile() opened; _real_close is where the descriptor goes.
    real_close = _recorded("close", socket.socket._real_close, calls.simple, log)  # type: ignore[attr-defined]
    RecordingSocket._real_close = real_close  # type: ignore[attr-defined]
    for name, describe in calls.CALLS.items():
        setattr(RecordingSocket, name, _recorded(name, getattr(socket.socket, name), describe, log))
    RecordingSocket.__name__ = RecordingSocket.__qualname__ = "socket"  # for its repr
    RecordingSocket.__module__ = "socket"
    return RecordingSocket


def kind_of(family: int, kind: int, protocol: int) -> str:
    """Return "tcp", "udp", "unix", or "" for any other socket."""
    if family in INTERNET:
        return KINDS.get((kind & ~FLAGS, protocol), "")
    return "unix" if family == socket.AF_UNIX else ""


def _recorded(name: str, real: Any, describe: calls.Describe, log: Log) -> Any:
    """Return a method that makes the real call and writes it down, whether it returns or raises."""
    can_be_ssls = name in HOUSEKEEPING

    def call(self: Any, *args: Any, **named: Any) -> Any:
        if args and name in (
            "sendmsg",
            "recvmsg_into",
        ):  # an iterable that can perhaps be read only once
            args = (list(args[0]), *args[1:])
        if can_be_ssls and sys._getframe(1).f_globals.get("__name__") == "ssl":
            return real(self, *args, **named)
        descriptor = _fileno(self)
        before = time_ns()
        try:
            result = real(self, *args, **named)
        except BaseException as error:
            note(self, descriptor, before, time_ns(), args, named, None, error)
            raise
        note(self, descriptor, before, time_ns(), args, named, result, None)
        return result

    def note(
        sock: Any,
        descriptor: int,
        before: int,
        after: int,
        args: calls.Arguments,
        named: dict[str, Any],
        result: Any,
        error: BaseException | None,
    ) -> None:
        if name == "socket":
            descriptor = result = _fileno(sock)
        try:
            account = describe((*args, *named.values()), result, error is None)
        except Exception:  # arguments of a wrong type: the call's own error tells
            account = calls.Account([])
        local, peer = _ends(result[0] if name == "accept" and result else sock, name)
        log.write(
            {
                "before": before,
                "after": after,
                "call": name,
                "program": log.program,
                "fd": descriptor,
                "kind": sock._kind,
                "arguments": account.arguments,
                "result": account.result,
                "error": _error_name(error, result if name == "connect_ex" else 0),
                "octets": account.octets,
                "data": account.data,
                "local": local,
                "peer": account.peer or peer,
                "process": os.getpid(),
                "thread": threading.get_native_id(),
                "line": log.line_of_program(3),
            }
        )

    call.__name__ = name
    return call


def _ends(sock: Any, name: str) -> tuple[object, object]:
    """Return local and peer address; the kernel is asked only until it has told them."""
    if sock._local is None or name in NAMING:
        sock._local = _ask(_getsockname, sock)
    # A UDP socket has a peer only after connect, and connect may change it.
    if name in CONNECTS or (sock._peer is None and sock._kind == "tcp" and name not in NAMING):
        sock._peer = _ask(_getpeername, sock)
    return sock._local, sock._peer


def _ends_of(descriptor: int) -> tuple[str, object, object]:
    """Return kind, local and peer address of a descriptor's socket; empty if it is none of ours."""
    sock = SOCKETS.get(descriptor)
    if sock is None or _fileno(sock) != descriptor:
        return "", None, None
    return sock._kind, *_ends(sock, "")


def _ask(question: Any, sock: Any) -> object:
    try:
        return calls.address(question(sock))
    except OSError:  # not bound, not connected, closed
        return None


def _error_name(error: BaseException | None, returned: int) -> str:
    """Return the errno's name; the exception's where there is no errno (a Python-level timeout)."""
    number = error.errno if isinstance(error, OSError) else returned
    return errno.errorcode.get(number or 0, type(error).__name__ if error else "")


# ---------------------------------------------------------------- running the program


def main() -> NoReturn:
    """Record the program named on the command line; its exit code is ours."""
    file, arguments = _read_command_line(sys.argv[1:])
    log = Log(_open_log(file), arguments[0])
    socket.socket = recording_socket(log)  # type: ignore[misc]
    readiness.watch(log, _ends_of)
    # A line is printed when it is complete and in one piece, so that programs may share an output.
    sys.stdout.reconfigure(line_buffering=True, write_through=False)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.excepthook = lambda kind, error, trace: _show(kind, error, trace, log.file)
    sys.argv = arguments
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
    code: Any = 0
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt as error:
        _show_place(error.__traceback__, log.file)
        code = 128 + signal.SIGINT
    # Sockets that the program left open have been dropped by now, and their closing is written.
    sys.exit(code)


def become(words: list[str], log: int) -> NoReturn:
    """Record a program in this process, which was forked for it; end as an interpreter ends.

    ``log`` is an open descriptor. All others but the standard ones are closed, as exec(2) would.
    """
    os.dup2(log, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    os.environ["LAB_CALLS_FD"] = "3"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()  # what came with the fork: a collection would look at it, and so copy it
    gc.set_threshold(*GC_THRESHOLD)
    show_as([sys.executable, "-m", __name__, *words])
    sys.argv[1:] = words
    code = exit_code(main)
    # As the interpreter itself leaves: waits for threads, calls what atexit knows, drops the modules.
    ctypes.pythonapi.Py_Exit(code)
    raise AssertionError("unreachable")


def exit_code(program: Callable[[], object]) -> int:
    """Call it as the interpreter calls a program; say what it says of the end, and give the exit code."""
    try:
        program()
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        print(leaving.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def show_as(words: list[str]) -> None:
    """Let ps(1) show these words for this process, as far as there is room (proc(5): arg_start)."""
    with open("/proc/self/stat") as file:
        start, end = map(int, file.read().rpartition(")")[2].split()[45:47])
    octets = "\0".join(words).encode()[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, octets, len(octets))


def _read_command_line(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the log's file (None: a descriptor is given) and the program with its arguments."""
    if words[:1] in (["--help"], ["-h"]):
        print(__doc__)
        sys.exit(0)
    file = None
    if words[:1] == ["--log"]:
        file, words = words[1] if len(words) > 1 else "", words[2:]
    if not words or words[0].startswith("-"):
        _refuse(USAGE)
    if not os.path.isfile(words[0]):
        _refuse(f"record: no such program: {words[0]}")
    return file, words


def _open_log(file: str | None) -> int:
    """Open the log, or take over the descriptor in LAB_CALLS_FD; children do not inherit it."""
    try:
        if file is None:
            given = int(os.environ.pop("LAB_CALLS_FD"))
        else:
            given = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        high = fcntl.fcntl(given, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except (KeyError, ValueError):
        _refuse(f"record: give --log FILE, or LAB_CALLS_FD in the environment\n{USAGE}")
    except OSError as error:
        _refuse(f"record: the call log cannot be opened: {error}")
    os.close(given)
    return high


def _show(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, file: str
) -> None:
    """Print an uncaught exception as usual: from the program's first frame on, none of ours."""
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    link = trace
    while link is not None:
        while link.tb_next is not None and link.tb_next.tb_frame.f_code.co_filename == __file__:
            link.tb_next = link.tb_next.tb_next
        link = link.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def _show_place(trace: TracebackType | None, file: str) -> None:
    """Print where in the program an interrupt came: what it was waiting for."""
    import traceback  # slow, and seldom needed

    places = [place for place in traceback.extract_tb(trace) if place.filename == file]
    for place in places[-1:]:
        print(f"interrupted in line {place.lineno} of {os.path.basename(file)}", file=sys.stderr)


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
