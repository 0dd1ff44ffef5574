"""A segment by way of a CDN, which an nginx of its own plays: it checks tokens, and has a copy."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from streaming_service.delivery.cdn import CdnKind, CdnSettings, signer
from tests.conftest import free_ports
from tests.fake_service import FakeService, Reply, Seen
from tests.waiting import wait_until

from .harness import BYTES, VIDEO, Gateway, newcomer

pytestmark = pytest.mark.needs_nginx

_USER = "user root;" if os.geteuid() == 0 else ""
SECRET = "a secret of the tests"
KEY = f"/films/{VIDEO}/0/hls/720p.mp4"
CONFIG = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c;
    uwsgi_temp_path d; scgi_temp_path e;
    server {{
        listen 127.0.0.1:{port};
        location ~ "^/[0-9]+/[A-Za-z0-9_-]{{43}}(?<key>/.+)$" {{
            auth_request /check;
            alias {folder}$key;
            add_header Access-Control-Allow-Origin *;
        }}
        location = /check {{
            internal;
            proxy_pass http://127.0.0.1:{checker};
            proxy_set_header X-Original-Path $request_uri;
        }}
        location / {{ return 403; }}
    }}
}}
"""


def check(seen: Seen) -> Reply:
    """Check a token as whoever reads docs/cdn.md would."""
    _, expires, mac, rest = (seen.header("X-Original-Path") or "").split("/", 3)
    digest = hmac.new(SECRET.encode(), f"{expires}/{rest}".encode(), hashlib.sha256).digest()
    expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return Reply(204 if mac == expected and int(expires) > time.time() else 403)


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a CDN that has the segment's file."""
    folder = tmp_path_factory.mktemp("cdn")
    file = folder / "files" / KEY.lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(BYTES)
    checker = FakeService("checker")
    checker.reply = check
    [port] = free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(port=port, folder=folder / "files", checker=checker.port))
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or "nginx"
    command = [nginx, "-p", str(folder), "-c", str(config), "-e", "stderr", "-g", _USER]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/")[0] == 403, within=10, what="the CDN")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        checker.close()


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    """Read an address without following what it leads to."""
    request = Request(url, headers=headers)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except OSError as error:
        return getattr(error, "code", 0), b""


def test_a_segment_comes_from_the_cdn(gateway: Gateway, cdn: str) -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, cdn, SECRET))
    gateway.streaming.reply = lambda _: Reply(
        204, {"X-Media-Redirect": sign(KEY, int(time.time()))}
    )

    answer = gateway.ask(f"/stream/{VIDEO}/hls/720p.mp4", token=newcomer())
    address = answer.header("Location") or ""

    assert answer.status == 307
    assert fetch(address, Range="bytes=100-199") == (206, BYTES[100:200])


def test_the_cdn_refuses_what_is_not_signed(cdn: str) -> None:
    sign = signer(CdnSettings(CdnKind.HMAC, cdn, SECRET))
    now = int(time.time())
    other = signer(CdnSettings(CdnKind.HMAC, cdn, "another secret"))
    good = sign(KEY, now)

    assert fetch(good)[0] == 200
    assert fetch(sign(KEY, now - 61))[0] == 403
    assert fetch(other(KEY, now))[0] == 403
    assert fetch(good.replace("720p", "360p"))[0] == 403
    assert fetch(f"{cdn}{KEY}")[0] == 403
