"""findings.json: everything found in a run, for programs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lab.findings.base import Finding
from lab.report.records import finding


def encode_findings(found: Iterable[Finding]) -> bytes:
    """The octets of findings.json: a list of findings, worst first, indented for readers."""
    return (
        msgspec.json.format(msgspec.json.encode([finding(one) for one in found]), indent=2) + b"\n"
    )
