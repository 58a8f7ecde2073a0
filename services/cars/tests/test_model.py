import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from cars import model, region
from cars.labels import LABELS
from cars.model import FOLDER, Gate, Looking, Model
from cars.preprocess import squashed
from cars.recognition import Box
from PIL import Image, ImageDraw
from servicekit import weights
from servicekit.weights import WeightsError

RANDOM = np.random.default_rng(0)
MAX_BYTES = 24_000_000


@pytest.fixture(scope="module")
def loaded() -> Model:
    return model.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "weights")
    return tmp_path / "weights"


def noise(width: int = 320, height: int = 240) -> Image.Image:
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), np.uint8))


def bus(width: int = 640, height: int = 400) -> Image.Image:
    """Returns a drawn yellow bus on a road, which is a vehicle to a network of ImageNet."""
    picture = Image.new("RGB", (width, height), (180, 205, 230))
    brush = ImageDraw.Draw(picture)

    def scaled(*places: float) -> tuple[float, ...]:
        return tuple(place * side for place, side in zip(places, (width, height) * 2, strict=True))

    brush.rectangle(scaled(0, 0.72, 1, 1), fill=(95, 95, 100))
    for left, top, right in ((0.02, 0.22, 0.86), (0.84, 0.5, 0.98)):
        brush.rounded_rectangle(scaled(left, top, right, 0.78), 20, fill=(245, 180, 20), outline=(30, 30, 30), width=3)
    for number in range(6):
        left = 0.05 + number * 0.105
        brush.rectangle(scaled(left, 0.29, left + 0.085, 0.42), fill=(40, 50, 60), outline=(20, 20, 20))
    for y in (0.52, 0.6, 0.68):
        brush.line(scaled(0.02, y, 0.86, y), fill=(20, 20, 20), width=4)
    for middle in (0.17, 0.86):
        x, y = scaled(middle, 0.78, 0, 0)[:2]
        brush.circle((x, y), 0.07 * width, fill=(20, 20, 20))
        brush.circle((x, y), 0.035 * width, fill=(170, 170, 170))
    return picture


def test_all_files_together_are_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MAX_BYTES


def test_the_network_answers_every_label(loaded: Model) -> None:
    outputs = loaded.network.read(noise(), Box(10, 10, 200, 100))
    assert outputs.logits.shape == (1, len(LABELS))
    assert outputs.features.shape == (1, 1280)
    assert len(loaded.memory.centres) == len(LABELS)


def test_a_batch_says_of_each_picture_what_it_says_of_that_alone(loaded: Model) -> None:
    pixels = np.concatenate([squashed(noise()) for _ in range(3)])
    together = loaded.network.run(pixels, mirrored=True)
    alone = [loaded.network.run(pixels[i : i + 1], mirrored=True).logits for i in range(3)]
    assert together.logits == pytest.approx(np.concatenate(alone), abs=1e-4)


def test_read_both_ways_round_a_picture_and_its_mirror_image_are_the_same(loaded: Model) -> None:
    pixels = squashed(noise())
    there, back = (loaded.network.run(each, mirrored=True) for each in (pixels, pixels[:, :, ::-1]))
    assert there.logits == pytest.approx(back.logits, abs=1e-4)
    assert loaded.network.run(pixels, mirrored=False).logits != pytest.approx(there.logits, abs=1e-4)


def test_the_gate_sees_the_drawn_bus_and_where_it_is(loaded: Model) -> None:
    seen = loaded.gate.look(bus())
    assert seen.score >= loaded.gate.how.threshold
    box = region.checked(seen.regions[0], (640, 400))
    assert box.x < 320 < box.x + box.width
    assert box.y < 240 < box.y + box.height


@pytest.mark.parametrize(
    "picture",
    [noise(), Image.new("RGB", (300, 200), "white"), Image.new("RGB", (1, 1)), Image.new("RGB", (4000, 3), "green")],
    ids=["noise", "white", "one pixel", "a line"],
)
def test_the_gate_sees_no_car_in_nothing(loaded: Model, picture: Image.Image) -> None:
    assert loaded.gate.look(picture).score < loaded.gate.how.threshold


def test_a_car_that_is_small_in_the_picture_is_judged_by_its_region_too(loaded: Model) -> None:
    picture = Image.new("RGB", (1600, 1200), (60, 120, 50))
    picture.paste(bus(480, 300), (1000, 100))
    strict = Looking(threshold=1.1, level=0.3, margin=0.08, again=0.0, mirrored=False)
    gate = Gate(weights.load(FOLDER, model.VEHICLE), strict)
    whole = gate.score(picture, region.whole(picture.size))
    assert gate.look(picture).score >= whole


@pytest.mark.parametrize(("again", "mirrored"), [(1.3, False), (0.0, True), (1.3, True)])
def test_each_way_of_looking_finds_a_region_in_the_picture(again: float, mirrored: bool) -> None:
    how = Looking(threshold=0.05, level=0.3, margin=0.0, again=again, mirrored=mirrored)
    gate = Gate(weights.load(FOLDER, model.VEHICLE), how)
    for box in gate.look(bus(), most=3).regions:
        assert region.checked(box, (640, 400)) == box


@pytest.mark.parametrize("name", [model.CARS, model.VEHICLE, model.MEMORY])
def test_a_changed_file_is_not_loaded(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=f"{name} has the sha256"):
        model.load(folder)


@pytest.mark.parametrize(("name", "key"), [(model.CARS, "temperature"), (model.VEHICLE, "level")])
def test_a_description_that_lacks_a_key_is_told(folder: Path, name: str, key: str) -> None:
    described = json.loads((folder / model.DESCRIPTION).read_text())
    del described[name][key]
    (folder / model.DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(WeightsError, match=f"weights.json in weights/ does not describe the model: .*{key}"):
        model.load(folder)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        model.load(tmp_path)
