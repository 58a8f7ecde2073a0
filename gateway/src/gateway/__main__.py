"""`python -m gateway`: all services in one process, on one address."""

import os
import sys

if sys.version_info < (3, 11):  # the one line that an older Python gets to see
    sys.exit(f"lineside: needs Python 3.11 or newer, this is {sys.version.split()[0]}")

# Rows are small: a second BLAS thread only costs memory. It must be said before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from servicekit import server
from servicekit.settings import load

from gateway.app import create_app
from gateway.settings import Settings


def main() -> int:
    settings = load(Settings)
    listener = server.bind(settings)
    app = create_app(settings)
    server.announce("Lineside", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.front.state.drain)


if __name__ == "__main__":
    sys.exit(main())
