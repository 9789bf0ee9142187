"""Shared fixtures; Hypothesis is deterministic, so that CI fails for reasons in the change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.support.service import Client
    from tests.support.small import Small

settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=60,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.register_profile("long", settings.get_profile("ci"), max_examples=2000, derandomize=False)
settings.register_profile("quick", settings.get_profile("ci"), max_examples=40, phases=[Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

#: The real panel lies next to the checkout, or where RELAPSE_EPH says.
PANEL = Path(os.environ.get("RELAPSE_EPH", Path(__file__).resolve().parents[2] / "shared" / "eph"))


@pytest.fixture(scope="session")
def panel_file() -> Path:
    """The real panel's file; tests that need it skip by name where it is not there."""
    files = sorted(PANEL.glob("eph_households_*.parquet"))
    if not files:
        pytest.skip("the real panel (eph_households_*.parquet) is not there; RELAPSE_EPH names its folder")
    return files[0]


@pytest.fixture(scope="session")
def panel_persons_file() -> Path:
    """The real panel's file of persons; tests that need it skip by name where it is not there."""
    files = sorted(PANEL.glob("eph_persons_*.parquet"))
    if not files:
        pytest.skip(
            "the real panel's persons (eph_persons_*.parquet) are not there; RELAPSE_EPH names their folder"
        )
    return files[0]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A small county with its model; read only."""
    from tests.support.small import make_small

    return make_small(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def app(small: Small) -> FastAPI:
    """The service with the small model."""
    from relapse_serve.app import create_app
    from relapse_serve.settings import ServiceSettings

    return create_app(ServiceSettings(models=small.models, model=small.version))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[Client]:
    """A client of the service."""
    from tests.support.service import Client

    client = Client(app)
    yield client
    client.close()


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training runs quick."""
    from tests.support.small import train_few_trees

    train_few_trees(monkeypatch)
