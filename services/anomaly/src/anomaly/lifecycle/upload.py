"""A large body taken in without ever being whole in memory: hashed and deflated piece by piece."""

import hashlib
import zlib
from collections.abc import AsyncIterable
from typing import NamedTuple

from servicekit.threads import Pool

PIECE_BYTES = 1 << 20  # deflated at once, beside the event loop
LEVEL = 1  # the faster, the better: it is kept for minutes


class Upload(NamedTuple):
    """A body deflated, and the sha256 of what came."""

    deflated: bytes
    digest: bytes


async def take_in(chunks: AsyncIterable[bytes], pool: Pool) -> Upload:
    """Reads a body to its end."""
    digest, deflater = hashlib.sha256(), zlib.compressobj(LEVEL)
    deflated: list[bytes] = []
    waiting = bytearray()

    def work(piece: bytes) -> None:
        digest.update(piece)
        deflated.append(deflater.compress(piece))

    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= PIECE_BYTES:
            await pool.run(work, bytes(waiting))
            waiting.clear()
    work(bytes(waiting))
    deflated.append(deflater.flush())
    return Upload(b"".join(deflated), digest.digest())
