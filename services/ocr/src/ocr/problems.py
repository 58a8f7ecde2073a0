"""What this service can refuse beyond servicekit's problems: one class, one type, one status."""

from servicekit.problems import Problem


class DocumentEncrypted(Problem):
    slug, title, status = "pdf-encrypted", "The PDF needs a password", 422


class DocumentInvalid(Problem):
    slug, title, status = "pdf-invalid", "The PDF cannot be read", 422


class DocumentTooLarge(Problem):
    slug, title, status = "pdf-too-large", "The PDF takes more memory than it may", 422


class DocumentTooLong(Problem):
    slug, title, status = "pdf-too-many-pages", "The PDF has too many pages", 422


class DocumentTooSlow(Problem):
    slug, title, status = "pdf-too-slow", "The PDF takes more time than it may", 422


class IdempotencyKeyInUse(Problem):
    slug, title, status = "idempotency-key-in-use", "A request with this Idempotency-Key is still running", 409


class IdempotencyKeyInvalid(Problem):
    slug, title, status = "idempotency-key-invalid", "The Idempotency-Key is not valid", 400


class IdempotencyKeyReused(Problem):
    slug, title, status = "idempotency-key-reused", "The Idempotency-Key belongs to another request", 422


class ImageTooLarge(Problem):
    slug, title, status = "image-too-large", "The image is too large", 422


class JobInterrupted(Problem):
    slug, title, status = "job-interrupted", "The job was interrupted too often", 500


class NoResult(Problem):
    slug, title, status = "no-result", "The job has no result", 409


class NotAnImage(Problem):
    slug, title, status = "not-an-image", "The file is not an image", 422


class NotAPdf(Problem):
    slug, title, status = "not-a-pdf", "The file is not a PDF", 422


class NotBase64(Problem):
    slug, title, status = "not-base64", "The image is not base64", 422


class PagesInvalid(Problem):
    slug, title, status = "pages-invalid", "The range of pages is not valid", 422


class ReadingFailed(Problem):
    slug, title, status = "reading-failed", "The networks failed", 503


class TooManyJobs(Problem):
    slug, title, status = "too-many-jobs", "No more jobs can be kept", 503


class UnknownJob(Problem):
    slug, title, status = "unknown-job", "No such job", 404


class UnknownLanguage(Problem):
    slug, title, status = "unknown-language", "A language that the models do not read", 422
