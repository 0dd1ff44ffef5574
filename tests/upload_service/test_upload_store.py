"""Uploads in the object store that have several parts, and what can happen between two steps."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import update

from common.ids import new_id
from common.settings import Environment, SettingsError
from common.storage import objects
from common.storage.errors import StoreUnavailable
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.s3 import MIN_PART, S3Store
from db.engine import Database, DatabaseUnavailable
from db.models import Upload, now
from tests.conftest import Client, Site
from tests.media import box, mp4
from tests.upload_service.conftest import InStore, Rows
from tests.upload_service.forms import file_part, send
from tests.upload_service.tus_client import Tus, checksum
from upload_service.janitor.checksum_backfill import ChecksumBackfill
from upload_service.janitor.cleanup import Cleaner
from upload_service.mover.object_cleanup import ObjectCleaner
from upload_service.mover.survey import strays
from upload_service.receive.append_pieces import LengthExceeded
from upload_service.settings import UploadSettings
from upload_service.uploads import create, finish, host, lease
from upload_service.uploads.append import AppendRequest, append
from upload_service.uploads.checksums import checksums
from upload_service.uploads.context import UploadContext
from upload_service.uploads.lease import Superseded
from upload_service.uploads.lock import exclusive_writer

pytestmark = [pytest.mark.parametrize("place", ["s3"], indirect=True)]

SIZE = 2 * MIN_PART + 12_345
FILM = mp4(after=box(b"free", Random(1).randbytes(SIZE - 8 - len(mp4()))))


class Store(S3Store):
    """The real store, with something done before a request reaches it, or after.

    :ivar before: is called with the method's name; what it raises is the answer.
    """

    before: Callable[[str], None] = staticmethod(lambda _method: None)
    after: Callable[[str], None] = staticmethod(lambda _method: None)

    def put(self, key: str, content: bytes, **given: object) -> None:  # type: ignore[override]
        self.before("put")
        super().put(key, content, **given)  # type: ignore[arg-type]
        self.after("put")

    def put_part(self, key: str, upload_id: str, number: int, content: bytes) -> str:
        self.before("put_part")
        return super().put_part(key, upload_id, number, content)

    def complete_multipart(self, *given: object) -> None:  # type: ignore[override]
        self.before("complete")
        super().complete_multipart(*given)  # type: ignore[arg-type]

    def delete(self, key: str) -> None:
        self.before("delete")
        super().delete(key)


@pytest.fixture
def store(place: InStore, site: Site, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store, with the smallest parts that it takes."""
    monkeypatch.setattr(create, "part_size_of", lambda _size: MIN_PART)
    services = site.apps["upload"].extensions["matinee"]
    found = Store(services.settings.store.s3)
    services.object_store = place.store = found
    return found


@pytest.fixture
def tus(alice: Client, store: Store) -> Tus:
    return Tus(alice)


@pytest.fixture
def cleaner(store: Store, context: UploadContext) -> Cleaner:
    own = context.stores, context.incoming, context.videos, context.settings
    return Cleaner(*own, object_store=store)


def failing(*methods: str, times: int = 1) -> Callable[[str], None]:
    """Return what fails the first calls of some methods."""
    left = times

    def fail(method: str) -> None:
        nonlocal left
        if method in methods and left:
            left -= 1
            raise StoreUnavailable("a test")

    return fail


def is_the_only_file(place: InStore, rows: Rows, content: bytes) -> bool:
    """Tell whether there is one video, which has these bytes, and nothing else anywhere."""
    (video,) = rows.videos()
    return (
        place.video(video.id) == content
        and len(place.files()) == 1
        and rows.uploads() == []
        and video.size == len(content)
    )


@pytest.mark.on_mysql
@pytest.mark.parametrize("checked", [False, True])
def test_a_film_of_several_parts_arrives_in_uneven_pieces(
    tus: Tus, place: InStore, rows: Rows, checked: bool
) -> None:
    where = tus.begin(SIZE)
    at = 0
    for size in (1, 700_000, MIN_PART - 700_001, 5, MIN_PART, SIZE):
        piece = FILM[at : at + size]
        headers = {"Upload_Checksum": checksum(piece)} if checked else {}
        answer = tus.patch(where, at, piece, **headers)
        at += len(piece)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(at))
        if at < SIZE:
            assert tus.offset(where) == at
    assert answer.headers["Upload-Receipt"] == f"sha256 {hashlib.sha256(FILM).hexdigest()}"
    assert is_the_only_file(place, rows, FILM)


