"""The whole of it with the shipped weights, on pictures drawn here."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ocr.options import Options
from ocr.pages import Line, Page
from ocr.pipeline import Pipeline
from texts import SENTENCES, bgr, drawn

ROTATED = {0: 0, 90: 270, 180: 180, 270: 90}  # picture turned clockwise → turn that makes it upright


def texts(page: Page) -> list[str]:
    return [line.text for line in page.lines]


@pytest.mark.parametrize("size", [14, 20, 32, 64, 110])
def test_text_of_every_size_is_read_with_its_spaces(pipeline: Pipeline, size: int) -> None:
    assert texts(pipeline.read(bgr(drawn(size=size)), Options())) == list(SENTENCES)


@pytest.mark.parametrize("degrees", ROTATED)
def test_turned_pages_are_read_in_the_same_order(pipeline: Pipeline, degrees: int) -> None:
    page = pipeline.read(bgr(drawn().rotate(-degrees, expand=True)), Options())
    assert texts(page) == list(SENTENCES)
    assert page.turn == ROTATED[degrees]


def test_white_on_black_is_read(pipeline: Pipeline) -> None:
    assert texts(pipeline.read(bgr(drawn(ink="white", paper="black")), Options())) == list(SENTENCES)


def test_a_slightly_skewed_page_is_read_in_order(pipeline: Pipeline) -> None:
    picture = bgr(drawn().rotate(2.5, expand=True, fillcolor="white"))
    assert texts(pipeline.read(picture, Options())) == list(SENTENCES)


@pytest.mark.parametrize("options", [Options(), Options(use_det=False)], ids=["found", "the whole is one line"])
def test_a_tight_crop_is_read(pipeline: Pipeline, options: Options) -> None:
    picture = bgr(drawn(["LN-2048-AX"], 30, margin=2))
    assert texts(pipeline.read(picture, options)) == ["LN-2048-AX"]


def test_letters_that_fill_the_picture_are_found(pipeline: Pipeline) -> None:
    assert texts(pipeline.read(bgr(drawn(["TEST"], 260, margin=30)), Options())) == ["TEST"]


def test_words_stand_over_their_ink(pipeline: Pipeline) -> None:
    image = drawn(["Pressure is low today"], 40)
    (line,) = pipeline.read(bgr(image), Options()).lines
    assert [word.text for word in line.words] == ["Pressure", "is", "low", "today"]
    inked = (np.asarray(image.convert("L")) < 128).sum(axis=0)
    within = np.zeros(image.width, bool)
    for word in line.words:
        left, right = round(word.quad[0][0]), round(word.quad[1][0])
        assert not within[left:right].any()
        within[left:right] = True
    assert inked[within].sum() > 0.95 * inked.sum()


def test_the_quadrilateral_starts_at_the_texts_own_top_left(pipeline: Pipeline) -> None:
    picture = bgr(drawn(["Serial number"]).rotate(180))
    (line,) = pipeline.read(picture, Options()).lines
    assert line.quad[0][0] > line.quad[1][0]
    assert line.quad[0][1] > line.quad[3][1]


def test_without_recognition_there_are_places(pipeline: Pipeline) -> None:
    lines = pipeline.read(bgr(drawn()), Options(use_rec=False, text_score=1.0)).lines
    assert texts_of(lines) == [""] * len(SENTENCES)
    assert all(0.5 <= line.confidence <= 1 for line in lines)
    assert [line.quad[0][1] for line in lines] == sorted(line.quad[0][1] for line in lines)


def texts_of(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


def test_without_the_classifier_nothing_is_turned(pipeline: Pipeline) -> None:
    picture = bgr(drawn().rotate(180))
    assert pipeline.read(picture, Options(use_cls=False)).turn == 0
    assert texts(pipeline.read(picture, Options(use_cls=False))) != list(reversed(SENTENCES))


def test_lines_below_the_score_are_left_out(pipeline: Pipeline) -> None:
    picture = bgr(drawn())
    assert pipeline.read(picture, Options(text_score=1.0)).lines == ()


NOISE = np.random.default_rng(7)
EXTREMES = {
    "1 x 4000": np.full((1, 4000, 3), 255, np.uint8),
    "4000 x 1": np.zeros((4000, 1, 3), np.uint8),
    "3 x 4000 of noise": NOISE.integers(0, 256, (3, 4000, 3), np.uint8),
    "12 x 4000 of noise": NOISE.integers(0, 256, (12, 4000, 3), np.uint8),
    "3 x 3": NOISE.integers(0, 256, (3, 3, 3), np.uint8),
    "1 x 1": np.zeros((1, 1, 3), np.uint8),
    "white": np.full((4096, 4096, 3), 255, np.uint8),
    "noise": NOISE.integers(0, 256, (1000, 1000, 3), np.uint8),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("use_det", [True, False])
def test_extreme_pictures_show_no_text(pipeline: Pipeline, name: str, use_det: bool) -> None:
    page = pipeline.read(EXTREMES[name], Options(use_det=use_det))
    assert page.lines == ()
    assert (page.height, page.width) == EXTREMES[name].shape[:2]


MIXED = (
    Options(),
    Options(use_cls=False),
    Options(use_rec=False),
    Options(use_det=False, text_score=0),
    Options(text_score=0.99),
    Options(det_thresh=0.6, box_thresh=0.7, unclip_ratio=2.0),
)


def test_concurrent_reads_with_mixed_options_answer_what_they_answer_alone(pipeline: Pipeline) -> None:
    pictures = [bgr(drawn(SENTENCES[:2], 18)), bgr(drawn(SENTENCES[2:], 24).rotate(180)), bgr(drawn(["A 7"], 20))]
    asked = [(picture, options) for picture in pictures for options in MIXED]
    alone = [pipeline.read(*each) for each in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: pipeline.read(*asked[i % len(asked)]), range(64)))
    assert together == [alone[i % len(asked)] for i in range(64)]
    assert len({repr(page) for page in alone}) > len(pictures)


def test_warming_up_tells_its_progress(pipeline: Pipeline) -> None:
    told: list[float] = []
    pipeline.warm_up(told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert pipeline.fault is None
