"""Captions: put there by the owner, read by whoever may watch."""

import re
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from db.models import CAPTION_LIMIT, Caption, Video, now
from tests.conftest import Client

from .conftest import House, Put

SRT = "1\n00:00:01,000 --> 00:00:02,000\nHello <b>you</b>\n"
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello <b>you</b>\n"


def add(
    client: Client,
    video_id: str,
    language: str = "en",
    data: bytes | str = SRT,
    *,
    label: str = "",
    **options: Any,
) -> TestResponse:
    """Send the form."""
    content = data.encode() if isinstance(data, str) else data
    fields = {"language": language, "label": label, "file": FileStorage(BytesIO(content), "a.srt")}
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    path = f"/stream/{video_id}/captions"
    return client.post(path, data=body, content_type=kind, **options)


def test_captions_are_added_listed_and_read(put: Put, alice: Client) -> None:
    video_id = put()

    answer = add(alice, video_id, "EN-us", label="For <you>")
    add(alice, video_id, "de")

    assert answer.status_code == 303
    assert "The captions are added." in alice.get(answer.location).text
    tracks = [
        {"language": "de", "label": "Deutsch", "url": f"/stream/{video_id}/captions/de.vtt"},
        {
            "language": "en-US",
            "label": "For <you>",
            "url": f"/stream/{video_id}/captions/en-US.vtt",
        },
    ]
    assert alice.get(f"/api/videos/{video_id}/captions").json == {"captions": tracks}
    assert alice.get(f"/api/videos/{video_id}").json["captions"] == tracks
    page = alice.get(f"/stream/{video_id}").text
    assert 'srclang="en-US"' in page
    assert 'label="For &lt;you&gt;"' in page
    assert alice.get(tracks[1]["url"]).text == VTT


def test_captions_are_sent_as_text_that_no_page_can_be_made_of(put: Put, alice: Client) -> None:
    video_id = put()
    add(alice, video_id)

    answer = alice.get(f"/stream/{video_id}/captions/en.vtt")

    assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    same = {"If-None-Match": answer.headers["ETag"]}
    assert alice.get(f"/stream/{video_id}/captions/en.vtt", headers=same).status_code == 304
    add(alice, video_id, data=SRT.replace("Hello", "Goodbye"))
    assert alice.get(f"/stream/{video_id}/captions/en.vtt", headers=same).status_code == 200


