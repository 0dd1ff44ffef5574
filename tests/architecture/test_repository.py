"""What must not be in the repository."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SIZE_LIMIT = 200_000  # bytes
MOVING_PICTURE = ROOT / "docs/screenshots/matinee.webp"  # its own limit: tests/documentation


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_lock_file_names_a_host() -> None:
    locks = [*ROOT.glob("requirements/*.txt"), ROOT / "frontend/package-lock.json"]
    assert len(locks) > 5
    for lock in locks:
        hosts = re.findall(r"https?://[^\"\s]+", lock.read_text(encoding="utf-8"))
        funding = [host for host in hosts if re.search(r"fund|sponsor|opencollective|paypal", host)]
        assert set(hosts) == set(funding), lock


def test_every_requirement_is_locked_with_a_hash() -> None:
    for lock in ROOT.glob("requirements/*.txt"):
        text = lock.read_text(encoding="utf-8")
        entries = re.split(r"\n(?=[a-zA-Z])", text.strip())
        assert all("--hash=sha256:" in entry for entry in entries), lock


def test_nothing_large_and_nothing_minified_is_committed() -> None:
    for path in tracked():
        assert path.stat().st_size <= SIZE_LIMIT or path == MOVING_PICTURE, path
        assert ".min." not in path.name, path


def test_no_page_holds_inline_script_or_style() -> None:
    for template in ROOT.glob("*/templates/**/*.html"):
        text = template.read_text(encoding="utf-8")
        inline = r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)"
        assert not re.search(inline, text), template
