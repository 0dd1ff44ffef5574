"""Uploads in a real browser when things go wrong on the server, and with names that attack."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import profile
from tests.browser.flaky_proxy import Line
from tests.browser.test_resumable import (
    DONE,
    Wire,
    begin,
    context,
    line,
    long_video,
    page,
    tidy,
    visit,
    wire,
)
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.usefixtures("without_processing")
__all__ = ["context", "line", "long_video", "page", "tidy", "wire"]  # fixtures

NAMES = [
    "<img src=x onerror=alert(1)>.mp4",
    "$(id) `id`.mp4",
    "-vf.mp4",
    "a\u202egpj.mp4",
    "“quotes” & 'more' %2e%2e.mp4",
]


def test_an_upload_goes_on_by_itself_when_its_process_is_killed(
    page: Page, wire: Wire, line: Line, origin: Origin, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    (upload,) = administrator.get("/api/uploads").json()["uploads"]
    killer = origin.writers_end(upload["id"])
    _, complaint = killer.communicate("now\n")
    assert killer.returncode == 0, complaint
    line.mend()
    expect(page.get_by_text(DONE, exact=True)).to_be_visible(timeout=30_000)
    assert wire.count("POST") == 1
    assert wire.offsets()[-1] > 0


@pytest.mark.front_end
def test_a_quota_that_is_used_up_is_told_before_the_first_byte(
    page: Page, wire: Wire, line: Line, chromium: Browser, administrator: Person, long_video: Path
) -> None:
    set_quota(chromium, line, administrator, "5 MB")
    try:
        page.locator("#file").set_input_files(long_video)
        expect(page.locator(".transfer .bad")).to_contain_text("5 MB")
        assert wire.offsets() == []
        page.goto("/account")
        expect(page.get_by_role("heading", name="Storage")).to_be_visible()
        expect(page.get_by_text("of your 5 MB")).to_be_visible()
    finally:
        set_quota(chromium, line, administrator, "")


def set_quota(chromium: Browser, line: Line, administrator: Person, quota: str) -> None:
    """Change Alice's quota on the page for administrators, without JavaScript."""
    with profile(chromium, line.url, java_script_enabled=False) as context:
        page = visit(context, line, administrator)
        page.goto("/admin/users?q=alice")
        page.get_by_role("link", name="Edit alice").click()
        page.get_by_label("Quota").fill(quota)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Your changes are saved.")).to_be_visible()
        expect(page.get_by_label("Quota")).to_have_value(quota)


@pytest.mark.front_end
def test_names_that_attack_are_text(
    page: Page, video_file: Path, administrator: Person, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    files = [tmp_path / name for name in NAMES]
    for file in files:
        file.write_bytes(video_file.read_bytes())
    page.locator("#file").set_input_files(files)
    expect(page.locator(".transfer .text")).to_have_text([DONE] * len(files), timeout=30_000)
    page.goto("/stream?whose=mine")
    for title in ("<img src=x onerror=alert(1)>", "$(id) `id`", "-vf", "agpj"):
        expect(page.get_by_role("link", name=title, exact=True).first).to_be_visible()
    assert asked == []
