"""``relapse serve``: the service, under granian."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from relapse_risk.cli.options import ModelsOption
from relapse_risk.cli.output import say
from relapse_risk.errors import UsageError


def serve(
    model: Annotated[str | None, typer.Option(help="Model version; the latest otherwise.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on, of this machine alone: 127.0.0.1, ::1 or localhost.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with the model.")] = 1,
    config: Annotated[
        Path | None,
        typer.Option(help="The records' relapse.toml, for the current line; the model's own otherwise."),
    ] = None,
    models: ModelsOption = Path("models"),
) -> None:
    """Answer POST /v1/scores, for programs on this machine.

    It has no keys and no access control: whoever reaches it is answered. So it listens on loopback addresses alone.
    """
    address = _loopback(host)
    try:
        from granian.constants import Interfaces  # noqa: PLC0415
        from granian.http import HTTP1Settings  # noqa: PLC0415
        from granian.server import Server  # noqa: PLC0415

        from relapse_serve.worker import work  # noqa: PLC0415
    except ImportError as error:
        raise UsageError("the service needs FastAPI and granian: install relapse-risk[serve]") from error
    from relapse_risk.model.bundle import find_bundle, load_model  # noqa: PLC0415
    from relapse_risk.settings import Settings  # noqa: PLC0415

    _refuse_taken(address, port)
    folder = find_bundle(models, model)
    if config:
        Settings.load(config)
        os.environ["RELAPSE_CONFIG"] = str(config)
    load_model(folder)  # so that a bad bundle is refused here and not in a worker
    # A worker forked from a process that has loaded LightGBM and Arrow would hang: their threads are not forked.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ["RELAPSE_MODELS"], os.environ["RELAPSE_MODEL"] = str(models), folder.name
    shown = f"[{address}]" if ":" in address else address
    say(f"serving model {folder.name} at http://{shown}:{port}/v1/scores, to this machine alone")
    Server(
        "relapse_serve.app:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=address,
        port=port,
        workers=workers,
        http1_settings=HTTP1Settings(header_read_timeout=5_000),
        log_access=False,
    ).serve(spawn_target=work)


def _loopback(host: str) -> str:
    """Return the loopback address of a host.

    Raises
    ------
    UsageError
        If it is any other address: the service would answer other machines without asking for a key.
    """
    try:
        if host.lower() == "localhost":
            found = [str(of[4][0]) for of in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        else:
            found = [host.removeprefix("[").removesuffix("]")]
        if all(ipaddress.ip_address(address).is_loopback for address in found):
            return sorted(found, key=lambda address: ":" in address)[0]
    except (OSError, ValueError):  # not resolved; not an address
        pass
    raise UsageError(
        f"--host {host}: the service has no keys yet and answers whoever reaches it, so it listens on loopback "
        "addresses alone. Valid: 127.0.0.1 (any of 127.0.0.0/8), ::1, localhost."
    )


def _refuse_taken(host: str, port: int) -> None:
    """Refuse an address in use: granian would share it, and either process would answer."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen at {host}:{port} ({error.strerror}). Stop what listens there, or choose another "
                "--host or --port."
            ) from None
