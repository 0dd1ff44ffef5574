"""How far a video is prepared, live in the browser; and captions, without a script."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import media
from tests.browser.conftest import sign_in_as
from tests.browser.player import Player
from tests.system.deployment import Origin, without_processing
from tests.system.http_client import Person
from tests.waiting import wait_until

PATIENCE = 120_000  # milliseconds for all steps of twelve seconds of video, on a busy machine


def test_a_page_that_is_left_open_comes_to_the_end(
    page: Page, administrator: Person, video_file: Path
) -> None:
    video = administrator.upload(video_file, title="Ferry and fog")
    card = page.locator(f'[data-video="{video}"]')
    page.goto("/stream")
    expect(card.locator("img")).to_be_attached(timeout=PATIENCE)
    expect(card.locator("[data-progress]")).to_have_count(0, timeout=PATIENCE)

    page.goto(f"/stream/{video}")

    expect(page.locator("#processing")).to_have_count(0)
    assert page.locator("#player-container").get_attribute("data-master")
    assert page.locator("#player").get_attribute("poster")


def test_the_watch_page_tells_of_each_new_height(
    page: Page, origin: Origin, administrator: Person, video_file: Path
) -> None:
    page.add_init_script(
        "window.told = []; document.addEventListener('matinee:renditions',"
        " (event) => window.told.push(event.detail))"
    )
    with without_processing(origin, resume=True):
        video = administrator.upload(video_file, title="Garden in six weeks")
        page.goto(f"/stream/{video}")
        expect(page.locator("#processing")).to_be_visible()

    expect(page.locator("#processing-heading")).to_have_text(
        "Processing is complete", timeout=PATIENCE
    )

    heights = page.evaluate("() => window.told.at(-1)?.heights.join(',')")
    assert heights == "240,360"
    expect(page.locator("#processing-said")).to_have_text("Everything is prepared.")


@pytest.mark.front_end
def test_a_storyboard_that_is_drawn_meanwhile_shows_without_a_reload(
    page: Page, origin: Origin, administrator: Person, video_file: Path
) -> None:
    with without_processing(origin, resume=True):
        video = administrator.upload(video_file, title="Lanterns on the quay")
        page.goto(f"/stream/{video}")
        page.evaluate("() => { window.loaded = 'once' }")

    Player(page).show_bar()
    page.wait_for_selector(".plyr__preview-thumb", state="attached", timeout=PATIENCE)

    bar = page.locator(".plyr__progress").bounding_box()
    assert bar is not None
    for share in (0.49, 0.5):
        page.mouse.move(bar["x"] + bar["width"] * share, bar["y"] + bar["height"] / 2)
    expect(page.locator(".plyr__preview-thumb--is-shown img")).to_be_visible()
    assert page.evaluate("() => window.loaded") == "once"


@pytest.mark.front_end
def test_a_video_that_browsers_cannot_play_gets_its_player_when_it_is_ready(
    page: Page, administrator: Person
) -> None:
    video = administrator.upload(media.make("vp9.webm"), title="Rain on the pier")
    page.goto(f"/stream/{video}")

    page.wait_for_function(
        "() => document.querySelector('video')?.currentSrc.startsWith('blob:')",
        timeout=PATIENCE,
        polling=100,  # at every frame Chromium would draw sixty a second
    )

    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.3")
    expect(page.locator("#player-error")).to_be_hidden()


@pytest.mark.front_end
def test_what_browsers_cannot_play_is_not_called_done_before_it_is(page: Page) -> None:
    page.goto("/upload")
    said: list[str] = []

    def note(sentence: str) -> None:
        said.append(sentence)

    page.expose_function("note", note)
    page.evaluate(
        """() => {
            const look = () => note(document.querySelector(".transfer .text").textContent);
            const transfers = document.getElementById("transfers");
            new MutationObserver(look).observe(transfers, { subtree: true, childList: true });
        }"""
    )
    page.locator("#file").set_input_files(media.make("hevc.mp4"))
    expect(page.locator(".transfer .text")).to_have_text(re.compile("^Ready"), timeout=60_000)
    assert any(sentence.startswith(("Will be prepared", "Being prepared")) for sentence in said)


def test_an_administrator_starts_a_failed_step_again(
    page: Page, administrator: Person, failed: str
) -> None:
    page.goto("/admin")
    page.get_by_role("link", name="Processing errors").click()
    entry = page.get_by_role("listitem").filter(has_text=failed)
    expect(entry.get_by_role("heading")).to_have_text("Thumbnails: failed")
    expect(entry.locator("pre")).to_be_hidden()
    entry.get_by_text("Last lines of the log").click()
    expect(entry.locator("pre")).to_contain_text("error while decoding")

    entry.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("status")).to_have_text("It is being tried again.")
    expect(entry).to_have_count(0)
    wait_until(
        lambda: administrator.get(f"/api/videos/{failed}/progress").json()["state"] == "done",
        within=PATIENCE / 1000,
        pause=0.3,
        what="a poster after all",
    )


@pytest.mark.front_end
def test_captions_come_and_go_without_a_script(
    chromium: Browser, origin: Origin, administrator: Person, video: str, tmp_path: Path
) -> None:
    file = tmp_path / "video.srt"
    file.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    context = chromium.new_context(base_url=origin.url, java_script_enabled=False)
    page = sign_in_as(administrator, context, url=origin.url)
    page.goto(f"/stream/{video}/edit")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Add captions").click()
    expect(page.locator(".message.good")).to_contain_text("The captions are added.")
    expect(page.get_by_role("link", name="Deutsch")).to_be_visible()

    page.goto(f"/stream/{video}")
    assert page.locator("track").get_attribute("src") == f"/stream/{video}/captions/de.vtt"

    page.goto(f"/stream/{video}/edit")
    page.get_by_role("button", name="Remove Deutsch").click()
    expect(page.get_by_text("None yet.")).to_be_visible()
    context.close()
