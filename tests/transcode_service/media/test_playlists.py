"""Playlists are valid, and what they say of bytes, times and bandwidths is so."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from tests.transcode_service.media import strict_hls
from tests.transcode_service.media.conftest import Sources, quiet
from transcode_service.media.ladder import plan
from transcode_service.media.playlists import write_master
from transcode_service.media.probe import measure
from transcode_service.media.renditions import encode_rendition, make_audio, remux_video
from transcode_service.media.source_info import RenditionInfo, SandboxLimits

pytestmark = pytest.mark.needs_ffmpeg

ROOT = Path(__file__).parents[3]
PARSE = """
import {Parser} from "m3u8-parser";
let given = "";
for await (const piece of process.stdin) given += piece;
console.log(JSON.stringify(JSON.parse(given).map(text => {
    const parser = new Parser();
    const warnings = [];
    parser.on("warn", event => warnings.push(event.message));
    parser.push(text);
    parser.end();
    return {warnings, manifest: parser.manifest};
})));
"""


@dataclass
class Made:
    folder: Path
    rows: list[RenditionInfo]
    master: str


@pytest.fixture(scope="module")
def made(source: Sources, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("hls")
    limits = SandboxLimits()
    path = source("ladder.mp4")
    info = measure(path, limits)
    done = {"info": info, "limits": limits, "report": quiet}
    rows = [remux_video(path, folder, **done), *make_audio(path, folder, **done)]
    rows += [encode_rendition(path, folder, **done, height=height) for height in plan(info).heights]

    def read(name: str, limit: int | None) -> bytes:
        return (folder / name).read_bytes()[:limit]

    return Made(folder, rows, write_master(rows, read=read))


def test_the_master_names_every_rendition_and_obeys_the_rules(made: Made) -> None:
    master = strict_hls.read_master(made.master)
    assert [stream["RESOLUTION"] for stream in master.streams] == ["426x240", "640x360", "852x480"]
    assert len(master.keyframes) == 3
    assert [track["CHANNELS"] for track in master.audio] == ["1"]
    for entry in [*master.streams, *master.keyframes, *master.audio]:
        assert (made.folder / entry["URI"].removeprefix("hls/")).is_file()


def test_declared_bandwidths_are_those_of_the_bytes(made: Made) -> None:
    master = strict_hls.read_master(made.master)
    [audio] = [row for row in made.rows if row.kind == "audio"]
    for stream in master.streams:
        name = Path(stream["URI"]).stem
        media = strict_hls.read_media((made.folder / f"{name}.m3u8").read_text(), name=name)
        sized = sum(segment.size for segment in media.segments) * 8
        average = sized / sum(segment.duration for segment in media.segments)
        peak = max(s.size * 8 / s.duration for s in media.segments if s.duration > media.target / 2)
        assert int(stream["AVERAGE-BANDWIDTH"]) - audio.average_bandwidth == pytest.approx(
            average, rel=0.01
        )
        assert int(stream["BANDWIDTH"]) - audio.bandwidth == pytest.approx(peak, rel=0.1)


def test_segments_are_all_the_bytes_and_begin_with_keyframes(made: Made) -> None:
    for row in made.rows:
        path = made.folder / f"{row.name}.mp4"
        media = strict_hls.read_media((made.folder / f"{row.name}.m3u8").read_text(), name=row.name)
        at = media.header
        for segment in media.segments:
            assert segment.at == at
            at += segment.size
            alone = made.folder / "alone.mp4"
            data = path.read_bytes()
            alone.write_bytes(data[: media.header] + data[segment.at : at])
            with av.open(str(alone)) as container:
                packets = [packet for packet in container.demux() if packet.size]
                assert packets[0].is_keyframe
                assert packets[0].pts == min(packet.pts for packet in packets)
                span = sum(packet.duration * packet.time_base for packet in packets)
                assert float(span) == pytest.approx(segment.duration, abs=0.01)
        assert at == path.stat().st_size == row.size


def test_keyframe_playlists_give_frames_that_decode_by_themselves(made: Made) -> None:
    for row in made.rows:
        if row.kind != "video":
            continue
        name = f"{row.name}-iframes"
        media = strict_hls.read_media((made.folder / f"{name}.m3u8").read_text(), name=row.name)
        assert media.only_keyframes
        assert len(media.segments) >= 5
        assert sum(segment.duration for segment in media.segments) == pytest.approx(10, abs=0.1)
        data = (made.folder / f"{row.name}.mp4").read_bytes()
        for segment in media.segments:
            alone = made.folder / "alone.mp4"
            part = data[segment.at : segment.at + segment.size]
            alone.write_bytes(data[: media.header] + part)
            with av.open(str(alone)) as container:
                frame = next(container.decode(video=0))
                assert frame.key_frame
                assert (frame.width, frame.height) == (row.width, row.height)


def test_all_renditions_change_at_the_same_times(made: Made) -> None:
    begins = []
    for row in made.rows:
        if row.kind == "video" and row.name != "source":
            media = strict_hls.read_media(
                (made.folder / f"{row.name}.m3u8").read_text(), name=row.name
            )
            begins.append([round(segment.duration, 3) for segment in media.segments])
    assert len(begins) == 2
    assert begins[0] == begins[1] == [4.0, 4.0, 2.0]


def test_another_parser_reads_the_playlists_without_a_warning(made: Made) -> None:
    texts = [made.master, *(path.read_text() for path in made.folder.glob("*.m3u8"))]
    assert len(texts) == 8
    answer = subprocess.run(
        ["node", "--input-type=module", "--eval", PARSE],
        input=json.dumps(texts),
        cwd=ROOT / "frontend",
        env={**os.environ, "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    read = json.loads(answer.stdout)
    assert len(read) == len(texts)
    for parsed in read:
        assert parsed["warnings"] == []
        manifest = parsed["manifest"]
        assert manifest.get("segments") or manifest.get("playlists")


def test_names_for_people_cannot_break_the_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transcode_service.media.playlists.read_channels", lambda _start: 2)

    def read(name: str, _limit: int | None) -> bytes:
        if name.endswith(".m3u8"):
            raise FileNotFoundError
        return b""

    row = {"kind": "audio", "codecs": "mp4a.40.2", "bandwidth": 1, "average_bandwidth": 1}
    plain = {"size": 1, "width": None, "height": None, "frame_rate": None}
    audio = [
        RenditionInfo(name=f"audio-{n}", title="a\"b'c\r\n#EXTINF", language="fra", **row, **plain)
        for n in (1, 2)
    ]
    video = RenditionInfo(
        **{**row, "kind": "video", "codecs": "avc1.64001f"},
        **{**plain, "width": 640, "height": 360, "frame_rate": 25.0},
        name="360p",
        language=None,
        title=None,
    )
    master = strict_hls.read_master(write_master([video, *audio], read=read))
    assert [track["NAME"] for track in master.audio] == [
        "a\u2019b\u2019c#EXTINF",
        "a\u2019b\u2019c#EXTINF (2)",
    ]