@pytest.mark.parametrize("size", [MIN_PART, 2 * MIN_PART])
def test_a_film_may_end_where_a_part_ends(tus: Tus, place: InStore, rows: Rows, size: int) -> None:
    film = mp4(after=box(b"free", bytes(size - 8 - len(mp4()))))
    assert tus.create(size, film).status_code == 201
    assert is_the_only_file(place, rows, film)


def test_a_form_may_bring_several_parts(
    alice: Client, store: Store, place: InStore, rows: Rows
) -> None:
    assert send(alice, file_part(FILM)).status_code == 201
    assert is_the_only_file(place, rows, FILM)


def test_a_length_that_is_told_last_completes_the_film(
    tus: Tus, place: InStore, rows: Rows
) -> None:
    where = tus.begin(Upload_Defer_Length="1")
    assert tus.patch(where, 0, FILM).status_code == 204
    assert rows.videos() == []
    assert tus.patch(where, SIZE, Upload_Length=str(SIZE)).status_code == 204
    assert is_the_only_file(place, rows, FILM)


@pytest.mark.parametrize("kept", [0, 1000, MIN_PART + 1000])
def test_of_too_many_bytes_none_is_kept(
    tus: Tus, context: UploadContext, place: InStore, rows: Rows, kept: int
) -> None:
    """They come without their length, so it shows late, after parts of them were written."""
    where = tus.begin(SIZE)
    if kept:
        tus.patch(where, 0, FILM[:kept])
    upload_id = where.rsplit("/", 1)[1]
    pieces = (bytes(1 << 20) for _ in range(20))
    with pytest.raises(LengthExceeded):
        append(context, upload_id, AppendRequest(pieces, lambda: None, kept, None))
    assert tus.offset(where) == kept
    assert tus.patch(where, kept, FILM[kept:]).status_code == 204
    assert is_the_only_file(place, rows, FILM)


