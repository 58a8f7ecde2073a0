"""What a client is told where the database cannot keep or find what it was asked for."""

from servicekit.problems import Problem

RETRY_AFTER = {"Retry-After": "2"}


class StorageFull(Problem):
    slug, title, status = "storage-full", "The disk is full", 507


class StorageUnavailable(Problem):
    slug, title, status = "storage-unavailable", "The database does not answer", 503
