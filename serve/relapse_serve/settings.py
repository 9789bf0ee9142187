"""What the service is started with; environment variables ``RELAPSE_*``, set by ``relapse serve``."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings of one service process.

    Parameters
    ----------
    models : Path
        Folder of bundles.
    model : str
        Version to serve.
    config : Path, optional
        Settings file of the records, for the monitoring line as it is now and for what accounts name; those the
        model was trained under otherwise.
    max_body_bytes : int
        Larger requests are refused unread.
    """

    model_config = SettingsConfigDict(env_prefix="RELAPSE_", frozen=True)

    models: Path
    model: str
    config: Path | None = None
    max_body_bytes: int = 4 * 2**20
