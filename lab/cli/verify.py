"""`lab verify`: was what happened what the scenario promises?"""

from __future__ import annotations

from pathlib import Path

import click

from lab.cli import _options as options
from lab.text import Language


@click.command()
@click.argument("run", metavar="[RUN]", default="")
@options.as_json
@options.language
@options.captures
def command(run: str, as_json: bool, language: Language, captures: Path) -> None:
    """Check each promise of a run's scenario: PASS or FAIL, with the frames that show it.

    Exit code 0 if all were kept, 1 if not, 77 if this kernel or engine lacks what the scenario is
    about. The newest run unless one is named.
    """
    from lab import scenarios
    from lab.analyze import load
    from lab.cli import _output as output
    from lab.errors import NothingPromised
    from lab.report.verdict import draw_verdict, verdict

    _, evidence = load(captures, run)
    if not evidence.manifest.scenario:
        raise NothingPromised(file=run)
    found = verdict(scenarios.find(evidence.manifest.scenario), evidence)
    if as_json:
        from lab.report import records

        output.write_json(records.verdict(found), indent=2)
    else:
        output.write(draw_verdict(found, language, output.columns(), output.paint()))
    raise SystemExit(found.exit_code)
