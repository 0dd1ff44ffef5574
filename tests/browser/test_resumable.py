"""Uploads in the browser that stop and go on: nothing that has arrived is sent twice."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, Route, expect

from tests.browser.conftest import profile, sign_in_as
from tests.browser.flaky_proxy import Line
from tests.browser.test_accessibility import Looks, violations
from tests.system.deployment import Origin
from tests.system.http_client import PASSWORD, Person
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("without_processing")

DONE = re.compile(r"^Uploaded\. ")
THROWN_AWAY = ("DELETE", 204)
SIZE = 12_000_000  # bytes; long enough to be stopped in, at SLOWLY
SLOWLY = 1_500_000  # bytes a second
MOVING = re.compile(r"[1-9][0-9.]* (MB )?of .* MB · ")


@pytest.fixture
def long_video(video_file: Path, tmp_path: Path) -> Path:
    """A playable video followed by a box that players skip."""
    path = tmp_path / "long.mp4"
    start = video_file.read_bytes()
    with path.open("wb") as file:
        file.write(start)
        file.write((SIZE - len(start)).to_bytes(4, "big") + b"free")
        file.truncate(SIZE)
    return path


class Wire:
    """What a page sends to the tus server."""

    def __init__(self, page: Page) -> None:
        self.sent: list[tuple[str, str]] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/upload/files" in request.url:
            self.sent.append((request.method, request.headers.get("upload-offset", "")))

    def offsets(self) -> list[int]:
        """Return where each PATCH began."""
        return [int(offset) for method, offset in self.sent if method == "PATCH"]

    def count(self, method: str) -> int:
        """Return how many requests of a kind there were."""
        return sum(sent == method for sent, _ in self.sent)


@pytest.fixture
def line(origin: Origin) -> Iterator[Line]:
    """The way to Matinee."""
    line = Line(origin.url)
    yield line
    line.close()


@pytest.fixture
def context(chromium: Browser, line: Line) -> Iterator[BrowserContext]:
    """A new browser profile at the end of the line, signed out."""
    with profile(chromium, line.url) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, line: Line, administrator: Person) -> Page:
    """The upload page, open and Alice's."""
    return visit(context, line, administrator)


def visit(context: BrowserContext, line: Line, person: Person) -> Page:
    """Go to the upload page as somebody."""
    page = sign_in_as(person, context, url=line.url)
    page.goto("/upload")
    return page


@pytest.fixture
def wire(page: Page, line: Line) -> Wire:
    """What that page sends, slowly."""
    line.speed = SLOWLY
    return Wire(page)


@pytest.fixture(autouse=True)
def tidy(administrator: Person) -> Iterator[None]:
    """Leave nothing unfinished for the next test."""
    yield
    for upload in administrator.get("/api/uploads").json()["uploads"]:
        administrator.delete(upload["url"], headers={"Tus-Resumable": "1.0.0"})


def begin(page: Page, *files: Path) -> None:
    """Choose files, and see the first bytes of each leave."""
    page.locator("#file").set_input_files(list(files))
    for file in files:
        row = page.locator("#transfers .transfer", has_text=file.name).last
        expect(row.locator(".text")).to_have_text(MOVING)


