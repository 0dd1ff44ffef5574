"""Cursors come from outside, so any text may be one."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming_service.videos.cursors import BadCursor, Cursor, Sort

ID = "A" * 22


@given(st.text(max_size=200, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_title_comes_back(title: str) -> None:
    cursor = Cursor(Sort.TITLE, title, ID)

    assert Cursor.read(str(cursor), Sort.TITLE) == cursor


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1)),  # noqa: DTZ001
    st.sampled_from([Sort.NEWEST, Sort.OLDEST]),
)
def test_a_moment_comes_back_to_the_microsecond(moment: datetime, sort: Sort) -> None:
    cursor = Cursor(sort, moment.replace(tzinfo=UTC), ID)

    assert Cursor.read(str(cursor), sort) == cursor


@given(st.text())
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        Cursor.read(text, Sort.NEWEST)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        {},
        None,
        ["newest", 1],
        ["newest", 1, "x"],
        ["newest", 1, None],
        ["newest", 1, ID, 1],
        ["oldest", 1, ID],
        ["newest", -1, ID],
        ["newest", 10**30, ID],
        ["newest", 1.5, ID],
        ["newest", True, ID],
        ["newest", "1", ID],
        ["title", 1, ID],
        ["title", "x" * 201, ID],
        ["title", "\ud800", ID],
        ["title", [], ID],
        [["newest"], 1, ID],
        "[" * 1400,
    ],
    ids=str,
)
def test_fields_of_another_shape_are_refused(fields: object) -> None:
    plain = fields if isinstance(fields, str) else json.dumps(fields)
    text = base64.urlsafe_b64encode(plain.encode()).decode()
    for sort in Sort:
        if isinstance(fields, list) and fields == [sort.value, 1, ID]:
            continue
        with pytest.raises(BadCursor):
            Cursor.read(text, sort)
