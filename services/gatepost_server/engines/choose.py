"""Which engine runs a net, by two parameters: `engine` and `device`."""

from __future__ import annotations

import ctypes
from importlib.util import find_spec

from gatepost_server.engines.net import Net, NetFile

ENGINES = ("auto", "openvino", "onnxruntime", "torch")
DEVICES = ("auto", "cpu", "cuda")


def open_net(
    file: NetFile,
    *,
    engine: str = "auto",
    device: str = "auto",
    threads: int = 1,
    precision: str = "auto",
    cuda_graphs: str = "off",
    compiled: str = "off",
    batch: int = 0,
) -> Net:
    """Load `file` on the device.

    "auto" takes torch where it sees a CUDA device, else OpenVINO, else onnxruntime. `precision` ("auto", "bf16", "f32",
    and "f16" for torch) is heard by OpenVINO and torch, `cuda_graphs` and `compiled` ("on", "off") by torch on a CUDA
    device, `batch` (images run together at most, 0 for its own choice) by torch. Raises ValueError for an unknown or
    impossible choice and ImportError where the engine is not installed.
    """
    for name, switch in (("cuda_graphs", cuda_graphs), ("compiled", compiled)):
        if switch not in ("on", "off"):
            raise ValueError(f"{name} must be on or off, not {switch!r}")
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
    if device == "cuda" and engine in ("openvino", "onnxruntime"):
        raise ValueError(f"{engine} runs on the CPU here; CUDA needs engine = auto or torch")
    if device == "auto":
        device = "cuda" if engine in ("auto", "torch") and cuda_is_there() else "cpu"
    if engine == "auto":
        engine = "torch" if device == "cuda" else "openvino" if find_spec("openvino") else "onnxruntime"
    # Imported here so that a process pays only for the engine that it uses (torch alone is 180 MB).
    match engine:
        case "torch":
            from gatepost_server.engines.torch_net import TorchNet

            graphs = cuda_graphs == "on" and device == "cuda"
            compiler = "inductor" if compiled == "on" and device == "cuda" else ""
            return TorchNet(
                file,
                device=device,
                threads=threads,
                precision=precision,
                graphs=graphs,
                compiler=compiler,
                batch=batch,
            )
        case "openvino":
            from gatepost_server.engines.openvino_net import OpenVinoNet

            return OpenVinoNet(file, threads=threads, precision=precision)
        case _:
            from gatepost_server.engines.onnxruntime_net import OnnxRuntimeNet

            return OnnxRuntimeNet(file, threads=threads)


def cuda_is_there() -> bool:
    """Whether torch sees a CUDA device. torch is imported only where a driver is installed."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
