import subprocess
import sys
from pathlib import Path

import pytest
from ocr.jobs.lock import Lock, StoreInUse

HOLD = """
import sys
from pathlib import Path
from ocr.jobs.lock import Lock
Lock(Path(sys.argv[1])).take()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_taker_is_refused_with_the_folder_and_the_setting(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    first.take()
    with pytest.raises(StoreInUse, match="OCR_JOBS_DIR") as refusal:
        second.take()
    assert str(tmp_path) in str(refusal.value)
    first.give_back()
    second.take()
    second.give_back()


def test_a_process_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == "held\n"
    lock = Lock(tmp_path / "lock")
    with pytest.raises(StoreInUse):
        lock.take()
    process.kill()
    process.communicate()
    lock.take()
    lock.give_back()


def test_what_was_not_taken_can_be_given_back(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    lock.give_back()
    assert not (tmp_path / "lock").exists()
