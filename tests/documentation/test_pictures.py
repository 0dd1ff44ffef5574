"""The pictures of the README and the documentation are those that `make screenshots` takes."""

import re
from pathlib import Path

from demo.pictures import MOVING, PICTURES, SIZE_LIMIT

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"
TAKEN = {picture.name for picture in PICTURES} | {MOVING}


def test_every_picture_that_is_shown_is_taken_and_no_other() -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        name
        for text in texts
        for name in re.findall(r"screenshots/([^)\s\"]+)", text.read_text(encoding="utf-8"))
    }
    assert shown == TAKEN


def test_every_picture_is_there_and_small() -> None:
    sizes = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert set(sizes) == TAKEN
    assert sizes.pop(MOVING) < SIZE_LIMIT
    assert max(sizes.values()) < SIZE_LIMIT
