"""The bytes of an unfinished upload: in a file of the volume, or in the object store.

Whoever holds the lock and the lease of an upload gets its `UploadBytes`; see
`upload_service.uploads.lock`.
"""
