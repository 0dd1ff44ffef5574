"""A segment by way of a CDN: the nginx of docs/cdn.md, which checks tokens and reads a store."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from streaming_service.delivery.cdn import CdnKind, CdnSettings, signer
from tests.conftest import free_ports
from tests.fake_service import FakeService, Reply, Seen
from tests.waiting import wait_until

from .harness import BYTES, VIDEO, Gateway, newcomer

pytestmark = pytest.mark.needs_nginx

GUIDE = Path(__file__).parents[2] / "docs" / "cdn.md"
SECRET = "a secret of the tests"
KEY = f"/in/{VIDEO}/0/hls/720p.mp4"
_USER = "user root;" if os.geteuid() == 0 else ""
CONFIG = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c;
    uwsgi_temp_path d; scgi_temp_path e;
    {server}
}}
"""


@dataclass(frozen=True)
class Cdn:
    """The CDN's address, and the store that it reads."""

    url: str
    store: FakeService


def listing(language: str) -> str:
    """Return the one listing in a language that the guide has."""
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def replaced(text: str, old: str, new: str) -> str:
    """Replace something that is there once."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def answer_range(seen: Seen) -> Reply:
    """Answer as a store that has one object."""
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", seen.header("Range") or "")
    if seen.path != f"/films{KEY}" or found is None:
        return Reply(404)
    first, last = int(found[1]), min(int(found[2]), len(BYTES) - 1)
    headers = {"Content-Range": f"bytes {first}-{last}/{len(BYTES)}", "ETag": '"it"'}
    return Reply(206, headers, BYTES[first : last + 1])


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdn]:
    """A CDN as the guide says, without TLS."""
    folder = tmp_path_factory.mktemp("cdn")
    store = FakeService("store")
    store.reply = answer_range
    port, checker = free_ports(2)
    server = listing("nginx")
    server = replaced(server, "listen 443 ssl;", f"listen 127.0.0.1:{port};")
    server = replaced(server, "10.0.0.5:8333", f"127.0.0.1:{store.port}")
    server = replaced(server, "127.0.0.1:8090", f"127.0.0.1:{checker}")
    server = replaced(server, "/var/cache/nginx/films", str(folder / "cache"))
    server = re.sub(r"ssl_certificate(_key)? .*;", "", server)
    (folder / "nginx.conf").write_text(CONFIG.format(server=server))
    (folder / "check.py").write_text(listing("python"))
    (folder / "cdn.key").write_text(f"{SECRET}\n")
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or "nginx"
    program = [sys.executable, str(folder / "check.py"), str(checker), str(folder / "cdn.key")]
    server_command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    processes = [
        subprocess.Popen(program),
        subprocess.Popen([*server_command, "-g", _USER], stderr=subprocess.DEVNULL),
    ]
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: fetch(url)[0] == 403, within=30, what="the CDN")
        forged = f"{url}/1/{'A' * 43}{KEY}"
        wait_until(lambda: fetch(forged)[0] == 403, within=30, what="the program that checks")
        yield Cdn(url, store)
    finally:
        for process in processes:
            process.terminate()
            process.wait(10)
        store.close()


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    """Read an address as a client that sends more than it need."""
    more = {"Cookie": "session=x", "Authorization": "Bearer x"}
    request = Request(url, headers=more | headers)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except OSError as error:
        return getattr(error, "code", 0), b""


def test_a_segment_comes_from_the_cdn(gateway: Gateway, cdn: Cdn) -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, cdn.url, SECRET))
    gateway.streaming.reply = lambda _: Reply(
        204, {"X-Media-Redirect": sign(KEY, int(time.time()))}
    )

    answer = gateway.ask(f"/stream/{VIDEO}/hls/720p.mp4", token=newcomer())
    address = answer.header("Location") or ""

    assert answer.status == 307
    assert fetch(address, Range="bytes=100-199") == (206, BYTES[100:200])


def test_viewers_share_a_copy_whatever_their_tokens(cdn: Cdn) -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, cdn.url, SECRET))
    now = int(time.time())
    first = fetch(sign(KEY, now - 1))
    read = len(cdn.store.seen)

    second = fetch(sign(KEY, now - 2))

    assert first == second == (200, BYTES)
    assert len(cdn.store.seen) == read
    assert {seen.header("Cookie") for seen in cdn.store.seen} == {None}
    assert {seen.header("Authorization") for seen in cdn.store.seen} == {None}


def test_the_cdn_refuses_what_is_not_signed(cdn: Cdn) -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, cdn.url, SECRET))
    now = int(time.time())
    other = signer(CdnSettings(CdnKind.HMAC, cdn.url, "another secret"))
    good = sign(KEY, now)

    assert fetch(good)[0] == 200
    assert fetch(sign(KEY, now - 61))[0] == 403
    assert fetch(other(KEY, now))[0] == 403
    assert fetch(good.replace("720p", "360p"))[0] == 403
    assert fetch(f"{cdn.url}{KEY}")[0] == 403
    assert fetch(f"{cdn.url}/check")[0] == 404
