"""The Chinese cards, as functions that paint one frame at twice its size."""

from __future__ import annotations

import random

from PIL import Image

from benchmarks.demo.lettering import Style, write, write_arc, write_down
from benchmarks.demo.paint import confetti, disc, dots, finished, firework, frame, gradient, panel, pictogram, rays

GOLD = ("#fff3b0", "#e8a317")
DARK_RED = "#5c0008"


def new_year(*lines: str) -> Image.Image:
    """A red card with lanterns and fireworks; one or two large gold lines."""
    canvas = gradient("#e2231a", "#8e0610", radial=True)
    rays(canvas, "#ff5a3c", 0.10)
    for x, y, radius in ((185, 330, 110), (840, 300, 130), (512, 190, 95)):
        firework(canvas, x, y, radius, "#ffcf5c")
    frame(canvas, "#f2c14e")
    for x, size in ((130, 190), (894, 190)):
        pictogram(canvas, "red-paper-lantern", x, 150, size)
    large = Style("kai", 190 if len(lines) > 1 else 225, GOLD, "#7a0a00", 5, "#400000")
    for index, line in enumerate(lines):
        write(canvas, line, 512, 555 + round(210 * (index - (len(lines) - 1) / 2)), large)
    pictogram(canvas, "firecracker", 150, 850, 170)
    pictogram(canvas, "red-envelope", 880, 850, 150, 10)
    pictogram(canvas, "tangerine", 512, 880, 120)
    return canvas


