"""ONNX Runtime as every service uses it: nothing sent home, one thread a call.

From release 1.29 on it has telemetry switched on: as it is imported it makes a device id and a database in the home
folder, and starts a thread that posts names and hashes of models to its maker.
"""

import os

# Only this, and only before the import, keeps it from all of that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # noqa: TID251 - ONNX Runtime reads it, not we

import onnxruntime

CPU = "CPUExecutionProvider"
ERRORS = 3  # the least severity that is logged


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Returns a session on the CPU; whatever ONNX Runtime raises for a model that it cannot run is an Exception.

    It computes on the calling thread: a service's own pool makes use of the CPUs, and ONNX Runtime counts those of the
    host, not of the container.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = ERRORS
    return onnxruntime.InferenceSession(model, options, providers=[CPU])