def open_again(page: Page) -> None:
    """Load the page anew in the middle of an upload, in a browser that has not kept the file."""
    page.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.deleteDatabase("uploads").onsuccess = resolve;
        })"""
    )
    page.reload()


def has_arrived(administrator: Person) -> int:
    """Return how many bytes of the only unfinished upload have arrived."""
    (upload,) = administrator.get("/api/uploads").json()["uploads"]
    return int(upload["offset"])


def test_several_files_are_uploaded_at_once(page: Page, video_file: Path, tmp_path: Path) -> None:
    wire = Wire(page)
    names = ["one.mp4", "two.mp4", "three.mp4"]
    for name in names:
        (tmp_path / name).write_bytes(
            video_file.read_bytes() + b"\0\0\0\x0bfree" + name[:3].encode()
        )
    page.locator("#file").set_input_files([tmp_path / name for name in names])
    expect(page.get_by_text(DONE)).to_have_count(3)
    assert wire.count("POST") == 3
    # Bytes begin right after the creation: one request each, however long the video.
    assert wire.offsets() == [0, 0, 0]
    expect(page.locator("#announcer")).to_contain_text("three.mp4: Uploaded.")
    page.get_by_role("link", name="Watch two.mp4").click()
    expect(page.get_by_role("heading", name="two")).to_be_visible()


def test_an_upload_pauses_and_resumes(
    page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    with page.expect_event("requestfailed", lambda request: request.method == "PATCH"):
        page.get_by_role("button", name="Pause: long.mp4").click()
    expect(page.get_by_role("button", name="Resume: long.mp4")).to_be_focused()
    expect(page.locator(".text").first).to_have_text(re.compile("^Paused · "))
    line.mend()
    wait_until(lambda: has_arrived(administrator) > 0, what="the bytes that were on their way")
    assert has_arrived(administrator) < SIZE
    page.get_by_role("button", name="Resume: long.mp4").click()
    expect(page.get_by_text(DONE)).to_be_visible()
    first, second = wire.offsets()
    assert (first, wire.count("POST")) == (0, 1)
    assert second > 0
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()


def test_an_upload_goes_on_when_the_network_is_back(
    page: Page, wire: Wire, line: Line, context: BrowserContext, long_video: Path
) -> None:
    begin(page, long_video)
    line.cut()
    expect(page.locator(".transfer .bad")).to_have_text(
        re.compile(r"^Connection lost\. Trying again in \d s\.$")
    )
    expect(page.locator("#announcer")).to_contain_text("long.mp4: Connection lost.")
    line.mend()
    expect(page.get_by_text(DONE)).to_be_visible()
    assert wire.count("POST") == 1
    assert wire.offsets()[-1] > 0


@pytest.mark.front_end
def test_a_file_chosen_before_the_script_came_is_uploaded(page: Page, video_file: Path) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/static/upload-*.js", hold)
    with page.expect_request("**/static/upload-*.js"):
        page.goto("/upload", wait_until="commit")
    page.locator("#file").set_input_files(video_file)
    for route in held:
        route.continue_()
    expect(page.get_by_text(DONE)).to_be_visible()


@pytest.mark.front_end
def test_the_online_event_ends_the_wait(
    page: Page, wire: Wire, line: Line, long_video: Path
) -> None:
    begin(page, long_video)
    page.context.set_offline(True)
    line.cut()
    waiting = page.locator(".transfer .bad")
    expect(waiting).to_have_text(re.compile(r"in (10|9) s\.$"), timeout=15_000)
    line.mend()
    page.context.set_offline(False)
    expect(page.get_by_text(DONE)).to_be_visible(timeout=5000)


def test_a_server_that_fails_is_tried_again(page: Page, video_file: Path) -> None:
    answers = [(503, "Videos cannot be stored at the moment."), (502, None)]

    def fail(route: Route) -> None:
        if not answers:
            route.continue_()
            return
        status, sentence = answers.pop(0)
        body = json.dumps({"error": sentence}) if sentence else "<h1>Bad gateway</h1>"
        route.fulfill(status=status, body=body)

    page.route("**/upload/files", fail)
    page.locator("#file").set_input_files(video_file)
    expect(page.get_by_text(DONE)).to_be_visible(timeout=15_000)  # after two tries and a pause
    assert answers == []


def test_a_creation_without_an_answer_leaves_one_upload(
    page: Page, administrator: Person, video_file: Path
) -> None:
    wire = Wire(page)
    lost: list[int] = []

    def lose(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/upload/files", lose)
    page.locator("#file").set_input_files(video_file)
    expect(page.get_by_text(DONE)).to_be_visible()
    assert lost == [201]
    assert wire.count("POST") == 1
    assert administrator.get("/api/uploads").json() == {"uploads": []}


@pytest.mark.front_end
def test_the_same_file_under_another_name_goes_on_after_a_reload(
    page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    open_again(page)
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_visible()
    item = page.locator("#unfinished .transfer")
    expect(item).to_contain_text("long.mp4")
    expect(item.locator(".text")).to_have_text(re.compile(r"of 12 MB received · kept until "))
    renamed = long_video.rename(long_video.with_name("another name.mp4"))
    wire.sent.clear()
    line.mend()
    page.locator("#file").set_input_files(renamed)
    expect(page.get_by_text(DONE)).to_be_visible()
    assert wire.count("POST") == 0
    assert len(wire.offsets()) == 1
    assert wire.offsets()[0] > 0
    expect(item).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("another name.mp4: Resuming from ")
    page.get_by_role("link", name="Watch another name.mp4").click()
    # It was begun under this name.
    expect(page.get_by_role("heading", name="long", level=1)).to_be_visible()


@pytest.mark.front_end
def test_an_unfinished_upload_goes_on_from_its_own_button(
    page: Page, wire: Wire, line: Line, long_video: Path, video_file: Path
) -> None:
    begin(page, long_video)
    open_again(page)
    wire.sent.clear()
    line.mend()
    choose = page.get_by_role("button", name="Resume: long.mp4")
    with page.expect_file_chooser() as chooser:
        choose.click()
    chooser.value.set_files(video_file)
    expect(page.locator("#unfinished .bad")).to_contain_text("That is another file.")
    with page.expect_file_chooser() as chooser:
        choose.click()
    chooser.value.set_files(long_video)
    expect(page.get_by_text(DONE)).to_be_visible()
    assert wire.count("POST") == 0
    assert wire.offsets()[0] > 0


def test_an_upload_goes_on_in_another_browser(
    chromium: Browser, page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    page.context.close()
    line.mend()
    with profile(chromium, line.url) as elsewhere:
        other = visit(elsewhere, line, administrator)
        expect(other.locator("#unfinished .transfer")).to_contain_text("long.mp4")
        sent = Wire(other)
        other.locator("#file").set_input_files(long_video)
        expect(other.get_by_text(DONE)).to_be_visible()
    assert sent.count("POST") == 0
    assert sent.offsets()[0] > 0


@pytest.mark.front_end
def test_the_same_file_twice_becomes_two_videos(
    page: Page, wire: Wire, line: Line, long_video: Path
) -> None:
    begin(page, long_video)
    line.mend()
    page.locator("#file").set_input_files(long_video)
    expect(page.get_by_text(DONE)).to_have_count(2)
    links = page.get_by_role("link", name="Watch long.mp4").all()
    assert len({link.get_attribute("href") for link in links}) == 2


def test_an_upload_goes_on_after_signing_in_again(
    page: Page, wire: Wire, line: Line, context: BrowserContext, long_video: Path
) -> None:
    begin(page, long_video)
    context.clear_cookies()
    line.cut()
    expect(page.locator(".transfer .bad")).to_contain_text("Connection lost.")
    line.mend()
    expect(page.locator(".transfer .bad")).to_contain_text("You are signed out.")
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in (new tab)").click()
    tab = opened.value
    tab.get_by_label("User name").fill("alice")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/upload")
    tab.close()
    page.bring_to_front()
    # Coming back to the tab may have been enough.
    if page.get_by_role("button", name="Resume: long.mp4").is_visible():
        page.get_by_role("button", name="Resume: long.mp4").click(timeout=2000)
    expect(page.get_by_text(DONE)).to_be_visible()
    assert wire.count("POST") == 1
    assert wire.offsets()[-1] > 0


@pytest.mark.front_end
def test_cancelling_throws_away_what_has_arrived(
    page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    # The request that was cut may take a moment to end on the server.
    with page.expect_response(lambda answer: (answer.request.method, answer.status) == THROWN_AWAY):
        page.get_by_role("button", name="Cancel: long.mp4").click()
    assert administrator.get("/api/uploads").json() == {"uploads": []}
    line.mend()
    page.get_by_role("button", name="Try again: long.mp4").click()
    expect(page.get_by_text(DONE)).to_be_visible()
    assert wire.offsets() == [0, 0]


@pytest.mark.front_end
def test_an_unfinished_upload_is_thrown_away(
    page: Page, wire: Wire, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    open_again(page)
    page.get_by_role("button", name="Discard: long.mp4").click()
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()
    expect(page.locator("#announcer")).to_contain_text("long.mp4: Discarded.")
    expect(page.locator("#file")).to_be_focused()
    assert administrator.get("/api/uploads").json() == {"uploads": []}


def test_an_unfinished_upload_is_thrown_away_without_javascript(
    chromium: Browser, page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    begin(page, long_video)
    page.context.close()
    with profile(chromium, line.url, java_script_enabled=False) as context:
        plain = visit(context, line, administrator)
        throw_away_by_form(plain)
    assert administrator.get("/api/uploads").json() == {"uploads": []}


def throw_away_by_form(plain: Page) -> None:
    """Throw the only unfinished upload away with a page's own form."""
    expect(plain.locator("#unfinished .text")).to_have_text(re.compile(r"of 12 MB\s+received"))
    expect(plain.get_by_role("button", name="Resume")).to_have_count(0)
    plain.get_by_role("button", name="Discard: long.mp4").click()
    plain.wait_for_url("**/upload")
    expect(plain.get_by_role("heading", name="Unfinished uploads")).to_have_count(0)


