"""The service: one model, one route."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import numpy as np
import pyarrow as pa
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from relapse_risk.dates import to_days
from relapse_risk.model.bundle import Bundle, find_bundle, load_model
from relapse_risk.model.reasons import as_records
from relapse_risk.scoring.score import Scorer
from relapse_risk.settings import Settings
from relapse_serve.refusals import RequestInvalid
from relapse_serve.requests import parse
from relapse_serve.settings import ServiceSettings
from relapse_serve.shape import request_schema

_log = logging.getLogger(__name__)

#: What every answer says of itself.
ADVICE = "A score only orders visits. It never includes, excludes or cuts aid: people decide that."


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """Return the service, with its model loaded and its engine compiled.

    Parameters
    ----------
    settings : ServiceSettings, optional
        The environment's otherwise.

    Raises
    ------
    UsageError, NotFoundError, BundleRefused, SettingsInvalid
        If the model or the settings file is not there or not sound: the process does not start.
    """
    settings = settings or ServiceSettings()
    bundle = load_model(find_bundle(settings.models, settings.model))
    bundle.model.n_threads = 1  # one request, one thread: OpenMP's wake-up costs more than a row
    service = Service(bundle, settings)
    service.score(service.example())
    # Nothing is described or served but what is listed here.
    app = FastAPI(title="relapse-risk", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route(
        "/v1/scores",
        service.post_scores,
        methods=["POST"],
        openapi_extra={
            "requestBody": {"content": {"application/json": {"schema": request_schema(service.needed)}}}
        },
    )
    app.add_exception_handler(HTTPException, _not_served)
    return app


async def _not_served(_request: Request, error: Exception) -> JSONResponse:
    """Answer for a route or method that is not there as every other error is answered."""
    assert isinstance(error, HTTPException)  # noqa: S101
    message = HTTPStatus(error.status_code).phrase.lower()
    return _error_answer(error.status_code, message, [], error.headers)


def _error_answer(
    status: int, message: str, violations: list[dict[str, Any]], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": message, "violations": violations}, status_code=status, headers=headers)


class Service:
    """Answers requests with one model.

    Parameters
    ----------
    bundle : Bundle
        The model.
    settings : ServiceSettings
        What the process was started with.
    """

    def __init__(self, bundle: Bundle, settings: ServiceSettings) -> None:
        self._version = bundle.version
        self._scorer = Scorer(bundle.model, bundle.settings)
        #: Tables that each household of a request must state, those the batch needs.
        self.needed = self._scorer.tables()
        self._settings = settings
        of_folder = Settings.load(settings.config) if settings.config else bundle.settings
        data = of_folder.data.model_copy(update={"end": None})  # a request ends on its own day
        self._records_settings = bundle.settings.model_copy(update={"line": of_folder.line, "data": data})

    async def post_scores(self, request: Request) -> JSONResponse:
        """Score households from the raw histories in the request."""
        return await self._answer(request, self.score)

    async def _answer(self, request: Request, handle: Callable[[bytes], dict[str, Any]]) -> JSONResponse:
        """Answer a request with what ``handle`` makes of its body; every route answers through here.

        Too large a body, a broken rule and an internal error are answered without a word of what was sent.
        """
        try:
            body = await self._body(request)
            if body is None:
                limit = self._settings.max_body_bytes
                return _error_answer(413, f"the body is larger than {limit:,} bytes; send fewer households", [])
            return JSONResponse(await run_in_threadpool(handle, body))
        except ClientDisconnect:
            return _error_answer(400, "the request was not complete", [])
        except RequestInvalid as error:
            violations = [violation.as_json() for violation in error.violations]
            status = 422 if error.readable else 400
            return _error_answer(status, f"the request breaks {error.n_violations} rule(s)", violations)
        except Exception as error:
            # An error's own text may hold what was sent: neither the answer nor the log may repeat it.
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("internal error: %s\n%s", type(error).__name__, where)
            return _error_answer(500, "internal error", [])

    async def _body(self, request: Request) -> bytes | None:
        """Return the body, None where it is larger than allowed."""
        chunks, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._settings.max_body_bytes:
                return None
            chunks.append(chunk)
        return b"".join(chunks)

    def score(self, body: bytes) -> dict[str, Any]:
        """Return the answer to a request."""
        as_of, ids, records = parse(body, self._records_settings, self.needed)
        n = len(ids)
        days = np.array([to_days(as_of)], np.int32)
        scores = self._scorer.score(records, pa.array(ids, pa.string()), np.arange(n), days, np.zeros(n, np.int64))
        return {
            "model_version": self._version,
            "as_of": as_of.isoformat(),
            "advice": ADVICE,
            "scores": [
                {
                    "household_id": ids[i],
                    "probability": float(scores.probability[i]),
                    "band": str(scores.band[i]),
                    "raw_score": float(scores.raw[i]),
                    "base_score": float(scores.base[i]),
                    "contributions": {g: float(v) for g, v in zip(scores.groups, scores.by_group[i], strict=True)},
                    "reasons": as_records(scores.reasons.of(i)),
                }
                for i in range(n)
            ],
        }

    def example(self) -> bytes:
        """Return a request that holds the least a request can: it compiles the engine before the first caller."""
        profile = {"occurred_on": "2019-01-01", "known_on": "2019-01-01", "grid_id": "x"}
        household: dict[str, Any] = {name: [] for name in self.needed}
        household |= {"household_id": "x", "households": [profile]}
        return json.dumps({"as_of": "2020-01-01", "households": [household]}).encode()
