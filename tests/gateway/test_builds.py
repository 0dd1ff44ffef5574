"""The static files of the last three builds: what is kept, and what the gateway serves."""

import os
import subprocess
from pathlib import Path

import pytest

from .harness import GATEWAY, running


def keep(folder: Path, *names: str) -> set[str]:
    """Build the front end with these files, keep it, and return what is kept."""
    static = folder / "image"
    static.mkdir(exist_ok=True)
    for old in static.iterdir():
        old.unlink()
    for name in (*names, "sw.js"):
        (static / name).write_text(name)
    (static / "manifest.json").write_text(repr(names))
    environment = {"STATIC_DIR": str(static), "BUILDS_DIR": str(folder / "builds")}
    script = GATEWAY / "keep-builds.sh"
    subprocess.run([script], env={"PATH": os.environ["PATH"], **environment}, check=True)
    lists = sorted((folder / "builds").glob("*.list"), key=lambda one: one.stat().st_mtime_ns)
    for age, one in enumerate(reversed(lists)):  # each build is an hour older than the next
        moment = 1_700_000_000 - 3600 * age
        os.utime(one, (moment, moment))
    return {file.name for file in (folder / "builds/files").iterdir()}


def test_three_builds_are_kept(tmp_path: Path) -> None:
    assert keep(tmp_path, "site-AAAAAAAA.js", "page-11111111.js") == {
        "site-AAAAAAAA.js",
        "page-11111111.js",
    }
    keep(tmp_path, "site-BBBBBBBB.js", "site-BBBBBBBB.js.gz")
    third = keep(tmp_path, "site-CCCCCCCC.js", "page-11111111.js")
    assert {"site-AAAAAAAA.js", "site-BBBBBBBB.js.gz", "site-CCCCCCCC.js"} <= third

    fourth = keep(tmp_path, "site-DDDDDDDD.js")

    assert fourth == third - {"site-AAAAAAAA.js"} | {"site-DDDDDDDD.js"}


def test_an_older_build_that_is_started_again_counts_as_the_newest(tmp_path: Path) -> None:
    for name in ("site-AAAAAAAA.js", "site-BBBBBBBB.js", "site-CCCCCCCC.js", "site-AAAAAAAA.js"):
        keep(tmp_path, name)

    kept = keep(tmp_path, "site-DDDDDDDD.js")

    assert kept == {"site-AAAAAAAA.js", "site-CCCCCCCC.js", "site-DDDDDDDD.js"}


def test_what_a_crash_has_left_is_removed(tmp_path: Path) -> None:
    keep(tmp_path, "site-AAAAAAAA.js")
    (tmp_path / "builds/files/.site-BBBBBBBB.js.new").write_text("half")

    assert keep(tmp_path, "site-AAAAAAAA.js") == {"site-AAAAAAAA.js"}


@pytest.mark.needs_nginx
def test_the_gateway_serves_what_is_kept(tmp_path: Path) -> None:
    keep(tmp_path, "site-AAAAAAAA.js")
    keep(tmp_path, "site-BBBBBBBB.js")
    (tmp_path / "gateway").mkdir()

    with running(tmp_path / "gateway", BUILDS_DIR=str(tmp_path / "builds")) as gateway:
        for name in ("site-AAAAAAAA.js", "site-BBBBBBBB.js"):
            assert gateway.ask(f"/static/{name}").body == name.encode()
        assert gateway.ask("/static/site-CCCCCCCC.js").status == 404
