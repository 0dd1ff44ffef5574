"""What the upload service counts, besides its requests."""

from prometheus_client import Counter

bytes_received = Counter("matinee_upload_bytes_total", "Bytes of files received")
uploads_ended = Counter(
    "matinee_uploads_total",
    "Uploads that ended: finished, refused, left by their client, or failed on our side",
    ["outcome"],
)
