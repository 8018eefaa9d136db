"""How fast the nets could be on this machine, and how fast they are: out/bench/floor.json.

`python -m benchmarks.gpu.floor --device cuda`. The floor of a net at a bucket is the longer of its operations at the
measured rate of a matrix product and its least bytes at the measured rate of a copy; the gap is measured / floor.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks import targets
from benchmarks.gpu.ceilings import Ceilings, measured, seconds
from benchmarks.gpu.counting import Work, work_of
from benchmarks.gpu.nets import BUCKETS, LOADERS, Bucket

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
OUT = targets.OUT / "bench" / "floor.json"


def floor_s(work: Work, ceilings: Ceilings) -> float:
    """Seconds that the work takes at least."""
    return max(work.flops / ceilings.flops, work.least_bytes / ceilings.bytes)


def rows(
    device: str, dtype: torch.dtype, batch: int, ceilings: Ceilings, buckets: Sequence[Bucket] = BUCKETS
) -> Iterator[dict[str, Any]]:
    """Each bucket's work, floor, time and gap, for a batch of random images."""
    modules = {net: LOADERS[net]() for net in {bucket.net for bucket in buckets}}
    for bucket in buckets:
        module = modules[bucket.net].to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.randn(batch, *bucket.shape, device=device).to(memory_format=torch.channels_last)
        work = work_of(module, images)
        took = _forward_s(module, images, device, dtype)
        yield {
            "net": bucket.net,
            "bucket": bucket.name,
            "batch": batch,
            **asdict(work),
            "floor_ms": 1_000 * floor_s(work, ceilings),
            "measured_ms": 1_000 * took,
            "gap": took / floor_s(work, ceilings),
            "share_of_matmul": work.flops / took / ceilings.flops,
        }


def _forward_s(module: torch.nn.Module, images: torch.Tensor, device: str, dtype: torch.dtype) -> float:
    reduced = torch.autocast(device, dtype, enabled=dtype != torch.float32)
    with torch.inference_mode(), reduced:
        return seconds(lambda: module(images), device)


def main(arguments: Sequence[str] | None = None) -> None:
    """Counts, measures, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=tuple(TYPES), help="bf16 on cuda, else f32")
    parser.add_argument("--batch", type=int, help="16 on cuda, else 1")
    parser.add_argument("--nets", nargs="+", choices=tuple(LOADERS), default=list(LOADERS))
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args(arguments)
    on_gpu = asked.device == "cuda"
    precision = asked.precision or ("bf16" if on_gpu else "f32")
    ceilings = measured(
        asked.device, TYPES[precision], side=8192 if on_gpu else 1024, copied=(1 << 30) if on_gpu else (1 << 26)
    )
    wanted = [bucket for bucket in BUCKETS if bucket.net in asked.nets]
    made = list(rows(asked.device, TYPES[precision], asked.batch or (16 if on_gpu else 1), ceilings, wanted))
    command = f"python -m benchmarks.gpu.floor --device {asked.device} --precision {precision}"
    held = [
        targets.reported("matrix product", ceilings.flops / 1e12, "TFLOP/s", command),
        targets.reported("copy", ceilings.bytes / 1e9, "GB/s", command),
        *(
            targets.reported(f"{row['net']} {row['bucket']}: measured / floor", row["gap"], "x", command)
            for row in made
        ),
    ]
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    targets.write(asked.out, held, device=device, precision=precision, ceilings=asdict(ceilings), nets=made)
    targets.show(held, f"Floor on {device}, {precision}")


if __name__ == "__main__":
    main()
