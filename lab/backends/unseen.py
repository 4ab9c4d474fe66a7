"""What programs said last: an error tells it where nobody saw their lines."""

from __future__ import annotations

from collections.abc import Callable

from lab.backends.base import Line
from lab.errors import LabError, RecordingError, SnifferFailed
from lab.text import Text, same

SNIFFER = "sniffer"
LONGEST = 3  # lines of a LabError, which is what a sniffer says of its failure

ABOVE = Text("its own words are above.", "原因见上方它自己的输出。")
SILENT = Text("it said nothing.", "它没有任何输出。")

_RECORDING: tuple[type[LabError], ...] = (RecordingError, *RecordingError.__subclasses__())
RECORDERS_OWN = {error.exit_code for error in _RECORDING}
"""Exit codes of a sniffer that could not record."""


class Unseen:
    """Takes the lines of a run that nobody watches."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def __call__(self, line: Line) -> None:
        """Keep one."""
        self.lines.append(line)


def last_words(show: Callable[[Line], None], source: str, most: int = 1) -> Text:
    """The last lines that a program printed; of a run that was watched, that they are above."""
    if not isinstance(show, Unseen):
        return ABOVE
    said = [line.words for line in show.lines if line.source == source]
    return same(" ".join(said[-most:])) if said else SILENT


def judge_sniffer(code: int, show: Callable[[Line], None]) -> None:
    """Raise SnifferFailed for the exit code of a sniffer that could not record."""
    if code in RECORDERS_OWN:
        raise SnifferFailed(code=code, words=last_words(show, SNIFFER, LONGEST))
