"""What opens a bucket beside its URL."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    """Keys of S3, which appear in no text. Without them those count that AWS's own tools would find: the environment's
    `AWS_…`, or the role of the machine."""

    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    region: str = "us-east-1"
