"""Where the files of videos are kept: the settings, and the way to the object store."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.settings import Environment, SettingsError
from common.storage.s3_settings import S3Settings

if TYPE_CHECKING:
    from common.storage.s3 import S3Store


class Store(enum.StrEnum):
    """A kind of store."""

    DISK = "disk"
    S3 = "s3"


def read_default_store(environment: Environment) -> Store:
    """Return `STORE`: where the files of new videos end up.

    :raises SettingsError: it is none that is known.
    """
    return Store(environment.choice("STORE", (Store.DISK, Store.S3), Store.DISK))


def read_upload_store(environment: Environment) -> Store:
    """Return `UPLOAD_STORE`: where the bytes of uploads arrive.

    :raises SettingsError: it is none that is known, or not the place where files stay.
    """
    found = Store(environment.choice("UPLOAD_STORE", (Store.DISK, Store.S3), Store.DISK))
    if found is Store.S3 and read_default_store(environment) is not Store.S3:
        raise SettingsError("UPLOAD_STORE=s3 needs STORE=s3.")
    return found


@dataclass(frozen=True)
class StoreSettings:
    """Where files are kept.

    :ivar default: where the files of new videos end up.
    :ivar s3: the object store; None: all files are on the disk. A site whose default is the disk
        may have files there, from before.
    """

    default: Store = Store.DISK
    s3: S3Settings | None = None

    @classmethod
    def read(cls, environment: Environment) -> "StoreSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        default = read_default_store(environment)
        if default is Store.S3 or environment.secret("S3_BUCKET", ""):
            return cls(default, S3Settings.read(environment))
        return cls(default)

    def connect(self) -> "S3Store | None":
        """Return the object store, or None if the settings name none.

        :raises SettingsError: boto3 is not installed.
        """
        if self.s3 is None:
            return None
        try:
            from common.storage.s3 import S3Store  # noqa: PLC0415 (boto3 is optional)
        except ModuleNotFoundError as error:
            raise SettingsError(
                "S3 needs boto3, which is not installed here:"
                " pip install --require-hashes -r requirements/s3.txt"
            ) from error
        return S3Store(self.s3)
