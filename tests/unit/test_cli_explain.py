"""lab explain: summary, findings, filters, one connection in full, comments for Wireshark."""

from __future__ import annotations

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner, Result

from lab.cli import main
from lab.findings.base import Finding, Severity
from lab.packets.pcapng_writer import decryption_secrets
from lab.packets.reader import read_capture
from lab.report.explanation import finding_lines
from lab.text import Language, same
from tests.handmade import CLIENT, SERVER
from tests.three_connections import REFUSED_SYN, RETRANSMITTED, as_pcap, traffic
from tests.tour_run import Wire, greeting


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "three.pcapng"
    path.write_bytes(traffic().pcapng())
    return path


def explain(*words: str | Path, **environment: str) -> Result:
    variables = {"LAB_LANG": "en", "COLUMNS": "100", **environment}
    return CliRunner().invoke(main, ["explain", *map(str, words)], env=variables)


def titles(result: Result) -> list[str]:
    """The exchanges told of, in order."""
    words = (line.partition(":")[0] for line in result.stdout.splitlines())
    return [word for word in words if word.startswith(("TCP connection", "UDP exchange"))]


def test_the_file_as_a_whole_is_told_first(capture: Path) -> None:
    octets = sum(len(octets) for _, octets, _ in traffic().frames)
    lines = [
        line for line in explain(capture).stdout.split("\n\n")[0].splitlines() if line[0] == " "
    ]
    assert lines == [
        f"  From 2025-12-17 19:33:20.000000 to 19:33:20.600100 UTC; {octets:,} octets on the wire.",
        f"  Senders: 2 addresses: {CLIENT} (10 frames), {SERVER} (8 frames).",
        "  Protocols: 18 TCP in 3 connections.",
    ]


def test_what_was_not_read_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "keys.pcapng"
    keys = decryption_secrets(b"CLIENT_RANDOM " + b"1" * 64 + b" " + b"2" * 96 + b"\n")
    path.write_bytes(traffic().pcapng() + keys)
    offset = f"{len(traffic().pcapng()):,}"
    words = (
        f"Not read: decryption secrets, TLS sessions: 1 (blocks: 1, the first at octet {offset})."
    )
    assert words in " ".join(explain(path).stdout.split())
    (record,) = map(json.loads, explain("--json", "--summary", path).stdout.splitlines())
    assert words == f"Not read: {record['not_read'][0]['en']}."


def test_the_worst_comes_first(capture: Path) -> None:
    told = [f"TCP connection {stream}" for stream in (2, 1, 0)]
    assert titles(explain(capture)) == told


def test_findings_stand_before_the_connections_worst_first(capture: Path) -> None:
    text = explain(capture).stdout
    places = [text.index(word) for word in ("Found, worst first", "error ", "TCP connection 2")]
    assert places == sorted(places)


def test_the_summary_alone_tells_of_no_connection(capture: Path) -> None:
    result = explain("--summary", capture)
    assert (titles(result), "Found, worst first" in result.stdout) == ([], True)


def test_a_filter_chooses_connections_and_findings(capture: Path) -> None:
    result = explain("--filter", "port 443 and retransmission", capture)
    assert titles(result) == ["TCP connection 1"]
    assert "The filter holds for 1 of 3 exchanges." in result.stdout
    assert "[tcp 2]" not in result.stdout


def test_a_filter_that_nothing_satisfies_says_so(capture: Path) -> None:
    result = explain("--filter", "udp", capture)
    assert (titles(result), result.exit_code) == ([], 0)
    assert "The filter holds for 0 of 3 exchanges." in result.stdout


def test_a_faulty_filter_exits_28_and_points_at_the_fault(capture: Path) -> None:
    result = explain("--filter", "port == https", capture)
    assert (result.exit_code, result.stdout) == (28, "")
    assert "character 9" in result.stderr


def test_help_names_every_field_of_a_filter() -> None:
    from lab.filters.fields import FIELDS

    text = explain("--help").output
    assert [field.names[0] for field in FIELDS if f"  {field.names[0]}" not in text] == []


@pytest.mark.parametrize("name", ["1", "tcp:1"])
def test_one_connection_is_told_in_full(capture: Path, name: str) -> None:
    text = explain("--connection", name, capture).stdout
    assert "sent again, frames" in text
    assert f"#{RETRANSMITTED} C>S" in text.replace("  ", " ")
    assert "#11 " not in text


def test_the_figures_of_one_connection(capture: Path) -> None:
    lines = explain("--connection", "1", capture).stdout.splitlines()
    figures = {line[:27].strip(): line[27:].split() for line in lines if line.startswith("  ")}
    assert figures["frames"] == ["3", "2"]
    assert figures["sent again, frames"] == ["1", "0"]
    assert figures["most in flight, octets"] == ["5", "0"]


def test_a_connection_that_is_not_there_exits_27(capture: Path) -> None:
    result = explain("--connection", "3", capture)
    assert (result.exit_code, "no TCP stream 3" in result.stderr) == (27, True)


