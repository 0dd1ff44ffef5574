"""The whole path: register, upload an MP4, watch it, seek in it."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from tests.browser.conftest import enter
from tests.system.deployment import Origin
from tests.system.http_client import PASSWORD, Person
from tests.waiting import wait_until

# The video first: it would never be prepared.
pytestmark = pytest.mark.usefixtures("video", "without_processing")


def play(page: Page) -> None:
    """Start the video with a key, as a person would, and see it move."""
    page.locator("video").focus()
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")


def test_a_newcomer_registers_uploads_watches_and_seeks(
    chromium: Browser, origin: Origin, administrator: Person, video_file: Path
) -> None:
    context = chromium.new_context(base_url=origin.url)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("User name").fill("Nora")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/stream")
    expect(page.get_by_role("heading", level=1, name="Library")).to_be_visible()

    page.get_by_role("link", name="Upload").first.click()
    page.locator("#file").set_input_files(video_file)
    page.get_by_role("link", name="Watch").click()
    page.wait_for_url("**/stream/*")
    expect(page.get_by_role("heading", name="twelve-seconds-slow")).to_be_visible()
    play(page)

    page.evaluate("() => { document.querySelector('video').currentTime = 6 }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 6.5")
    context.close()


def test_the_upload_form_works_without_javascript(
    chromium: Browser, origin: Origin, administrator: Person, video_file: Path
) -> None:
    context = chromium.new_context(base_url=origin.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/upload")
    page.get_by_label("Title").fill("Without a script")
    page.locator("#file").set_input_files(video_file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/stream/*")
    expect(page.get_by_role("heading", name="Without a script")).to_be_visible()
    media = f"{page.url.removeprefix(origin.url)}/video.mp4"
    expect(page.locator("video source")).to_have_attribute("src", media)
    page.goto("/stream")
    expect(page.get_by_role("link", name="Without a script")).to_be_visible()
    page.get_by_role("searchbox").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No video matches")).to_be_visible()
    context.close()


@pytest.mark.front_end
def test_files_are_uploaded_by_dropping_them_on_the_page(page: Page, video_file: Path) -> None:
    page.goto("/upload")
    data = base64.b64encode(video_file.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """data => {
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            for (const name of ["ferry.mp4", "harbour.mp4"])
                transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
            return transfer;
        }""",
        data,
    )
    page.dispatch_event("#upload", "dragenter", {"dataTransfer": transfer})
    page.dispatch_event("#upload", "drop", {"dataTransfer": transfer})
    expect(page.get_by_text(re.compile(r"^(Uploaded\. |Ready)"))).to_have_count(2)
    page.get_by_role("link", name="Watch harbour.mp4").click()
    expect(page.get_by_role("heading", name="harbour", exact=True)).to_be_visible()
    play(page)


@pytest.mark.front_end
def test_what_is_no_mp4_is_rejected_with_the_reason(page: Page, tmp_path: Path) -> None:
    page.goto("/upload")
    wrong = tmp_path / "holiday.mp4"
    wrong.write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(100))
    page.locator("#file").set_input_files(wrong)
    expect(page.get_by_text("it is AVI")).to_be_visible()


def test_what_only_the_server_can_tell_is_rejected_with_the_reason(
    page: Page, video_file: Path, tmp_path: Path
) -> None:
    page.goto("/upload")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video_file.read_bytes()[: video_file.stat().st_size // 2])
    page.locator("#file").set_input_files(cut)
    expect(page.locator(".transfer .bad")).to_contain_text("cut")


@pytest.mark.front_end
def test_an_empty_file_is_rejected_with_the_reason(page: Page, tmp_path: Path) -> None:
    page.goto("/upload")
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page.locator("#file").set_input_files(empty)
    expect(page.locator(".transfer .bad")).to_have_text("This file is empty.")
    page.get_by_role("button", name="Dismiss: empty.mp4").click()
    expect(page.locator(".transfer")).to_have_count(0)


@pytest.mark.front_end
def test_files_dropped_elsewhere_are_uploaded_in_the_corner(page: Page) -> None:
    page.goto("/stream")
    prevented = page.evaluate(
        """() => ["dragover", "drop"].map((name) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["x"], "holiday.mp4", { type: "video/mp4" }));
            const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
            document.querySelector("h1").dispatchEvent(event);
            return event.defaultPrevented;
        })"""
    )
    assert prevented == [True, True]
    panel = page.get_by_role("complementary", name="Uploads")
    expect(panel).to_contain_text("This is not a video that is taken here.")
    panel.get_by_role("button", name="Dismiss: holiday.mp4").click()
    expect(panel).to_have_count(0)


@pytest.mark.front_end
def test_unsaved_changes_are_not_lost_without_a_question(page: Page, video: str) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto(f"/stream/{video}/edit")
    title = page.get_by_label("Title")
    before = title.input_value()
    title.fill("Unsaved")
    page.get_by_role("link", name="Library").click(no_wait_after=True)
    wait_until(lambda: asked == ["beforeunload"] and not page.is_closed(), what="a question")
    expect(title).to_have_value("Unsaved")

    title.fill(before)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_have_text("Your changes are saved.")
    assert asked == ["beforeunload"]


@pytest.mark.front_end
def test_an_error_in_captions_is_in_sight_and_focused(
    page: Page, video: str, tmp_path: Path
) -> None:
    page.goto(f"/stream/{video}/edit")
    nonsense = tmp_path / "captions.srt"
    nonsense.write_bytes(b"\xff\xfe\x00 no captions")
    page.get_by_label("File").set_input_files(nonsense)
    page.get_by_label("Language").select_option(label="Deutsch")
    page.get_by_role("button", name="Add captions").click()
    error = page.locator("#captions-problem")
    expect(error).to_be_in_viewport()
    expect(error).to_be_focused()
    expect(page.get_by_label("Language")).to_have_value("de")


@pytest.mark.front_end
def test_an_upload_can_be_cancelled(page: Page, video_file: Path) -> None:
    page.goto("/upload")
    page.route("**/upload/files", lambda _route: None)  # held: neither answered nor let through
    page.locator("#file").set_input_files(video_file)
    page.get_by_role("button", name="Cancel: twelve-seconds-slow.mp4").click()
    expect(page.get_by_role("link", name="Watch twelve-seconds-slow.mp4")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel: twelve-seconds-slow.mp4")).to_have_count(0)


def test_a_public_video_is_watched_without_an_account(
    chromium: Browser, origin: Origin, video: str
) -> None:
    context = chromium.new_context(base_url=origin.url)
    page = context.new_page()
    page.goto(f"/stream/{video}")
    play(page)
    context.close()


def test_a_private_video_leads_the_signed_out_to_the_log_in_and_back(
    chromium: Browser, origin: Origin, administrator: Person, video_file: Path
) -> None:
    private = administrator.upload(video_file, title="Only mine")
    context = chromium.new_context(base_url=origin.url)
    page = context.new_page()
    page.goto(f"/stream/{private}")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Only mine")).to_be_visible()
    context.close()


def test_the_owner_renames_shares_and_deletes(
    page: Page, administrator: Person, video_file: Path
) -> None:
    video = administrator.upload(video_file, title="Before")
    page.goto(f"/stream/{video}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("After <b>bold</b>")
    page.get_by_label("Description").fill("One line\nand another")
    page.get_by_label("Everyone with an account").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="After <b>bold</b>")).to_be_visible()
    expect(page.locator("#visibility-words")).to_have_text("Everyone with an account")
    page.get_by_role("link", name="Edit").click()
    page.get_by_text("Delete this video").click()
    page.get_by_role("button", name="Move to bin").click()
    expect(page.locator("#toasts")).to_contain_text("The video is in your bin.")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_role("link", name="After <b>bold</b>")).to_be_visible()
    page.goto(f"/stream/{video}/edit")
    page.get_by_text("Delete this video").click()
    page.get_by_role("button", name="Move to bin").click()
    page.get_by_role("link", name="Bin").click()
    page.get_by_label("Delete now: After <b>bold</b>").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status")).to_have_text("The video is deleted for good.")
    assert page.goto(f"/stream/{video}").status == 404  # type: ignore[union-attr]


def test_signing_out_ends_the_session(
    context: BrowserContext, origin: Origin, administrator: Person
) -> None:
    page = enter(context, origin, "alice")  # a session of this test's own, to be ended
    page.locator(".account-menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login?done=signed-out")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/stream")
    assert page.url.endswith("/login?next=/stream")