def couplets(right: str, left: str, top: str, middle: str = "福") -> Image.Image:
    """Spring couplets: read from the top, the right column first."""
    canvas = gradient("#fdf3dc", "#f2d9a6")
    dots(canvas, "#ffffff", 60, random.Random(3), (4, 14))
    panel(canvas, (262, 70, 762, 210), "#c3161c", "#f0b429")
    letters = Style("kai", 96, "#22130a")
    write(canvas, top, 512, 140, letters)
    for x, column in ((880, right), (144, left)):
        panel(canvas, (x - 82, 90, x + 82, 974), "#c3161c", "#f0b429")
        write_down(canvas, column, x, 170, letters, 1.23)
    diamond = Image.new("RGBA", (520, 520), "#c3161c").rotate(45, expand=True, resample=Image.Resampling.BICUBIC)
    canvas.paste(diamond, (1024 - diamond.width // 2, 1130 - diamond.height // 2), diamond)
    write(canvas, middle, 512, 565, Style("kai", 210, GOLD))
    pictogram(canvas, "pine-decoration", 512, 880, 170)
    return canvas


def fish() -> Image.Image:
    """年年有鱼 (a fish every year: plenty)."""
    canvas = gradient("#12a5a0", "#04506b")
    dots(canvas, "#c9fff5", 90, random.Random(5), (3, 16))
    frame(canvas, "#ffe08a")
    write(canvas, "年年有鱼", 512, 240, Style("brush", 190, ("#fffbe0", "#ffd24d"), "#05445a", 6, "#01242f"))
    pictogram(canvas, "tropical-fish", 512, 590, 400)
    pictogram(canvas, "tropical-fish", 230, 800, 170, 12, mirror=True)
    pictogram(canvas, "tropical-fish", 800, 830, 150, -10)
    write(canvas, "新春大吉", 512, 900, Style("kai", 84, "#fff3b0"))
    return canvas


def dog_year() -> Image.Image:
    """狗年旺旺 (a thriving year of the dog): harmless, though 狗 is in many insults."""
    canvas = gradient("#ffcf56", "#f0802b", radial=True)
    confetti(canvas, ["#e2231a", "#ffffff", "#c1121f", "#fff3b0"], 100, random.Random(7), 0.72)
    frame(canvas, "#c1121f")
    write_arc(canvas, "狗年旺旺", 512, 640, 400, Style("black", 165, ("#e2231a", "#9c0b12"), "#fff6da", 8, "#8a4a00"))
    pictogram(canvas, "dog-face", 512, 610, 400)
    write(canvas, "恭喜发财", 512, 895, Style("kai", 110, "#8e0610"))
    return canvas


def moon_festival() -> Image.Image:
    """A mixed card under a large moon."""
    canvas = gradient("#0b1d4d", "#3b2a72")
    dots(canvas, "#ffffff", 140, random.Random(9), (1, 4))
    disc(canvas, 512, 500, 265, "#fff8d6", "#f4d06f")
    write(canvas, "中秋快乐", 512, 430, Style("kai", 125, ("#7a3b00", "#4d2200")))
    write(canvas, "Happy Mid-Autumn", 512, 130, Style("lobster", 110, GOLD))
    pictogram(canvas, "rabbit", 420, 640, 190)
    pictogram(canvas, "moon-cake", 620, 660, 150)
    write(canvas, "月圆人团圆", 512, 900, Style("kai", 100, "#ffe9ad"))
    return canvas


def longevity(verse: str) -> Image.Image:
    """A birthday card for the old, peaches and a large 寿."""
    canvas = gradient("#fff1e6", "#ffc9b9")
    frame(canvas, "#b5302a")
    write(canvas, "寿", 512, 360, Style("brush", 400, ("#d4322c", "#8e0f12"), None, 0, "#e0a090"))
    for x, angle in ((190, 12), (834, -12)):
        pictogram(canvas, "peach", x, 420, 210, angle)
    write(canvas, verse, 512, 730, Style("kai", 104, "#7a1512"))
    pictogram(canvas, "cherry-blossom", 190, 870, 110)
    pictogram(canvas, "cherry-blossom", 834, 870, 110)
    return canvas


def upside_down(text: str) -> Image.Image:
    """A graduation card whose large line stands on its head."""
    canvas = gradient("#1c3d72", "#0d1f40", radial=True)
    confetti(canvas, ["#ffd166", "#ef476f", "#06d6a0", "#ffffff"], 100, random.Random(11), 0.7)
    write(canvas, "毕业快乐", 512, 240, Style("sans", 130, ("#ffffff", "#ffd166"), None, 0, "#000820"))
    pictogram(canvas, "graduation-cap", 512, 475, 270)
    write(canvas, text, 512, 770, Style("sans", 140, "#ffd166", "#0a1730", 4), angle=180)
    return canvas


def split_lines(lines: tuple[str, ...]) -> Image.Image:
    """A tear-off poster: the words break in the middle of what they say."""
    canvas = gradient("#fff7e0", "#ffe2b8")
    for index, colour in enumerate(("#e63946", "#f4a261", "#2a9d8f", "#264653")):
        panel(canvas, (0, 1004 - 20 * index - 20, 1024, 1024 - 20 * index), colour, colour, 0)
    pictogram(canvas, "party-popper", 160, 170, 190)
    pictogram(canvas, "party-popper", 864, 170, 190, mirror=True)
    write(canvas, "祝", 512, 170, Style("kai", 170, "#c1121f"))
    for index, line in enumerate(lines):
        write(canvas, line, 512, 400 + 190 * index, Style("black", 165, "#1d3557"))
    return canvas


def birthday(line: str, lit: int) -> Image.Image:
    """One frame of a birthday animation; `lit` shifts the lights."""
    canvas = gradient("#ffd6e8", "#c084d6")
    dots(canvas, "#ffffff", 70, random.Random(100 + lit), (4, 18))
    pictogram(canvas, "birthday-cake", 512, 640, 430)
    pictogram(canvas, "balloon", 150, 330, 200, 8)
    pictogram(canvas, "balloon", 880, 330, 200, -8)
    write(canvas, line, 512, 270, Style("kai", 150, ("#d6246e", "#7b2cbf"), "#ffffff", 8))
    return canvas


def advert() -> Image.Image:
    """Contacts where a wedding greeting was asked for."""
    canvas = gradient("#fff0f3", "#ffb3c1")
    frame(canvas, "#c9184a")
    pictogram(canvas, "money-bag", 165, 250, 150)
    pictogram(canvas, "red-envelope", 860, 250, 150)
    write(canvas, "限时抽奖", 512, 250, Style("black", 110, "#c9184a"))
    write(canvas, "加微信领红包", 512, 480, Style("black", 125, "#a4133c", "#ffffff", 5))
    write(canvas, "微信号 hb0000000", 512, 670, Style("sans", 84, "#590d22"))
    write(canvas, "点击 hongbao.example", 512, 830, Style("sans", 76, "#590d22"))
    return canvas


def small(canvas: Image.Image) -> Image.Image:
    """A frame of an animation: half the side of a card."""
    return finished(canvas, 512)
