"""The members of answers, as schemas.py describes them: the same from a call, a stream and a job."""

from collections.abc import Sequence
from typing import Any

from ocr.outputs import shapes
from ocr.results import PageResult

DECIMALS = 4  # of seconds


def image(results: Sequence[PageResult], *, words: bool) -> dict[str, Any]:
    """Returns an Answer: the lines of an image; of one with several pages each line says its page."""
    first = results[0]
    several = len(results) > 1
    answer: dict[str, Any] = {
        "success": True,
        "results": [
            {**item, "page": result.number} if several else item
            for result in results
            for item in shapes.items(result.page, words=words)
        ],
        "processing_time": round(sum(result.seconds for result in results), DECIMALS),
        "image_size": shapes.image_size(first.page),
    }
    if several:
        answer["pages"] = [{"page": result.number, "image_size": shapes.image_size(result.page)} for result in results]
    return answer


def document(results: Sequence[PageResult], *, words: bool) -> dict[str, Any]:
    """Returns a DocumentAnswer."""
    return {"success": True, "results": [page(result, i, words=words) for i, result in enumerate(results)]}


def page(result: PageResult, index: int, *, words: bool) -> dict[str, Any]:
    """Returns a DocumentPage; `index` is its place in the answer, from 0."""
    members: dict[str, Any] = {
        "page": result.number,
        "index": index,
        "result": shapes.items(result.page, words=words),
        "bbox_image": list(result.content_box),
        "processing_time": round(result.seconds, DECIMALS),
        "image_size": shapes.image_size(result.page),
        "source": result.page.source,
    }
    if result.reason is not None:
        members["reason"] = result.reason
    return members
