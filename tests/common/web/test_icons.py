"""Icons are drawn from a sprite: one that it lacks would show nothing."""

import re

from tests.system.deployment import ROOT

_SPRITE = ROOT / "frontend" / "icons.mjs"
_TEMPLATES = ("auth_service", "common", "streaming_service", "upload_service")
_IN_TEMPLATES = re.compile(r"""\bicon\(["']([a-z0-9-]+)["']\)""")
_IN_SCRIPTS = re.compile(r"""\b(?:drawIcon|icon)\("([a-z0-9-]+)"\)""")
_OWN = {"mark", "lost"}


def test_every_icon_that_is_asked_for_is_in_the_sprite() -> None:
    listed = set(re.findall(r'^  "([a-z0-9-]+)",$', _SPRITE.read_text(), re.MULTILINE)) | _OWN
    files = [
        (path, pattern)
        for folder, suffix, pattern in [
            *((ROOT / name, "*.html", _IN_TEMPLATES) for name in _TEMPLATES),
            (ROOT / "frontend" / "src" / "js", "*.js", _IN_SCRIPTS),
        ]
        for path in folder.rglob(suffix)
    ]
    asked = {
        (name, path.name) for path, pattern in files for name in pattern.findall(path.read_text())
    }

    assert {(name, where) for name, where in asked if name not in listed} == set()
    assert len(asked) > 50
