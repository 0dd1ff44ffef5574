"""The JSON API of uploads.

    GET    /api/uploads              {"uploads": [upload, ...]}: those that can be continued
    GET    /api/uploads/<upload>     an upload, or what is known of the video that it has become
    PATCH  /api/uploads/<upload>     {"title", "description", "visibility", "collections",
                                     "grants"}, any of them: the upload. 409: it is a video by now
    GET    /api/uploads/duplicates   ?sha256=: {"videos": [{"id", "title", "page"}, ...]}, the
                                     caller's own with this content

The video that an upload becomes has the upload's id.
"""

from typing import Any

from flask import Blueprint, request

from common.web.auth import Audience, require_viewer, restrict_to
from common.web.forms import json_fields
from common.web.services import stores
from common.web.urls import watch_url
from db.models import Upload, Video
from upload_service.services import upload_context
from upload_service.uploads.context import UploadContext
from upload_service.uploads.host import arrived_bytes
from upload_service.uploads.intent import UploadEdit, edit_upload, intent_json
from upload_service.uploads.queries import find, find_duplicates, unfinished_uploads

blueprint = Blueprint("uploads_api", __name__)
restrict_to(blueprint, Audience.UPLOADERS)


@blueprint.get("/api/uploads")
def list_uploads() -> dict[str, Any]:
    """Return the caller's uploads that can be continued."""
    return {"uploads": describe_unfinished(upload_context())}


@blueprint.get("/api/uploads/duplicates")
def duplicates() -> dict[str, Any]:
    """Return the caller's own videos with a checksum."""
    sha256 = request.args.get("sha256", "")
    found = find_duplicates(stores().database, owner_id=require_viewer().id, sha256=sha256)
    return {"videos": [_describe_duplicate(video) for video in found]}


@blueprint.get("/api/uploads/<string(length=22):upload_id>")
def get_upload(upload_id: str) -> dict[str, Any]:
    """Describe one upload of the caller's."""
    context = upload_context()
    found = find(context.database, owner_id=context.owner_id, upload_id=upload_id)
    if isinstance(found, Upload):
        return _describe(context, found) | _intent(context, found)
    return _describe_video(context, found)


@blueprint.patch("/api/uploads/<string(length=22):upload_id>")
def patch_upload(upload_id: str) -> dict[str, Any]:
    """Change what becomes of an upload."""
    context = upload_context()
    # Asked first: a body that is wrong must not tell a stranger that the upload exists.
    find(context.database, owner_id=context.owner_id, upload_id=upload_id)
    fields = json_fields(
        optional=("title", "description", "visibility"), lists=("collections",), objects=("grants",)
    )
    upload = edit_upload(context.database, require_viewer(), upload_id, UploadEdit(**fields))
    return _describe(context, upload) | _intent(context, upload)


def describe_unfinished(context: UploadContext) -> list[dict[str, Any]]:
    """Return the uploads of an account that can be continued, for scripts and templates."""
    uploads = unfinished_uploads(context.database, owner_id=context.owner_id)
    return [_describe(context, upload) for upload in uploads]


def _intent(context: UploadContext, upload: Upload) -> dict[str, Any]:
    default = context.stores.site.current().visibility
    return intent_json(context.database, require_viewer(), upload, default=default)


def _describe(context: UploadContext, upload: Upload) -> dict[str, Any]:
    """Return what an upload's owner is told of it."""
    offset = arrived_bytes(context.incoming, upload)
    if offset is None:  # published already, or not begun
        offset = upload.length or 0 if context.videos.has_original(upload.id) else 0
    return {
        "id": upload.id,
        "url": f"/upload/files/{upload.id}",
        "page": watch_url(upload.id),
        "is_video": False,
        "title": upload.title,
        "file_name": upload.file_name or "",
        "length": upload.length,
        "offset": offset,
        "fingerprint": upload.fingerprint,
        "submission": upload.submission,
        "created_at": upload.created_at.isoformat(),
        "expires_at": upload.expires_at.isoformat() if upload.expires_at else None,
    }


def _describe_video(context: UploadContext, video: Video) -> dict[str, Any]:
    found = []
    if video.sha256 is not None:
        found = find_duplicates(
            context.database, owner_id=context.owner_id, sha256=video.sha256, besides=video.id
        )
    return {
        "id": video.id,
        "page": watch_url(video.id),
        "is_video": True,
        "title": video.title,
        "length": video.size,
        "offset": video.size,
        "sha256": video.sha256,
        "duplicates": [_describe_duplicate(one) for one in found],
    }


def _describe_duplicate(video: Video) -> dict[str, Any]:
    return {"id": video.id, "title": video.title, "page": watch_url(video.id)}
