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
    max_body_bytes : int
        Larger requests are refused unread.
    """

    model_config = SettingsConfigDict(env_prefix="RELAPSE_", frozen=True)

    models: Path
    model: str
    max_body_bytes: int = 4 * 2**20
