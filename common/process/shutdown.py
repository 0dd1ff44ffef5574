"""Lets streaming responses notice a graceful shutdown."""

from collections.abc import Callable

_ask: Callable[[], bool] = lambda: False  # noqa: E731 (until a server sets its own)


def set_shutdown_check(ask: Callable[[], bool]) -> None:
    """Set the function that tells whether the server is shutting down."""
    global _ask  # noqa: PLW0603 (one process has one server)
    _ask = ask


def is_shutting_down() -> bool:
    """Tell whether the server has been told to stop and waits for responses to finish."""
    return _ask()
