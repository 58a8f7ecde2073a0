"""Long reading: documents and pictures that are kept on the disk, read beside other calls, and survive a restart."""

from ocr.jobs.lock import StoreInUse
from ocr.jobs.queue import Jobs

__all__ = ["Jobs", "StoreInUse"]
