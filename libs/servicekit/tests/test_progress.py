import io

from servicekit.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def run(stream: io.StringIO, seconds: float, steps: int) -> str:
    clock = Clock()
    progress = Progress(stream, clock)
    for step in range(steps + 1):
        clock.now = seconds * step / steps
        progress(step / steps, "training")
    progress.close()
    return stream.getvalue()


def test_short_work_says_nothing() -> None:
    assert run(Terminal(), 0.9, 10) == ""


def test_a_terminal_sees_one_moving_line_that_goes_away() -> None:
    written = run(Terminal(), 10, 100)
    assert "\n" not in written
    assert "50% training" in written
    assert written.endswith("\r\x1b[K")


def test_a_file_gets_a_line_now_and_then() -> None:
    lines = run(io.StringIO(), 60, 600).splitlines()
    assert 10 <= len(lines) <= 13
    assert "\r" not in "".join(lines)
