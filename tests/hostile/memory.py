"""The memory that a piece of code takes, seen from outside of a process of its own."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parents[1]


def memory_mib(prepare: str, act: str, files: Iterable[bytes]) -> list[float]:
    """Returns by how many MiB a process grows at most while it does `act` with `data`, for each of the files."""
    code = f"""if True:
        import pathlib, sys
        sys.path.append({str(FOLDER)!r})
        def memory(name):
            lines = pathlib.Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024
        {prepare}
        for path in sys.argv[1:]:
            data = pathlib.Path(path).read_bytes()
            pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
            before = memory("VmRSS")
            {act}
            print(memory("VmHWM") - before)"""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, data in enumerate(files):
            paths.append(Path(folder, str(number)))
            paths[-1].write_bytes(data)
        done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [float(line) for line in done.stdout.split()]
