"""A large file over tus and through the form, as ratios to other programs that receive it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.form_client import post_form
from benchmarks.options import WITHOUT_COMPOSE, Bench, Options
from benchmarks.peers.nginx import Nginx, nginx_here
from benchmarks.peers.tus_server import tus_server
from benchmarks.report import ratio, table
from benchmarks.sites import Site
from benchmarks.tus_client import upload_by_tus

_NGINX = "nginx, body to file"
_REQUEST = 16 << 20  # bytes
_SIZES = {"one request": None, f"requests of {_REQUEST >> 20} MiB": _REQUEST}


@dataclass
class Method:
    """One way to upload the file: seconds that it takes, round by round.

    :ivar aim: of its speed beside nginx.
    :ivar peer: the method of `@tus/server` that it is compared with.
    """

    name: str
    upload: Callable[[], float]
    aim: str = ""
    peer: str = ""
    seconds: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Upload once, on a disk that has nothing left to write."""
        os.sync()
        self.seconds.append(self.upload())

    def speed_of(self, other: "Method") -> float:
        """Return how fast it is beside another, in the median round."""
        return median(b / a for a, b in zip(self.seconds, other.seconds, strict=True))


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    folder, video = bench.folder("upload"), bench.video
    sites = bench.sites()
    with nginx_here(folder / "nginx", folder) as nginx, tus_server(folder / "tus") as reference:
        methods = [method for site in sites for method in _methods(site, video)]
        methods.append(Method(_NGINX, partial(_body_to_file, nginx, video)))
        methods += [
            Method(_reference(name), partial(_to_reference, *reference, video, size))
            for name, size in _SIZES.items()
        ]
        for number in range(bench.options.rounds):
            for method in methods if number % 2 == 0 else methods[::-1]:
                method.measure()
                print(f"  {method.name}: {method.seconds[-1]:.2f} s", flush=True)
    return _section(bench.options, methods, compose=bench.gateway is not None)


def _reference(name: str) -> str:
    return f"@tus/server, {name}"


def _methods(site: Site, video: Path) -> list[Method]:
    methods = [
        Method(
            f"{site.name}, tus, {name}",
            partial(_tus, site, video, size),
            aim="0.5",
            peer=_reference(name),
        )
        for name, size in _SIZES.items()
    ]
    return [*methods, Method(f"{site.name}, form", partial(_form, site, video), aim="0.4")]


def _section(options: Options, methods: list[Method], *, compose: bool) -> str:
    by_name = {method.name: method for method in methods}
    rows = []
    for method in methods:
        row = [method.name, ratio(method.speed_of(by_name[_NGINX])), method.aim]
        peer = by_name.get(method.peer)
        row += [ratio(method.speed_of(peer)), "1.5"] if peer else ["", ""]
        rows.append([*row, f"{options.size / median(method.seconds) / 1e6:,.0f}"])
    head = ["who", f"speed of {_NGINX}", "aim", "of @tus/server", "aim", "MB/s"]
    without = "" if compose else f"\nThrough the gateway: {WITHOUT_COMPOSE}\n"
    return (
        f"{table(head, rows)}\n{without}\n"
        f"One file of {options.size >> 20:,} MiB of random bytes, {options.rounds} rounds, from"
        " the first byte sent to the answer, by a client that uses `sendfile`. Matinee answers"
        " after `fdatasync`, the check of the file and the commit. nginx"
        " (`client_body_in_file_only`, the same form, on loopback) and `@tus/server` with"
        " `@tus/file-store` (on loopback) sync nothing."
    )


def _form(site: Site, video: Path) -> float:
    uploaded = post_form(f"{site.url}/upload", video, cookie=site.admin.cookie)
    site.admin.delete(f"/api/videos/{uploaded.video}?permanently=1")
    return uploaded.seconds


def _tus(site: Site, video: Path, request_size: int | None) -> float:
    url, cookie = f"{site.url}/upload/files", site.admin.cookie
    uploaded = upload_by_tus(url, video, cookie=cookie, request_size=request_size)
    site.admin.delete(f"/api/videos/{uploaded.video}?permanently=1")
    return uploaded.seconds


def _to_reference(url: str, files: Path, video: Path, request_size: int | None) -> float:
    uploaded = upload_by_tus(url, video, request_size=request_size)
    _remove(files, size=video.stat().st_size)
    return uploaded.seconds


def _body_to_file(nginx: Nginx, video: Path) -> float:
    uploaded = post_form(nginx.body_url, video)
    assert nginx.bodies is not None
    _remove(nginx.bodies, size=video.stat().st_size)
    return uploaded.seconds


def _remove(folder: Path, *, size: int) -> None:
    """Remove what was uploaded, after a look at whether all of it is there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not any(path.stat().st_size >= size for path in files):
        raise RuntimeError(f"the upload is not in {folder}")
    for path in files:
        path.unlink()