@pytest.mark.parametrize("name", ["x", "icmp:1", "-1"])
def test_what_names_no_connection_is_refused(capture: Path, name: str) -> None:
    assert explain(f"--connection={name}", capture).exit_code == 2


def test_json_gives_each_connection_with_its_findings(capture: Path) -> None:
    records = [json.loads(line) for line in explain("--json", capture).stdout.splitlines()]
    assert [record["stream"] for record in records] == [0, 1, 2]
    assert {found["stream"] for found in records[2]["findings"]} == {2}
    assert records[0]["file"] == str(capture)


def test_json_of_the_summary_is_one_object(capture: Path) -> None:
    record = json.loads(explain("--json", "--summary", capture).stdout)
    assert (record["frames"], record["protocols"]) == (18, {"TCP": 18})
    assert {found["stream"] for found in record["findings"]} >= {1, 2}


def test_json_of_one_connection_holds_its_ladder(capture: Path) -> None:
    record = json.loads(explain("--json", "--connection", "2", capture).stdout)
    assert [event["number"] for event in record["ladder"]["events"]] == [17, 18]


def test_only_the_worst_of_many_are_told_unless_all_are_asked_for(tmp_path: Path) -> None:
    wire, path = Wire(), tmp_path / "many.pcapng"
    for index in range(25):
        greeting(wire, index * 2000, 41000 + index, segments=3)
    path.write_bytes(wire.pcapng())
    assert "The 20 worst of 25 exchanges" in explain(path).stdout
    assert len(titles(explain(path))) == 20
    assert len(titles(explain("--all", path))) == 25


def test_many_findings_of_one_kind_do_not_hide_another() -> None:
    common = [Finding("common", Severity.ERROR, same("usual"), (number,)) for number in range(30)]
    found = [*common, Finding("rare", Severity.NOTE, same("unheard of"))]
    lines = [*finding_lines(found, Language.EN, 100)]
    assert [line.split()[1] for line in lines[:-1]] == ["usual", "usual", "usual", "unheard"]
    assert "27 more: 27 common" in lines[-1]


def test_the_same_advice_is_given_once() -> None:
    advice = same("look there")
    found = [Finding("common", Severity.NOTE, same("usual"), (n,), next=advice) for n in (1, 2)]
    lines = [line.strip() for line in finding_lines(found, Language.EN, 100)]
    assert lines == ["note     usual #1", "→ look there", "note     usual #2"]


def test_standard_input_is_a_file_too() -> None:
    result = CliRunner().invoke(main, ["explain", "-"], input=traffic().pcapng())
    assert len(titles(result)) == 3


def test_the_folder_of_a_run_is_told_with_both_its_captures() -> None:
    result = explain("--summary", Path(__file__).parents[2] / "captures" / "samples" / "tour")
    assert "client.pcapng: " in result.stdout
    assert "From client to server: 13 of 13 frames arrived" in result.stdout


def test_the_exit_code_is_that_of_the_worst_file(capture: Path, tmp_path: Path) -> None:
    damaged, cut, bad = (tmp_path / name for name in ("damaged", "cut", "bad"))
    damaged.write_bytes(traffic().pcapng() + b"\x06\0\0\0\x01\0\0\0\0\0\0\0")
    cut.write_bytes(traffic().pcapng()[:900])
    bad.write_text("nonsense")
    assert explain(damaged, cut, capture).exit_code == 23
    result = explain(bad, damaged, cut, capture)
    assert (result.exit_code, len(titles(result)) > 6) == (20, True)
    assert all(str(path) in result.stderr for path in (damaged, cut, bad))


def commented_frames(octets: bytes) -> set[int]:
    return {number for number, _ in read_capture(octets).comments}


@pytest.mark.parametrize(
    "original",
    [
        traffic().pcapng(),
        as_pcap(traffic()),
        gzip.compress(traffic().pcapng()),
        zstandard.compress(as_pcap(traffic())),
    ],
    ids=["pcapng", "pcap", "pcapng.gz", "pcap.zst"],
)
def test_annotate_comments_the_frames_of_the_findings(tmp_path: Path, original: bytes) -> None:
    path, out = tmp_path / "in", tmp_path / "out.pcapng"
    path.write_bytes(original)
    result = explain("--annotate", out, path)
    before, after = read_capture(original).frames, read_capture(out.read_bytes()).frames
    assert result.exit_code == 0
    assert {RETRANSMITTED, REFUSED_SYN} <= commented_frames(out.read_bytes())
    assert 5 not in commented_frames(out.read_bytes())
    for column in ("time", "captured", "length", "sequence", "flags"):
        assert (getattr(before, column) == getattr(after, column)).all()


