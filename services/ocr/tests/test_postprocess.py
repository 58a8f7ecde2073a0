import numpy as np
import pytest
from ocr import postprocess
from ocr.options import Options

DICTIONARY = ("", "a", "b", " ")


def steps(*classes: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Returns probabilities (steps, 4): 0.7 for each step's class."""
    table = np.full((len(classes), 4), 0.1, np.float32)
    table[np.arange(len(classes)), classes] = 0.7
    return table


def test_repeats_are_dropped_unless_a_blank_parts_them() -> None:
    read = postprocess.characters_of(steps(0, 1, 1, 0, 1, 3, 2, 2), DICTIONARY)
    assert "".join(character.text for character in read) == "aa b"
    assert [character.centre for character in read] == pytest.approx([0.25, 4.5 / 8, 5.5 / 8, 7 / 8])
    assert read[0].confidence == pytest.approx(0.7)


def test_blanks_alone_are_no_text() -> None:
    assert postprocess.characters_of(steps(0, 0, 0), DICTIONARY) == ()


def test_padding_to_the_right_moves_no_character() -> None:
    narrow = postprocess.characters_of(steps(0, 1, 0, 2), DICTIONARY)
    padded = postprocess.characters_of(steps(0, 1, 0, 2, 0, 0, 0, 0), DICTIONARY, share=0.5)
    assert narrow == padded


def test_a_box_is_found_in_the_map_and_scaled_to_the_picture() -> None:
    answer = np.zeros((1, 1, 64, 128), np.float32)
    answer[0, 0, 20:40, 20:100] = 0.9
    ((quad, score),) = postprocess.quads_of(answer, (256, 128), Options())
    assert score == pytest.approx(0.9, abs=0.02)
    assert quad[0, 0] < 40 < 198 < quad[1, 0]
    assert quad[0, 1] < 40 < 78 < quad[2, 1]


def test_options_of_the_call_count() -> None:
    answer = np.zeros((1, 1, 64, 128), np.float32)
    answer[0, 0, 20:40, 20:100] = 0.45
    assert postprocess.quads_of(answer, (128, 64), Options(box_thresh=0.5)) == []
    assert len(postprocess.quads_of(answer, (128, 64), Options(box_thresh=0.4))) == 1
    assert postprocess.quads_of(answer, (128, 64), Options(det_thresh=0.5, box_thresh=0.4)) == []


def test_a_wider_unclipping_gives_a_wider_box() -> None:
    answer = np.zeros((1, 1, 64, 128), np.float32)
    answer[0, 0, 20:40, 30:90] = 0.9
    narrow, wide = (postprocess.quads_of(answer, (128, 64), Options(unclip_ratio=r))[0][0] for r in (1.2, 2.0))
    assert np.ptp(wide[:, 0]) > np.ptp(narrow[:, 0])


def test_noise_gives_a_bounded_number_of_boxes() -> None:
    answer = np.kron(np.random.default_rng(1).random((1, 1, 160, 160)), np.ones((1, 1, 6, 6))).astype(np.float32)
    found = postprocess.quads_of(answer, (960, 960), Options(det_thresh=0.8, box_thresh=0.0))
    assert 0 < len(found) <= postprocess.MAX_BOXES
