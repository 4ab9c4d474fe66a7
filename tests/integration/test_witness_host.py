"""The witness beside the programs of a host, which starts and ends it."""

from __future__ import annotations

import pytest
from capture_network import eventually
from test_services_host import (  # fixtures
    CLIENT,
    SERVER,
    Stage,
    namespaces,  # noqa: F401
    place,  # noqa: F401
    python,  # noqa: F401
    stage,  # noqa: F401
)

from lab.evidence.states import Appeared, Counters, Line, decode_states, last_sample, lives, stays

pytestmark = pytest.mark.root


def greeting(stage: Stage) -> None:  # noqa: F811
    """A whole run of two hosts."""
    server = stage.host("server", "--", SERVER, "--work", "0.1")
    stage.await_word("server.host")
    stage.say("server.recording")
    stage.await_line(server, "listens")
    stage.play("client", CLIENT, "10.9.8.2")
    stage.await_word("server.done")


def lines(stage: Stage, host: str) -> tuple[Line, ...]:  # noqa: F811
    return decode_states((stage.run / f"{host}.states.jsonl").read_bytes())


def states(stage: Stage, host: str) -> list[list[str]]:  # noqa: F811
    """Of each connection of a host."""
    told = lines(stage, host)
    found = [life for life in lives(told) if life.peer and life.protocol == "tcp"]
    return [[stay.state for stay in stays(life, last_sample(told))] for life in found]


def test_both_kernels_tell_of_the_four_segments_of_a_close(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    greeting(stage)
    ((*_, waiting, last),) = states(stage, "client")
    assert (waiting, last) == ("FIN-WAIT-2", "TIME-WAIT")
    ((*_, closing, closed),) = states(stage, "server")
    assert (closing, closed) == ("CLOSE-WAIT", "CLOSED")


def test_the_log_is_whole_when_the_host_reports(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    stage.host("client", "--", "who_am_i.py")
    stage.await_word("client.host")
    stage.say("client.recording")
    stage.await_word("client.done")
    assert isinstance(lines(stage, "client")[-1], Counters)


def test_sampling_begins_before_the_programs(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    greeting(stage)
    found = [line for line in lines(stage, "server") if isinstance(line, Appeared)]
    assert found
    assert all(line.since > 0 for line in found)


def test_a_host_can_do_without_a_witness(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    host = stage.host("client", "--no-witness", "--", "who_am_i.py")
    stage.await_word("client.host")
    stage.say("client.recording")
    stage.await_word("client.done")
    assert not (stage.run / "client.states.jsonl").exists()
    assert host.poll() is None


def test_a_host_that_is_ended_early_ends_its_witness(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    host = stage.host("client", "--", "for_ever.py")
    log = stage.run / "client.states.jsonl"
    assert eventually(lambda: log.exists() and log.stat().st_size > 0)
    host.terminate()
    host.communicate(timeout=20)
    assert isinstance(lines(stage, "client")[-1], Counters)


def test_a_host_that_is_killed_takes_its_witness_along(stage: Stage) -> None:  # noqa: F811
    stage.begin()
    host = stage.host("client", "--", "for_ever.py")
    log = stage.run / "client.states.jsonl"
    assert eventually(lambda: log.exists() and log.stat().st_size > 0)
    host.kill()
    assert eventually(lambda: isinstance(lines(stage, "client")[-1], Counters))
