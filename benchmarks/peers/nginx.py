"""nginx as a peer: the gateway's own configuration without the authorisation.

It has the same log, headers and checks. Another location writes the body of a request to a file.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import (
    docker,
    find_nginx,
    free_ports,
    pids_in,
    running,
    wait_for_descendants,
    wait_for_port,
    with_descendants,
)
from benchmarks.report import ROOT
from benchmarks.sites import ComposeSite

_GATEWAY = ROOT / "gateway"
_CONTAINER_PORTS = range(5080, 5085)  # beside the gateway's own, in its network namespace

_BODY_TO_FILE = """
server {{
    listen {body};
    access_log off;
    location = /body {{
        client_max_body_size 0;
        client_body_in_file_only on;
        client_body_temp_path {bodies};
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_pass http://127.0.0.1:{sink};
    }}
}}
server {{
    listen 127.0.0.1:{sink};
    access_log off;
    return 204;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx.

    :ivar bodies: the folder that the bodies of requests are written to, if this machine can see it.
    """

    address: str
    media_port: int
    body_port: int
    pids: tuple[int, ...]
    bodies: Path | None

    def media_url(self, video: str) -> str:
        """Return where a video is served without authorisation."""
        return f"http://{self.address}:{self.media_port}/stream/{video}/video.mp4"

    @property
    def body_url(self) -> str:
        """Where the body of a request is written to a file."""
        return f"http://{self.address}:{self.body_port}/body"


def _write_config(folder: Path, ports: Sequence[int], *, videos: str, bodies: str) -> Path:
    media_port, body, health, sink, slices = ports
    parts = folder / "conf.d"
    parts.mkdir(parents=True)
    for conf in _GATEWAY.glob("*.conf"):
        text = conf.read_text(encoding="utf-8").replace(":8082", f":{slices}")
        (folder / conf.name).write_text(text, encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "CONF_DIR": str(parts), "BUILDS_DIR": str(folder)}
    subprocess.run([_GATEWAY / "settings.sh"], env=env, check=True)
    site = (_GATEWAY / "templates/site.conf.template").read_text(encoding="utf-8")
    site, removed = re.subn(r"^ *auth_request(_set)? .*\n", "", site, flags=re.MULTILINE)
    site, placed = re.subn(r"/\$media_path;", "/$video/original.mp4;", site)
    if (removed, placed) != (6, 1):
        raise RuntimeError("the gateway's configuration has changed: see benchmarks/peers/nginx.py")
    # The variables must be known, since maps name them; nothing sets them where media are served.
    internal = "location = /-/authorise {"
    unset = "".join(
        f'\n        set ${name} "";'
        for name in (
            "media_path_given",
            "media_key",
            "media_url_given",
            "media_redirect_given",
            "media_disposition_given",
        )
    )
    site = site.replace(internal, internal + unset)
    # It would write a line of that for each request.
    site = site.replace("server {", "server {\n    uninitialized_variable_warn off;", 1)
    (parts / "listen.inc").write_text(f"listen {media_port};\n", encoding="utf-8")
    site = site.replace("127.0.0.1:8081;", f"127.0.0.1:{health};")
    for name in ("VIDEOS_DIR", "STATIC_DIR", "HELP_DIR"):
        site = site.replace(f"${{{name}}}", videos)
    (parts / "site.conf").write_text(site, encoding="utf-8")
    nobody = "".join(
        f"upstream {name} {{ server 127.0.0.1:{sink}; }}\n"
        for name in ("auth", "upload", "streaming", "questions")
    )
    (parts / "upstreams.conf").write_text(nobody, encoding="utf-8")
    extra = _BODY_TO_FILE.format(body=body, sink=sink, bodies=bodies)
    (parts / "body.conf").write_text(extra, encoding="utf-8")
    return folder / "nginx.conf"


@contextmanager
def nginx_here(folder: Path, videos: Path) -> Iterator[Nginx]:
    """Run the machine's nginx on loopback, over a folder of videos."""
    ports = free_ports(5)
    bodies, run = folder / "bodies", folder / "run"
    bodies.mkdir(parents=True)
    run.mkdir()
    config = _write_config(folder / "etc", ports, videos=str(videos), bodies=str(bodies))
    user = "user root; " if os.geteuid() == 0 else ""
    command = [find_nginx() or "nginx", "-e", "/dev/stderr", "-p", str(run), "-c", str(config)]
    with running([*command, "-g", f"{user}daemon off;"], log=folder / "nginx.log") as pid:
        wait_for_port("127.0.0.1", ports[1])
        wait_for_descendants(pid, 1)
        yield Nginx("127.0.0.1", ports[0], ports[1], with_descendants(pid), bodies)


@contextmanager
def nginx_beside(folder: Path, site: ComposeSite) -> Iterator[Nginx]:
    """Run the gateway's image with the peer's configuration in the gateway's network namespace.

    The image, the nginx, the network, the volume and the log driver are those of the gateway.
    """
    ports = _CONTAINER_PORTS
    etc = folder / "etc"
    _write_config(etc, ports, videos="/videos", bodies="/tmp")
    for path in (folder, etc, etc / "conf.d"):
        path.chmod(0o755)
    options = ["--network", f"container:{site.gateway}", "--user", "0", "--entrypoint", "nginx"]
    options += ["--volume", f"{site.volume}:/videos:ro", "--volume", f"{etc}:/etc/peer:ro"]
    options += ["--log-opt", "max-size=10m", "--log-opt", "max-file=3"]
    command = ["-e", "/dev/stderr", "-p", "/tmp", "-c", "/etc/peer/nginx.conf"]
    command += ["-g", "user root; daemon off;"]
    container = docker("run", "--detach", *options, "matinee-gateway", *command)
    try:
        wait_for_port(site.address, ports[1])
        wait_for_descendants(int(docker("inspect", "--format", "{{.State.Pid}}", container)), 1)
        yield Nginx(site.address, ports[0], ports[1], pids_in(container), None)
    finally:
        docker("rm", "--force", "--volumes", container)
