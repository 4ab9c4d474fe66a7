"""The wire joins the lab's own ports and nothing else, whoever asks."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture_network import ip, own_network, veth
from wire_network import command

from lab.errors import RuleImpossible, WireForbidden
from lab.text import Language
from lab.wire.netlink import read_link
from lab.wire.ports import checked_links, taken
from lab.wire.rules import drop, frames

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    with own_network():
        ip("link add switch type bridge")
        yield


def port(name: str, bridge: str = "switch") -> int:
    index = veth(f"{name}0", name)
    ip(f"link set {name} master {bridge}")
    return index


@pytest.fixture
def client() -> int:
    return port("client")


def refused(client: int, other: int) -> str:
    with pytest.raises(WireForbidden) as refusal:
        checked_links({"client": client, "server": other})
    return " ".join(refusal.value.lines(Language.EN))


def test_two_ports_of_one_bridge_are_joined(client: int) -> None:
    links = checked_links({"client": client, "server": port("server")})
    assert [link.name for link in links] == ["client", "server"]


def test_a_port_of_another_bridge_is_not_reached(client: int) -> None:
    ip("link add elsewhere type bridge")
    assert "different bridges" in refused(client, port("server", "elsewhere"))


def test_an_interface_outside_the_bridge_is_not_reached(client: int) -> None:
    assert "far is no port of a bridge" in refused(client, veth("near", "far"))


def test_an_uplink_of_the_bridge_is_not_reached(client: int) -> None:
    try:
        ip("link add link client0 name uplink type macvlan")
    except AssertionError as error:
        pytest.skip(f"this kernel makes no macvlan: {error}")
    ip("link set uplink master switch")
    assert "uplink is no veth" in refused(client, socket.if_nametoindex("uplink"))


def test_loopback_is_not_reached(client: int) -> None:
    assert "lo is no veth" in refused(client, socket.if_nametoindex("lo"))


def test_the_bridge_itself_is_not_reached(client: int) -> None:
    assert "switch is no veth" in refused(client, socket.if_nametoindex("switch"))


def test_an_interface_of_another_network_is_not_reached(client: int) -> None:
    assert "not in this network namespace" in refused(client, 9999)


def test_one_port_cannot_be_both_ends(client: int) -> None:
    assert "each once" in refused(client, client)


def test_one_end_is_no_wire(client: int) -> None:
    with pytest.raises(WireForbidden):
        checked_links({"client": client})


def test_nothing_is_touched_when_it_is_refused(client: int) -> None:
    with pytest.raises(WireForbidden), taken({"client": client, "server": veth("near", "far")}):
        pass
    assert read_link(client).isolated is False


def test_ports_are_given_back_when_it_fails_later(client: int) -> None:
    server = port("server")
    with pytest.raises(KeyError), taken({"client": client, "server": server}):
        raise KeyError
    assert [read_link(index).isolated for index in (client, server)] == [False, False]


# ------------------------------------------------------------------------------ the program


def run(words: list[str], *before: str) -> tuple[int, str]:
    done = subprocess.run([*before, *words], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr


def test_the_program_says_why_it_does_not_start(client: int, tmp_path: Path) -> None:
    far = veth("near", "far")
    code, said = run(command(tmp_path, (), client=client, server=far))
    assert code == WireForbidden.exit_code
    assert "far is no port of a bridge" in said
    assert not (tmp_path / "ready").exists()


def test_without_net_admin_it_says_so(client: int, tmp_path: Path) -> None:
    words = command(tmp_path, (), client=client, server=port("server"))
    code, said = run(words, "setpriv", "--bounding-set=-net_admin")
    assert code == WireForbidden.exit_code
    assert "NET_ADMIN" in said


def test_a_rule_about_an_unknown_host_is_refused(client: int, tmp_path: Path) -> None:
    rules = [drop(frames(sender="router"))]
    code, said = run(command(tmp_path, rules, client=client, server=port("server")))
    assert code == RuleImpossible.exit_code
    assert "there is no host router" in said


def test_rules_that_are_none_are_refused(client: int, tmp_path: Path) -> None:
    words = command(tmp_path, (), client=client, server=port("server"))
    (tmp_path / "rules.json").write_text('[{"action": {"type": "flood"}}]')
    code, said = run(words)
    assert code == RuleImpossible.exit_code
    assert "flood" in said


def test_an_older_log_is_never_overwritten(client: int, tmp_path: Path) -> None:
    (tmp_path / "wire.jsonl").write_text("older")
    code, said = run(command(tmp_path, (), client=client, server=port("server")))
    assert (code, (tmp_path / "wire.jsonl").read_text()) == (34, "older")
    assert "wire.jsonl" in said
    assert read_link(client).isolated is False
