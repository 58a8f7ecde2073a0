"""What this service can refuse beyond servicekit's problems: one class, one type, one status."""

from servicekit.database.problems import StorageFull, StorageUnavailable
from servicekit.problems import Problem


class AlertCleared(Problem):
    slug, title, status = "alert-cleared", "The alert has cleared", 409


class AlreadyDelivered(Problem):
    slug, title, status = "already-delivered", "The notice has been delivered", 409


class AssetProtected(Problem):
    slug, title, status = "asset-protected", "This asset cannot be deleted", 409


class ConflictingReading(Problem):
    slug, title, status = "conflicting-reading", "Another reading has this timestamp", 409


class IdempotencyKeyInUse(Problem):
    slug, title, status = "idempotency-key-in-use", "A request with this Idempotency-Key is still running", 409


class IdempotencyKeyInvalid(Problem):
    slug, title, status = "idempotency-key-invalid", "The Idempotency-Key is not valid", 400


class IdempotencyKeyReused(Problem):
    slug, title, status = "idempotency-key-reused", "The Idempotency-Key belongs to another request", 422


class JobFinished(Problem):
    slug, title, status = "job-finished", "The job has ended already", 409


class ModelDamaged(Problem):
    slug, title, status = "model-damaged", "The stored model cannot be read", 503


class ModelFileInvalid(Problem):
    slug, title, status = "model-file-invalid", "The file is not a model", 422


class ModelNeedsWindow(Problem):
    slug, title, status = "model-needs-window", "The model looks at several rows", 422


class NoModel(Problem):
    slug, title, status = "no-model", "No model is active", 503


class NoReceivers(Problem):
    slug, title, status = "no-receivers", "There is nobody to tell", 409


class NothingToRollBack(Problem):
    slug, title, status = "nothing-to-roll-back", "No earlier version was active", 409


class TableInvalid(Problem):
    slug, title, status = "table-invalid", "The table cannot be read", 422


class ThresholdUnsupported(Problem):
    slug, title, status = "threshold-unsupported", "The threshold cannot be computed", 422


class TimestampOutOfRange(Problem):
    slug, title, status = "timestamp-out-of-range", "The timestamp is too old or in the future", 422


class TooFewRows(Problem):
    slug, title, status = "too-few-rows", "There are not enough rows", 409


class TooManyAssets(Problem):
    slug, title, status = "too-many-assets", "The number of assets is at its limit", 409


class TooManyRows(Problem):
    slug, title, status = "too-many-rows", "The batch has too many rows", 422


class TooManyVersions(Problem):
    slug, title, status = "too-many-versions", "The number of versions is at its limit", 409


class TrainingFailed(Problem):
    slug, title, status = "training-failed", "The training failed", 500


class TrainingImpossible(Problem):
    slug, title, status = "training-impossible", "These rows and options cannot be trained on", 422


class UnknownAlert(Problem):
    slug, title, status = "unknown-alert", "No such alert", 404


class UnknownAsset(Problem):
    slug, title, status = "unknown-asset", "No such asset", 404


class UnknownDelivery(Problem):
    slug, title, status = "unknown-delivery", "No such delivery", 404


class UnknownJob(Problem):
    slug, title, status = "unknown-job", "No such job", 404


class UnknownSensor(Problem):
    slug, title, status = "unknown-sensor", "The model has no such sensor", 422


class UnknownVersion(Problem):
    slug, title, status = "unknown-version", "No such version", 404


class VersionActive(Problem):
    slug, title, status = "version-active", "The version is active", 409


class VersionChanged(Problem):
    slug, title, status = "version-changed", "The active version changed meanwhile", 409


class WrongDimension(Problem):
    slug, title, status = "wrong-dimension", "The number of values is not the model's", 422


# What every call that changes something can refuse.
WRITING = (IdempotencyKeyInUse, IdempotencyKeyInvalid, IdempotencyKeyReused, StorageFull, StorageUnavailable)
