"""Receiving an upload by a form: its fields, and one file, which is appended like any upload's."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from common.access import Viewer
from common.errors import Unprocessable
from common.ids import is_id
from common.titles import clean_title
from common.translation import gettext
from db.models import Upload, Video
from upload_service.receive.body import FORM_OVERHEAD
from upload_service.receive.multipart_form import Part
from upload_service.titles import clean_file_name, title_of_file
from upload_service.uploads.append import AppendRequest, receive
from upload_service.uploads.context import UploadContext
from upload_service.uploads.create import NewUpload, create_upload
from upload_service.uploads.delete import abandon_upload
from upload_service.uploads.finish import finish_upload
from upload_service.uploads.intent import intent_of_form
from upload_service.uploads.lock import exclusive_writer
from upload_service.uploads.queries import UploadExpired

_FIELDS = ("submission", "title", "description", "visibility", "collection", "file")


@dataclass
class FormUpload:
    """A form that is being received.

    :ivar announced: bytes of the whole form, if that is known.
    :ivar interrupt: ends the wait for the client's next bytes.
    :ivar received: bytes of the file.
    :ivar count: videos that it has become, and `taken` the bytes of their files.
    """

    announced: int | None
    interrupt: Callable[[], None]
    submission: str | None = None
    title: str = ""
    description: str = ""
    visibility: str = ""
    collection: str = ""
    received: int = 0
    count: int = 0
    taken: int = 0


def receive_form(
    context: UploadContext,
    viewer: Viewer,
    parts: Iterable[Part],
    form: FormUpload,
    *,
    several: bool = False,
) -> Video:
    """Receive a form's fields and its file, and return the video.

    Browsers send the fields before the file; the other order works as well. Any error, a client
    that disconnects included, removes the upload.

    :param form: filled in on the way, for the page that shows an error.
    :param several: whether more files may follow. Each becomes a video by itself, of which the last
        is returned; the title is the first one's.
    :raises Unprocessable: a field is missing, doubled, or not what it should be.
    :raises NotFound: the collection is not theirs to edit.
    :raises BodyTooLarge: the file or a field is too long.
    :raises MatineeError: as for `create_upload`, `append` and `finish_upload`.
    """
    seen = set()
    upload: Upload | None = None
    with ExitStack() as lock, ExitStack() as undo:
        for part in parts:
            if part.name in seen and not (several and part.name == "file"):
                raise Unprocessable(gettext("The field “%(name)s” came twice.", name=part.name))
            if part.name in _FIELDS:
                seen.add(part.name)
            if part.name == "file":
                if upload is not None:
                    _finish(context, viewer, upload, form, undo)
                    lock.close()
                    form.title, form.submission = "", None
                upload = _create(context, part, form)
                undo.callback(abandon_upload, context, upload.id)
                _receive_file(context, upload, part, form, lock)
            elif part.name == "submission":
                form.submission = part.text() or None
                if form.submission and not is_id(form.submission):
                    raise Unprocessable(
                        "The field “submission” is not what this form sends. Reload the page."
                    )
            elif part.name == "title":
                form.title = clean_title(part.text())
            elif part.name in ("description", "visibility", "collection"):
                setattr(form, part.name, part.text())
            else:
                part.read_short()
        if upload is None:
            raise Unprocessable(gettext("Choose a file."))
        return _finish(context, viewer, upload, form, undo)


def _finish(
    context: UploadContext, viewer: Viewer, upload: Upload, form: FormUpload, undo: ExitStack
) -> Video:
    """Turn a file that has arrived into a video, with what the form says of it."""
    intent = intent_of_form(
        context.database,
        viewer,
        description=form.description,
        visibility=form.visibility,
        collection=form.collection,
    )
    undo.pop_all()
    upload.title = form.title or upload.title
    upload.submission = form.submission
    upload.intent = intent.dump()
    video = finish_upload(context, upload)
    form.count += 1
    form.taken += form.received
    return video


def _create(context: UploadContext, part: Part, form: FormUpload) -> Upload:
    if not part.file_name:
        raise Unprocessable(gettext("Choose a file."))
    # The size of the rest of the form is not known; it must not keep out a file that just fits.
    new = NewUpload(
        length=None,
        reserve=max(0, (form.announced or 0) - form.taken - FORM_OVERHEAD),
        title=form.title or title_of_file(part.file_name),
        file_name=clean_file_name(part.file_name) or None,
        resumable=False,
    )
    return create_upload(context, new)


def _receive_file(
    context: UploadContext, upload: Upload, part: Part, form: FormUpload, lock: ExitStack
) -> None:
    """Append a part's bytes, and hold the upload's lock from then on."""
    locked = lock.enter_context(exclusive_writer(context, upload.id))
    if locked is None:
        raise UploadExpired  # somebody has removed it already
    request = AppendRequest(part.content, form.interrupt, offset=0, size=None)
    form.received = receive(context, locked, request)
    if not form.received:
        raise Unprocessable(gettext("This file is empty."))
    locked.upload.length = form.received
    locked.bytes.sync()  # in the object store, what came last completes the file
