"""Limit this process, then become another: `python -I -S confine.py LIMITS PROGRAM ARGUMENT...`.

It runs as a program of its own before ffmpeg, rather than between fork and exec of the worker,
whose threads may hold locks at that moment. It imports only the standard library, so that it
starts in a few milliseconds.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys

_PARENT_ENDED = 125  # exit status when the parent had ended before the child was tied to it
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2

# By `uname -m`: the architecture as seccomp names it (linux/audit.h), and the number of socket(2).
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING_SETUP = 425  # the same on both
_X32 = 0x40000000  # on x86_64, this bit selects another table of system calls

# Instructions of classic BPF (linux/filter.h): load a word, jump, return.
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_CALL, _ARCHITECTURE = 0, 4  # where struct seccomp_data has them
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 13  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EACCES


def confine(limits: dict[str, int]) -> None:
    """Limit this process, and all programs that it becomes, for good.

    :param limits: `parent`: its process id, whose death kills this process; `cpu` seconds; `memory`
        bytes of address space; `file` bytes of any file it writes; `niceness`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != limits["parent"]:
        os._exit(_PARENT_ENDED)
    deny_network()
    os.nice(max(0, limits["niceness"] - os.nice(0)))
    _limit(resource.RLIMIT_CPU, limits["cpu"])
    _limit(resource.RLIMIT_AS, limits["memory"])
    _limit(resource.RLIMIT_FSIZE, limits["file"])
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 64)


def deny_network() -> None:
    """Let the kernel refuse sockets of any kind from here on, where it can.

    A seccomp filter, which needs no privilege after PR_SET_NO_NEW_PRIVS. Landlock would leave out
    UDP. Neither ffmpeg nor the probe needs a socket.
    """
    architecture, socket = _SOCKET.get(os.uname().machine, (0, 0))
    if not socket or sys.maxsize < 1 << 32:
        return
    filter_ = b"".join(
        (
            _instruction(_LOAD, _ARCHITECTURE),
            _instruction(_JUMP_IF_EQUAL, architecture, otherwise=5),
            _instruction(_LOAD, _CALL),
            _instruction(_JUMP_IF_AT_LEAST, _X32, then=3),
            _instruction(_JUMP_IF_EQUAL, socket, then=2),
            _instruction(_JUMP_IF_EQUAL, _IO_URING_SETUP, then=1),
            _instruction(_RETURN, _ALLOW),
            _instruction(_RETURN, _DENY),
        )
    )
    code = ctypes.create_string_buffer(filter_, len(filter_))
    # struct sock_fprog: the number of instructions, and where they are.
    program = struct.pack("@HP", len(filter_) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(program), 0, 0)


def seal() -> None:
    """Open no file from here on; open ones stay open.

    The number of processes is not limited: that limit counts all of the user's, and threads too.
    """
    _limit(resource.RLIMIT_NOFILE, 0)


def _instruction(code: int, operand: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Return a struct sock_filter: `then` and `otherwise` are instructions to skip."""
    return struct.pack("=HBBI", code, then, otherwise, operand)


def _limit(what: int, maximum: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        maximum = min(maximum, hard)
    resource.setrlimit(what, (maximum, maximum))


if __name__ == "__main__":
    confine(json.loads(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - a shell is what is not wanted
