"""Mutated files end as measured, rejected or failed, within time and memory; nothing hangs."""

import os
import random
import resource
import sys
import time
from pathlib import Path

import pytest

from tests.transcode_service.media.conftest import Sources, quiet
from tests.transcode_service.media.sources import mutate
from transcode_service.media.ladder import plan
from transcode_service.media.probe import check, measure
from transcode_service.media.renditions import encode_rendition, make_audio, remux_video
from transcode_service.media.source_info import MediaFailed, SandboxLimits, UnplayableSource
from transcode_service.media.storyboard import make_thumbnails

pytestmark = pytest.mark.needs_ffmpeg

FILES = int(os.environ.get("FUZZ_FILES", "12"))
SEED = int(os.environ.get("FUZZ_SEED", "2026"))
WHOLE_EVERY = 20
SEEDS = ("index-first.mp4", "fragmented.mp4", "no-sound.mp4", "hevc.mp4", "two-sounds.mp4")
MEMORY = 1 << 30  # bytes of the largest child


def end_of(path: Path, folder: Path, limits: SandboxLimits, *, whole: bool) -> str:
    """Take a file through the check, or through everything, and tell how it ended."""
    try:
        info = measure(path, limits)
        check(path, info=info, limits=limits)
    except UnplayableSource as unplayable:
        return "rejected" if unplayable.sentence.endswith(".") else f"no sentence: {unplayable}"
    except MediaFailed as failure:
        return f"failed: {failure.detail[-300:]}"
    if not whole:
        return "checked"
    try:
        done = {"info": info, "limits": limits, "report": quiet}
        make_thumbnails(path, folder, **done)
        planned = plan(info)
        if planned.copy:
            remux_video(path, folder, **done)
        make_audio(path, folder, **done)
        for height in planned.heights[:1] or (90,):
            encode_rendition(path, folder, **done, height=height)
    except UnplayableSource as unplayable:
        return "rejected" if unplayable.sentence.endswith(".") else f"no sentence: {unplayable}"
    except MediaFailed as failure:
        # The video passed, and stays watchable; the step is tried again, then given up.
        return f"step failed: {failure.detail[-300:]}"
    return "done"


def test_mutated_files_end_within_bounds(source: Sources, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    limits = SandboxLimits(memory=2 << 30, base_seconds=60)
    seeds = [source(name).read_bytes() for name in SEEDS]
    ends: dict[str, int] = {}
    slowest = 0.0
    for number in range(FILES):
        path = tmp_path / "mutated.mp4"
        path.write_bytes(mutate(dice.choice(seeds), dice))
        began = time.monotonic()
        end = end_of(path, tmp_path, limits, whole=number % WHOLE_EVERY == 0)
        slowest = max(slowest, time.monotonic() - began)
        if end.startswith("failed"):
            path.rename(tmp_path / f"failed-{number}.mp4")
        ends[end.split(":")[0]] = ends.get(end.split(":")[0], 0) + 1
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    sys.stdout.write(f"{ends}, slowest {slowest:.1f} s, largest child {largest >> 20} MiB\n")
    assert set(ends) <= {"checked", "done", "rejected", "step failed"}
    assert ends.get("rejected")
    assert ends.get("checked")
    assert largest < MEMORY
