"""What can go wrong with the disk, and with an object store."""


class StorageError(Exception):
    """The volume cannot be used; the text says why, for the operator."""


class StorageFull(Exception):
    """The volume is full. Bytes that were written before stay."""


class FileLocked(Exception):
    """Another writer holds the file's lock, in this process or another."""


class StoreUnavailable(Exception):
    """The object store does not answer, or is busy. A later attempt may succeed."""


class StoreRefused(Exception):
    """The object store refuses a request.

    :ivar code: the store's word for the reason, such as `AccessDenied`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class ObjectMissing(StoreRefused):
    """There is no such object."""


class ObjectExists(StoreRefused):
    """There is an object of that key already."""
