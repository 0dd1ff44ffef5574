"""The settings of an object store that speaks the S3 protocol."""

import re
from dataclasses import dataclass, field

from common.settings import Environment, SettingsError

_ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")
_REGION = re.compile(r"[A-Za-z0-9-]{1,63}")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*")


@dataclass(frozen=True)
class S3Settings:
    """Where the bucket is, and who may use it.

    :ivar endpoint: the store's address, without a slash at its end; AWS's own unless it is set.
    :ivar prefix: what all keys begin with, empty or with a slash at its end.
    :ivar addressing: `path` or `virtual`: where an address has the bucket's name. Unless it is set,
        `virtual` for AWS, and `path` for others, whose buckets may have no name in the DNS.
    :ivar encryption: what the store encrypts objects with (`x-amz-server-side-encryption`), or
        None for the bucket's own choice.
    """

    endpoint: str
    region: str
    bucket: str
    prefix: str
    addressing: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    encryption: str | None = None

    @classmethod
    def read(cls, environment: Environment) -> "S3Settings":
        """Read each setting, or the file that its name with `_FILE` at the end names.

        :raises SettingsError: naming the first setting that is missing or wrong.
        """
        endpoint = environment.secret("S3_ENDPOINT", "")
        if endpoint and not _ENDPOINT.fullmatch(endpoint):
            raise SettingsError(
                f"S3_ENDPOINT is {endpoint!r}; it takes an address such as https://s3.example.org."
            )
        region = environment.secret("S3_REGION", "us-east-1")
        if not _REGION.fullmatch(region):
            raise SettingsError(f"S3_REGION is {region!r}; it takes a name such as eu-central-1.")
        is_aws = not endpoint or endpoint.rstrip("/").endswith(".amazonaws.com")
        bucket = environment.secret("S3_BUCKET", "matinee")
        if not _BUCKET.fullmatch(bucket):
            raise SettingsError(f"S3_BUCKET is {bucket!r}; it takes a name such as my-films.")
        prefix = environment.secret("S3_PREFIX", "").strip("/")
        prefix = f"{prefix}/" if prefix else ""
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError(f"S3_PREFIX is {prefix!r}; it takes folders such as matinee/.")
        addressing = environment.secret("S3_ADDRESSING", "auto")
        if addressing not in ("auto", "path", "virtual"):
            raise SettingsError(
                f"S3_ADDRESSING is {addressing!r}; it takes auto or path or virtual."
            )
        if addressing == "auto":
            addressing = "virtual" if is_aws else "path"
        encryption = environment.secret("S3_SSE", "")
        if encryption not in ("", "AES256", "aws:kms"):
            raise SettingsError(
                f"S3_SSE is {encryption!r}; it takes AES256 or aws:kms, or nothing."
            )
        return cls(
            endpoint=endpoint.rstrip("/") or f"https://s3.{region}.amazonaws.com",
            region=region,
            bucket=bucket,
            prefix=prefix,
            addressing=addressing,
            access_key=environment.secret("S3_ACCESS_KEY"),
            secret_key=environment.secret("S3_SECRET_KEY"),
            encryption=encryption or None,
        )

    @property
    def origin(self) -> str:
        """The scheme and host at which the bucket's objects are."""
        if self.addressing == "path":
            return self.endpoint
        scheme, _, host = self.endpoint.partition("://")
        return f"{scheme}://{self.bucket}.{host}"
