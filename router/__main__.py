"""`python -m router STAGE SUPERGRAPH [OPERATION]`: prints what each stage makes of an operation.

When a plan or an answer is wrong, go through the stages in order; the first wrong one is the place to look.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from router.errors import RouterError
from router.stages import PlanStyle, Stage, StageQuestion, show

#: `plan` in one of its styles, as a word of its own.
_SHORTHAND = {"plan-json": PlanStyle.JSON, "plan-mermaid": PlanStyle.MERMAID}


def main(arguments: list[str] | None = None) -> int:
    """Exit status 1 when the supergraph or the operation is refused; the reason goes to standard error."""
    options = _parser().parse_args(arguments)
    stage = Stage.PLAN if options.stage in _SHORTHAND else Stage(options.stage)
    try:
        question = StageQuestion(
            options.supergraph.read_text(encoding="utf-8"),
            _read(options.operation) if stage.needs_operation else "",
            options.operation_name,
            tuple(options.label),
            _SHORTHAND.get(options.stage, PlanStyle(options.format)),
        )
        print(show(stage, question))
    except (RouterError, OSError, UnicodeDecodeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        if detail := getattr(error, "detail", ""):
            print(detail, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m router", description=__doc__)
    parser.add_argument("stage", choices=[*Stage, *_SHORTHAND])
    parser.add_argument("supergraph", type=Path)
    parser.add_argument("operation", type=Path, nargs="?", help="a file; standard input where it is left out, or is -")
    parser.add_argument("--operation-name", help="which, if the file has several")
    parser.add_argument("--label", action="append", default=[], help="an active label of a progressive @override")
    parser.add_argument("--format", choices=[*PlanStyle], default=PlanStyle.TEXT, help="of the plan")
    return parser


def _read(operation: Path | None) -> str:
    return sys.stdin.read() if operation in (None, Path("-")) else operation.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
