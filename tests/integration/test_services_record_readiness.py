"""Waits for many sockets at once are written down, and behave as without the recorder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder import PAIR, Recorder


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


WAITS = {
    "select": "select.select([near], [], [], 5)",
    "poll": "p = select.poll(); p.register(near, select.POLLIN); p.poll(5000)",
    "epoll_wait": "e = select.epoll(); e.register(near, select.EPOLLIN); e.poll(5)",
}
SELECTORS = {
    "select": "SelectSelector",
    "poll": "PollSelector",
    "epoll_wait": "EpollSelector",
}


@pytest.mark.parametrize("function", WAITS)
def test_a_wait_is_one_line_with_what_was_ready(recorder: Recorder, function: str) -> None:
    calls = recorder.calls(
        f"""{PAIR}
    import select
    far.sendall(b"x")
    {WAITS[function]}
    """
    )
    (wait,) = [call for call in calls if call.function == function]
    way = "read" if function == "select" else "IN"
    assert wait.result == [[4, way]]
    assert wait.before < wait.after
    assert wait.line


@pytest.mark.parametrize("function", SELECTORS)
def test_a_selector_waits_in_the_open(recorder: Recorder, function: str) -> None:
    calls = recorder.calls(
        f"""{PAIR}
    import selectors
    s = selectors.{SELECTORS[function]}()
    s.register(near, selectors.EVENT_READ)
    far.sendall(b"x")
    assert s.select(5)
    assert near.recv(1) == b"x"
    assert not s.select(0)
    s.close()
    """
    )
    waits = [call.result for call in calls if call.function == function]
    assert len(waits) == 2
    assert waits[1] == []


def test_a_wait_that_found_one_socket_bears_its_addresses(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    import select
    far.sendall(b"x")
    select.select([near], [], [])
    """
    )
    wait = next(call for call in calls if call.function == "select")
    received = next(call for call in calls if call.function == "connect")
    assert wait.kind == "tcp"
    assert (wait.local, wait.peer) == (received.local, received.peer)


def test_a_wait_that_found_several_sockets_bears_no_address(recorder: Recorder) -> None:
    calls = recorder.calls(
        PAIR
        + """
    import select
    select.select([], [near, far], [])
    """
    )
    wait = next(call for call in calls if call.function == "select")
    assert (wait.local, wait.peer) == (None, None)


def test_a_wait_that_fails_is_written_with_its_error(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import select
        e = select.epoll()
        e.close()
        try:
            e.poll(0)
        except ValueError:
            pass
        try:
            select.select([100], [], [], 0)
        except OSError:
            pass
    """)
    assert [call.error for call in calls] == ["ValueError", "EBADF"]


def test_an_epoll_object_is_what_it_was(recorder: Recorder) -> None:
    source = """
        import select
        with select.epoll(sizehint=4) as e:
            print(isinstance(e, select.epoll), e.fileno() >= 0, e.closed)
            e.register(0)
            e.unregister(0)
            try:
                e.unregister(0)
            except OSError as error:
                print(type(error).__name__)
        print(e.closed, select.epoll.__name__)
        with select.epoll() as first, select.epoll.fromfd(first.fileno()) as second:
            print(first.fileno() == second.fileno())
        for faulty in ((1, [], []), (["x"], [], []), ([], []), ([], [], [], "soon")):
            try:
                select.select(*faulty)
            except TypeError as error:
                print(error)
    """
    assert recorder.run(source).stdout == recorder.run_plain(source).stdout != ""


def test_what_the_labs_own_helpers_wait_for_is_not_the_programs(recorder: Recorder) -> None:
    calls = recorder.calls("""
        import types
        import select
        helper = types.ModuleType("services.helper")
        helper.select = select
        exec("def wait(): return select.select([], [], [], 0)", helper.__dict__)
        helper.wait()
    """)
    assert calls == ()
