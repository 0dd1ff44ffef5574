"""Titles made of the names of files."""

import pytest

from upload_service.titles import title_of_file


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("film.mp4", "film"),
        ("My.Film.2026.mp4", "My.Film.2026"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\alice\film.MP4", "film"),
        ("-vf", "-vf"),
        ("$(id).mp4", "$(id)"),
        (".mp4", ".mp4"),
        ("Mr. Smith goes to town", "Mr. Smith goes to town"),
        ("\u202e.mp4", "Untitled"),
        ("", "Untitled"),
        ("/", "Untitled"),
    ],
)
def test_a_files_name_becomes_a_title(name: str, title: str) -> None:
    assert title_of_file(name) == title
