"""What a process of the service runs, from its start to its end."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from granian.server import Server


def work(*arguments: Any) -> None:
    """Serve until the signal to stop, then end the process at once.

    Threads of granian may still run when its loop has answered the last request and returned. Python before 3.14
    stops such threads while it takes the interpreter apart, and in compiled frames that cannot unwind: now and then
    the process then aborts with a panic in the log. There is nothing to take apart, so the process ends without. An
    error passes, and ends the process as any error does.

    Parameters
    ----------
    *arguments
        What granian hands to a worker of an ASGI application with a lifespan.
    """
    Server._spawn_asgi_lifespan_worker(*arguments)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