@pytest.mark.front_end
def test_leaving_asks_first_where_the_file_cannot_be_kept(
    page: Page, wire: Wire, long_video: Path
) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.add_init_script(
        "navigator.storage.estimate = async () => ({ quota: 12_000_000, usage: 0 })"
    )
    page.reload()
    begin(page, long_video)
    page.reload()
    assert asked == ["beforeunload"]
    page.reload()
    assert asked == ["beforeunload"]


def test_an_upload_goes_on_across_pages_and_a_reload(
    page: Page, wire: Wire, line: Line, administrator: Person, long_video: Path
) -> None:
    """Nobody is asked anything, the file is not chosen again, and what was said of it is true."""
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.type) or dialog.accept())  # type: ignore[func-returns-value]
    begin(page, long_video)
    line.speed = SLOWLY // 5  # so that it takes longer than the pages
    expect(page).to_have_title(re.compile(r"^[1-9][0-9]? % · Upload · Matinee$"))
    row = page.locator("#transfers .transfer")
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        row.get_by_label("Title", exact=True).fill("Night train")
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        row.get_by_label("Who can watch").select_option("members")
    expect(row.get_by_text("Saved")).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Library").first.click()
    panel = page.get_by_role("complementary", name="Uploads")
    expect(panel.locator(".text")).to_have_text(re.compile("of 12 MB"))
    expect(page).to_have_title(re.compile(r"^[1-9][0-9]? % · Library · Matinee$"))
    page.reload()
    expect(panel.locator(".text")).to_have_text(re.compile("of 12 MB"))
    assert violations(page) == []
    line.mend()
    expect(panel.get_by_text(DONE)).to_be_visible()
    expect(page).to_have_title("Library · Matinee")
    assert (wire.count("POST"), asked) == (1, [])
    assert wire.offsets() == sorted(wire.offsets())
    panel.get_by_role("link", name="Watch long.mp4").click()
    expect(page.get_by_role("heading", name="Night train").first).to_be_visible()
    video = administrator.get(f"/api/videos/{page.url.rsplit('/', 1)[1]}").json()
    assert (video["title"], video["visibility"]) == ("Night train", "members")
    expect(panel).to_have_count(0)  # nothing is left to go on with


