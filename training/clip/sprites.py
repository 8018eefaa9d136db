"""Renders every picture set into one array of sprites with names, the raw material of the cards."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image

from training.clip import sources
from training.clip.risk import RiskTable

SIDE = 144  # pixels of a sprite's sides
_EMOJI_SETS = (
    *(*sources.ICONIFY_EMOJI_TRAIN, *sources.ICONIFY_EMOJI_CALIBRATE),
    *(*sources.ICONIFY_EMOJI_TEST, sources.EMOJI_3D),
)
_EMOJI_GROUPS_LEFT_OUT = (None, 2, 9)  # emojibase groups: none, components (skin tones), flags
_CLIPART_LEFT_OUT = (
    "signs_and_symbols/flags",
    "signs_and_symbols/led",
    "signs_and_symbols/map_symbols",
    "shapes",
    "computer/buttons",
    "computer/icons",
    "special/patterns",
)


@dataclass(frozen=True, slots=True)
class Sprite:
    """One pictogram's names. `concept` is shared by drawings of one thing in several sets."""

    key: str  # emoji code points, icon name or clip art path
    concept: str
    en: tuple[str, ...]  # the first is the label, the others tags
    zh: tuple[str, ...]  # () where nobody has translated it
    mono: bool  # a black shape that may be recoloured


@dataclass(frozen=True, slots=True)
class SpriteSet:
    """All sprites of one set in order. `risks` are categories, "kind" (easily taken for a risk) or ""."""

    pixels: NDArray[np.uint8]  # RGBA [n, SIDE, SIDE, 4]
    sprites: tuple[Sprite, ...]
    risks: tuple[str, ...]


def load(cache: Path, name: str) -> SpriteSet:
    """The rendered set, rendered first where it is not in the cache yet."""
    path = cache / "sprites" / f"{name}.npz"
    if not path.exists():
        _render(cache, name, path)
    with np.load(path) as archive:
        rows = json.loads(str(archive["names"]))
        pixels = archive["pixels"]
    sprites = tuple(Sprite(**{**row, "en": tuple(row["en"]), "zh": tuple(row["zh"])}) for row in rows)
    table = RiskTable.load()
    return SpriteSet(pixels, sprites, tuple(_risk(table, name, sprite.key) for sprite in sprites))


def _risk(table: RiskTable, name: str, key: str) -> str:
    if name == "openclipart":
        return table.of_clipart(key)
    if name in _EMOJI_SETS:
        return table.of_emoji(key, name)
    return table.of_icon(key)


