"""Each side runs without what only the other side needs: torch stays out of the gateway, gRPC out of Triton's host."""

from __future__ import annotations

import subprocess
import sys

MODEL_SIDE = ("torch", "cv2", "openvino", "onnxruntime", "open_clip", "transformers", "gatepost_server.stages")
REQUEST_SIDE = ("grpc", "tritonclient", "cel_expr_python", "gatepost_server.gateway", "gatepost_server.policy")


def imported(*modules: str, among: tuple[str, ...]) -> str:
    """Which of `among` a fresh process holds once it has imported `modules`."""
    script = f"import sys, {', '.join(modules)}; print(sorted(set({among!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_the_gateway_brings_no_model_code_into_its_process():
    assert imported("gatepost_server.cli.app", "gatepost_server.gateway.server", among=(*MODEL_SIDE, "PIL")) == "[]"


def test_tritons_supervisor_brings_no_network_code_into_its_process():
    assert imported("gatepost_server.cli.app", "gatepost_server.serving.supervisor", among=REQUEST_SIDE) == "[]"
