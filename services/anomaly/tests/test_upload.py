"""Bodies taken in piece by piece."""

import asyncio
import hashlib
import random
import zlib
from collections.abc import AsyncGenerator

import pytest
from anomaly.lifecycle.upload import PIECE_BYTES, Upload, take_in
from servicekit.threads import Pool


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 17])
@pytest.mark.parametrize("chunk", [1 << 16, 1 << 21])
def test_a_body_comes_out_as_it_went_in(size: int, chunk: int) -> None:
    body = random.Random(0).randbytes(size)

    async def chunks() -> AsyncGenerator[bytes, None]:
        for start in range(0, size, chunk):
            yield body[start : start + chunk]
        yield b""

    async def main() -> Upload:
        pool = Pool("test", 1)
        try:
            return await take_in(chunks(), pool)
        finally:
            pool.close()

    upload = asyncio.run(main())
    assert zlib.decompress(upload.deflated) == body
    assert upload.digest == hashlib.sha256(body).digest()