@pytest.mark.on_mysql
def test_the_same_language_again_replaces_what_was_there(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put()
    add(alice, video_id, "en", label="First")

    add(alice, video_id, "EN", SRT.replace("Hello", "Goodbye"), label="Second")

    [track] = alice.get(f"/api/videos/{video_id}/captions").json["captions"]
    assert track["label"] == "Second"
    assert "Goodbye" in alice.get(track["url"]).text


def test_the_form_offers_languages_by_name(put: Put, alice: Client) -> None:
    page = alice.get(f"/stream/{put()}/edit").text

    assert re.search(r'<option value="pt-BR"[^>]*>Português \(Brasil\)</option>', page)
    assert re.search(r'<option value="sw"[^>]*>Kiswahili</option>', page)


def test_captions_are_removed(put: Put, alice: Client) -> None:
    video_id = put()
    add(alice, video_id)

    answer = alice.post(f"/stream/{video_id}/captions/en/delete")

    assert answer.status_code == 303
    assert "The captions are removed." in alice.get(answer.location).text
    assert alice.get(f"/stream/{video_id}/captions/en.vtt").status_code == 404
    assert alice.post(f"/stream/{video_id}/captions/en/delete").status_code == 404


def test_scripts_add_captions_too(put: Put, alice: Client) -> None:
    video_id = put()
    headers = {"Accept": "application/json"}

    answer = add(alice, video_id, headers=headers)
    wrong = add(alice, video_id, "?", headers=headers)

    assert answer.status_code == 201
    assert answer.json["url"] == f"/stream/{video_id}/captions/en.vtt"
    assert wrong.status_code == 422
    assert "tag" in wrong.json["error"]


@pytest.mark.parametrize(
    ("language", "data", "label", "sentence"),
    [
        ("en", "A letter.", "", "This is not a WebVTT or SRT file"),
        ("en", b"\x89PNG\0", "", "This is not a text file"),
        ("en", "", "", "Choose a file"),
        ("en", SRT, "x" * 65, "64 characters"),
        ("../../x", SRT, "", "such as en, de or pt-BR"),
        ("", SRT, "", "such as en, de or pt-BR"),
        ("en", SRT + "\n" * CAPTION_LIMIT, "", "The limit is 1 MB"),
        ("en", VTT + "&" * (CAPTION_LIMIT // 3), "", "The limit is 1 MB"),
    ],
)
def test_what_is_wrong_is_said_in_the_form(
    put: Put, alice: Client, language: str, data: bytes | str, label: str, sentence: str
) -> None:
    video_id = put(title="Morning")

    answer = add(alice, video_id, language, data, label=label)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Morning"' in answer.text
    assert alice.get(f"/api/videos/{video_id}/captions").json == {"captions": []}


def test_a_body_that_is_too_large_is_not_read(put: Put, alice: Client) -> None:
    assert add(alice, put(), data="x" * (2 * CAPTION_LIMIT)).status_code == 413


@pytest.mark.on_mysql
def test_the_largest_file_fits(put: Put, alice: Client) -> None:
    text = (VTT + "x" * CAPTION_LIMIT)[: CAPTION_LIMIT - 1]
    video_id = put()

    assert add(alice, video_id, data=text).status_code == 303
    assert len(alice.get(f"/stream/{video_id}/captions/en.vtt").data) == CAPTION_LIMIT


def test_a_form_without_a_file_or_of_another_kind(put: Put, alice: Client) -> None:
    path = f"/stream/{put()}/captions"

    assert alice.post(path, data={"language": "en", "file": SRT}).status_code == 422
    assert alice.post(path, data={"label": "x"}).status_code == 422
    assert alice.post(path, data=SRT, content_type="text/plain").status_code == 403
    assert alice.post(path, json={"language": "en"}).status_code == 422


def test_a_video_has_so_many_languages_and_no_more(put: Put, alice: Client) -> None:
    video_id = put()
    tags = [f"en-{first}{second}" for first in "ABCDEFGH" for second in "STUVWXY"][:51]

    statuses = [add(alice, video_id, tag).status_code for tag in tags]

    assert statuses == [303] * 50 + [422]
    assert add(alice, video_id, tags[0]).status_code == 303


def test_who_may_read_and_who_may_change(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    everybody = (alice, bob, charlie, nobody)
    for visibility, statuses in {
        "private": [200, 404, 404, 401],
        "members": [200, 200, 200, 401],
        "public": [200] * 4,
    }.items():
        video_id = put(visibility=visibility)
        add(alice, video_id)
        for path in (f"/stream/{video_id}/captions/en.vtt", f"/api/videos/{video_id}/captions"):
            assert [c.get(path).status_code for c in everybody] == statuses
        assert [add(c, video_id).status_code for c in everybody[1:]] == [404, 404, 401]
        removing = f"/stream/{video_id}/captions/en/delete"
        assert [c.post(removing).status_code for c in everybody[1:]] == [404, 404, 401]


def test_what_is_missing_looks_like_what_is_not_yours(
    put: Put, alice: Client, bob: Client, nobody: Client
) -> None:
    hidden, gone = put(), put(visibility="public", deleted_at=now())
    add(alice, hidden)
    for client, status in ((bob, 404), (nobody, 401)):
        answers = [client.get(f"/stream/{i}/captions/en.vtt") for i in (hidden, gone, "A" * 22)]
        assert {answer.status_code for answer in answers} == {status}
        assert len({answer.text for answer in answers}) == 1


def test_a_rejected_video_gives_its_captions_to_nobody(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put(visibility="public")
    add(alice, video_id)
    house.change(Video, video_id, rejection_reason="Broken.")

    assert alice.get(f"/stream/{video_id}/captions/en.vtt").status_code == 404
    assert alice.get(f"/api/videos/{video_id}").json["captions"] == []


@pytest.mark.parametrize("name", ["..", "en%2f..", "en.vtt", "%00", "x" * 36, "en_US", ""])
def test_hostile_names(put: Put, alice: Client, name: str) -> None:
    assert alice.get(f"/stream/{put()}/captions/{name}.vtt").status_code in (400, 404)


@pytest.mark.on_mysql
def test_captions_go_with_their_video(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    add(alice, video_id)

    house.database.write(lambda session: session.delete(session.get_one(Video, video_id)))

    count = select(func.count()).select_from(Caption)
    assert house.database.read(lambda session: session.scalar(count)) == 0
