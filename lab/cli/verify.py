"""`lab verify`: was what happened what the scenario promises?"""

from __future__ import annotations

from pathlib import Path

from lab.cli import _options as options
from lab.cli import _spoken as spoken
from lab.text import Language, Text


@spoken.command(
    help=Text(
        "Check each promise of a run's scenario: PASS or FAIL, with the frames that show it.\n\n"
        "Exit code 0 if all were kept, 1 if not, 77 if this kernel or engine lacks what the scenario "
        "is about. The newest run unless one is named.",
        "逐项核对运行所属场景的承诺：PASS 或 FAIL，并指出作证的帧。\n\n"
        "退出码：0 全部兑现；1 未全部兑现；77 本机内核或引擎缺少该场景所需的能力。"
        "不指定则核对最近一次运行。",
    )
)
@spoken.argument("run", metavar=Text("[RUN]", "[运行]"), default="")
@options.as_json
@options.language
@options.captures
def command(run: str, as_json: bool, language: Language, captures: Path) -> None:
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
