"""Colours: convert a source's colours to 8-bit SDR, which every screen shows.

HDR is mapped by a table of 33^3 colours, which every build of ffmpeg can apply. The filters
`zscale` and `tonemap` are not in every build, and are slower.
"""

from collections.abc import Iterator
from math import exp
from pathlib import Path

from transcode_service.media.source_info import VideoTrack

CUBE = "tonemap.cube"
_STEPS = 33
_WHITE = 203.0  # cd/m2 of diffuse white in HDR: ITU-R BT.2408, 2.1
_PEAK = 1000.0  # cd/m2; brighter light is clipped
_KNEE = 0.5  # of white, below which nothing is changed
_GAMMA = 2.2

# ITU-R BT.2087, 4.2: linear light of BT.2020 in the primaries of BT.709.
_TO_709 = (
    (1.6605, -0.5876, -0.0728),
    (-0.1246, 1.1329, -0.0083),
    (-0.0182, -0.1006, 1.1187),
)

_TAGS = {"bt709": "bt709", "bt601": "smpte170m", "bt2020": "bt2020nc"}
"""What `setparams` calls the matrices that `scale` calls so."""


def filters(video: VideoTrack, width: int, height: int) -> list[str]:
    """Return ffmpeg's filters that scale frames to a size, as 8-bit 4:2:0.

    A chain for HDR reads `CUBE` in the working folder; see :func:`write_cube`.
    """
    source = f"in_color_matrix={video.matrix}:in_range={'pc' if video.full_range else 'tv'}"
    size = f"scale={width}:{height}"
    matrix = "bt709" if video.hdr else video.matrix
    output = f"out_color_matrix={matrix}:out_range=tv"
    tags = f"setparams=range=tv:colorspace={_TAGS[matrix]}"
    if video.hdr or matrix == "bt709":
        tags += ":color_primaries=bt709:color_trc=bt709"
    if not video.hdr:
        return [f"{size}:{source}:{output}", "format=yuv420p", tags]
    mapping = ["format=gbrp10le", f"lut3d=file={CUBE}:interp=tetrahedral"]
    return [f"{size}:{source}", *mapping, f"scale={output}", "format=yuv420p", tags]


def write_cube(folder: Path, transfer: str) -> None:
    """Write the table that maps HDR to SDR.

    :param transfer: "pq" (SMPTE ST 2084) or "hlg" (ARIB STD-B67).
    """
    lines = [f"LUT_3D_SIZE {_STEPS}"]
    lines += [f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in _cube(transfer)]
    (folder / CUBE).write_text("\n".join([*lines, ""]), encoding="ascii")


def _cube(transfer: str) -> Iterator[tuple[float, float, float]]:
    codes = [step / (_STEPS - 1) for step in range(_STEPS)]
    light = [_pq(code) if transfer == "pq" else _hlg(code) for code in codes]
    for blue in light:
        for green in light:
            for red in light:
                yield _mapped(_displayed(red, green, blue, transfer))


def _pq(code: float) -> float:
    """SMPTE ST 2084, 4.2: cd/m2."""
    power = code ** (1 / 78.84375)
    ratio = max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    return 10_000 * float(ratio ** (1 / 0.1593017578125))


def _hlg(code: float) -> float:
    """ITU-R BT.2100, table 5: scene light, 0 to 1."""
    if code <= 0.5:
        return code * code / 3
    return (exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _displayed(red: float, green: float, blue: float, transfer: str) -> tuple[float, float, float]:
    """Return cd/m2; for HLG on a display of `_PEAK` (ITU-R BT.2100, table 5, OOTF)."""
    if transfer == "pq":
        return red, green, blue
    scale = _PEAK * (0.2627 * red + 0.6780 * green + 0.0593 * blue) ** 0.2
    return red * scale, green * scale, blue * scale


def _mapped(light: tuple[float, float, float]) -> tuple[float, float, float]:
    """Compress light above the knee, all channels by the same factor to keep the hue."""
    linear = [max(sum(k * c for k, c in zip(row, light, strict=True)), 0) for row in _TO_709]
    brightest = max(linear) / _WHITE
    if brightest <= 0:
        return 0.0, 0.0, 0.0
    scale = _compressed(brightest) / brightest / _WHITE
    red, green, blue = (min(channel * scale, 1.0) ** (1 / _GAMMA) for channel in linear)
    return red, green, blue


def _compressed(bright: float) -> float:
    """A Moebius curve: the identity up to the knee, smooth there, 1 at the peak."""
    if bright <= _KNEE:
        return bright
    peak = _PEAK / _WHITE
    a = -_KNEE * _KNEE * (peak - 1) / (_KNEE * _KNEE - 2 * _KNEE + peak)
    b = (_KNEE * _KNEE - 2 * _KNEE * peak + peak) / (peak - 1)
    return min((b + _KNEE) ** 2 / (b - a) * (bright + a) / (bright + b), 1.0)
