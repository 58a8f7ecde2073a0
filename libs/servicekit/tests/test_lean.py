import subprocess
import sys

PROGRAM = """
from servicekit import lean
lean.prepare()
import os, sys, anomaly.app
print(os.environ["OPENBLAS_NUM_THREADS"], sys.modules["pydantic.v1"])
"""
OLD = """
import sys
sys.version_info = (3, 10, 4)
from servicekit import lean
lean.prepare()
"""
HEAP = """
from servicekit import lean
lean.prepare()
import threading
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def work():
    for size in (30, 20, 10):  # a block that is freed must not teach the next ones to stay
        blocks = [bytearray(size << 20) for _ in range(2)]
        del blocks
before = memory()
for _ in range(3):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(memory() - before)
"""
SCATTERED = """
from servicekit import lean
lean.prepare()
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
blocks = [bytearray(60_000) for _ in range(1000)]
kept = blocks[::200]
del blocks
before = memory()
lean.give_back()
print(before - memory())
"""


def test_a_service_starts_without_pydantic_1() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "None"]


def test_an_older_python_is_refused_with_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", OLD], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("lineside: needs Python 3.11 or newer, this is ")
    assert done.stderr.count("\n") == 1


def test_large_blocks_go_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", HEAP], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 << 20


def test_what_is_freed_between_small_blocks_goes_back_to_the_system_when_asked() -> None:
    done = subprocess.run([sys.executable, "-c", SCATTERED], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 20 << 20