def _render(cache: Path, name: str, path: Path) -> None:
    if name == "openclipart":
        found = list(_clipart(cache))
    elif name in _EMOJI_SETS:
        found = list(_emoji(cache, name))
    else:
        found = list(_icons(cache, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    names = json.dumps([asdict(sprite) for _, sprite in found], ensure_ascii=False)
    np.savez(path, pixels=np.stack([pixels for pixels, _ in found]), names=np.array(names))


def _emoji(cache: Path, name: str) -> Iterator[tuple[NDArray[np.uint8], Sprite]]:
    icons = _Rendered(cache) if name == sources.EMOJI_3D else _IconSet(cache, name)
    chinese = {row["hexcode"]: row for row in json.loads(sources.emojibase(cache, "zh").read_text())}
    for row in json.loads(sources.emojibase(cache, "en").read_text()):
        if row.get("group") in _EMOJI_GROUPS_LEFT_OUT:
            continue
        pixels = icons.render_emoji(row["hexcode"], row["label"])
        if pixels is None:
            continue
        zh = chinese.get(row["hexcode"], {})
        yield (
            pixels,
            Sprite(
                key=_plain_hex(row["hexcode"]),
                concept=_plain_hex(row["hexcode"]),
                en=(row["label"], *row.get("tags", ())),
                zh=(zh["label"], *zh.get("tags", ())) if zh else (),
                mono=False,
            ),
        )


def _icons(cache: Path, name: str) -> Iterator[tuple[NDArray[np.uint8], Sprite]]:
    icons = _IconSet(cache, name)
    for icon in icons.names():
        pixels = icons.render(icon)
        if pixels is None:
            continue
        label = icon.replace("-", " ")
        yield pixels, Sprite(icon, f"icon:{label}", (label,), (), mono=True)


def _clipart(cache: Path) -> Iterator[tuple[NDArray[np.uint8], Sprite]]:
    root, drawings = sources.openclipart(cache, "png"), sources.openclipart(cache, "svg")
    for path in sorted(root.rglob("*.png")):
        name = path.relative_to(root).as_posix()
        if name.startswith(_CLIPART_LEFT_OUT):
            continue
        try:
            with Image.open(path) as image:
                image.draft("RGBA", (SIDE, SIDE))
                sprite = image.convert("RGBA")
        except (OSError, ValueError, Image.DecompressionBombError):
            continue  # a few of the old files are damaged
        sprite.thumbnail((SIDE, SIDE))
        square = Image.new("RGBA", (SIDE, SIDE))
        square.paste(sprite, ((SIDE - sprite.width) // 2, (SIDE - sprite.height) // 2))
        names = _clipart_names(drawings / Path(name).with_suffix(".svg"), name)
        yield np.asarray(square), Sprite(name, f"clip:{name}", names, (), mono=False)


def _clipart_names(drawing: Path, name: str) -> tuple[str, ...]:
    head = drawing.read_text(errors="ignore")[:60_000] if drawing.exists() else ""
    title = re.search(r"<dc:title>\s*([^<]{2,80})", head)
    label = _plain_title(title.group(1)) if title else ""
    words = [word.lower() for word in re.findall(r"<rdf:li>\s*([^<]{2,40}?)\s*</rdf:li>", head)]
    if not label or "aiga" in label:
        label = ", ".join(words[:2]) or _plain_title(Path(name).stem)
    return (label, *words[:8])


def _plain_title(title: str) -> str:
    title = re.sub(r"(?i)clip ?art by.*?- ?", "", title)
    return re.sub(r"[_#\d\s]+", " ", title).strip().lower()


def _plain_hex(code: str) -> str:
    return "-".join(part for part in code.upper().split("-") if part != "FE0F")


def _spellings(code: str, label: str) -> Iterator[str]:
    """How sets without a table of code points may name an emoji: CLDR's or Unicode's name, hyphenated or not."""
    names = [label]
    characters = [chr(int(part, 16)) for part in _plain_hex(code).split("-")]
    if len(characters) == 1:
        names.append(unicodedata.name(characters[0], label))
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        yield slug
        yield slug.replace("-", "")


class _Rendered:
    """Emoji as rendered pictures, found by their code points."""

    def __init__(self, cache: Path) -> None:
        self._by_hex = {_plain_hex(path.stem): path for path in sources.emoji_3d(cache).glob("*.webp")}

    def render_emoji(self, code: str, _label: str) -> NDArray[np.uint8] | None:
        path = self._by_hex.get(_plain_hex(code))
        if path is None:
            return None
        return np.asarray(Image.open(path).convert("RGBA").resize((SIDE, SIDE)))


class _IconSet:
    """One Iconify JSON file: icons as SVG bodies, found by name or by the emoji's code points."""

    def __init__(self, cache: Path, name: str) -> None:
        folder = sources.iconify(cache, name)
        data = json.loads((folder / "icons.json").read_text())
        self._icons: dict[str, dict[str, object]] = data["icons"]
        self._aliases: dict[str, dict[str, str]] = data.get("aliases", {})
        self._size = (data.get("width", 16), data.get("height", 16))
        chars = folder / "chars.json"
        table = json.loads(chars.read_text()) if chars.exists() else {}
        self._by_hex = {_plain_hex(code): icon for code, icon in table.items()}

    def names(self) -> list[str]:
        """Icon names without the variants of one drawing (outlined, thin, negative ...)."""
        variant = re.compile(
            r"-(outline|off|bold|thin|light|duotone|negative|24px|variant|alert|check|plus|minus|lock)(-|$)"
        )
        return [name for name in self._icons if not variant.search(name)]

    def render_emoji(self, code: str, label: str) -> NDArray[np.uint8] | None:
        for name in (self._by_hex.get(_plain_hex(code), ""), *_spellings(code, label)):
            pixels = self.render(name)
            if pixels is not None:
                return pixels
        return None

    def render(self, name: str) -> NDArray[np.uint8] | None:
        icon = self._icons.get(name) or self._icons.get(self._aliases.get(name, {}).get("parent", ""))
        if icon is None:
            return None
        left, top = icon.get("left", 0), icon.get("top", 0)
        width, height = icon.get("width", self._size[0]), icon.get("height", self._size[1])
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{left} {top} {width} {height}">{str(icon["body"]).replace("currentColor", "black")}</svg>'
        )
        try:
            drawn = resvg_py.svg_to_bytes(svg_string=svg, width=SIDE, height=SIDE)
        except ValueError:
            return None
        image = Image.open(io.BytesIO(bytes(drawn))).convert("RGBA")
        return np.asarray(image if image.size == (SIDE, SIDE) else image.resize((SIDE, SIDE)))
