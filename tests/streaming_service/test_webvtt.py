"""What becomes of files with captions: WebVTT with times and harmless text, or a refusal."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Unprocessable
from streaming_service.videos.languages import canonical_tag, name_of
from streaming_service.videos.webvtt import read_captions

HEAD = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n"


def shown(text: str) -> str:
    """Return what is kept of the text of one cue."""
    return read_captions(f"{HEAD}{text}\n".encode()).removeprefix(HEAD).rstrip("\n")


def test_webvtt_keeps_times_placement_and_text() -> None:
    text = (
        "WEBVTT - Night train\nKind: captions\n\nintro\n"
        "01:02.5 --> 1:01:03.250 line:10% align:left position:5%,line-left size:80%\n"
        "Hello\n- there\n\n"
        "00:00:04.000 --> 00:00:05.000\nWorld"
    )

    assert read_captions(text.encode()) == (
        "WEBVTT\n\n"
        "00:01:02.500 --> 01:01:03.250 line:10% align:left position:5%,line-left size:80%\n"
        "Hello\n- there\n\n"
        "00:00:04.000 --> 00:00:05.000\nWorld\n"
    )


def test_srt_is_converted() -> None:
    text = (
        "1\r\n00:00:01,600 --> 00:00:04,200  X1:10 X2:20\r\n"
        '{\\an8}<font color="red">One &amp; <i>two</i></font>\r\n\r\n'
        "2\r\n00:00:05,000 --> 00:00:07,000\r\n3 < 4 --> 5\r\n"
    )

    assert read_captions(text.encode()) == (
        "WEBVTT\n\n"
        "00:00:01.600 --> 00:00:04.200\nOne &amp; <i>two</i>\n\n"
        "00:00:05.000 --> 00:00:07.000\n3 &lt; 4 --&gt; 5\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"], ids=str)
def test_encodings(encoding: str) -> None:
    text = f"{HEAD}Où est le café ?\n"

    assert "Où est le café ?" in read_captions(text.encode(encoding))


def test_a_mark_for_either_order_of_bytes() -> None:
    for order in ("le", "be"):
        data = ("\ufeff" + HEAD + "日本語\n").encode(f"utf-16-{order}")
        assert "日本語" in read_captions(data)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<b>a</b> <i>b</i> <u>c</u>", "<b>a</b> <i>b</i> <u>c</u>"),
        ("<v Mary Ann>Hello</v>", "<v Mary Ann>Hello</v>"),
        ("<c.yellow.bg_blue>x</c>", "<c.yellow.bg_blue>x</c>"),
        ("<ruby>漢<rt>kan</rt></ruby>", "<ruby>漢<rt>kan</rt></ruby>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ('<img src=x onerror="alert(1)">x', "x"),
        ("<b onclick=alert(1)>x</b>", "x</b>"),
        ("<v <script>>x", "&lt;v &gt;x"),
        ("a < b > c & d &copy; &lt;", "a &lt; b &gt; c &amp; d &amp;copy; &lt;"),
        ("<<b>>x", "&lt;<b>&gt;x"),
        ("a --> b", "a --&gt; b"),
        ("\u200fשלום\u200f", "\u200fשלום\u200f"),  # noqa: RUF001 (Hebrew)
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001 (Persian)
        ("a\x1bb\x07c", "abc"),
        ("Hear <00:00:01.500>me", "Hear <00:00:01.500>me"),
        ("I <3 you, <4>", "I &lt;3 you,"),
    ],
)
def test_text_keeps_the_tags_of_webvtt_and_nothing_else(given: str, kept: str) -> None:
    assert shown(given) == kept


def test_styles_regions_and_comments_are_dropped() -> None:
    text = (
        "WEBVTT\n\nSTYLE\n::cue { background: url(https://elsewhere.example/x) }\n\n"
        "REGION\nid:a\nwidth:40%\n\nNOTE a comment\nof two lines\n\n"
        "00:01.000 --> 00:02.000 region:a line:x vertical:up align:middle size:50%\nHello\n"
    )

    assert read_captions(text.encode()) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 size:50%\nHello\n"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"WEBVTT",
        b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n",
        b"WEBVTT\n\n00:00:02.000 --> 00:00:01.000\nx",
        b"WEBVTT\n\n00:61:01.000 --> 00:62:02.000\nx",
        b"Just a letter.\n\nWith two paragraphs.",
        b"<html><script>alert(1)</script></html>",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"\x00" * 100,
        b"\xff\xfe\x00",
        b"1\n00:00:01,000 --> 00:00:02,000\n<b onclick=1>\n",
    ],
    ids=repr,
)
def test_what_is_not_captions_is_refused(data: bytes) -> None:
    with pytest.raises(Unprocessable):
        read_captions(data)


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(Unprocessable, match="entries"):
        read_captions(b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\nx\n\n" * 20_001)


@given(st.text(max_size=200))
def test_whatever_comes_in_leaves_as_one_cue(text: str) -> None:
    line = " ".join(text.replace("\0", "").split()) + "x"
    kept = read_captions(f"{HEAD}{line}\n".encode(errors="replace"))

    assert kept.count("-->") == 1
    assert "<script" not in kept
    assert read_captions(kept.encode()) == kept


@given(st.binary(max_size=300))
def test_no_bytes_lead_to_an_error_of_ours(data: bytes) -> None:
    for start in (b"", HEAD.encode(), b"\xff\xfe", b"\xfe\xff"):
        try:
            kept = read_captions(start + data)
        except Unprocessable:
            continue
        assert kept.startswith("WEBVTT\n\n")


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("en", "en"),
        (" EN-us ", "en-US"),
        ("PT-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-1996", "de-1996"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("zh-cmn-hans-cn", "zh-cmn-Hans-CN"),
        ("en-u-CA-gregory", "en-u-ca-gregory"),
        ("en-x-US-home", "en-x-us-home"),
    ],
)
def test_tags_of_languages(given: str, tag: str) -> None:
    assert canonical_tag(given) == tag


@pytest.mark.parametrize(
    "text", ["", "e", "English language", "en_US", "en-", "-en", "../x", "en/../x", "ен", "a" * 36]
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable):
        canonical_tag(text)


def test_names_of_languages() -> None:
    assert [name_of(tag) for tag in ("de", "de-CH", "pt-BR", "xx")] == [
        "Deutsch",
        "Deutsch",
        "Português (Brasil)",
        "xx",
    ]


def test_a_hostile_tag_takes_time_in_proportion_to_its_length() -> None:
    """With a processor's seconds limited: to look at each blank 100 times would need more."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
from streaming_service.videos.webvtt import read_captions
read_captions(b"00:01.000 --> 00:02.000\\nHello <v" + b" " * (32 << 20) + b"&>")
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
