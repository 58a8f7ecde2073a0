"""What this service can refuse beyond servicekit's problems: one class, one type, one status."""

from servicekit.problems import Problem


class ImageTooLarge(Problem):
    slug, title, status = "image-too-large", "The image is too large", 422


class NotAnImage(Problem):
    slug, title, status = "not-an-image", "The file is not an image", 422


class UnknownFile(Problem):
    slug, title, status = "unknown-file", "No such file", 404


class PicturesUnavailable(Problem):
    slug, title, status = "pictures-unavailable", "The storage of the pictures does not answer", 503


# A failure of the remote is 424, as text-embeddings-inference answers it: 502 and 504 are the gateway's own.
class BackendAnswerInvalid(Problem):
    slug, title, status = "backend-answer-invalid", "The remote recogniser's answer cannot be used", 424


class BackendMisconfigured(Problem):
    slug, title, status = "backend-misconfigured", "The remote recogniser does not let this service in", 424


class BackendRefused(Problem):
    slug, title, status = "backend-refused", "The remote recogniser refused the picture", 424


class BackendTimeout(Problem):
    slug, title, status = "backend-timeout", "The remote recogniser did not answer in time", 424


class BackendUnavailable(Problem):
    slug, title, status = "backend-unavailable", "The remote recogniser is not available", 503


class JobFinished(Problem):
    slug, title, status = "job-finished", "The job has ended already", 409


class UnknownJob(Problem):
    slug, title, status = "unknown-job", "No such job", 404
