"""What can be wrong with the models."""


class ModelError(Exception):
    """A model cannot be loaded, so that the service cannot start; the message says which, where and why."""


class ModelFault(Exception):  # noqa: N818 - it is what the probes call it
    """The GPU failed while it computed; nothing is read any more until the service is started again."""