@pytest.mark.front_end
def test_signing_out_leaves_no_file_in_the_browser(
    page: Page, line: Line, context: BrowserContext, long_video: Path
) -> None:
    context.clear_cookies()  # a session of its own, which ends here
    page.goto("/login?next=/upload")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/upload")
    line.speed = SLOWLY
    begin(page, long_video)
    names = "async () => (await indexedDB.databases()).map(({ name }) => name)"
    assert page.evaluate(names) == ["uploads"]
    page.evaluate("() => document.querySelector('form[action=\"/logout\"]').requestSubmit()")
    page.wait_for_url("**/login**")
    assert page.evaluate(names) == []


@pytest.mark.front_end
def test_the_same_file_is_said_to_be_there_and_can_be_discarded(
    page: Page, administrator: Person, video_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "twice.mp4"
    file.write_bytes(video_file.read_bytes() + b"\0\0\0\x0efree twice")
    page.locator("#file").set_input_files(file)
    expect(page.get_by_text(DONE)).to_be_visible()
    page.reload()
    page.locator("#file").set_input_files(file)
    expect(page.get_by_text(DONE)).to_be_visible()
    row = page.locator("#transfers .transfer")
    expect(row.get_by_text("You already have this video:")).to_contain_text("twice")
    second = row.get_by_role("link", name="Watch twice.mp4").get_attribute("href") or ""
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        row.get_by_role("button", name="Discard this one").click()
    expect(row).to_have_count(0)
    listed = administrator.get("/api/bin").json()["videos"]
    assert second.rsplit("/", 1)[1] in [video["id"] for video in listed]


@pytest.mark.front_end
def test_a_refusal_before_the_first_byte_is_final(page: Page, video_file: Path) -> None:
    sentence = "You have 3 MB left of 1 GB. The administrator can change that."
    page.route(
        "**/upload/files",
        lambda route: route.fulfill(status=413, body=json.dumps({"error": sentence})),
    )
    page.locator("#file").set_input_files(video_file)
    expect(page.locator(".transfer .bad")).to_have_text(sentence)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.get_by_role("button", name="Dismiss: twelve-seconds-slow.mp4")).to_be_visible()


@pytest.mark.front_end
def test_a_file_that_changed_is_not_mixed_with_what_arrived(
    page: Page, wire: Wire, long_video: Path
) -> None:
    begin(page, long_video)
    page.get_by_role("button", name="Pause: long.mp4").click()
    with long_video.open("r+b") as file:
        file.seek(SIZE // 2)
        file.write(b"changed")
    page.get_by_role("button", name="Resume: long.mp4").click()
    expect(page.locator(".transfer .bad")).to_contain_text("This file has changed")
    assert len(wire.offsets()) == 1


@pytest.mark.front_end
def test_no_state_of_the_page_has_a_violation(
    chromium: Browser, line: Line, administrator: Person, long_video: Path
) -> None:
    with profile(chromium, line.url, reduced_motion="reduce") as context:
        page = visit(context, line, administrator)
        looks = Looks()
        line.speed = SLOWLY
        begin(page, long_video)
        found = looks.problems(page)
        line.cut()
        expect(page.locator(".transfer .bad")).to_contain_text("in 5 s")
        found += looks.problems(page)
        page.get_by_role("button", name="Pause: long.mp4").click()
        found += looks.problems(page)
        line.mend()
        open_again(page)
        expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_visible()
        found += looks.problems(page)
    assert found == []
