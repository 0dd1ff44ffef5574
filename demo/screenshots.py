"""Take the pictures of the README and the documentation from the demonstration site.

    python -m demo.screenshots              all of them
    python -m demo.screenshots NAME ...     some of them

The site is `build/demo-site`, on free ports. It is filled the first time; everything is prepared
before the first picture is taken.
"""

import io
import sys

from PIL import Image
from playwright.sync_api import Page

from demo.moving_picture import take_moving_picture
from demo.pictures import MOVING, PICTURES, Picture, save
from demo.site import Site, demo_site, press

_QUALITIES = (86, 78, 70, 60, 50)


def main(names: list[str]) -> None:
    """Take the pictures with these names, or all."""
    known = [picture.name for picture in PICTURES] + [MOVING]
    if wrong := set(names) - set(known):
        sys.exit(f"There is no picture {', '.join(sorted(wrong))}; there are {', '.join(known)}.")
    with demo_site() as site:
        for picture in PICTURES:
            if not names or picture.name in names:
                save(_take(site, picture), picture.name, qualities=_QUALITIES, method=6)
        if not names or MOVING in names:
            take_moving_picture(site)


def _take(site: Site, picture: Picture) -> Image.Image:
    path = picture.path.format(
        video=site.videos[picture.video], collection=site.collections[picture.collection]
    )
    with site.visit(picture.who, picture.size, picture.scheme) as page:
        # Where somebody stopped is not kept, so that the next picture looks the same.
        page.route("**/position", lambda route: route.fulfill(status=204))
        answer = page.goto(path, wait_until="networkidle")
        if answer is None or not answer.ok:
            raise RuntimeError(f"{path}: {answer and answer.status}")
        if picture.dialog:
            press(page, picture.dialog)
            page.get_by_role("dialog").first.wait_for()
            page.wait_for_load_state("networkidle")
        if picture.plays:
            _play_to(page, seconds=12)
        if picture.part:
            png = page.locator(f"#{picture.part}").screenshot(animations="disabled")
        else:
            png = page.screenshot(animations="disabled")
    return Image.open(io.BytesIO(png)).convert("RGB")


def _play_to(page: Page, *, seconds: float) -> None:
    """Show the film at a time, standing still."""
    page.evaluate(
        """async (seconds) => {
            const video = document.querySelector("video");
            video.muted = true;
            await video.play();
            video.currentTime = seconds;
            await new Promise((seeked) => {
                video.addEventListener("seeked", seeked, { once: true });
                setTimeout(seeked, 5000);
            });
            video.pause();
        }""",
        seconds,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