@pytest.mark.on_mysql
def test_bytes_of_a_host_that_stood_still_replace_none_that_count(
    tus: Tus,
    store: Store,
    place: InStore,
    context: UploadContext,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its part is on the way while another host takes over and writes the same part."""
    where = tus.begin(SIZE)
    upload_id = where.rsplit("/", 1)[1]
    wrong = bytes(MIN_PART)

    def take_over(method: str) -> None:
        if method != "put_part":
            return
        store.before = lambda _method: None
        ended = update(Upload).values(locked_until=now() - timedelta(seconds=1))
        context.database.write(lambda session: session.execute(ended))
        with monkeypatch.context() as other:
            other.setattr(host, "boot_id", lambda: "another")
            other.setattr("common.file_lock.fcntl.flock", lambda *_: None)
            assert tus.patch(where, 0, FILM[: MIN_PART + 10]).status_code == 204

    store.before = take_over
    monkeypatch.setattr(lease, "_RENEW", 3600)
    stale = AppendRequest(iter([wrong]), lambda: None, 0, len(wrong))
    with pytest.raises(Superseded):
        append(context, upload_id, stale)
    assert tus.offset(where) == MIN_PART + 10
    checksums.take(upload_id, 0, fence=-1)  # this process stands for two
    assert tus.patch(where, MIN_PART + 10, FILM[MIN_PART + 10 :]).status_code == 204
    (video,) = rows.videos()
    assert place.video(video.id) == FILM


@pytest.mark.parametrize(("method", "kept"), [("put", 0), ("put_part", 0), ("put_part", MIN_PART)])
def test_without_the_store_what_is_recorded_stays(
    tus: Tus, store: Store, place: InStore, rows: Rows, method: str, kept: int
) -> None:
    where = tus.begin(SIZE)
    if kept:
        assert tus.patch(where, 0, FILM[:kept]).status_code == 204
    store.before = failing(method)
    answer = tus.patch(where, kept, FILM[kept : kept + (1000 if method == "put" else SIZE)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert tus.offset(where) == kept
    assert tus.patch(where, kept, FILM[kept:]).status_code == 204
    assert is_the_only_file(place, rows, FILM)


def test_parts_before_one_that_fails_are_kept(
    tus: Tus, store: Store, place: InStore, rows: Rows, context: UploadContext
) -> None:
    where = tus.begin(SIZE)
    calls: Iterator[int] = iter(range(100))

    def fail(method: str) -> None:
        if method == "put_part" and next(calls) == 1:
            raise StoreUnavailable("a test")

    store.before = fail
    assert tus.patch(where, 0, FILM).status_code == 503
    assert tus.offset(where) == MIN_PART
    answer = tus.patch(where, MIN_PART, FILM[MIN_PART:])
    assert answer.status_code == 204
    assert is_the_only_file(place, rows, FILM)
    # Nobody has read all bytes in their order, so the janitor reads them again.
    assert "Upload-Receipt" not in answer.headers
    backfill = ChecksumBackfill(context.database, context.videos, store)
    assert backfill.work() == 1
    (video,) = rows.videos()
    assert video.sha256 == hashlib.sha256(FILM).hexdigest()
    current = objects.current_objects(context.database, video_id=video.id)["original.mp4"]
    assert current.sha256 == video.sha256


@pytest.mark.on_mysql
@pytest.mark.parametrize("how", ["head", "patch", "janitor"])
@pytest.mark.parametrize("sealed", [False, True])
def test_a_crash_before_the_video_is_recorded_costs_nothing(
    tus: Tus,
    place: InStore,
    store: Store,
    rows: Rows,
    cleaner: Cleaner,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    sealed: bool,
) -> None:
    def die(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("gone")

    where = tus.begin(SIZE)
    with monkeypatch.context() as patch:
        patch.setattr(finish, "record_video" if sealed else "finish_upload", die)
        assert tus.patch(where, 0, FILM).status_code == 503
    if how == "janitor":
        assert cleaner.clean() == {"upload finished": 1}
    else:
        answer = tus.head(where) if how == "head" else tus.patch(where, SIZE)
        assert answer.headers["Upload-Video"] == where.replace("/upload/files", "/stream")
    assert is_the_only_file(place, rows, FILM)


@pytest.mark.parametrize("method", ["complete", "delete"])
def test_a_store_that_fails_at_the_end_is_asked_again(
    tus: Tus, store: Store, place: InStore, rows: Rows, method: str
) -> None:
    where = tus.begin(SIZE)
    tus.patch(where, 0, FILM[:1000])
    store.before = failing(method)
    answer = tus.patch(where, 1000, FILM[1000:])
    assert answer.status_code == (503 if method == "complete" else 204)
    assert tus.head(where).headers["Upload-Offset"] == str(SIZE)
    assert is_the_only_file(place, rows, FILM)


def test_a_tail_that_nobody_recorded_goes_with_the_end(
    tus: Tus, store: Store, place: InStore, rows: Rows
) -> None:
    where = tus.begin(SIZE)

    def die(method: str) -> None:
        raise StoreUnavailable(method)

    store.after = die  # the tail is there, and its writer does not know
    assert tus.patch(where, 0, FILM[:1000]).status_code == 503
    store.after = lambda _method: None
    assert len(place.files()) == 1
    assert tus.offset(where) == 0
    assert tus.patch(where, 0, FILM).status_code == 204
    assert is_the_only_file(place, rows, FILM)


@pytest.mark.on_mysql
def test_an_upload_that_is_ended_is_gone_once_the_store_answers(
    tus: Tus, store: Store, place: InStore, rows: Rows, cleaner: Cleaner
) -> None:
    where = tus.begin(SIZE)
    tus.patch(where, 0, FILM[: MIN_PART + 1000])
    store.before = failing("delete")
    assert tus.send("DELETE", where).status_code == 204
    assert tus.head(where).status_code == 410
    assert tus.browser.get("/api/uploads").get_json() == {"uploads": []}
    assert cleaner.clean() == {"upload removed": 1}
    assert (rows.uploads(), place.files()) == ([], [])


def test_an_upload_whose_parts_the_store_has_lost_is_ended(
    tus: Tus, store: Store, place: InStore, rows: Rows, cleaner: Cleaner
) -> None:
    """As by a rule of the bucket that ends unfinished uploads."""
    where = tus.begin(SIZE)
    tus.patch(where, 0, FILM[:MIN_PART])
    for unfinished in store.list_multiparts(""):
        store.abort_multipart(unfinished.key, unfinished.id)
    assert tus.patch(where, MIN_PART, FILM[MIN_PART:]).status_code == 410
    assert tus.head(where).status_code == 410
    assert cleaner.clean() == {"upload removed": 1}
    assert (rows.uploads(), place.files()) == ([], [])


@pytest.mark.on_mysql
def test_parts_of_any_size_become_one_film(
    tus: Tus, store: Store, place: InStore, rows: Rows, cleaner: Cleaner
) -> None:
    parts = []
    for piece in (FILM[:100], FILM[100 : 2 * MIN_PART], FILM[2 * MIN_PART :]):
        part = tus.begin(len(piece), Upload_Concat="partial")
        assert tus.patch(part, 0, piece).status_code == 204
        parts.append(part)
    calls: Iterator[int] = iter(range(100))

    def fail(method: str) -> None:
        if method == "put_part" and next(calls) == 2:
            raise StoreUnavailable("a test")

    store.before = fail
    assert tus.send("POST", Upload_Concat=f"final;{' '.join(parts)}").status_code == 503
    assert cleaner.clean() == {"upload finished": 1}
    assert is_the_only_file(place, rows, FILM)


def test_what_an_unfinished_upload_has_is_nobodys_stray(
    tus: Tus, store: Store, context: UploadContext
) -> None:
    where = tus.begin(SIZE)
    tus.patch(where, 0, FILM[: MIN_PART + 1000])
    disk, files = MovableFiles(context.videos.root), ObjectFiles(context.database, store)
    assert list(strays(context.database, disk, files)) == []
    long_ago = timedelta(seconds=-60)  # everything is older
    cleaner = ObjectCleaner(context.stores, disk, files, grace=timedelta(), expires=long_ago)
    assert cleaner.clean() == {}
    assert tus.patch(where, MIN_PART + 1000, FILM[MIN_PART + 1000 :]).status_code == 204


def grow_old(database: Database, context: UploadContext) -> None:
    """Have all uploads begun longer ago than a form that stands still may be there."""
    old = now() - timedelta(seconds=context.settings.cleanup_after + 1)
    database.write(lambda session: session.execute(update(Upload).values(created_at=old)))


def test_an_upload_that_can_be_continued_stays_until_it_expires(
    tus: Tus, database: Database, cleaner: Cleaner, context: UploadContext
) -> None:
    where = tus.begin(SIZE)
    tus.patch(where, 0, FILM[:1000])
    grow_old(database, context)
    assert cleaner.clean() == {}
    assert tus.offset(where) == 1000
    database.write(lambda session: session.execute(update(Upload).values(expires_at=now())))
    assert cleaner.clean() == {"upload removed": 1}


def test_a_form_that_broke_off_goes_after_a_while(
    place: InStore, rows: Rows, cleaner: Cleaner, database: Database, context: UploadContext
) -> None:
    new = create.NewUpload(length=None, title="A film", resumable=False)
    upload = create.create_upload(context, new)
    grow_old(database, context)
    with exclusive_writer(context, upload.id):
        assert cleaner.clean() == {}
    assert cleaner.clean() == {"upload removed": 1}
    assert (rows.uploads(), place.files()) == ([], [])


def test_the_lock_of_a_killed_process_is_removed(
    place: InStore, cleaner: Cleaner, context: UploadContext
) -> None:
    incoming = context.incoming.root / "incoming"
    left = [incoming / f"{new_id()}.lock" for _ in range(2)]
    left[0].touch()
    with context.incoming.lock(left[1].stem):
        cleaner.clean()
        assert [path.exists() for path in left] == [False, True]
    assert place.files() == []


def test_films_that_arrive_in_the_store_stay_there(place: InStore, context: UploadContext) -> None:
    settings = replace(context.settings.common)
    environment = {"UPLOAD_STORE": "s3", "STORE": "disk", "VIDEOS_DIR": "/videos"}
    environment |= {"DATABASE_URL": settings.database_url, "REDIS_URL": "redis://localhost"}
    with pytest.raises(SettingsError, match="STORE=s3"):
        UploadSettings.read(Environment(environment))
