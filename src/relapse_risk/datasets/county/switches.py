"""What can be switched off in a simulated county."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switches:
    """What can be switched off, to show what bias it brings.

    Parameters
    ----------
    selection : bool
        Who is found depends on who visits, and trouble once known draws more visits. Off: everyone who falls is
        found within the month.
    treatment : bool
        Measures lower the hazard. Off: they change nothing.
    delay : bool
        Finding, identifying and entering take time. Off: all is known the day it happens.
    """

    selection: bool = True
    treatment: bool = True
    delay: bool = True
