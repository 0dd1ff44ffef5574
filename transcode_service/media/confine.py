"""Become a program that may do little: `python -I -S confine.py LIMITS PROGRAM ARGUMENT...`.

It runs by itself before ffmpeg, rather than between fork and exec of the worker, whose threads may
hold locks at that moment. Only the standard library, so that it starts in a few milliseconds.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
GONE = 125
"""Exit status when the parent had died before the child was tied to it."""


def confine(limits: dict[str, int]) -> None:
    """Limit this process, and all that it becomes, for good.

    :param limits: `parent`: its process id, whose death kills us; `cpu` seconds; `memory` bytes of
        address space; `file` bytes of any file it writes; `niceness`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != limits["parent"]:
        os._exit(GONE)
    os.nice(max(0, limits["niceness"] - os.nice(0)))
    _at_most(resource.RLIMIT_CPU, limits["cpu"])
    _at_most(resource.RLIMIT_AS, limits["memory"])
    _at_most(resource.RLIMIT_FSIZE, limits["file"])
    _at_most(resource.RLIMIT_CORE, 0)
    _at_most(resource.RLIMIT_NOFILE, 64)


def seal() -> None:
    """Open nothing from here on; what is open stays.

    The number of processes is not limited: it would count all of the user's, threads included, and
    filters and encoders start some.
    """
    _at_most(resource.RLIMIT_NOFILE, 0)


def _at_most(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    confine(json.loads(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - a shell is what is not wanted
