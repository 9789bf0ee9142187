"""The command line, ``relapse``: one file a command group, no logic of its own."""

from __future__ import annotations

import sys

import typer

from relapse_risk.cli import demo, importing, scoring, service, simulating, training
from relapse_risk.cli.output import report_error
from relapse_risk.errors import RelapseError, StorageError

app = typer.Typer(
    name="relapse",
    help="Learns which households are likely to return to poverty, and orders the next visits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("simulate")(simulating.simulate)
app.add_typer(importing.app, name="import")
app.command("check")(importing.check)
app.command("train")(training.train_command)
app.command("evaluate")(training.evaluate_command)
app.command("score")(scoring.score_command)
app.command("serve")(service.serve)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process: 0, 2 for unusable arguments, or the error's own exit code."""
    as_json = "--json" in (arguments or sys.argv[1:])
    try:
        app(arguments, prog_name="relapse")
    except RelapseError as error:
        report_error(error, as_json=as_json)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        told = StorageError(f"{error.strerror or type(error).__name__}: {error.filename or 'a file or folder'}")
        report_error(told, as_json=as_json)
        raise SystemExit(told.exit_code) from None
