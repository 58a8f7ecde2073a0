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


def test_a_service_starts_without_pydantic_1() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "None"]


def test_an_older_python_is_refused_with_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", OLD], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("lineside: needs Python 3.11 or newer, this is ")
    assert done.stderr.count("\n") == 1
