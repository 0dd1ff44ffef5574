"""What the gateway makes of its environment. Needs no nginx."""

import os
import subprocess
from pathlib import Path

import pytest

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
