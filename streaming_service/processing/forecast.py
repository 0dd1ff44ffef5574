"""ETAs and queue positions of open jobs: see `common.forecast`, which other services use too."""

from common.forecast import (
    KIND_ORDER,
    OPEN_STATES,
    UNKNOWN_ESTIMATE,
    Forecast,
    ForecastCache,
    OpenJob,
    in_queue_order,
    load_open_jobs,
    make_forecast,
    seconds_left,
)

__all__ = [
    "KIND_ORDER",
    "OPEN_STATES",
    "UNKNOWN_ESTIMATE",
    "Forecast",
    "ForecastCache",
    "OpenJob",
    "in_queue_order",
    "load_open_jobs",
    "make_forecast",
    "seconds_left",
]
