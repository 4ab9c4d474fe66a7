"""kernel.jsonl as it is written: found, locked, given to its owner, and whole before it is read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from lab.capture import tracing
from lab.capture.folder import RunFolder
from lab.capture.tracing import FILE, KernelLog, Tracing, await_kernel_log
from lab.evidence.events import Ended, decode_events
from lab.evidence.manifest import Manifest

HOSTS = ("client", "server")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    made = RunFolder.create(tmp_path, "trial", time.time_ns)
    yield made
    made.close()


def finish(folder: RunFolder) -> Path:
    return folder.finish(Manifest(scenario="trial", engine="test", started=0, complete=True))


def announce(folder: RunFolder, host: str, *addresses: str) -> None:
    listed = ", ".join(f'"{address}"' for address in addresses)
    said = f'{{"name": "{host}", "addresses": [{listed}], "port": 3}}'
    (folder.control / f"{host}.host").write_text(said)


def test_each_host_tells_its_addresses_once(folder: RunFolder) -> None:
    with KernelLog(folder.path, HOSTS) as log:
        assert list(log.addresses()) == []
        announce(folder, "server", "10.0.0.2", "fd00::2")
        assert list(log.addresses()) == ["10.0.0.2", "fd00::2"]
        announce(folder, "client", "10.0.0.1")
        assert list(log.addresses()) == ["10.0.0.1"]


def test_a_run_is_over_when_the_sniffer_says_so(folder: RunFolder) -> None:
    with KernelLog(folder.path, HOSTS) as log:
        assert not log.is_over()
        (folder.control / "end").touch()
        assert log.is_over()


def test_a_run_that_was_published_is_over_whatever_its_name(folder: RunFolder) -> None:
    with KernelLog(folder.path, HOSTS) as log:
        published = finish(folder)
        assert log.is_over()
        log.write([Ended(time=3)])
    assert decode_events((published / FILE).read_bytes()) == (Ended(time=3),)


def test_one_folder_has_one_log(folder: RunFolder) -> None:
    with KernelLog(folder.path, HOSTS), pytest.raises(FileExistsError):
        KernelLog(folder.path, HOSTS)


@pytest.mark.root
def test_it_belongs_to_the_owner_of_the_folder(folder: RunFolder) -> None:
    os.chown(folder.path, 4321, 4321)
    with KernelLog(folder.path, HOSTS):
        assert (folder.path / FILE).stat().st_uid == 4321


def test_who_reads_it_waits_until_it_is_whole(folder: RunFolder) -> None:
    read: list[bytes] = []

    def reads() -> None:
        await_kernel_log(folder.path)
        read.append((folder.path / FILE).read_bytes())

    with KernelLog(folder.path, HOSTS) as log:
        reader = Thread(target=reads)
        reader.start()
        log.write([Ended(time=3)])
        assert read == []
    reader.join()
    assert decode_events(read[0]) == (Ended(time=3),)


def test_a_run_without_it_is_not_waited_for(folder: RunFolder) -> None:
    await_kernel_log(folder.path)


def test_a_run_begins_when_the_kernel_has_said_whether_it_may_be_traced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begun = Event(), list[bool]()

    def refused() -> Path:
        assert not asked.wait(0.1)  # a busy kernel takes its time, and nothing goes on meanwhile
        asked.set()
        raise PermissionError

    monkeypatch.setattr(tracing, "mount", refused)
    with Tracing(tmp_path, "trial", HOSTS):
        begun.append(asked.is_set())
    assert begun == [True]
