from pathlib import Path

import pytest
from digit.commands import augment
from digit.commands.augment import Copies
from digit.commands.labels import label_of
from PIL import Image, ImageDraw


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("L", (40, 40), "white")
    ImageDraw.Draw(picture).line((20, 6, 20, 34), fill="black", width=4)
    picture.save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("img_0_label_6.png", "img_0_label_6.jpg", "3/scan.png", "sub/x.png"):
        draw(tmp_path / "pictures" / name)
    return tmp_path / "pictures"


def quiet(_share: float, _message: str) -> None:
    pass


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names_in(folder)}


def test_names_are_unique_and_tell_origin_label_and_variations(folder: Path, tmp_path: Path) -> None:
    made, refused = augment.copy(folder, Copies(tmp_path / "out", 12, seed=1, plain=False), quiet)
    assert (made, refused) == (48, [])
    names = names_in(tmp_path / "out")
    assert len(names) == 48
    labels = {name.partition("_copy_")[0]: label_of(name) for name in names}
    assert labels == {"img_0_label_6": 6, "img_0_label_6+": 6, "3/scan_label_3": 3, "sub/x": None}
    assert names[0].startswith("3/scan_label_3_copy_01_")
    assert all(name.endswith(".jpg") == ("jpeg" in name) for name in names)


def test_every_copy_is_a_picture_and_another_one(folder: Path, tmp_path: Path) -> None:
    augment.copy(folder, Copies(tmp_path / "out", 12, seed=1, plain=False), quiet)
    found = contents(tmp_path / "out")
    assert len(set(found.values())) > 40
    for name in found:
        with Image.open(tmp_path / "out" / name) as picture:
            picture.load()
            assert picture.format == ("JPEG" if name.endswith(".jpg") else "PNG")


def test_the_same_seed_makes_the_same_files(folder: Path, tmp_path: Path) -> None:
    for output, seed in (("a", 1), ("b", 1), ("c", 2)):
        augment.copy(folder, Copies(tmp_path / output, 3, seed, plain=False), quiet)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_one_more_picture_leaves_the_copies_of_the_others_alike(folder: Path, tmp_path: Path) -> None:
    augment.copy(folder, Copies(tmp_path / "a", 2, seed=1, plain=False), quiet)
    draw(folder / "another.png")
    augment.copy(folder, Copies(tmp_path / "b", 2, seed=1, plain=False), quiet)
    assert contents(tmp_path / "a").items() < contents(tmp_path / "b").items()


def test_plain_copies_are_the_files_themselves(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    made, refused = augment.copy(folder, Copies(tmp_path / "out", 2, seed=1, plain=True), quiet)
    assert (made, refused) == (10, [])
    found = contents(tmp_path / "out")
    assert found["broken_copy_2.png"] == b"no picture"
    assert found["3/scan_label_3_copy_1.png"] == (folder / "3/scan.png").read_bytes()
    assert {"img_0_label_6_copy_1.jpg", "img_0_label_6+_copy_1.png"} <= set(found)


def test_one_that_is_no_picture_is_named_and_the_others_copied(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    made, refused = augment.copy(folder, Copies(tmp_path / "out", 2, seed=1, plain=False), quiet)
    assert made == 8
    assert len(refused) == 1
    assert refused[0].startswith("broken.png: ")


def test_one_picture_alone_is_copied(folder: Path, tmp_path: Path) -> None:
    augment.copy(folder / "3" / "scan.png", Copies(tmp_path / "out", 2, seed=1, plain=True), quiet)
    assert names_in(tmp_path / "out") == ["scan_label_3_copy_1.png", "scan_label_3_copy_2.png"]


def test_an_output_that_is_not_its_own_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="expected a folder that is new or empty"):
        augment.copy(folder, Copies(tmp_path / "full", 2, seed=1, plain=True), quiet)
    with pytest.raises(ValueError, match="the copies would be copied the next time"):
        augment.copy(folder, Copies(folder / "out", 2, seed=1, plain=True), quiet)
    assert not (folder / "out").exists()


def test_tells_how_far_it_is(folder: Path, tmp_path: Path) -> None:
    shares: list[tuple[float, str]] = []
    augment.copy(folder, Copies(tmp_path / "out", 2, seed=1, plain=True), lambda *at: shares.append(at))
    assert [share for share, _ in shares] == [0.0, 0.25, 0.5, 0.75]
    assert shares[-1][1] == "6 copies"
