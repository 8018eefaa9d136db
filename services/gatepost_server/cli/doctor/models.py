"""Checks of what judges: the model repository, its weights, Triton, the versions of what they need."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from gatepost_server.cli.doctor.finding import Finding, failed, ok, warning
from gatepost_server.engines.weights import find_weights
from gatepost_server.serving.repository import RepositoryError, arranged
from gatepost_server.serving.runtime import RuntimeMissingError, assemble

DIGESTS = Path(__file__).parents[2] / "serving" / "weights.sha256"
OCR = {  # parameter, for all stages and for its own, and what is shipped
    ("det_model", "ocr_detect_det_model"): "PP-OCRv6_small_det",
    ("rec_model", "ocr_recognize_rec_model"): "PP-OCRv6_small_rec",
}
_STEP = re.compile(r'model_name: "(\w+)"')
_INSTALL = "pip install 'gatepost[triton,gateway]' again, with requirements/gatepost.lock"


def repository(folder: Path, layout: str, instances: Mapping[str, int], scratch: Path) -> Finding:
    """Every model that the ensemble calls is there in some version. `scratch` is an empty folder."""
    check = "model repository"
    try:
        models = arranged(folder, scratch, layout=layout, instances=instances)
        configs = {each.name: (each / "config.pbtxt").read_text() for each in sorted(models.iterdir()) if each.is_dir()}
    except (RepositoryError, OSError) as error:
        return failed(
            check, f"{folder}: {error}", "name the right folder: --model-repository, or [triton] in the settings"
        )
    called = {step for config in configs.values() for step in _STEP.findall(config)}
    found = {}
    for name in sorted(called | configs.keys()):
        versions = [each.name for each in (models / name).glob("[1-9]*") if each.is_dir()] if name in configs else []
        if not versions or (name in called and not (models / name / max(versions, key=int) / "model.py").is_file()):
            return failed(check, f"{name} is called and is not there", "take the whole repository as it was shipped")
        found[name] = max(versions, key=int)
    return ok(check, ", ".join(f"{name} {number}" for name, number in found.items()))


def weights(folder: Path, digests: Path = DIGESTS) -> Finding:
    """The shipped weights are whole: SHA-256, as sha256sum has it."""
    check, changed = "weights", []
    listed = [line.split(maxsplit=1) for line in digests.read_text().splitlines()]
    for digest, name in listed:
        path = folder / name
        if not path.is_file():
            return failed(check, f"{name} is missing", "take the whole repository as it was shipped")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                changed.append(name)
    if changed:
        advice = "where nobody put others there on purpose: take the repository as it was shipped"
        return warning(check, f"other than shipped: {', '.join(changed)}", advice)
    return ok(check, f"{len(listed)} files as shipped")


def ocr_weights(parameters: Mapping[str, str]) -> Finding:
    """Detector and recogniser can be found."""
    try:
        found = [
            find_weights(next((parameters[name] for name in reversed(names) if name in parameters), usual))
            for names, usual in OCR.items()
        ]
    except FileNotFoundError as error:
        return failed("OCR weights", str(error), "pip install rapidocr, or name files (README.md, Bigger models)")
    return ok("OCR weights", ", ".join(f"{each.name} {each.version}" for each in found))


def server(cache: Path) -> Finding:
    """tritonserver can be run here."""
    try:
        assemble(cache)
    except (RuntimeMissingError, OSError) as error:
        return failed(
            "tritonserver",
            str(error),
            "pip install 'gatepost[triton]' on Linux x86-64, or NVIDIA's container (docs/triton.md)",
        )
    return ok("tritonserver", f"nvidia-pytriton {version('nvidia-pytriton')}")


def packages(extras: Iterable[str], wanted: Iterable[str] | None = None) -> Finding:
    """What is installed is what gatepost asks for. `wanted`: requirements, by default those of gatepost's metadata."""
    check, problems = "packages", []
    lines = (requires("gatepost") or []) if wanted is None else wanted
    needs = [Requirement(line) for line in lines]
    asked = [
        need
        for need in needs
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]
    for need in asked:
        try:
            have = version(need.name)
        except PackageNotFoundError:
            problems.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(have, prereleases=True):
            problems.append(f"{need.name} {have} is not {need.specifier}")
    if problems:
        return failed(check, "; ".join(problems), _INSTALL)
    return ok(check, f"{len(asked)} as asked for")
