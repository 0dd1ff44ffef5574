"""What Matinee is compared with: nginx without authorisation, and Flask as it is commonly used.

There are two nginx peers, in one nginx. The *twin* is the gateway's own configuration without the
authorisation: the same log line, headers and checks. The *bare* one has no log and adds no header.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import pids_in, running, wait_for_children, wait_for_port, with_children
from benchmarks.report import ROOT
from tests.containers import docker
from tests.gateway.harness import free_ports

_GATEWAY = ROOT / "gateway"
_CONTAINER_PORTS = [5080, 5081, 5082, 5083]  # beside the gateway's own, in its network namespace

_BARE = """
server {{
    listen {bare};
    access_log off;
    types {{ }}
    default_type video/mp4;
    location / {{
        root {videos};
    }}
    # The body of a request into a file, and nothing else.
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
    """A running nginx with both peers."""

    address: str
    twin_port: int
    bare_port: int
    pids: tuple[int, ...]
    bodies: Path | None

    def twin(self, video: str) -> str:
        """Return where the twin of the gateway serves a video."""
        return f"http://{self.address}:{self.twin_port}/stream/{video}/video.mp4"

    def bare(self, video: str) -> str:
        """Return where nginx serves it with no log and no headers of ours."""
        return f"http://{self.address}:{self.bare_port}/{video}/original.mp4"

    @property
    def body_url(self) -> str:
        """Where a body is written into a file."""
        return f"http://{self.address}:{self.bare_port}/body"


def _write_config(folder: Path, ports: list[int], *, videos: str, bodies: str) -> Path:
    twin, bare, health, sink = ports
    parts = folder / "conf.d"
    parts.mkdir(parents=True)
    for conf in _GATEWAY.glob("*.conf"):
        shutil.copy(conf, folder)
    media = folder / "media.conf"
    shared, removed = re.subn(
        r"^auth_request(_set)? .*\n", "", media.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    media.write_text(shared, encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "CONF_DIR": str(parts)}
    subprocess.run([_GATEWAY / "settings.sh"], env=env, check=True)
    site = (_GATEWAY / "templates/site.conf.template").read_text(encoding="utf-8")
    site = re.sub(r"^ *auth_request_set .*\n", "", site, flags=re.MULTILINE)
    site, placed = re.subn(r"/\$media_path;", "/$video/original.mp4;", site)
    if (removed, placed) != (2, 2):
        raise RuntimeError("the gateway's configuration has changed: see benchmarks/peers.py")
    # The variable must be known, since a map names it; nothing sets it where media are served.
    internal = "location = /-/authorise {"
    site = site.replace(internal, f'{internal}\n        set $media_path_given "";')
    site = site.replace("add_header Content-Disposition $media_disposition;", "")
    (parts / "listen.inc").write_text(f"listen {twin};\n", encoding="utf-8")
    site = site.replace("127.0.0.1:8081;", f"127.0.0.1:{health};")
    site = site.replace("${VIDEOS_DIR}", videos).replace("${STATIC_DIR}", videos)
    (parts / "site.conf").write_text(site, encoding="utf-8")
    nobody = "".join(
        f"upstream {name} {{ server 127.0.0.1:{sink}; }}\n"
        for name in ("auth", "upload", "streaming", "questions")
    )
    (parts / "upstreams.conf").write_text(nobody, encoding="utf-8")
    extra = _BARE.format(bare=bare, sink=sink, videos=videos, bodies=bodies)
    (parts / "bare.conf").write_text(extra, encoding="utf-8")
    return folder / "nginx.conf"


@contextmanager
def nginx_here(folder: Path, videos: Path) -> Iterator[Nginx]:
    """Run the machine's nginx on loopback, over a folder of videos."""
    ports = free_ports(4)
    bodies, run = folder / "bodies", folder / "run"
    bodies.mkdir(parents=True)
    run.mkdir()
    config = _write_config(folder / "etc", ports, videos=str(videos), bodies=str(bodies))
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "nginx"
    user = "user root; " if os.geteuid() == 0 else ""
    command = [program, "-e", "/dev/stderr", "-p", str(run), "-c", str(config)]
    with running([*command, "-g", f"{user}daemon off;"], log=folder / "nginx.log") as pid:
        wait_for_port("127.0.0.1", ports[1])
        wait_for_children(pid, 1)
        yield Nginx("127.0.0.1", ports[0], ports[1], with_children(pid), bodies)


@contextmanager
def nginx_beside(folder: Path, gateway: str, *, address: str, volume: str) -> Iterator[Nginx]:
    """Run the gateway's image with the peers' configuration in the gateway's network namespace.

    The image, the nginx, the network, the volume and the log driver are those of the gateway.

    :param gateway: the id of its container.
    :param volume: of videos.
    """
    ports = _CONTAINER_PORTS
    etc = folder / "etc"
    _write_config(etc, ports, videos="/videos", bodies="/tmp")
    for path in (folder, etc, etc / "conf.d"):
        path.chmod(0o755)
    options = ["--network", f"container:{gateway}", "--user", "0", "--entrypoint", "nginx"]
    options += ["--volume", f"{volume}:/videos:ro", "--volume", f"{etc}:/etc/peer:ro"]
    options += ["--log-opt", "max-size=10m", "--log-opt", "max-file=3"]
    command = ["-e", "/dev/stderr", "-p", "/tmp", "-c", "/etc/peer/nginx.conf"]
    command += ["-g", "user root; daemon off;"]
    container = docker("run", "--detach", *options, "matinee-gateway", *command)
    try:
        wait_for_port(address, ports[1])
        wait_for_children(int(docker("inspect", "--format", "{{.State.Pid}}", container)), 1)
        yield Nginx(address, ports[0], ports[1], pids_in(container), None)
    finally:
        docker("rm", "--force", "--volumes", container)


@contextmanager
def flask_peers(folder: Path, file: Path) -> Iterator[dict[str, tuple[str, tuple[int, ...]]]]:
    """Run the Flask peers on gunicorn, as many workers and threads as standalone has.

    Yields the address of the file and the processes of each, by the name of its app.
    """
    env = os.environ | {"PEER_FILE": str(file), "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        found = {}
        for name, port in zip(("with_send_file", "with_generator"), free_ports(2), strict=True):
            command = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
            command += ["--worker-class", "gthread", "--workers", "2", "--threads", "64"]
            command += ["--keep-alive", "75", "--bind", f"127.0.0.1:{port}"]
            command += [f"benchmarks.peer_apps:{name}()"]
            pid = stack.enter_context(running(command, log=folder / f"{name}.log", env=env))
            wait_for_children(pid, 2)
            found[name] = (f"http://127.0.0.1:{port}/video.mp4", pid)
        yield {name: (url, with_children(pid)) for name, (url, pid) in found.items()}
