"""Whether this process is about to end, for answers that would otherwise go on for minutes."""

from collections.abc import Callable

_ask: Callable[[], bool] = lambda: False  # noqa: E731 (until a server says how to find out)


def set_shutdown_check(ask: Callable[[], bool]) -> None:
    """Let the server that runs this process say how to find out."""
    global _ask  # noqa: PLW0603 (one process has one server)
    _ask = ask


def is_shutting_down() -> bool:
    """Tell whether the server was told to stop, and waits for answers under way."""
    return _ask()
