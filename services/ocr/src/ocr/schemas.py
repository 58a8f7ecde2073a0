"""Requests and answers, as the documentation describes them."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from servicekit.health import Summary

Share = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": 1})]
Ratio = Annotated[float, Meta(extra_json_schema={"minimum": 1, "maximum": 4})]
Image = Annotated[str, Meta(description="The file as base64, or as a data URL of base64; no address.")]
Corner = tuple[int, int]
Corners = Annotated[
    tuple[Corner, Corner, Corner, Corner],
    Meta(description="x, y of the corners: the text's own top left first, then clockwise as it reads."),
]
Stage = Literal["det", "cls", "rec"]
Role = Literal["detection", "orientation", "recognition"]
Box = Annotated[tuple[int, int, int, int], Meta(description="x, y, width, height.")]


class PaddleRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What PaddleOCR's clients send; a threshold that is left out is as the operator has set it."""

    image: Image
    use_angle_cls: bool = True
    lang: str = "ch"
    det_db_thresh: Share | UnsetType = UNSET
    det_db_box_thresh: Share | UnsetType = UNSET
    det_db_unclip_ratio: Ratio | UnsetType = UNSET


class EasyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What EasyOCR's clients send. `gpu` is a wish, as there: the service's own setting decides where it computes."""

    image: Image
    languages: list[str] = msgspec.field(default_factory=lambda: ["ch_sim", "en"])
    gpu: bool = True
    text_threshold: Share | UnsetType = UNSET


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """An image and what to do with it; a threshold that is left out is as the operator has set it."""

    image: Image
    use_det: bool = True
    use_cls: bool = True
    use_rec: bool = True
    text_score: Share | UnsetType = UNSET
    box_thresh: Share | UnsetType = UNSET
    unclip_ratio: Ratio | UnsetType = UNSET
    return_word_box: bool = False


class Size(msgspec.Struct):
    """Pixels of the upright picture."""

    width: int
    height: int


class Word(msgspec.Struct):
    """A run of characters between spaces; of a script without spaces, each character."""

    text: str
    confidence: float
    bbox: Corners


class Item(msgspec.Struct):
    """A line of text; `words` where `return_word_box` asks for them, `page` where the image has several."""

    text: str
    confidence: float
    bbox: Corners
    words: list[Word] | UnsetType = UNSET
    page: int | UnsetType = UNSET


class PageSize(msgspec.Struct):
    """A page of a TIFF."""

    page: int
    image_size: Size


class Answer(msgspec.Struct):
    """The lines of an image in reading order; `image_size` is the first page's where `pages` tells of several."""

    results: list[Item]
    processing_time: Annotated[float, Meta(description="Seconds of decoding and reading.")]
    image_size: Size
    success: Literal[True] = True
    pages: list[PageSize] | UnsetType = UNSET


class DocumentPage(msgspec.Struct):
    """A page of a document: its lines, the box around them all, and where the text comes from, and why."""

    page: int
    index: int
    result: list[Item]
    bbox_image: Box
    processing_time: float
    image_size: Size
    source: Literal["ocr", "text"]
    reason: str | UnsetType = UNSET


class DocumentAnswer(msgspec.Struct):
    """The pages that were asked for, in order."""

    results: list[DocumentPage]
    success: Literal[True] = True


class ModelItem(msgspec.Struct):
    """One of the networks: it finds lines (det), tells which way up they are (cls), or reads them (rec)."""

    stage: Stage
    role: Role
    name: str
    version: str
    sha256: str
    size_bytes: int
    provider: str
    precision: Literal["float", "int8"]
    languages: list[str]
    licence: str | None


class ModelList(msgspec.Struct):
    """The networks."""

    items: list[ModelItem]
    next_cursor: None = None


class Health(Summary):
    """The status, the model, where it computes, and the limits; `warm_up` is the share that is done of it."""

    model: str
    model_version: str
    gpu_support: bool
    providers: list[str]
    environment: str
    supported_languages: list[str]
    version: str
    warm_up: float
    sha256: dict[str, str]
    queue_depth: int
    jobs: dict[str, int]
    limits: dict[str, float]
    defaults: dict[str, float]
