"""Bar charts as SVG: one group of bars for each row of a table, on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

_COLOURS = ("#2f6fde", "#5aa469", "#9aa0a6", "#d9822b", "#b0413e")
_BAR, _GAP, _HEIGHT, _LEFT, _TOP, _FOOT = 22, 26, 240, 64, 64, 34


def write_bars(
    path: Path, title: str, groups: Mapping[str, Mapping[str, float]], *, unit: str
) -> None:
    """Write a chart.

    :param groups: for each group, the value of each bar by its name; all above 0.
    """
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    values = [value for bars in groups.values() for value in bars.values()]
    low = 10 ** math.floor(math.log10(min(values)))
    decades = max(1, math.ceil(math.log10(max(values) / low)))
    width = _LEFT + len(groups) * (len(names) * _BAR + _GAP) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_TOP + _HEIGHT + _FOOT}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="8" y="20" font-size="15">{escape(title)} ({escape(unit)})</text>',
        *_key(names),
        *_scale(low, decades, width),
    ]
    for number, (group, bars) in enumerate(groups.items()):
        left = _LEFT + _GAP + number * (len(names) * _BAR + _GAP)
        middle = left + len(names) * _BAR / 2
        foot = _TOP + _HEIGHT
        parts.append(
            f'<text x="{middle}" y="{foot + 18}" text-anchor="middle">{escape(group)}</text>'
        )
        for name, value in bars.items():
            height = max(1.0, math.log10(value / low) / decades * _HEIGHT)
            place = names.index(name)
            parts.append(
                f'<rect x="{left + place * _BAR}" y="{foot - height:.1f}" width="{_BAR - 3}"'
                f' height="{height:.1f}" fill="{_colour(place)}">'
                f"<title>{escape(name)}: {value:,.3g} {escape(unit)}</title></rect>"
            )
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _key(names: Sequence[str]) -> list[str]:
    parts, left = [], 8
    for place, name in enumerate(names):
        parts.append(f'<rect x="{left}" y="34" width="10" height="10" fill="{_colour(place)}"/>')
        parts.append(f'<text x="{left + 14}" y="43">{escape(name)}</text>')
        left += 24 + 7 * len(name)
    return parts


def _scale(low: float, decades: int, width: int) -> list[str]:
    parts = []
    for step in range(decades + 1):
        y = _TOP + _HEIGHT * (1 - step / decades)
        parts.append(f'<path d="M{_LEFT} {y}H{width - 8}" stroke="#ddd"/>')
        label = f"{low * 10**step:,.10g}"
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{label}</text>')
    return parts


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
