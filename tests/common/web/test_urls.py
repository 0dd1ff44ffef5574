"""Addresses stay on this site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import is_id, new_id
from common.web.urls import login_url, same_site_path


@pytest.mark.parametrize("path", ["/", "/stream", "/stream/abc?x=1", "/stream?q=a%20b"])
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert same_site_path(path, default="/d") == path


@pytest.mark.parametrize(
    "path",
    [
        None, "", "stream", "//evil", "///evil", "/\\evil", "\\\\evil", "https://evil",
        "javascript:x", "/\t/evil", "/ok\r\nSet-Cookie: a=b", "/\x00", " /x", "/a b",
        "/x\\y", "/" + "a" * 2000,
    ],
)  # fmt: skip
def test_anything_that_could_lead_elsewhere_is_ignored(path: str | None) -> None:
    assert same_site_path(path, default="/d") == "/d"


@given(st.text())
def test_a_kept_path_begins_with_exactly_one_slash(path: str) -> None:
    kept = same_site_path(path, default="/d")
    assert kept[0] == "/"
    assert kept[1:2] not in ("/", "\\")
    assert not set(kept) & set("\r\n\t \\")


def test_the_path_to_go_on_to_is_quoted() -> None:
    assert login_url("/stream?q=a&b=c") == "/login?next=/stream%3Fq%3Da%26b%3Dc"


def test_ids_are_long_distinct_and_no_options() -> None:
    ids = {new_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(is_id(i) and not i.startswith("-") for i in ids)


@pytest.mark.parametrize(
    "text", ["", "x" * 21, "x" * 23, "-" * 22, "a/" * 11, "." * 22, "x" * 21 + "\n", "ä" * 22]
)
def test_what_could_leave_its_folder_is_no_id(text: str) -> None:
    assert not is_id(text)
