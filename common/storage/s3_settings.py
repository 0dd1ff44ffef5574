"""The settings of an object store that speaks the S3 protocol."""

import re
from dataclasses import dataclass, field

from common.settings import Environment, SettingsError

_ENDPOINT = r"(https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?)?"
_REGION = "[A-Za-z0-9-]{1,63}"
_BUCKET = "[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]"
_PREFIX = "([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*"


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
        endpoint = environment.matching(
            "S3_ENDPOINT", "", _ENDPOINT, takes="an address such as https://s3.example.org"
        )
        region = environment.matching(
            "S3_REGION", "us-east-1", _REGION, takes="a name such as eu-central-1"
        )
        bucket = environment.matching(
            "S3_BUCKET", "matinee", _BUCKET, takes="a name such as my-films"
        )
        prefix = environment.secret("S3_PREFIX", "").strip("/")
        prefix = f"{prefix}/" if prefix else ""
        if not re.fullmatch(_PREFIX, prefix):
            raise SettingsError.of("S3_PREFIX", prefix, "folders such as matinee/")
        addressing = environment.matching(
            "S3_ADDRESSING", "auto", "auto|path|virtual", takes="auto or path or virtual"
        )
        if addressing == "auto":
            is_aws = not endpoint or endpoint.rstrip("/").endswith(".amazonaws.com")
            addressing = "virtual" if is_aws else "path"
        encryption = environment.matching(
            "S3_SSE", "", "(AES256|aws:kms)?", takes="AES256 or aws:kms, or nothing"
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
