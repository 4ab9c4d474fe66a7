"""What the namespaces engine builds, as the programs inside find it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lab.topology import CLIENT_AND_SERVER, ROUTED, Host, Router, Topology
from tests.namespaces import run_in

pytestmark = pytest.mark.root

SERVE = """
import socket
family, address = socket.{family}, "{address}"
with socket.create_server((address, 7), family=family) as listener:
    accepted, peer = listener.accept()
    print(peer[0])
"""
CONNECT = """
import socket, time
while True:
    try:
        socket.create_connection(("{name}", 7)).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.002)
"""
INTERFACES = """
from pathlib import Path
for device in sorted(Path("/sys/class/net").iterdir()):
    print(device.name, *((device / one).read_text().strip() for one in ("mtu", "address")))
"""
READ_TTL = """
import socket
IP_RECVTTL = 12
with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    receiver.bind(("", 7))
    _, [(_, _, ttl)], _, sender = receiver.recvmsg(100, 100)
    receiver.sendto(b"enough", sender)
    print(int.from_bytes(ttl, "little"))
"""
ASK_UNTIL_ANSWERED = """
import select, socket
with socket.socket(type=socket.SOCK_DGRAM) as sender:
    while True:
        sender.sendto(b"once more", ("server", 7))
        if select.select([sender], [], [], 0.01)[0]:
            break
"""
FIND_PATH_MTU = """
import select, socket
IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_MTU = 10, 2, 14
with socket.socket(type=socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    sender.connect(("server", 7))
    sender.send(bytes(1400))
    waiting = select.poll()
    waiting.register(sender, select.POLLERR)
    waiting.poll(5000)
    print(sender.getsockopt(socket.IPPROTO_IP, IP_MTU))
"""
TRY_TO_LEAVE = """
import errno, socket
with socket.socket() as sock:
    print(errno.errorcode[sock.connect_ex(("192.0.2.1", 80))])
"""


@pytest.mark.parametrize(
    ("family", "address", "name", "seen"),
    [("AF_INET", "0.0.0.0", "server", "10.77.1.2"), ("AF_INET6", "::", "ip6-server", "fd77:1::2")],
    ids=["IPv4", "IPv6, at once"],
)
def test_hosts_reach_each_other_by_name(
    tmp_path: Path, family: str, address: str, name: str, seen: str
) -> None:
    programs = {
        "server": SERVE.format(family=family, address=address),
        "client": CONNECT.format(name=name),
    }
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, programs)
    assert printed["server"] == f"{seen}\n"


def test_a_host_is_called_by_its_name_and_finds_itself(tmp_path: Path) -> None:
    ask = "import socket as s; print(s.gethostname(), s.gethostbyname(s.gethostname()))"
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"server": ask})
    assert printed["server"] == "server 10.77.1.3\n"


def test_an_unknown_name_is_unknown_at_once(tmp_path: Path) -> None:
    ask = "import socket\ntry: socket.gethostbyname('example.org')\nexcept OSError as e: print(e)"
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": ask})
    assert "Name or service not known" in printed["client"]


def test_a_host_has_eth0_of_1500_octets_a_stable_mac_and_loopback(tmp_path: Path) -> None:
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": INTERFACES})
    assert printed["client"] == "eth0 1500 02:77:00:00:01:02\nlo 65536 00:00:00:00:00:00\n"


def test_there_is_no_way_out(tmp_path: Path) -> None:
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": TRY_TO_LEAVE})
    assert printed["client"] == "ENETUNREACH\n"


def links() -> list[str]:
    """The machine's interfaces; Docker's own come and go, as another test has them."""
    docker = re.compile(r"veth[0-9a-f]{7}|br-[0-9a-f]{12}")
    return sorted(name for name in os.listdir("/sys/class/net") if not docker.fullmatch(name))


def test_the_machines_own_network_is_left_alone(tmp_path: Path) -> None:
    before = links()
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": "print(1)"})
    assert printed["client"] == "1\n"
    assert links() == before


def test_a_host_sees_only_its_own_processes(tmp_path: Path) -> None:
    ask = "import os; print([name for name in os.listdir('/proc') if name.isdecimal()])"
    printed, _ = run_in(tmp_path, CLIENT_AND_SERVER, {"client": ask})
    assert printed["client"] == "['1']\n"


# ---------------------------------------------------------------- what a topology may ask for


def test_sysctls_are_set_in_their_host_alone(tmp_path: Path) -> None:
    hosts = (Host("client", sysctls={"net.ipv4.tcp_retries2": "3"}), Host("server"))
    read = "print(open('/proc/sys/net/ipv4/tcp_retries2').read().strip())"
    printed, _ = run_in(tmp_path, Topology(hosts), {"client": read, "server": read})
    assert printed["client"] == "3\n"
    assert printed["server"] != "3\n"


def test_a_sysctl_that_the_kernel_does_not_have_is_named(tmp_path: Path) -> None:
    wrong = Topology((Host("client", sysctls={"net.ipv4.no_such": "1"}),))
    _, outcome = run_in(tmp_path, wrong, {"client": "print(1)"})
    assert outcome.failed == ("client: sysctl net.ipv4.no_such=1", "No such file or directory")


def test_a_further_address_answers_too(tmp_path: Path) -> None:
    hosts = (Host("client"), Host("server", addresses=("10.77.1.100/24",)))
    programs = {
        "server": SERVE.format(family="AF_INET", address="10.77.1.100"),
        "client": CONNECT.format(name="10.77.1.100"),
    }
    printed, _ = run_in(tmp_path, Topology(hosts), programs)
    assert printed["server"] == "10.77.1.2\n"


def test_a_router_is_one_hop(tmp_path: Path) -> None:
    printed, _ = run_in(tmp_path, ROUTED, {"server": READ_TTL, "client": ASK_UNTIL_ANSWERED})
    assert printed["server"] == "63\n"


def test_a_narrow_port_of_the_router_is_reported_to_the_sender(tmp_path: Path) -> None:
    narrow = Topology(ROUTED.hosts, routers=(Router(mtus={2: 1300}),))
    printed, _ = run_in(tmp_path, narrow, {"client": FIND_PATH_MTU})
    assert printed["client"] == "1300\n"
