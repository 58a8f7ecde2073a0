"""A file on the disk as an upload: what the service takes from a form it takes from here."""

from pathlib import Path

from servicekit import names
from servicekit.problems import FileTooLarge
from servicekit.spool import Spool
from servicekit.uploads import Upload


def upload(path: Path, max_bytes: int) -> Upload:
    """Returns the file; raises FileTooLarge, and OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FileTooLarge(f"the file has more than {max_bytes:,} bytes, which is the limit")
    taken = Upload(names.base(path.name), "", Spool())
    taken.keep(data)
    return taken
