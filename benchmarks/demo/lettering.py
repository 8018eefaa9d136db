"""Writing on cards: straight, vertical, along an arc; with shadow, outline and gradient. Positions in a 1024 card."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.demo.paint import SCALE, Colour, gradient

_FOLDER = "/usr/share/fonts/"
FACES = {
    "sans": ("opentype/noto/NotoSansCJK-Bold.ttc", 2),
    "black": ("opentype/noto/NotoSansCJK-Black.ttc", 2),
    "serif": ("opentype/noto/NotoSerifCJK-Black.ttc", 2),
    "kai": ("truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf", 0),
    "brush": ("truetype/arphic/ukai.ttc", 0),
    "lobster": ("opentype/lobstertwo/LobsterTwo-Bold.otf", 0),
    "dancing": ("opentype/dancingscript/DancingScript-Bold.otf", 0),
    "kaushan": ("opentype/kaushanscript/KaushanScript-Regular.otf", 0),
    "round": ("truetype/comfortaa/Comfortaa-Bold.ttf", 0),
    "poster": ("opentype/bebas-neue/BebasNeue-Bold.otf", 0),
    "spartan": ("opentype/league-spartan/LeagueSpartan-Black.otf", 0),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How letters look. `fill` is one colour or the two ends of a gradient; widths in pixels of the card."""

    face: str
    size: int
    fill: Colour | tuple[Colour, Colour] = "white"
    outline: Colour | None = None
    outline_width: int = 0
    shadow: Colour | None = None

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        path, index = FACES[self.face]
        return ImageFont.truetype(_FOLDER + path, self.size * SCALE, index=index)


def write(canvas: Image.Image, text: str, x: int, y: int, style: Style, angle: float = 0) -> None:
    """One line, its middle at (x, y), turned by `angle` degrees counter-clockwise."""
    _place(canvas, _letters(text, style), x, y, angle, style.shadow)


def write_down(canvas: Image.Image, text: str, x: int, y: int, style: Style, spacing: float = 1.12) -> None:
    """One column of upright characters from (x, y), the middle of the first one."""
    for index, character in enumerate(text):
        write(canvas, character, x, round(y + index * style.size * spacing), style)


def write_arc(
    canvas: Image.Image, text: str, x: int, y: int, radius: int, style: Style, *, below: bool = False
) -> None:
    """Along a circle around (x, y): over the top, or `below` along the bottom; characters stand on the circle."""
    font = style.font
    widths = [font.getlength(character) / SCALE for character in text]
    angle = -sum(widths) / radius / 2
    for character, width in zip(text, widths, strict=True):
        middle = angle + width / radius / 2
        side = -1 if below else 1
        place = x + radius * math.sin(middle), y - side * radius * math.cos(middle)
        write(canvas, character, round(place[0]), round(place[1]), style, -side * math.degrees(middle))
        angle += width / radius


def _letters(text: str, style: Style) -> Image.Image:
    """RGBA, just large enough for the text. All letters of a font share a baseline."""
    font, stroke = style.font, style.outline_width * SCALE
    left, _, right, _ = font.getbbox(text, stroke_width=stroke)
    ascent, descent = font.getmetrics()
    size = round(right - left) + 8 * SCALE, ascent + descent + 2 * stroke + 8 * SCALE
    origin = 4 * SCALE - left, 4 * SCALE + stroke
    layer = Image.new("RGBA", size)
    if style.outline is not None:
        ImageDraw.Draw(layer).text(
            origin, text, font=font, fill=style.outline, stroke_width=stroke, stroke_fill=style.outline
        )
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text(origin, text, font=font, fill=255)
    top, bottom = (style.fill, style.fill) if isinstance(style.fill, str) else style.fill
    layer.paste(gradient(top, bottom, size=size), mask=mask)
    return layer


def _place(canvas: Image.Image, layer: Image.Image, x: int, y: int, angle: float, shadow: Colour | None) -> None:
    turned = layer.rotate(angle, Image.Resampling.BICUBIC, expand=True) if angle else layer
    corner = x * SCALE - turned.width // 2, y * SCALE - turned.height // 2
    if shadow is not None:
        soft = turned.getchannel("A").point(lambda value: value * 0.6).filter(ImageFilter.GaussianBlur(3 * SCALE))
        canvas.paste(Image.new("RGB", turned.size, shadow), (corner[0] + 4 * SCALE, corner[1] + 5 * SCALE), soft)
    canvas.paste(turned, corner, turned)
