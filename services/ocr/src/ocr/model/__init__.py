"""The networks: which files they are, and how they are run. Nothing here knows of HTTP."""

from ocr.model.errors import ModelError, ModelFault
from ocr.model.networks import Models, load

__all__ = ["ModelError", "ModelFault", "Models", "load"]
