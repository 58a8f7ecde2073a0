"""What ONNX Runtime does when it is imported, seen from outside of the process that imports it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, threading
{import_line}
print(len(os.listdir("/proc/self/task")), *(str(p) for _, _, files in os.walk(os.environ["HOME"]) for p in files))
"""


def seen(import_line: str, home: Path) -> list[str]:
    """Returns the number of threads and the files in a fresh home folder after an import in a process of its own."""
    home.mkdir()
    environment = {"HOME": str(home), "PATH": "/usr/bin", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM.format(import_line=import_line)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_it_writes_nothing_to_the_home_folder_and_starts_no_thread(tmp_path: Path) -> None:
    assert seen("from servicekit import onnx", tmp_path / "ours") == ["1"]


def test_without_us_it_would(tmp_path: Path) -> None:
    """Where this fails, a release has no telemetry any more, and the module can forget about it."""
    assert seen("import onnxruntime", tmp_path / "theirs") != ["1"]
