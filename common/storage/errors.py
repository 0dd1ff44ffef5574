"""What can go wrong with the disk."""


class StorageError(Exception):
    """The volume cannot be used; the text says why, for the operator."""


class StorageFull(Exception):
    """The volume is full. Bytes that were written before stay."""


class FileLocked(Exception):
    """Another writer holds the file's lock, in this process or another."""
