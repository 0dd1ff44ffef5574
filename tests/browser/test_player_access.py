"""The player is free of axe's violations with its menus open, and breaks no policy."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.player import Player
from tests.browser.test_accessibility import DESKTOP, PHONE, Scheme, violations
from tests.system.deployment import Origin

pytestmark = pytest.mark.front_end

PLAYER = "#player-container"
LISTEN = """
    window.broken = [];
    document.addEventListener('securitypolicyviolation', event => {
        broken.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
"""


@pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop, light", "phone, dark"]
)
def test_menus_have_no_violation_when_open(
    chromium: Browser, origin: Origin, prepared: str, size: Any, scheme: Scheme
) -> None:
    context = chromium.new_context(base_url=origin.url, viewport=size, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(LISTEN)
    player = Player(page).open(prepared)
    page.keyboard.press("c")
    found = violations(page, schemes=[scheme])
    for section in ("Quality", "Speed", "Captions"):
        player.settings(section)
        found += violations(page, part=PLAYER, schemes=[scheme])
        page.get_by_role("button", name="Settings", exact=True).click()
    player.show_bar()
    page.get_by_role("button", name="Settings", exact=True).click()
    found += violations(page, part=PLAYER, schemes=[scheme])
    page.keyboard.press("Escape")
    box = page.locator(".plyr__progress").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4)
    player.play()
    found += violations(page, part=PLAYER, schemes=[scheme])
    assert found == []
    assert page.evaluate("() => broken") == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]
    context.close()