@pytest.mark.tshark
@pytest.mark.parametrize(
    "original", [traffic().pcapng(), as_pcap(traffic())], ids=["pcapng", "pcap"]
)
def test_tshark_shows_the_comments(tmp_path: Path, original: bytes) -> None:
    path, out = tmp_path / "in", tmp_path / "out.pcapng"
    path.write_bytes(original)
    explain("--annotate", out, path)
    fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
    command = ["tshark", "-r", str(out), "-Y", "frame.comment", *fields]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = dict(line.split("\t") for line in seen.splitlines())
    assert {int(number) for number in words} == commented_frames(out.read_bytes())
    assert words[str(REFUSED_SYN)].startswith("error: ")


def test_annotate_never_writes_over_the_file_itself(capture: Path) -> None:
    before = capture.read_bytes()
    result = explain("--annotate", capture, capture)
    assert (result.exit_code, capture.read_bytes()) == (2, before)


def test_annotate_takes_one_file(capture: Path, tmp_path: Path) -> None:
    assert explain("--annotate", tmp_path / "out", capture, capture).exit_code == 2


def test_what_cannot_be_written_leaves_nothing(capture: Path, tmp_path: Path) -> None:
    result = explain("--annotate", tmp_path / "nowhere" / "out.pcapng", capture)
    assert (result.exit_code, "cannot be written" in result.stderr) == (51, True)
    assert [*tmp_path.iterdir()] == [capture]


def two_places(folder: Path) -> tuple[Path, Path]:
    """The traffic at the client and, 2 ms away, at the server, which the first "hello" never reached."""
    near, far = folder / "near.pcapng", folder / "far.pcapng"
    wire = traffic()
    near.write_bytes(wire.pcapng())
    del wire.frames[RETRANSMITTED - 2]
    far.write_bytes(wire.pcapng(shift=2_000_000))
    return near, far


def test_two_captures_of_one_traffic_tell_what_lay_between(tmp_path: Path) -> None:
    result = explain("--merge", *two_places(tmp_path))
    assert "From near to far: 9 of 10 frames arrived, in 2 ms to 2 ms" in result.stdout
    assert "Lost between the ports of near and far" in result.stdout


def test_one_of_two_merged_captures_connections_is_told_with_what_it_lost(tmp_path: Path) -> None:
    text = explain("--merge", "--connection", "1", *two_places(tmp_path)).stdout
    assert text.startswith("TCP connection 1:")
    assert "Lost between the ports of near and far" in text


def test_captures_without_a_common_frame_are_not_merged(capture: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pcapng"
    wire = Wire()
    greeting(wire, 0, 50000, segments=3)
    other.write_bytes(wire.pcapng())
    result = explain("--merge", capture, other)
    assert (result.exit_code, "no frame in common" in result.stderr) == (26, True)


def test_one_file_cannot_be_merged(capture: Path) -> None:
    assert explain("--merge", capture).exit_code == 2


SLOW = """
import sys, time
import lab.analyze
from lab.cli import _patience, main
from lab.findings.base import Finding, Severity
read, seconds = lab.analyze.load_file, float(sys.argv.pop(1))
if not seconds:
    _patience.AT_ONCE = 600.0  # whatever else the machine does
def slowly(path, told=None, memory=None):
    if told:
        told(0.37)
    time.sleep(seconds)
    return read(path, told)
lab.analyze.load_file = slowly
main()
"""


def on_a_terminal(
    seconds: float, words: Iterable[str | Path], *, interrupt: bool = False
) -> tuple[str, int]:
    """What standard error shows on a terminal while reading takes so long; and the exit code."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SLOW, str(seconds), "explain", *map(str, words)]
    environment = {**os.environ, "LAB_LANG": "en"}
    done = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (piece := os.read(ours, 4096))
        except OSError:  # the other end is closed
            break
        if interrupt and b"Reading" in shown:
            interrupt = False
            done.send_signal(signal.SIGINT)
        if not piece:
            break
    os.close(ours)
    return shown.decode(), done.wait()


@pytest.fixture(scope="module")
def waited(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    """What is shown of reading that takes more than a second, 37 % of which is done at once."""
    path = tmp_path_factory.mktemp("waited") / "three.pcapng"
    path.write_bytes(traffic().pcapng())
    return on_a_terminal(1.6, [path])


def test_work_that_takes_long_shows_a_bar(waited: tuple[str, int]) -> None:
    shown, code = waited
    assert (code, "three.pcapng, 1 s  [" in shown) == (0, True)


def test_the_bar_says_which_share_of_the_reading_is_done(waited: tuple[str, int]) -> None:
    assert "37%" in waited[0]


def test_the_bar_is_gone_afterwards(waited: tuple[str, int]) -> None:
    assert waited[0].endswith("\x1b[2K\r")


def test_work_that_is_done_at_once_shows_none(capture: Path) -> None:
    assert on_a_terminal(0, [capture]) == ("", 0)


def test_ctrl_c_ends_in_one_line(capture: Path) -> None:
    shown, code = on_a_terminal(60, [capture], interrupt=True)
    afterwards = shown.rpartition("\x1b[2K")[2]  # where the bar was wiped away
    assert (code, afterwards.strip()) == (130, "Stopped: what was asked for is not complete.")
