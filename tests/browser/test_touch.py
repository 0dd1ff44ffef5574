"""Every page under a finger: nothing lies over what can be tapped, and it is large enough."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in_as
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.front_end

# The narrowest and the widest phone, and the narrowest on each side of 48rem when it is turned.
SIZES = [(360, 740), (412, 915), (740, 360), (844, 390)]
PAGES = [
    "/stream",
    "/stream/{video}",
    "/stream/{video}/edit",
    "/stream/{video}/access",
    "/stream/{video}/links",
    "/stream/shared",
    "/stream/bin",
    "/collections",
    "/groups",
    "/upload",
    "/account",
    "/account/links",
    "/admin",
    "/design",
    "/nothing-here",
]
FINGER = 44  # pixels; WCAG 2.2, success criterion 2.5.5
# Links within a text are as high as the text. What is in a closed menu is not there yet.
DEAD_SPOTS = """([finger, room]) => {
    const found = [];
    // Not innerWidth: a phone zooms out until a page that is too wide fits.
    const wide = document.documentElement.scrollWidth - room;
    if (wide > 0) found.push(`the page is ${wide} px too wide`);
    const kinds = 'a[href], button, summary, select, input, textarea';
    const shown = { visibilityProperty: true, opacityProperty: true };
    for (const one of document.querySelectorAll(kinds)) {
        if (!one.checkVisibility(shown) || one.disabled) continue;
        if (one.closest('.skip, .hidden-text, .plyr, [inert], [aria-busy=true]')) continue;
        one.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
        const [box] = one.getClientRects();  // the first line, of a link within a text
        const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        const name = one.outerHTML.slice(0, 120).replace(/\\s+/g, ' ');
        if (!hit || !(one.contains(hit) || hit.closest('label')?.control === one)) {
            found.push(`${name} is under ${hit?.outerHTML.slice(0, 80)}`);
        }
        const isBox = one.matches('[type=radio], [type=checkbox]');
        const { width, height } = (isBox && one.closest('label') || one).getBoundingClientRect();
        const isInText = getComputedStyle(one).display === 'inline' || one.matches('.switch');
        if (!isInText && Math.min(width, height) < finger - 0.5) {
            found.push(`${name} is ${width.toFixed()} x ${height.toFixed()} px`);
        }
    }
    scrollTo(0, 0);
    return found;
}"""


@contextmanager
def phone_of(person: Person | None, chromium: Browser, origin: Origin) -> Iterator[Page]:
    """Open a page on a phone, in which somebody is signed in, or nobody."""
    with chromium.new_context(
        base_url=origin.url,
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
        viewport={"width": 390, "height": 844},
        reduced_motion="reduce",
        service_workers="block",
    ) as context:
        context.set_default_timeout(15_000)
        yield sign_in_as(person, context, url=origin.url) if person else context.new_page()


@pytest.fixture
def phone(chromium: Browser, origin: Origin, administrator: Person) -> Iterator[Page]:
    """A page on a phone, in which Alice is signed in."""
    with phone_of(administrator, chromium, origin) as page:
        yield page


@pytest.fixture(scope="module")
def alices_phone(chromium: Browser, origin: Origin, administrator: Person) -> Iterator[Page]:
    """The same for tests that only look."""
    with phone_of(administrator, chromium, origin) as page:
        yield page


@pytest.fixture(scope="module")
def strangers_phone(chromium: Browser, origin: Origin) -> Iterator[Page]:
    """A page on a phone, signed out, for tests that only look."""
    with phone_of(None, chromium, origin) as page:
        yield page


def dead_spots(page: Page, path: str) -> list[str]:
    """Return what cannot be tapped on a page, at every size."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == (404 if path == "/nothing-here" else 200)
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        spots: list[str] = page.evaluate(DEAD_SPOTS, [FINGER, width])
        found += [f"{path} at {width} x {height}: {spot}" for spot in spots]
    return found


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_a_dead_spot(alices_phone: Page, video: str, path: str) -> None:
    assert dead_spots(alices_phone, path.format(video=video)) == []


@pytest.mark.parametrize("path", ["/login", "/register", "/stream/{video}"])
def test_no_page_has_a_dead_spot_signed_out(strangers_phone: Page, video: str, path: str) -> None:
    assert dead_spots(strangers_phone, path.format(video=video)) == []


def test_the_tabs_lead_to_every_place(phone: Page) -> None:
    phone.goto("/stream")
    phone.get_by_role("link", name="You", exact=True).tap()
    phone.wait_for_url("**/account")
    places = phone.get_by_role("navigation", name="Places")
    for place in ("Shared with me", "Collections", "Groups", "Links", "Bin", "Administration"):
        expect(places.get_by_role("link", name=place, exact=True)).to_be_visible()
    phone.get_by_role("link", name="Upload", exact=True).tap()
    phone.wait_for_url("**/upload")
    phone.get_by_role("link", name="Library", exact=True).tap()
    phone.wait_for_url("**/stream")


def test_the_search_opens_from_its_icon(phone: Page) -> None:
    phone.goto("/stream")
    field = phone.get_by_label("Search videos")
    closed = field.bounding_box()
    field.tap()
    open_ = field.bounding_box()
    assert closed is not None
    assert open_ is not None
    assert closed["width"] < 60
    assert open_["width"] > 300
    field.fill("salt")
    field.press("Enter")
    phone.wait_for_url("**/stream?q=salt")


def test_a_tap_beside_a_sheet_closes_it_and_opens_nothing(phone: Page, video: str) -> None:
    phone.goto("/stream")
    entry = phone.get_by_role("button", name="Sign out")
    phone.locator(".account-menu > summary").tap()
    expect(entry).to_be_visible()
    card = phone.locator(f".video-card[data-video='{video}'] h2 a").first
    box = card.bounding_box()
    assert box is not None

    phone.touchscreen.tap(box["x"] + 5, min(box["y"] + 5, 200))

    expect(entry).to_be_hidden()
    assert phone.url.endswith("/stream")

    phone.locator(".account-menu > summary").tap()
    phone.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    expect(phone.locator(".account-menu > summary")).to_be_focused()


def test_a_tap_beside_a_sheet_closes_it_without_a_script(
    chromium: Browser, origin: Origin, administrator: Person
) -> None:
    with chromium.new_context(
        base_url=origin.url,
        java_script_enabled=False,
        has_touch=True,
        is_mobile=True,
        viewport={"width": 390, "height": 844},
    ) as context:
        page = sign_in_as(administrator, context, url=origin.url)
        page.goto("/stream")
        page.locator(".account-menu > summary").tap()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

        page.touchscreen.tap(195, 200)

        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_the_bar_scrolls_away_on_the_watch_page(phone: Page, video: str) -> None:
    for path, stays in (("/stream", True), (f"/stream/{video}", False)):
        phone.goto(path)
        position = phone.locator(".site-header").evaluate("bar => getComputedStyle(bar).position")
        assert (position == "sticky") == stays, path
