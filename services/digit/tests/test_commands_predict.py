import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from digit.commands import predict
from digit.commands.predict import Summary, Writing
from digit.commands.rows import Row
from digit.postprocess import Reading
from digit.settings import SHIPPED
from PIL import Image, ImageDraw
from servicekit.weights import WeightsError


def one() -> bytes:
    picture = Image.new("L", (60, 60), "white")
    ImageDraw.Draw(picture).line((30, 10, 30, 50), fill="black", width=5)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scans"
    (place / "sub").mkdir(parents=True)
    (place / "img_0_label_1.png").write_bytes(one())
    (place / "sub" / "img_1_label_4.png").write_bytes(one())
    with zipfile.ZipFile(place / "z.zip", "w") as file:
        file.writestr("in/img_2_label_1.png", one())
        file.writestr("in/notes.txt", "no picture")
    return place


def quiet(_share: float, _message: str) -> None:
    pass


def run(place: Path, output: Path) -> Summary:
    return predict.run(place, Writing(output, "csv", detail=False), predict.task_of(None, None), 1, quiet)


def read(output: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output.read_text("utf-8"), newline="")))


def test_writes_a_row_for_each_picture(folder: Path, tmp_path: Path) -> None:
    summary = run(folder, tmp_path / "result.csv")
    rows = read(tmp_path / "result.csv")
    assert [(row["name"], row["prediction"]) for row in rows] == [
        ("img_0_label_1.png", "1"),
        ("sub/img_1_label_4.png", "1"),
        ("z.zip/in/img_2_label_1.png", "1"),
    ]
    assert {row["model"] for row in rows} == {"ensemble"}
    assert (summary.total, summary.failed) == (3, 0)
    told = "2 of 3 labelled pictures right (66.67%); wrong: sub/img_1_label_4.png read as 1"
    assert list(summary.lines())[1] == told


def test_one_that_cannot_be_read_is_a_row_and_counted(folder: Path, tmp_path: Path) -> None:
    (folder / "a_label_2.png").write_bytes(b"GIF89a")
    summary = run(folder, tmp_path / "result.csv")
    rows = read(tmp_path / "result.csv")
    assert rows[0]["name"] == "a_label_2.png"
    assert rows[0]["prediction"] == ""
    assert "GIF" in rows[0]["error"]
    assert (summary.total, summary.failed, summary.accuracy.labelled) == (4, 1, 4)


def test_an_interruption_leaves_the_old_file(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "result.csv"
    output.write_text("old")

    def interrupt(_share: float, _message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict.run(folder, Writing(output, "csv", detail=False), predict.task_of(None, None), 1, interrupt)
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result.csv", "scans"]


def test_an_archive_without_pictures_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        file.writestr("notes.txt", "no picture")
    with pytest.raises(ValueError, match=r"z\.zip: no pictures in it"):
        run(tmp_path / "z.zip", tmp_path / "result.csv")
    assert not (tmp_path / "result.csv").exists()


def test_tells_how_far_it_is(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    writing = Writing(tmp_path / "result.csv", "csv", detail=False)
    predict.run(folder, writing, predict.task_of("cnn", None), 1, lambda *at: told.append(at))
    assert [message for _, message in told] == [f"{i} pictures, 0 failed" for i in (1, 2, 3)]
    assert [share for share, _ in told] == sorted(share for share, _ in told)


def test_the_task_is_what_the_service_does_out_of_the_box() -> None:
    task = predict.task_of(None, None)
    assert (task.weights, task.model, task.max_file_bytes) == (SHIPPED, "ensemble", 10_485_760)
    assert predict.task_of("cnn", None).model == "cnn"


def test_an_unknown_model_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"--model is 'x', weights/ has .*cnn_transformer"):
        predict.task_of("x", None)


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.json cannot be read"):
        predict.task_of(None, tmp_path)


def test_a_summary_counts_what_is_no_digit() -> None:
    def rows() -> Iterator[Row]:
        yield Row("a", Reading(1, 0.9, [0.1] * 10, False, "cnn", (0, 0, 1, 1)))
        yield Row("b", Reading(1, 0.9, [0.1] * 10, True, "cnn", (0, 0, 1, 1)))
        yield Row("c", error="it is GIF")

    summary = Summary()
    for row in rows():
        summary.count(row)
    assert list(summary.lines()) == ["2 pictures read, 1 of them no digit; 1 could not be read"]
