"""Who recognises: a Protocol, and the values that it deals in."""

from typing import Any, Protocol

from PIL import Image

from cars.recognition import BackendName, Box, Candidate, Reason, Recognition, Share

__all__ = ["Backend", "BackendName", "Box", "Candidate", "Reason", "Recognition", "Share"]


class Backend(Protocol):
    """One way of recognising cars, opened once and asked by many at a time."""

    @property
    def name(self) -> BackendName: ...

    async def open(self) -> None:
        """Loads or connects; raises what says why it cannot."""
        ...

    async def close(self) -> None: ...

    async def recognise(self, image: Image.Image, data: bytes, content_type: str, bbox: Box | None) -> Recognition:
        """Recognises an upright RGB picture, or the region of it that is given.

        `data` are the bytes of the file that the picture came from, and `content_type` is theirs: for a backend that
        sends them on. Raises region.BoxError where `bbox` does not lie in the picture.
        """
        ...

    def details(self) -> dict[str, Any]:
        """Returns what `/health` and `/models` tell of it."""
        ...

    async def probe(self) -> None:
        """Recognises a picture of its own; raises where it cannot."""
        ...
