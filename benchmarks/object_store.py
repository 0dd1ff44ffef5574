"""Films in an object store, as ratios to films on the disk and to nginx in front of that store."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.options import WITHOUT_COMPOSE, Bench
from benchmarks.processes import docker, docker_works, wait_for_port
from benchmarks.range_reader import read_all
from benchmarks.report import ratio, table
from benchmarks.sites import ComposeSite, compose
from benchmarks.wrk import Target

_KIB, _MIB = 1 << 10, 1 << 20
_CONNECTIONS = 16
_WARM_AIM, _COLD_AIM = "0.85", "0.80"
_PORT = 5080  # of the peer, in the gateway's network namespace
# STORE=disk: the film that is compared stays there. The profile's store is used all the same.
_SETTINGS = {"COMPOSE_PROFILES": "s3", "STORE": "disk", "S3_BUCKET": "matinee"}

_SIGN = """
import os
from common.settings import Environment
from common.storage.objects import current_objects
from common.stores import Stores
from upload_service.settings import UploadSettings
settings = UploadSettings.read(Environment(os.environ))
found = current_objects(Stores.of(settings.common).database, video_id="{video}")
print(settings.store.connect().presign(found["original.mp4"].key, seconds=86400))
"""

# The gateway's slices, cache and connections to the store, without everything else.
_NGINX = """
pid /tmp/peer.pid;
error_log /dev/stderr warn;
worker_processes auto;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path /tmp/peer-a; proxy_temp_path /tmp/peer-b; fastcgi_temp_path /tmp/peer-c;
    uwsgi_temp_path /tmp/peer-d; scgi_temp_path /tmp/peer-e;
    proxy_cache_path /tmp/peer-cache levels=1:2 keys_zone=objects:32m use_temp_path=off;
    resolver 127.0.0.11 valid=2s ipv6=off;
    upstream store {{ zone store 256k; server s3:8333 resolve; keepalive 64; }}
    server {{
        listen {port};
        location / {{
            slice 1m;
            proxy_cache objects;
            proxy_cache_key $uri/$slice_range;
            proxy_cache_valid 200 206 30d;
            proxy_cache_lock on;
            proxy_set_header Range $slice_range;
            proxy_set_header Host s3:8333;
            proxy_set_header Connection "";
            proxy_http_version 1.1;
            proxy_pass http://store;
        }}
    }}
}}
"""


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    if not bench.with_compose or not docker_works():
        return WITHOUT_COMPOSE
    options, folder = bench.options, bench.folder("object-store")
    with compose(**_SETTINGS) as site:
        disk, stored = (site.admin.upload(bench.video) for _ in range(2))
        janitor = site.container("janitor")
        command = ("matinee", "admin", "storage", "move", "--to", "s3", "--video", stored)
        docker("exec", janitor, *command)
        signed = docker("exec", janitor, "python", "-c", _SIGN.format(video=stored))
        cookie = (f"Cookie: {site.admin.cookie}",)
        pids = site.pids("gateway", "streaming", "redis")
        from_disk, from_store = (
            Target(name, f"{site.url}/stream/{video}/video.mp4", pids, cookie)
            for name, video in (("disk", disk), ("store", stored))
        )
        with _nginx(folder, site) as address:
            path = signed.partition("://")[2].partition("/")[2]
            cold = _cold(bench, site, from_store, f"{address}/{path}")
        for target in (from_disk, from_store):
            read_all(target.url, cookie=site.admin.cookie)  # from here on all slices are kept
        replace(options, rounds=1).compare([from_disk, from_store], _MIB, _CONNECTIONS)
        rows = []
        for length in (64 * _KIB, _MIB, 4 * _MIB):
            rounds = options.compare([from_disk, from_store], length, _CONNECTIONS)
            speeds = [rounds.figures(name).bytes / 1e6 for name in ("store", "disk")]
            row = [rounds.load.range, ratio(rounds.ratio("store", "disk")), _WARM_AIM]
            rows.append([*row, *(f"{speed:,.0f}" for speed in speeds)])
            print("  " + "  ".join(rows[-1]), flush=True)
    return (
        f"Two private films of {options.size >> 20:,} MiB through one gateway: one on the disk, one"
        " in a SeaweedFS beside the stack.\n\n### Slices that the gateway has kept\n\n"
        f"{table(['range', 'of the disk', 'aim', 'MB/s', 'from the disk'], rows)}\n\n"
        f"Ranges at random offsets over {_CONNECTIONS} kept-alive connections.\n\n"
        f"### Slices that it fetches\n\n{cold}\n\n"
        "One client reads the whole film, of which nothing is kept. nginx has the same slices, the"
        " same cache and the same connections to the store, and authorises nobody."
    )


def _cold(bench: Bench, site: ComposeSite, ours: Target, peer: str) -> str:
    """Read the film with empty caches, in turns."""
    speeds: dict[str, list[float]] = {"gateway": [], "nginx": []}
    for number in range(bench.options.rounds):
        for name in ("gateway", "nginx")[:: -1 if number % 2 else 1]:
            docker("exec", site.gateway, "sh", "-c", "rm -rf /cache/*")
            docker("exec", site.peer, "sh", "-c", "rm -rf /tmp/peer-cache/*")
            began = time.monotonic()
            if name == "gateway":
                size = read_all(ours.url, cookie=site.admin.cookie)
            else:
                size = read_all(peer)
            assert size == bench.options.size
            speeds[name].append(size / (time.monotonic() - began))
    ratios = [a / b for a, b in zip(speeds["gateway"], speeds["nginx"], strict=True)]
    row = ["whole film", ratio(median(ratios)), _COLD_AIM]
    row += [f"{median(speeds[name]) / 1e6:,.0f}" for name in ("gateway", "nginx")]
    print("  " + "  ".join(row), flush=True)
    return table(["read", "of nginx", "aim", "MB/s", "nginx's"], [row])


@contextmanager
def _nginx(folder: Path, site: ComposeSite) -> Iterator[str]:
    """Run the peer in the gateway's network namespace, and yield its address."""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(port=_PORT), encoding="utf-8")
    folder.chmod(0o755)
    options = ["--network", f"container:{site.gateway}", "--user", "0", "--entrypoint", "nginx"]
    options += ["--volume", f"{config}:/etc/peer.conf:ro", "--name", site.peer]
    command = ["-c", "/etc/peer.conf", "-g", "user root; daemon off;"]
    docker("run", "--detach", *options, "matinee-gateway", *command)
    try:
        wait_for_port(site.address, _PORT)
        yield f"http://{site.address}:{_PORT}"
    finally:
        docker("rm", "--force", "--volumes", site.peer)
