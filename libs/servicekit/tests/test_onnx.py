"""What ONNX Runtime does when it is imported, seen from outside of the process that imports it."""

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from servicekit import onnx

PROGRAM = """
import os, threading
{import_line}
print(len(os.listdir("/proc/self/task")), *(str(p) for _, _, files in os.walk(os.environ["HOME"]) for p in files))
"""


def seen(import_line: str, home: Path) -> list[str]:
    """Returns the number of threads and the files in a fresh home folder after an import in a process of its own."""
    home.mkdir()
    environment = {"HOME": str(home), "PATH": "/usr/bin", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM.format(import_line=import_line)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_it_writes_nothing_to_the_home_folder_and_starts_no_thread(tmp_path: Path) -> None:
    assert seen("from servicekit import onnx", tmp_path / "ours") == ["1"]


def test_without_us_it_would(tmp_path: Path) -> None:
    """Where this fails, a release has no telemetry any more, and the module can forget about it."""
    assert seen("import onnxruntime", tmp_path / "theirs") != ["1"]


def test_a_gpu_that_this_build_cannot_use_is_refused_with_the_providers_it_has() -> None:
    with pytest.raises(onnx.GpuError, match=r"has no provider for AMD GPUs, it has .*CPUExecutionProvider"):
        onnx.session(b"", onnx.Gpu())


def test_a_machine_without_the_driver_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(onnx.onnxruntime, "get_available_providers", lambda: [onnx.MIGRAPHX, onnx.ROCM, onnx.CPU])
    monkeypatch.setattr(onnx, "DRIVER", tmp_path / "kfd")
    with pytest.raises(onnx.GpuError, match=r"there is no .*kfd: the driver amdgpu is not loaded"):
        onnx.session(b"", onnx.Gpu())


class Session:
    """Stands in for ONNX Runtime's session, which needs a GPU: keeps what it is told."""

    told: ClassVar[list[tuple[str, dict[str, str], str, int]]] = []
    used = onnx.MIGRAPHX
    errors: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        _: bytes,
        options: Any,
        providers: list[str],
        provider_options: list[dict[str, str]],
        enable_fallback: int,
    ) -> None:
        fallback = options.get_session_config_entry("session.disable_cpu_ep_fallback")
        self.told.append((providers[0], provider_options[0], fallback, enable_fallback))
        for option, error in self.errors.items():
            if option == providers[0] or option in provider_options[0]:
                raise RuntimeError(error)

    def get_providers(self) -> list[str]:
        return [self.used]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> onnx.Gpu:
    """A GPU as far as can be told without one."""
    monkeypatch.setattr(onnx.onnxruntime, "get_available_providers", lambda: [onnx.ROCM, onnx.MIGRAPHX, onnx.CPU])
    monkeypatch.setattr(onnx.onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(onnx, "DRIVER", tmp_path)
    monkeypatch.setattr(Session, "told", [])
    return onnx.Gpu(3, tmp_path / "programs")


def test_migraphx_comes_first_with_no_way_back_to_the_cpu(gpu: onnx.Gpu) -> None:
    onnx.session(b"", gpu)
    assert Session.told == [(onnx.MIGRAPHX, {"device_id": "3", onnx.CACHE_OPTION: str(gpu.cache)}, "1", 0)]
    assert gpu.cache is not None
    assert gpu.cache.is_dir()


def test_rocm_comes_second(gpu: onnx.Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "errors", {onnx.MIGRAPHX: "libmigraphx_c.so.3: cannot open shared object file"})
    monkeypatch.setattr(Session, "used", onnx.ROCM)
    assert onnx.session(b"", gpu).get_providers() == [onnx.ROCM]
    assert Session.told[-1] == (onnx.ROCM, {"device_id": "3"}, "1", 0)


def test_a_build_without_a_cache_of_programs_is_used_without(gpu: onnx.Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "errors", {onnx.CACHE_OPTION: f"Unknown provider option: {onnx.CACHE_OPTION}"})
    onnx.session(b"", gpu)
    assert Session.told[-1] == (onnx.MIGRAPHX, {"device_id": "3"}, "1", 0)


def test_a_session_that_runs_on_the_cpu_after_all_is_refused(gpu: onnx.Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "used", onnx.CPU)
    with pytest.raises(onnx.GpuError, match=r"MIGraphX.*runs on CPUExecutionProvider.*; ROCM.*runs on CPU"):
        onnx.session(b"", gpu)


def test_programs_are_kept_apart_by_gpu_and_model(tmp_path: Path) -> None:
    nodes = tmp_path / "sys/class/kfd/kfd/topology/nodes"
    for node, target in enumerate((0, 90010, 90402)):
        (nodes / str(node)).mkdir(parents=True)
        (nodes / str(node) / "properties").write_text(f"cpu_cores_count 4\ngfx_target_version {target}\n")
    assert onnx.gpu_targets(tmp_path) == ["90010", "90402"]
    folders = {onnx.program_folder(Path("c"), model, i, tmp_path) for model in (b"a", b"b") for i in (0, 1)}
    assert len(folders) == 4


def test_a_session_does_not_keep_the_file_that_it_was_made_of() -> None:
    data = max((Path(__file__).parents[3] / "services/ocr/src/ocr/weights").glob("*.onnx")).read_bytes()
    before = sys.getrefcount(data)
    made = onnx.session(data)
    assert sys.getrefcount(data) == before
    assert made.get_providers() == [onnx.CPU]


def test_a_session_does_not_keep_the_bytes_of_its_model() -> None:
    """They are as much memory again as the weights; ONNX Runtime keeps them for a fallback that there is not."""
    model = next(Path(__file__).parents[3].glob("services/digit/src/digit/weights/*.onnx")).read_bytes()
    held = sys.getrefcount(model)
    session = onnx.session(model)
    assert session.get_providers() == [onnx.CPU]
    assert sys.getrefcount(model) == held
