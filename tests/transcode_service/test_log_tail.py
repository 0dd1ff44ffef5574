"""What people are shown of a program's output."""

from transcode_service.log_tail import LIMIT, log_tail

TRACEBACK = """[mov @ 0x55] moov atom not found
Traceback (most recent call last):
  File "/app/transcode_service/media/probe_child.py", line 200, in main
    answer = _do(work, path)
             ^^^^^^^^^^^^^^^
ValueError: no frame was decoded
"""


def test_a_traceback_is_reduced_to_its_exception() -> None:
    assert log_tail(TRACEBACK) == (
        "[mov @ 0x55] moov atom not found\nValueError: no frame was decoded\n"
    )


def test_folders_are_not_named() -> None:
    text = "Error opening input file:/srv/videos/abc/original.mp4: [Errno 2] '/srv/data/x y'"
    assert log_tail(text) == "Error opening input original.mp4: [Errno 2] 'x y'"


def test_what_only_looks_like_a_path_stays() -> None:
    text = "Stream #0:0: yuv420p(tv, bt709), 25 fps, 1/12800 tbn; 3/4 of w/h"
    assert log_tail(text) == text


def test_the_last_lines_are_kept() -> None:
    assert log_tail("x" * 9000 + "the end")[-7:] == "the end"
    assert len(log_tail("x" * 9000)) == LIMIT
