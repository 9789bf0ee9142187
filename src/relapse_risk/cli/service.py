"""``relapse serve``: the service, under granian."""

from __future__ import annotations

import multiprocessing
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from relapse_risk.cli.output import say
from relapse_risk.cli.training import ModelsOption
from relapse_risk.errors import UsageError


def serve(
    model: Annotated[str | None, typer.Option(help="Model version; the latest otherwise.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with the model.")] = 1,
    config: Annotated[
        Path | None,
        typer.Option(help="The records' relapse.toml, for the line as it stands now; the model's own otherwise."),
    ] = None,
    models: ModelsOption = Path("models"),
) -> None:
    """Answer POST /v1/scores."""
    try:
        from granian.constants import Interfaces  # noqa: PLC0415
        from granian.http import HTTP1Settings  # noqa: PLC0415
        from granian.server import Server  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("the service needs FastAPI and granian: install relapse-risk[serve]") from error
    from relapse_risk.model.bundle import load_model  # noqa: PLC0415
    from relapse_risk.scoring.ranking import latest_version  # noqa: PLC0415
    from relapse_risk.settings import Settings  # noqa: PLC0415

    _refuse_taken(host, port)
    version = model or latest_version(models)
    if config:
        Settings.load(config)
        os.environ["RELAPSE_CONFIG"] = str(config)
    load_model(models / version)  # refuse a bad bundle here, in words, rather than in a worker
    # A worker forked from a process that has loaded LightGBM and Arrow hangs: their threads are not forked.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ["RELAPSE_MODELS"], os.environ["RELAPSE_MODEL"] = str(models), version
    say(f"serving model {version} at http://{host}:{port}/v1/scores")
    Server(
        "relapse_serve.app:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=host,
        port=port,
        workers=workers,
        http1_settings=HTTP1Settings(header_read_timeout=5_000),
        log_access=False,
    ).serve()


def _refuse_taken(host: str, port: int) -> None:
    """Refuse an address that another process answers at: granian would share it, and callers would get either's."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen at {host}:{port} ({error.strerror}). Stop what listens there, or choose another "
                "--host or --port."
            ) from None
