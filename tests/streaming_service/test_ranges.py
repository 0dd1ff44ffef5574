"""The rules of ranges on their own; `test_servers` puts the same questions to nginx."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming_service.ranges import Condition, Facts, RangeError, wanted_range, weigh

FACTS = Facts(size=1000, modified=784111777)


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 1500))
def test_one_range_is_cut_to_what_there_is(first: int, last: int, size: int) -> None:
    asked = {"Range": f"bytes={first}-{last}"}
    expected = range(first, min(last + 1, size))

    if expected:
        assert wanted_range(asked, Facts(size, 0)) == expected
    elif size == 0 and first == 0:
        assert wanted_range(asked, Facts(size, 0)) is None
    elif first > 0:
        with pytest.raises(RangeError):
            wanted_range(asked, Facts(size, 0))


@given(st.text(alphabet="0123456789-, bytes=", max_size=60), st.integers(0, 5000))
def test_whatever_is_asked_the_answer_lies_within_the_file(specs: str, size: int) -> None:
    try:
        found = wanted_range(({"Range": f"bytes={specs}"}), Facts(size, 0))
    except RangeError:
        return
    assert found is None or 0 <= found.start < found.stop <= size


@given(st.binary(max_size=50))
def test_no_header_is_too_strange(noise: bytes) -> None:
    text = noise.decode("latin-1").replace("\n", "").replace("\r", "")
    names = ("If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since")
    for name in names:
        headers = {name: text, "Range": "bytes=0-0"}
        assert weigh(headers, FACTS) in Condition
        assert wanted_range(headers, FACTS) in (None, range(1))


def test_thousands_of_digits_are_not_read() -> None:
    for digits in ("9" * 8000, "1" + "0" * 8000):
        with pytest.raises(RangeError):
            wanted_range(({"Range": f"bytes={digits}-"}), FACTS)
    assert wanted_range(({"Range": f"bytes={'0' * 8000}5-5"}), FACTS) == range(5, 6)


def test_validators_are_written_as_nginx_writes_them() -> None:
    assert FACTS.etag == '"2ebc98a1-3e8"'
    assert FACTS.last_modified == "Sun, 06 Nov 1994 08:49:37 GMT"
