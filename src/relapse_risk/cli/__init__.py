"""The command line, ``relapse``: one file a command group, no logic of its own."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer
import typer.core

from relapse_risk.cli import demo, importing, scoring, service, simulating, training
from relapse_risk.cli.output import report_error
from relapse_risk.errors import Interrupted, RelapseError, StorageError, exit_codes

_DISTRIBUTION = "relapse-risk"


class _Commands(typer.core.TyperGroup):
    """Commands that end with an error of their own on Ctrl-C."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped by Ctrl-C; no output is left half written") from None


def _exit_codes_help() -> str:
    lines = (f"{code:>3}  {name + ': ' if name else ''}{meaning}" for code, name, meaning in exit_codes())
    return "\n".join(("Exit codes:", *lines))


app = typer.Typer(
    name="relapse",
    cls=_Commands,
    help="Learns which households are likely to return to poverty, and orders the next visits.",
    epilog=_exit_codes_help(),
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


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"{_DISTRIBUTION} {version(_DISTRIBUTION)}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that need no command."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with 0, 2 for invalid arguments, or the exit code of the error."""
    as_json = "--json" in (arguments or sys.argv[1:])
    try:
        app(arguments, prog_name="relapse")
    except RelapseError as error:
        report_error(error, as_json=as_json)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        storage_error = StorageError(
            f"{error.strerror}: {error.filename}. See that it is there and may be read and written."
            if error.filename
            else f"the system refused a file or folder: {error}"
        )
        report_error(storage_error, as_json=as_json)
        raise SystemExit(storage_error.exit_code) from None
