"""Finding PP-OCR weights: in the rapidocr package, in a folder of PaddleOCR's, or in a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# rapidocr is used for its weights alone; find_spec locates them without importing the package.
BUNDLED = {
    "PP-OCRv6_small_det": "PP-OCRv6_det_small.onnx",
    "PP-OCRv6_small_rec": "PP-OCRv6_rec_small.onnx",
}


@dataclass(frozen=True, slots=True)
class Weights:
    """An ONNX file, the model name that PaddleOCR gives it, and the first 12 hex digits of its SHA-256.

    `config` is PaddleOCR's inference.yml, empty where there is none.
    """

    path: Path
    name: str
    version: str
    config: dict[str, Any]


def find_weights(wanted: str) -> Weights:
    """The weights that `wanted` names.

    `wanted` is an ONNX file, a folder with inference.onnx and inference.yml (what PaddleOCR exports),
    or a model name of PaddleOCR's (PP-OCRv6_small_det) that is bundled with rapidocr or lies in
    PaddleX's download cache. Raises FileNotFoundError when there is no such thing.
    """
    bundled = _bundled(wanted)
    for path in (bundled, Path(wanted), Path.home() / ".paddlex" / "official_models" / wanted):
        if path is None:
            continue
        if path.is_file():
            return Weights(path, wanted if path == bundled else path.stem, _digest(path), {})
        if (path / "inference.onnx").is_file():
            config = _yaml(path / "inference.yml")
            name = str(config.get("Global", {}).get("model_name", path.name))
            return Weights(path / "inference.onnx", name, _digest(path / "inference.onnx"), config)
    raise FileNotFoundError(f"no OCR weights called {wanted!r}")


def characters(weights: Weights) -> list[str]:
    """The recogniser's alphabet in the order of its classes, without blank and space.

    It stands in inference.yml (PostProcess.character_dict) or in the ONNX file's own metadata
    ("character", RapidOCR's custom). Raises ValueError when it is in neither.
    """
    listed = weights.config.get("PostProcess", {}).get("character_dict")
    if listed is not None:
        return [str(character) for character in listed]
    import onnx  # 15 MB: kept out of processes that read the alphabet from inference.yml

    model = onnx.load(str(weights.path), load_external_data=False)
    for entry in model.metadata_props:
        if entry.key == "character":
            return str(entry.value).removesuffix("\n").split("\n")
    raise ValueError(f"{weights.name} does not say which characters it reads")


def _bundled(wanted: str) -> Path | None:
    spec = find_spec("rapidocr") if wanted in BUNDLED else None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "models" / BUNDLED[wanted]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    if not path.is_file():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 18,000 characters: seconds without libyaml
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # a safe loader either way
    return content if isinstance(content, dict) else {}
