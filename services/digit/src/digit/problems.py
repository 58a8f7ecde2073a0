"""What this service can refuse beyond servicekit's problems: one class, one type, one status."""

from servicekit.problems import Problem


class ArchiveInvalid(Problem):
    slug, title, status = "archive-invalid", "The ZIP cannot be read", 422


class ArchiveNotImages(Problem):
    slug, title, status = "archive-not-images", "The ZIP contains a file that is not an image", 422


class ImageTooLarge(Problem):
    slug, title, status = "image-too-large", "The image is too large", 422


class NoDigits(Problem):
    slug, title, status = "no-digits", "The picture shows no digits", 422


class NoInk(Problem):
    slug, title, status = "no-ink", "The picture is blank", 422


class NotAnImage(Problem):
    slug, title, status = "not-an-image", "The file is not an image", 422


class NumberTooLong(Problem):
    slug, title, status = "number-too-long", "The number has too many digits", 422


class SeveralNumbers(Problem):
    slug, title, status = "several-numbers", "The picture shows more than one number", 422


class TooManyImages(Problem):
    slug, title, status = "too-many-images", "The batch has too many images", 422


class UnknownModel(Problem):
    slug, title, status = "unknown-model", "No such model", 422
