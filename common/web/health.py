"""`/healthz`, `/readyz` and `/metrics`, which no front server routes from outside.

Healthy means that the process answers. Ready means that its stores answer too. Health checks of
containers ask for the first: to restart a service does not bring its stores back.
"""

import os
import time
from collections.abc import Callable

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from redis.exceptions import RedisError

from common.process.drain import is_draining
from common.storage import StorageError
from common.web.auth import Audience, restrict_to
from common.web.services import Services, current_services
from db.engine import DatabaseUnavailable

blueprint = Blueprint("health", __name__)
restrict_to(blueprint, Audience.INSIDE)

_requests = Counter(
    "matinee_requests_total", "Requests answered", ["service", "endpoint", "method", "status"]
)
_seconds = Histogram(
    "matinee_request_seconds",
    "Time until the answer began",
    ["service", "endpoint"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)


def install_health(app: Flask, services: Services) -> None:
    """Add the three routes to an app, and count its answers.

    A service adds its own checks for readiness to `Services.checks`.
    """
    services.checks |= {
        "database": services.stores.database.ping,
        "redis": services.stores.sessions.ping,
    }
    app.register_blueprint(blueprint)
    app.after_request(_count)


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    service = current_app.name
    _requests.labels(service, endpoint, request.method, response.status_code).inc()
    _seconds.labels(service, endpoint).observe(time.perf_counter() - g.began)
    return response


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer, which is all that is asked."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Report for each store whether it can be used: 200 if all can, else 503.

    A service that is told to stop is not ready, so that it gets no more requests.
    """
    if is_draining():
        return jsonify(service="is stopping"), 503
    checks = current_services(Services).checks
    found = {name: _outcome(check) for name, check in checks.items()}
    return jsonify(found), 200 if set(found.values()) == {"ok"} else 503


def _outcome(check: Callable[[], object]) -> str:
    try:
        check()
    except (DatabaseUnavailable, RedisError) as error:
        return f"away: {type(error).__name__}"
    except StorageError as error:
        return str(error)
    return "ok"


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the counters of all processes of this service in Prometheus' text format."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
