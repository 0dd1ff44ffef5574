"""Colours: how they are encoded in a source, and how HDR ones come down to what all screens show.

HDR is mapped through a table of 33^3 colours that every ffmpeg can apply, rather than through
`zscale` and `tonemap`, which not every build has and which take longer.
"""

from collections.abc import Iterator
from pathlib import Path

from transcode_service.media.facts import VideoTrack

CUBE = "tonemap.cube"
_STEPS = 33
_WHITE = 203.0  # cd/m2 of diffuse white in HDR: ITU-R BT.2408, 2.1
_PEAK = 1000.0  # cd/m2 of the brightest that is told apart
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


def filters(video: VideoTrack, width: int, height: int, *, jpeg: bool = False) -> list[str]:
    """Return the filters that bring a decoded picture to a size, in 8 bits of 4:2:0.

    A chain for HDR reads `CUBE` in the working folder; see :func:`write_cube`.

    :param jpeg: with JPEG's own range and matrix, rather than those of the source.
    """
    taken = f"in_color_matrix={video.matrix}:in_range={'pc' if video.full_range else 'tv'}"
    size = f"scale={width}:{height}"
    if jpeg:
        given, layout, tags = "out_color_matrix=bt601:out_range=pc", "yuvj420p", []
    else:
        matrix = "bt709" if video.hdr else video.matrix
        given, layout = f"out_color_matrix={matrix}:out_range=tv", "yuv420p"
        tags = [f"setparams=range=tv:colorspace={_TAGS[matrix]}"]
        if video.hdr or matrix == "bt709":
            tags[0] += ":color_primaries=bt709:color_trc=bt709"
    if not video.hdr:
        return [f"{size}:{taken}:{given}", f"format={layout}", *tags]
    mapped = ["format=gbrp10le", f"lut3d=file={CUBE}:interp=tetrahedral"]
    return [f"{size}:{taken}", *mapped, f"scale={given}", f"format={layout}", *tags]


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
    return 10_000 * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (
        1 / 0.1593017578125
    )


def _hlg(code: float) -> float:
    """ITU-R BT.2100, table 5: scene light, 0 to 1."""
    if code <= 0.5:
        return code * code / 3
    return float((2.718281828459045 ** ((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _displayed(red: float, green: float, blue: float, transfer: str) -> tuple[float, float, float]:
    """Return cd/m2; for HLG those of a display of `_PEAK` (ITU-R BT.2100, table 5, OOTF)."""
    if transfer == "pq":
        return red, green, blue
    scale = _PEAK * (0.2627 * red + 0.6780 * green + 0.0593 * blue) ** 0.2
    return red * scale, green * scale, blue * scale


def _mapped(light: tuple[float, float, float]) -> tuple[float, float, float]:
    """Compress what is brighter than the knee, all channels alike so that hues stay."""
    linear = [max(sum(k * c for k, c in zip(row, light, strict=True)), 0) for row in _TO_709]
    brightest = max(linear) / _WHITE
    if brightest <= 0:
        return 0.0, 0.0, 0.0
    scale = _compressed(brightest) / brightest / _WHITE
    red, green, blue = (min(channel * scale, 1.0) ** (1 / _GAMMA) for channel in linear)
    return red, green, blue


def _compressed(bright: float) -> float:
    """A Moebius curve: the identity up to the knee, smooth there, 1 at the peak."""
    peak = _PEAK / _WHITE
    if bright <= _KNEE:
        return bright
    a = -_KNEE * _KNEE * (peak - 1) / (_KNEE * _KNEE - 2 * _KNEE + peak)
    b = (_KNEE * _KNEE - 2 * _KNEE * peak + peak) / max(peak - 1, 1e-6)
    curve = (b * b + 2 * b * _KNEE + _KNEE * _KNEE) / (b - a)
    return min(curve * (bright + a) / (bright + b), 1.0)
