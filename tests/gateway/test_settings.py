"""What the gateway makes of its environment. Needs no nginx."""

import os
import subprocess
from pathlib import Path

import pytest

from common.settings import Environment
from common.storage.s3_settings import S3Settings

from .harness import GATEWAY


def write_settings(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script that the container runs before nginx."""
    return subprocess.run(
        [GATEWAY / "settings.sh"],
        env={"PATH": os.environ["PATH"], "CONF_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "hosts", ["video.example.org:443", "a;b", "$host", "*", "*.", "ü.example", "a..b", "~.", "a_b"]
)
def test_a_host_that_is_no_name_stops_the_gateway(tmp_path: Path, hosts: str) -> None:
    result = write_settings(tmp_path, ALLOWED_HOSTS=hosts)

    assert result.returncode == 1
    assert "ALLOWED_HOSTS" in result.stderr


@pytest.mark.parametrize("proxies", ["all;", "10.0.0.0/8;x", "$host", "proxy.example"])
def test_a_proxy_that_is_no_address_stops_the_gateway(tmp_path: Path, proxies: str) -> None:
    result = write_settings(tmp_path, TRUSTED_PROXIES=proxies)

    assert result.returncode == 1
    assert "TRUSTED_PROXIES" in result.stderr


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"S3_REGION": "eu-central-1"},
        {"S3_ADDRESSING": "path"},
        {"S3_ENDPOINT": "https://s3.eu-west-1.amazonaws.com/"},
        {"S3_ENDPOINT": "http://s3:8333"},
        {"S3_ENDPOINT": "https://objects.example.org:8443", "S3_ADDRESSING": "virtual"},
        {"S3_ENDPOINT": "http://10.0.0.1:8333", "S3_ADDRESSING": "auto"},
    ],
)
def test_the_gateway_reads_where_the_services_sign(tmp_path: Path, given: dict[str, str]) -> None:
    (tmp_path / "bucket").write_text("films\n")
    environment = {"S3_BUCKET_FILE": str(tmp_path / "bucket"), **given}
    keys = {"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}
    origin = S3Settings.read(Environment(environment | keys)).origin
    scheme, _, host = origin.partition("://")

    assert write_settings(tmp_path, **environment).returncode == 0

    location = (tmp_path / "store.inc").read_text()
    assert f"proxy_pass {scheme}://store$request_uri;" in location
    assert f"proxy_set_header Host {host};" in location
    assert ("proxy_ssl_verify on;" in location) == (scheme == "https")
    port = "443" if scheme == "https" else "80"
    server = host if ":" in host else f"{host}:{port}"
    assert f"server {server}" in (tmp_path / "store.conf").read_text()


@pytest.mark.parametrize(
    "given",
    [
        {"S3_ENDPOINT": "s3.example.org"},
        {"S3_ENDPOINT": "https://a;b"},
        {"S3_ENDPOINT": "https://"},
        {"CACHE_SIZE": "10g;"},
        {"CACHE_SIZE": "much"},
    ],
)
def test_a_store_that_cannot_be_stops_the_gateway(tmp_path: Path, given: dict[str, str]) -> None:
    result = write_settings(tmp_path, S3_BUCKET="films", **given)

    assert result.returncode == 1
    assert next(iter(given)) in result.stderr
