"""Image files that other software's tests collected: what is installed here, and the source package of Pillow.

Pillow's tests keep the files that once crashed it, its codecs, or other readers. Only its source package has them;
pip fetches it once (50 MB) into the cache. Without a network there are just the installed ones.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fuzz.cases import Case

CACHE = Path.home() / ".cache" / "gatepost" / "fuzz"
_FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".mpo": "JPEG", ".png": "PNG", ".apng": "PNG", ".webp": "WEBP",
    ".gif": "GIF", ".avif": "AVIF", ".bmp": "BMP", ".dib": "BMP", ".rle": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
# Other readers' formats, which are to be refused.
_OTHERS = {".jp2", ".j2k", ".ico", ".icns", ".psd", ".tga", ".ppm", ".dds", ".pcx", ".fli", ".sgi", ".eps", ".bin"}
_MOST_BYTES = 21 << 20


def installed() -> Iterator[Case]:
    """Files of the installed Python packages and of Python's own tests."""
    for root in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")):
        for path in sorted(Path(root).rglob("*")):
            if path.suffix.lower() in _FORMATS and path.is_file() and path.stat().st_size < _MOST_BYTES:
                yield _case("shipped with packages", path.name, path.read_bytes())


def of_pillow() -> Iterator[Case]:
    """The files of the tests of the very Pillow that is installed; none where it cannot be fetched."""
    archive = _source_of_pillow()
    if archive is None:
        return
    with tarfile.open(archive) as files:
        for member in files:
            path = Path(member.name)
            wanted = path.suffix.lower() in _FORMATS or path.suffix.lower() in _OTHERS
            if member.isfile() and "Tests" in path.parts and wanted and member.size < _MOST_BYTES:
                content = files.extractfile(member)
                if content is not None:
                    yield _case("tests of Pillow", path.name, content.read())


def _source_of_pillow() -> Path | None:
    version = importlib.metadata.version("pillow")
    CACHE.mkdir(parents=True, exist_ok=True)
    archive = CACHE / f"pillow-{version}.tar.gz"
    if not archive.exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pillow",
             "--dest", str(CACHE), f"pillow=={version}"],
            check=False, timeout=180, capture_output=True,
        )  # fmt: skip
    return archive if archive.exists() else None


def _case(kind: str, name: str, data: bytes) -> Case:
    return Case(_FORMATS.get(Path(name).suffix.lower(), "other"), kind, name, data)
