"""An answer does not depend on the neighbours' requests: the real process, 200 calls of mixed options at once."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pdfs

AT_ONCE = 200
TIMES = re.compile(rb'"processing_time":[0-9.e-]+')
Call = tuple[str, dict[str, Any]]


def calls(png: Callable[..., bytes]) -> list[Call]:
    """Returns requests that differ in image, options and form."""
    images = [png("Valve 17"), png("Pump 4"), png("Total 38.50", size=20)]
    texts = [base64.b64encode(image).decode() for image in images]
    made: list[Call] = []
    for image, text in zip(images, texts, strict=True):
        made += [
            ("/paddleocr", {"json": {"image": text, "use_angle_cls": False}}),
            ("/paddleocr", {"json": {"image": text, "det_db_thresh": 0.2, "det_db_unclip_ratio": 2.0}}),
            ("/easyocr", {"json": {"image": text, "languages": ["en"], "text_threshold": 0.4}}),
            ("/v1/ocr", {"json": {"image": text, "use_det": False, "return_word_box": True}}),
            ("/v1/ocr", {"json": {"image": text, "use_rec": False}}),
            ("/v1/ocr", {"json": {"image": text, "text_score": 0.99}}),
            ("/upload", {"files": {"file": image}, "data": {"use_cls": "0", "unclip_ratio": "1.2"}}),
            ("/upload?format=hocr", {"files": {"file": ("a.png", image)}}),
        ]
    document = {"file": ("a.pdf", pdfs.digital(pages=2))}
    bad = [("/upload", {"files": {"file": b"text"}}), ("/v1/ocr", {"json": {"image": texts[0], "text_score": 2}})]
    return [*made, ("/upload_pdf", {"files": document}), ("/upload_pdf?format=text", {"files": document}), *bad]


def test_two_hundred_at_once_are_answered_as_each_is_alone(server: Any, png: Callable[..., bytes]) -> None:
    limits = httpx2.Limits(max_connections=AT_ONCE)
    with httpx2.Client(base_url=server.url, timeout=600, limits=limits, headers={"X-Request-ID": "same"}) as client:

        def answer(call: Call) -> tuple[int, bytes]:
            path, options = call
            response = client.post(path, **options)
            return response.status_code, TIMES.sub(b"", response.content)

        different = calls(png)
        alone = [answer(call) for call in different]
        assert {status for status, _ in alone} == {200, 422}
        mixed = [number % len(different) for number in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            together = list(threads.map(lambda number: answer(different[number]), mixed))
    assert together == [alone[number] for number in mixed]
