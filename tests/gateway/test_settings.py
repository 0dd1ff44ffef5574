"""What the gateway makes of its environment. Needs no nginx."""

import os
import subprocess
from pathlib import Path

import pytest

from common.settings import Environment

from .harness import GATEWAY

FRAME = 1 << 20


def write_settings(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script that the container runs before nginx."""
    return subprocess.run(
        [GATEWAY / "settings.sh"],
        env={"PATH": os.environ["PATH"], "CONF_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("size", ["1", "1048576", "512k", "200m", "16g", "2t", "16G", "0200m", ""])
def test_gateway_and_services_read_the_same_size(tmp_path: Path, size: str) -> None:
    result = write_settings(tmp_path, MAX_UPLOAD_SIZE=size)

    assert result.returncode == 0, result.stderr
    expected = Environment({"MAX_UPLOAD_SIZE": size}).size("MAX_UPLOAD_SIZE", "16g") + FRAME
    written = (tmp_path / "upload-size.inc").read_text()
    assert written == f"client_max_body_size {expected};\n"


@pytest.mark.parametrize(
    "size", ["0", "0g", "-1", "1.5g", "16GiB", "16 g", "g", "1e3", "9999999999g", "9" * 16, "1;x"]
)
def test_a_size_that_is_none_stops_the_gateway(tmp_path: Path, size: str) -> None:
    result = write_settings(tmp_path, MAX_UPLOAD_SIZE=size)

    assert result.returncode == 1
    assert "MAX_UPLOAD_SIZE" in result.stderr
    assert not (tmp_path / "upload-size.inc").exists()


@pytest.mark.parametrize("proxies", ["all;", "10.0.0.0/8;x", "$host", "proxy.example"])
def test_a_proxy_that_is_no_address_stops_the_gateway(tmp_path: Path, proxies: str) -> None:
    result = write_settings(tmp_path, TRUSTED_PROXIES=proxies)

    assert result.returncode == 1
    assert "TRUSTED_PROXIES" in result.stderr
