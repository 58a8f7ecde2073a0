"""A real S3 server in a process of its own: versitygw (Apache-2.0), which knows keys and conditional puts.

CARS_TEST_S3_SERVER names its executable where it is not on PATH.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from cars.storage import Access

EXECUTABLE = os.environ.get("CARS_TEST_S3_SERVER") or shutil.which("versitygw")
MISSING = "no S3 server: install versitygw, or name it in CARS_TEST_S3_SERVER"
ACCESS = Access("AKIDOFTHETESTS", "not-a-secret-at-all")
START_S = 20


class S3Server:
    """A server with one bucket in a folder, that can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.buckets = folder / "buckets"
        (self.buckets / "cars").mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"s3://cars/pictures?endpoint=http://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert EXECUTABLE is not None
        login = ["-a", ACCESS.access_key or "", "-s", ACCESS.secret_key or ""]
        options = ["-p", f"127.0.0.1:{self.port}", *login, "-q", "posix", str(self.buckets)]
        self.process = subprocess.Popen([EXECUTABLE, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None, f"{EXECUTABLE} ended at its start"
            assert time.monotonic() < deadline, f"{EXECUTABLE} does not listen"
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
