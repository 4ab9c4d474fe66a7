"""lab show, explain and verify: what they print, and the exit code of everything that can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lab.cli import main
from lab.evidence.manifest import encode_manifest
from tests.tour_run import Wire, files, logs, manifest, tour

NAME = "20251217T193320Z-tour"


def save(folder: Path, wire: Wire, *, dropped: int = 0) -> Path:
    """Write a run folder, as the sniffer does."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(encode_manifest(manifest(len(wire.frames), dropped=dropped)))
    for name, octets in files(wire).items():
        (folder / name).write_bytes(octets)
    for host, octets in logs().items():
        (folder / f"{host}.calls.jsonl").write_bytes(octets)
    return folder


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    save(tmp_path / "captures" / NAME, tour())
    return tmp_path / "captures"


def lab(*words: str | Path, captures: Path = Path("none"), **environment: str) -> Result:
    variables = {"LAB_CAPTURES": str(captures), "LAB_LANG": "en", **environment}
    return CliRunner().invoke(main, [str(word) for word in words], env=variables)


def test_show_shows_the_newest_run(captures: Path) -> None:
    result = lab("show", captures=captures)
    assert (result.exit_code, result.output.split(":")[0]) == (0, f"Run {NAME}")


def test_show_ends_with_the_verdict(captures: Path) -> None:
    assert "promises were kept" in lab("show", captures=captures).output.splitlines()[-1]


@pytest.mark.parametrize("target", [NAME, "tour", NAME[:10]])
def test_a_run_can_be_named_in_several_ways(captures: Path, target: str) -> None:
    assert lab("show", target, captures=captures).exit_code == 0


def test_show_takes_a_capture_file_too(captures: Path) -> None:
    result = lab("show", captures / NAME / "client.pcapng")
    assert "C = client, S = server" in result.output


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (("--lang", "zh"), {}),
        ((), {"LAB_LANG": "zh"}),
        ((), {"LAB_LANG": "", "LC_ALL": "zh_CN.UTF-8"}),
    ],
)
def test_the_language_is_asked_for_or_the_environments(
    captures: Path, words: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert "三次握手" in lab("show", *words, captures=captures, **environment).output


def test_show_json_gives_the_whole_run(captures: Path) -> None:
    record = json.loads(lab("show", "--json", captures=captures).output)
    assert set(record) == {"manifest", "file", "ladder", "connections", "findings", "verdict"}


def test_explain_json_is_one_object_a_line(captures: Path) -> None:
    result = lab("explain", "--json", captures / NAME / "client.pcapng")
    assert [json.loads(line)["protocol"] for line in result.output.splitlines()] == [
        "tcp",
        "tcp",
        "udp",
    ]


def test_verify_exits_0_when_every_promise_was_kept(captures: Path) -> None:
    result = lab("verify", captures=captures)
    assert (result.exit_code, "FAIL" in result.output) == (0, False)


def test_verify_exits_1_when_one_was_broken(tmp_path: Path) -> None:
    save(tmp_path / NAME, tour(), dropped=1)
    result = lab("verify", captures=tmp_path)
    assert (result.exit_code, "FAIL" in result.output) == (1, True)


def test_verify_of_an_unknown_scenario_exits_43(captures: Path) -> None:
    path = captures / NAME / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"tour"', b'"touring"'))
    assert lab("verify", captures=captures).exit_code == 43


def test_no_run_at_all_exits_41(tmp_path: Path) -> None:
    assert lab("show", captures=tmp_path).exit_code == 41


def test_a_name_that_is_nothing_exits_41_and_names_what_there_is(captures: Path) -> None:
    result = lab("show", "nonsense", captures=captures)
    assert (result.exit_code, NAME in result.stderr) == (41, True)


def test_a_damaged_manifest_exits_42(captures: Path) -> None:
    (captures / NAME / "run.json").write_text("{}")
    assert lab("show", captures=captures).exit_code == 42


def test_a_damaged_call_log_exits_42(captures: Path) -> None:
    (captures / NAME / "client.calls.jsonl").write_text("nonsense\n{}\n")
    assert lab("show", captures=captures).exit_code == 42


def test_a_run_without_captures_exits_40(captures: Path) -> None:
    for path in (captures / NAME).glob("*.pcapng"):
        path.unlink()
    assert lab("show", captures=captures).exit_code == 40


def test_a_run_with_one_capture_left_is_shown(captures: Path) -> None:
    (captures / NAME / "server.pcapng").unlink()
    result = lab("show", captures=captures)
    assert (result.exit_code, "handshake 1 of 3" in result.output) == (0, True)


def test_a_killed_run_is_shown_as_incomplete(tmp_path: Path) -> None:
    folder = save(tmp_path / f"{NAME}.incomplete", tour())
    frames = len(tour().frames)
    (folder / "run.json").write_bytes(encode_manifest(manifest(frames, complete=False)))
    assert "The run is incomplete: the server was killed" in lab("show", captures=tmp_path).output


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"root:x:0:0", 20),
        (b"", 21),
        (tour().pcapng()[:72], 21),
        (tour().pcapng()[:701], 22),
        (tour().pcapng() + b"\x06\0\0\0\x01\0\0\0\0\0\0\0", 23),
    ],
    ids=["not a capture", "no octets", "no frames", "cut", "impossible length"],
)
def test_a_bad_file_has_its_own_exit_code(tmp_path: Path, octets: bytes, code: int) -> None:
    path = tmp_path / "bad.pcapng"
    path.write_bytes(octets)
    result = lab("explain", path)
    assert (result.exit_code, "bad.pcapng" in result.stderr) == (code, True)


def test_a_file_that_is_not_there_exits_24(tmp_path: Path) -> None:
    assert lab("explain", tmp_path / "nowhere").exit_code == 24


def test_what_was_read_of_a_cut_file_is_explained_first(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(tour().pcapng()[:1500])
    result = lab("explain", path)
    assert ("three-way handshake" in result.stdout, result.exit_code) == (True, 22)


def test_one_bad_file_does_not_hide_the_others(captures: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("nonsense")
    result = lab("explain", bad, captures / NAME / "client.pcapng")
    assert ("three-way handshake" in result.stdout, result.exit_code) == (True, 20)


def test_an_error_is_worded_in_the_language_asked_for(tmp_path: Path) -> None:
    assert "无法读取" in lab("explain", "--lang", "zh", tmp_path / "nowhere").stderr


def test_many_connections_are_counted_after_the_first_twenty(tmp_path: Path) -> None:
    from tests.tour_run import greeting

    wire, path = Wire(), tmp_path / "many.pcapng"
    for index in range(25):
        greeting(wire, index * 2000, 41000 + index, segments=3)
    path.write_bytes(wire.pcapng())
    assert "… and 5 more, less remarkable: 5 three-way handshake." in lab("explain", path).output


def test_an_unknown_command_is_clicks_error() -> None:
    assert lab("fly").exit_code == 2


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_a_reader_that_leaves_early_is_no_error(captures: Path) -> None:
    command = f"{sys.executable} -m lab.cli explain --json {captures}/*/client.pcapng"
    shell = f"set -o pipefail; for i in 1 2 3; do {command}; done | head -n 1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.parametrize("module", ["scapy", "docker", "asyncio", "http", "rich"])
def test_show_imports_nothing_slow(captures: Path, module: str) -> None:
    code = (
        "import sys; from lab.cli import main; "
        f"main(['show', '--captures', {str(captures)!r}], standalone_mode=False); "
        f"sys.stderr.write(str({module!r} in sys.modules))"
    )
    assert run("-c", code).stderr == "False"
