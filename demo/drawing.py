"""Landscapes in layers. ffmpeg moves the near ones faster than the far ones, as a camera would."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

from demo.films import Scene

_SCALE = 2  # layers are drawn larger and made smaller, which smooths their edges
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """A picture that is moved over those before it.

    :param travel: pixels that it moves to the left during the film.
    :param fall: pixels that it moves down each second, beginning anew after its own half height.
    :param bob: pixels that it moves up and down.
    """

    picture: Image.Image
    travel: int = 0
    fall: int = 0
    bob: int = 0


def draw(scene: Scene, size: tuple[int, int], *, seed: int) -> list[Layer]:
    """Return the layers of a landscape, the farthest first.

    :param size: of the film, in pixels.
    :param seed: two films with one scene and two seeds look different.
    """
    return _Painter(scene, size, random.Random(seed)).layers()


def draw_title(title: str, size: tuple[int, int]) -> Image.Image:
    """Return a title card: white text in the lower left, on nothing."""
    width, height = size
    card = Image.new("RGBA", size)
    pen = ImageDraw.Draw(card)
    font = ImageFont.load_default(size=max(14, min(size) // 13))
    lines = _wrap(title, lambda line: pen.textlength(line, font=font) <= width * 0.86)
    text = "\n".join(lines)
    place = (width * 0.06, height * 0.93)
    shadow = Image.new("RGBA", size)
    ImageDraw.Draw(shadow).multiline_text(place, text, (0, 0, 0, 200), font, anchor="ld")
    card.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(4)))
    pen.multiline_text(place, text, (255, 255, 255, 255), font, anchor="ld")
    return card


def _wrap(text: str, fits: Callable[[str], bool]) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if fits(longer):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _colour(written: str) -> Colour:
    red, green, blue = ImageColor.getrgb(written)[:3]
    return red, green, blue


def _mix(one: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


class _Painter:
    """Draws one scene."""

    def __init__(self, scene: Scene, size: tuple[int, int], dice: random.Random) -> None:
        self._kind = scene.kind
        self._width, self._height = size
        self._dice = dice
        self._top, self._horizon, self._far, self._near = map(_colour, scene.colours)

    def layers(self) -> list[Layer]:
        ground: dict[str, Callable[[], list[Layer]]] = {
            "mountains": lambda: self._ridges(4, roughness=1.0),
            "field": lambda: [*self._ridges(3, roughness=0.25), self._row(self._tree, 0.94, 9)],
            "forest": lambda: [
                *self._ridges(2, roughness=0.4),
                self._row(self._fir, 0.88, 26, part=0.55),
                self._row(self._fir, 0.98, 18),
            ],
            "snow": lambda: [
                *self._ridges(3, roughness=0.5),
                self._row(self._fir, 0.97, 10),
                self._flakes(count=70, radius=1.2, fall=28),
                self._flakes(count=34, radius=2.2, fall=52),
            ],
            "sea": self._sea,
            "city": self._city,
            "night": lambda: self._ridges(3, roughness=0.8),
        }
        return [Layer(self._sky()), *ground[self._kind]()]

    def _canvas(self, nearness: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        """Return an empty picture, wider than the film by how far it moves.

        :param nearness: 0 is the sky, which stands still, 1 the nearest.
        """
        travel = round(self._width * 0.5 * nearness)
        size = ((self._width + travel) * _SCALE, self._height * _SCALE)
        picture = Image.new("RGBA", size)
        return picture, ImageDraw.Draw(picture)

    def _layer(self, picture: Image.Image, *, bob: int = 0) -> Layer:
        width, height = picture.width // _SCALE, picture.height // _SCALE
        smaller = picture.resize((width, height), Image.Resampling.LANCZOS)
        return Layer(smaller, width - self._width, bob=bob)

    def _sky(self) -> Image.Image:
        gray = Image.linear_gradient("L").resize((self._width, self._height))
        sky = ImageOps.colorize(
            gray, self._top, self._horizon, _mix(self._top, self._horizon, 0.45)
        )
        if self._kind in ("night", "city") or sum(self._top) < 120:
            sky = ImageChops.lighter(sky, self._stars())
        self._shine(sky)
        return sky.convert("RGBA")

    def _stars(self) -> Image.Image:
        stars = Image.new("RGB", (self._width, self._height))
        pen = ImageDraw.Draw(stars)
        for _ in range(self._width * self._height // 1500):
            x = self._dice.random() * self._width
            y = self._dice.random() ** 1.6 * self._height * 0.7
            light = round(90 + self._dice.random() * 165)
            radius = 0.3 if light < 220 else 0.9
            pen.circle((x, y), radius, (light, light, light))
        return stars

    def _shine(self, sky: Image.Image) -> None:
        """Add the sun or moon with its glow."""
        short = min(self._width, self._height)
        x = self._width * self._dice.uniform(0.25, 0.75)
        y = self._height * (self._dice.uniform(0.2, 0.32) if sum(self._top) < 160 else 0.42)
        light = _mix(self._horizon, (255, 255, 255), 0.75)
        reach = int(short * 1.1)
        glow = ImageOps.invert(Image.radial_gradient("L")).resize((reach * 2, reach * 2))
        mask = glow.point(lambda value: int((value / 255) ** 3 * 150))
        sky.paste(light, (round(x - reach), round(y - reach)), mask)
        disc = Image.new("L", (short, short))
        ImageDraw.Draw(disc).circle((short / 2, short / 2), short * 0.065 * 4, 255)
        disc = disc.resize((short // 4, short // 4), Image.Resampling.LANCZOS)
        sky.paste(light, (round(x - short / 8), round(y - short / 8)), disc)

    def _outline(self, width: int, base: float, height: float, roughness: float) -> list[float]:
        """Return the height of a ridge at every fourth pixel."""
        waves = [
            (self._dice.uniform(0.7, 1.4) * 2**k, self._dice.random() * math.tau, 0.55**k)
            for k in range(6)
        ]
        unit = self._height * _SCALE * 1.4
        points = []
        for x in range(0, width + 8, 4):
            value = sum(
                size
                * (
                    (1 - roughness) * math.sin(x / unit * rate * math.tau + shift)
                    + roughness * (1 - 2 * abs(math.sin(x / unit * rate * math.pi + shift)))
                )
                for rate, shift, size in waves
            )
            points.append(base - value * height / 2)
        return points

    def _ridges(self, count: int, *, roughness: float) -> list[Layer]:
        layers = []
        for number in range(count):
            near = number / max(1, count - 1)
            picture, pen = self._canvas(0.15 + 0.55 * near)
            colour = _mix(_mix(self._far, self._horizon, 0.45 * (1 - near)), self._near, near)
            base = picture.height * (0.56 + 0.3 * near)
            height = picture.height * (0.26 - 0.1 * near) * (0.45 + roughness * 0.55)
            line = self._outline(picture.width, base, height, roughness * (1 - 0.5 * near))
            corners = [(x * 4, y) for x, y in enumerate(line)]
            pen.polygon([(0, picture.height), *corners, (picture.width, picture.height)], colour)
            layers.append(self._layer(picture))
        return layers

    def _row(
        self,
        draw_one: Callable[[ImageDraw.ImageDraw, float, float, float, Colour], None],
        base: float,
        count: int,
        *,
        part: float = 0.9,
    ) -> Layer:
        """Return a row of things that stand in front.

        :param base: where they stand, as a part of the height.
        """
        picture, pen = self._canvas(part)
        colour = _mix(self._near, self._far, 0.6 * (1 - part))
        pen.rectangle((0, picture.height * base, picture.width, picture.height), colour)
        for number in range(count):
            x = picture.width * (number + self._dice.uniform(0.1, 0.9)) / count
            size = picture.height * self._dice.uniform(0.16, 0.34)
            draw_one(pen, x, picture.height * (base + 0.02), size, colour)
        return self._layer(picture)

    def _fir(
        self, pen: ImageDraw.ImageDraw, x: float, y: float, size: float, colour: Colour
    ) -> None:
        for step in range(4):
            low, wide = y - size * 0.22 * step, size * (0.24 - 0.045 * step)
            pen.polygon([(x - wide, low), (x + wide, low), (x, low - size * 0.42)], colour)

    def _tree(
        self, pen: ImageDraw.ImageDraw, x: float, y: float, size: float, colour: Colour
    ) -> None:
        size *= 0.8
        pen.rectangle((x - size * 0.04, y - size * 0.6, x + size * 0.04, y), colour)
        for _ in range(9):
            radius = size * self._dice.uniform(0.14, 0.24)
            across, up = self._dice.gauss(0, size * 0.16), self._dice.uniform(0.5, 0.95) * size
            pen.circle((x + across, y - up), radius, colour)

    def _flakes(self, *, count: int, radius: float, fall: int) -> Layer:
        """Return snow, twice its height, so that it can fall without an end."""
        half = Image.new("RGBA", (self._width * _SCALE, self._height * _SCALE))
        pen = ImageDraw.Draw(half)
        for _ in range(count):
            x, y = self._dice.random() * half.width, self._dice.random() * half.height
            size = radius * _SCALE * self._dice.uniform(0.6, 1.2)
            pen.circle((x, y), size, (255, 255, 255, 215))
        small = half.resize((self._width, self._height), Image.Resampling.LANCZOS)
        both = Image.new("RGBA", (self._width, self._height * 2))
        both.paste(small, (0, 0))
        both.paste(small, (0, self._height))
        return Layer(both, fall=fall)

    def _sea(self) -> list[Layer]:
        level = 0.6
        coast, pen = self._canvas(0.12)
        line = self._outline(coast.width, coast.height * level, coast.height * 0.1, 0.6)
        haze = _mix(self._far, self._horizon, 0.5)
        corners = [(x * 4, min(y, coast.height * level)) for x, y in enumerate(line)]
        pen.polygon(
            [(0, coast.height * level), *corners, (coast.width, coast.height * level)], haze
        )
        layers = [self._layer(coast)]
        water = Image.new("RGBA", (self._width, self._height))
        deep = ImageOps.colorize(
            Image.linear_gradient("L"), _mix(self._far, self._horizon, 0.35), self._near
        ).resize((self._width, round(self._height * (1 - level)) + 1))
        water.paste(deep, (0, round(self._height * level)))
        layers.append(Layer(water))
        layers.append(self._boat(level))
        for number in range(3):
            layers.append(self._glitter(level + 0.04 + number * 0.1, 0.2 + 0.3 * number))
        return layers

    def _glitter(self, level: float, part: float) -> Layer:
        """Return lines of light on the water."""
        picture, pen = self._canvas(part)
        light = _mix(self._horizon, (255, 255, 255), 0.3)
        for _ in range(60):
            x = self._dice.random() * picture.width
            y = picture.height * (level + self._dice.random() * 0.12)
            long = picture.height * self._dice.uniform(0.01, 0.05) * (0.5 + part)
            pen.line((x, y, x + long, y), (*light, self._dice.randrange(50, 150)), width=_SCALE)
        return self._layer(picture, bob=2)

    def _boat(self, level: float) -> Layer:
        picture, pen = self._canvas(0.35)
        x, y = picture.width * self._dice.uniform(0.4, 0.7), picture.height * (level + 0.08)
        size = min(picture.height, picture.width) * 0.16
        hull = _mix(self._near, (0, 0, 0), 0.4)
        sail = _mix(self._horizon, (255, 255, 255), 0.6)
        pen.polygon(
            [
                (x - size * 0.6, y),
                (x + size * 0.7, y),
                (x + size * 0.45, y + size * 0.22),
                (x - size * 0.4, y + size * 0.22),
            ],
            hull,
        )
        pen.line((x, y, x, y - size * 1.5), hull, width=round(size * 0.05))
        pen.polygon([(x + 4, y - size * 1.45), (x + 4, y - 8), (x + size * 0.6, y - 8)], sail)
        pen.polygon([(x - 4, y - size * 1.2), (x - 4, y - 8), (x - size * 0.45, y - 8)], sail)
        return self._layer(picture, bob=4)

    def _city(self) -> list[Layer]:
        layers = []
        for number in range(3):
            near = number / 2
            picture, pen = self._canvas(0.15 + 0.55 * near)
            colour = _mix(_mix(self._far, self._horizon, 0.35 * (1 - near)), self._near, near)
            x = -20.0
            while x < picture.width:
                wide = picture.height * self._dice.uniform(0.07, 0.15) * (0.8 + 0.5 * near)
                high = picture.height * self._dice.uniform(0.2, 0.55) * (1 - 0.3 * near)
                pen.rectangle((x, picture.height - high, x + wide, picture.height), colour)
                self._windows(pen, x, picture.height - high, wide, high, near)
                x += wide + picture.height * self._dice.uniform(0, 0.03)
            layers.append(self._layer(picture))
        return layers

    def _windows(
        self, pen: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, near: float
    ) -> None:
        step = self._height * _SCALE * (0.016 + 0.01 * near)
        light = _mix((255, 214, 140), self._horizon, 0.25)
        for row in range(1, int(high / step / 1.6)):
            for column in range(1, int(wide / step)):
                if self._dice.random() < 0.34:
                    left, top = x + column * step, y + row * step * 1.6
                    glow = (*light, round(110 + 120 * near))
                    pen.rectangle((left, top, left + step * 0.5, top + step * 0.8), glow)
