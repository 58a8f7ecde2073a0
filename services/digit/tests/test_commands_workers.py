import io
from pathlib import Path

import pytest
from digit.commands import workers
from digit.commands.rows import Row
from digit.commands.sources import Item
from digit.commands.workers import Task
from digit.settings import SHIPPED
from PIL import Image, ImageDraw

TASK = Task(SHIPPED, "cnn_transformer", 100_000, 5_000_000)


def png(digit: int | None) -> bytes:
    """Draws a 0, a 1 or a 7 with a thick pen, or nothing."""
    picture = Image.new("L", (80, 80), "white")
    pen = ImageDraw.Draw(picture)
    if digit == 0:
        pen.ellipse((25, 15, 55, 65), outline="black", width=7)
    elif digit == 1:
        pen.line((40, 12, 40, 68), fill="black", width=7)
    elif digit == 7:
        pen.line((20, 15, 58, 15, 35, 68), fill="black", width=7, joint="curve")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def read(items: list[Item], n_workers: int = 1) -> list[Row]:
    return [row for _, row in workers.read(iter(items), TASK, n_workers)]


def test_reads_bytes_and_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(7))
    rows = read([Item("a.png", 0.0, tmp_path / "a.png"), Item("b", 0.5, data=png(0)), Item("c", 0.7, data=png(1))])
    assert [row.name for row in rows] == ["a.png", "b", "c"]
    readings = [row.reading for row in rows]
    assert [reading.prediction for reading in readings if reading] == [7, 0, 1]
    assert readings[0]
    assert readings[0].is_digit
    assert readings[0].model == "cnn_transformer"
    left, top, width, height = readings[0].box
    assert left == pytest.approx(17, abs=3)
    assert top == pytest.approx(12, abs=3)
    assert (width, height) == (pytest.approx(43, abs=5), pytest.approx(59, abs=5))


def test_one_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(b"x" * 100_001)
    items = [
        Item("a", 0.0, data=png(7)),
        Item("text.png", 0.0, data=b"hello"),
        Item("gone.png", 0.0, tmp_path / "gone.png"),
        Item("large.png", 0.0, tmp_path / "large.png"),
        Item("locked.png", 0.0, error="it is encrypted"),
        Item("blank.png", 0.0, data=png(None)),
        Item("b", 0.0, data=png(1)),
    ]
    rows = read(items)
    assert [row.error for row in rows[2:6]] == [
        "No such file or directory",
        "it has 100,001 bytes, the limit is 100,000",
        "it is encrypted",
        "no ink was found",
    ]
    assert "PNG or JPEG" in rows[1].error
    assert [row.reading.prediction for row in rows if row.reading] == [7, 1]
    assert [row.reading is None for row in rows] == [False, True, True, True, True, True, False]


def test_the_box_is_in_the_pixels_of_the_file_though_it_is_reduced_first() -> None:
    with Image.open(io.BytesIO(png(7))) as small:
        stream = io.BytesIO()
        small.resize((2000, 2000)).save(stream, "PNG")
    small_row, large_row = read([Item("small", 0.0, data=png(7)), Item("large", 0.0, data=stream.getvalue())])
    assert small_row.reading
    assert large_row.reading
    assert large_row.reading.box == pytest.approx([25 * edge for edge in small_row.reading.box], abs=40)


def test_nothing_but_errors_needs_no_inference() -> None:
    assert read([Item("a", 0.0, error="it is encrypted")]) == [Row("a", error="it is encrypted")]
    assert read([]) == []


def test_several_processes_read_what_one_reads_in_the_same_order() -> None:
    pictures = {digit: png(digit) for digit in (0, 1, 7)}
    items = [Item(f"{i}.png", i / 300, data=pictures[(0, 1, 7)[i % 3]]) for i in range(300)]
    assert len(items) > workers.FEW_CHUNKS * 32
    apart = list(workers.read(iter(items), TASK, 2))
    assert apart == list(workers.read(iter(items), TASK, 1))
    assert [share for share, _ in apart] == sorted(share for share, _ in apart)


def test_processes_end_when_nobody_wants_more() -> None:
    seven = png(7)
    items = (Item(str(i), 0.0, data=seven) for i in range(100_000))
    read_so_far = workers.read(items, TASK, 2)
    assert next(read_so_far)[1].reading
    read_so_far.close()
    assert sum(1 for _ in items) > 90_000  # the rest was not even asked for
