"""What can go wrong with the disk."""


class StorageError(Exception):
    """The volume cannot be used; the text says why, for the operator."""


class StorageFull(Exception):
    """There is no room for the bytes; those written before stay."""


class BeingWritten(Exception):
    """Somebody else holds the file, in this process or another."""
