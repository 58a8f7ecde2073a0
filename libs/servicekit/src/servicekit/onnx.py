"""ONNX Runtime as every service uses it: nothing sent home, one thread a call, and a GPU that is asked for is used.

From release 1.29 on it has telemetry switched on: as it is imported it makes a device id and a database in the home
folder, and starts a thread that posts names and hashes of models to its maker.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Only this, and only before the import, keeps it from all of that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # noqa: TID251 - ONNX Runtime reads it, not we

import onnxruntime

CPU = "CPUExecutionProvider"
MIGRAPHX = "MIGraphXExecutionProvider"
ROCM = "ROCMExecutionProvider"  # ONNX Runtime has it up to release 1.22
GPU_PROVIDERS = (MIGRAPHX, ROCM)
CACHE_OPTION = "migraphx_model_cache_dir"
DRIVER = Path("/dev/kfd")  # the kernel's door to every AMD GPU
ERRORS = 3  # the least severity that is logged
MAX_REASON_CHARS = 500


class GpuError(Exception):
    """A session on the GPU cannot be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """`arena`: keep freed memory for the next run; off, where inputs of ever new shapes would make it grow."""

    arena: bool = True


@dataclass(frozen=True, slots=True)
class Gpu:
    """An AMD GPU, counted as HIP counts them; `cache` is the folder for the programs compiled for it."""

    index: int = 0
    cache: Path | None = None


Device = Cpu | Gpu


def session(model: bytes, device: Device = Cpu()) -> onnxruntime.InferenceSession:
    """Returns a session; whatever ONNX Runtime raises for a model that it cannot run is an Exception.

    On the CPU it computes on the calling thread: a service's own pool makes use of the CPUs, and ONNX Runtime counts
    those of the host, not of the container. On a GPU every node runs there; raises GpuError where that cannot be.
    """
    if isinstance(device, Cpu):
        made = onnxruntime.InferenceSession(model, _options(device), providers=[CPU])
        made.disable_fallback()
        made._model_bytes = None  # the file's bytes, kept only to fall back on another provider, of which there is none
        return made
    return _on_gpu(model, device)


def gpu_options(provider: str, device: Gpu) -> dict[str, str]:
    """Returns what a provider is told."""
    options = {"device_id": str(device.index)}
    if provider == MIGRAPHX and device.cache is not None:
        options[CACHE_OPTION] = str(device.cache)
    return options


def program_folder(cache: Path, model: bytes, index: int, root: Path = Path("/")) -> Path:
    """Returns the folder for programs compiled from one model; another GPU, release or model has another one."""
    gpus = gpu_targets(root)
    gpu = gpus[index] if index < len(gpus) else f"gpu-{index}"
    described = "|".join((gpu, onnxruntime.__version__, *onnxruntime.get_available_providers()))
    build = hashlib.sha256(described.encode()).hexdigest()[:16]
    return cache / build / hashlib.sha256(model).hexdigest()[:16]


def gpu_targets(root: Path = Path("/")) -> list[str]:
    """Returns what the AMD GPUs compute with, as the driver numbers it: 90010 is gfx90a."""
    targets = []
    nodes = (root / "sys/class/kfd/kfd/topology/nodes").glob("*/properties")
    for path in sorted(nodes, key=lambda path: int(path.parent.name)):
        properties = dict(line.split(maxsplit=1) for line in path.read_text().splitlines() if " " in line)
        target = properties.get("gfx_target_version", "0")
        if target != "0":  # 0: a CPU
            targets.append(target)
    return targets


def _options(device: Device) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = ERRORS
    if isinstance(device, Gpu):
        # Else nodes that the GPU's provider does not take, or all of them, would run on the CPU without a word.
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    else:
        options.enable_cpu_mem_arena = device.arena
    return options


def _on_gpu(model: bytes, device: Gpu) -> onnxruntime.InferenceSession:
    """Tries the providers in turn; the message of GpuError names what each one said."""
    offered = onnxruntime.get_available_providers()
    providers = [provider for provider in GPU_PROVIDERS if provider in offered]
    if not providers:
        raise GpuError(
            f"this build of ONNX Runtime {onnxruntime.__version__} has no provider for AMD GPUs, it has "
            f"{', '.join(offered)}: install onnxruntime-rocm or onnxruntime-migraphx in its place"
        )
    if not DRIVER.exists():
        raise GpuError(
            f"there is no {DRIVER}: the driver amdgpu is not loaded, or the container was not given the device"
        )
    if device.cache is not None:
        device.cache.mkdir(parents=True, exist_ok=True)
    reasons = []
    for provider in providers:
        try:
            return _with_provider(model, device, provider)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions have no common class
            reasons.append(f"{provider}: {str(error)[:MAX_REASON_CHARS]}")
    raise GpuError("; ".join(reasons))


def _with_provider(model: bytes, device: Gpu, provider: str) -> onnxruntime.InferenceSession:
    """Raises GpuError where the session is not the provider's, which a list of available ones does not tell."""
    try:
        made = _made(model, device, provider, gpu_options(provider, device))
    except Exception as error:
        if CACHE_OPTION not in str(error):
            raise
        # Builds before 1.23 may not know the option; they compile anew at each start.
        made = _made(model, device, provider, gpu_options(provider, Gpu(device.index)))
    used: list[str] = made.get_providers()
    if used[0] != provider:
        raise GpuError(f"the session runs on {used[0]}: the provider's library could not be loaded")
    return made


def _made(model: bytes, device: Gpu, provider: str, options: dict[str, str]) -> onnxruntime.InferenceSession:
    arguments: dict[str, Any] = {"providers": [provider], "provider_options": [options], "enable_fallback": 0}
    return onnxruntime.InferenceSession(model, _options(device), **arguments)
