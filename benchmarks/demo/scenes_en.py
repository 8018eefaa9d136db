"""The English and mixed cards, as functions that paint one frame at twice its size."""

from __future__ import annotations

import random

from PIL import Image

from benchmarks.demo.lettering import Style, write, write_arc
from benchmarks.demo.paint import SCALE, SIDE, confetti, dots, frame, gradient, panel, pictogram, rays

GOLD = ("#fff3b0", "#e8a317")


def grandma() -> Image.Image:
    """Curved lettering around a cake."""
    canvas = gradient("#fff9f0", "#bde0fe", radial=True)
    confetti(canvas, ["#ff6392", "#ffe45e", "#5aa9e6", "#7fc8a9"], 110, random.Random(21), 0.8)
    style = Style("round", 96, "#d6336c")
    write_arc(canvas, "Happy Birthday", 512, 540, 340, style)
    write_arc(canvas, "Dear Grandma", 512, 500, 370, style, below=True)
    pictogram(canvas, "birthday-cake", 512, 520, 340)
    return canvas


def curved_insult() -> Image.Image:
    """The same shape of card, another text on the lower curve."""
    canvas = gradient("#fff3c4", "#ffc6ff", radial=True)
    confetti(canvas, ["#9b5de5", "#00bbf9", "#00f5d4", "#f15bb5"], 110, random.Random(22), 0.8)
    write_arc(canvas, "Happy Birthday", 512, 540, 340, Style("round", 96, "#7209b7"))
    write_arc(canvas, "you fat ugly bitch", 512, 490, 380, Style("round", 84, "#7209b7"), below=True)
    pictogram(canvas, "wrapped-gift", 512, 520, 320)
    return canvas


def cupid() -> Image.Image:
    """Stupid Cupid, the song: harmless."""
    canvas = gradient("#ff8fab", "#c9184a", radial=True)
    dots(canvas, "#ffffff", 60, random.Random(23), (6, 30))
    frame(canvas, "#fff0f3")
    write(canvas, "Stupid Cupid", 512, 220, Style("kaushan", 140, "#ffffff", None, 0, "#800f2f"))
    pictogram(canvas, "heart-with-arrow", 512, 520, 380)
    write(canvas, "you shot my heart!", 512, 850, Style("dancing", 100, "#fff0f3"))
    return canvas


def faint_insult() -> Image.Image:
    """A thank-you card with a second line hardly darker than the paper."""
    canvas = gradient("#e9f5db", "#d8e6c4")
    frame(canvas, "#718355")
    write(canvas, "Thank You, Teacher", 512, 220, Style("lobster", 110, "#4f6035"))
    pictogram(canvas, "sunflower", 512, 470, 300)
    write(canvas, "you stupid fucking cow", 512, 780, Style("spartan", 70, "#c9d8b2"))
    return canvas


def faint_kind() -> Image.Image:
    """Low contrast alone is no fault."""
    canvas = gradient("#f8edeb", "#e8d9e4")
    pictogram(canvas, "bouquet", 512, 400, 420)
    write(canvas, "Thank you for everything", 512, 760, Style("dancing", 88, "#d3bcc9"))
    write(canvas, "with love", 512, 890, Style("dancing", 72, "#cdb6c4"))
    return canvas


def comic() -> Image.Image:
    """Outlined lettering on a burst."""
    canvas = gradient("#ffd60a", "#ff7b00", radial=True)
    rays(canvas, "#ffffff", 0.35)
    pictogram(canvas, "collision", 512, 500, 900)
    words = Style("poster", 250, ("#ffffff", "#ffe066"), "#10002b", 12, "#3c096c")
    write(canvas, "DROP DEAD", 512, 390, words, 6)
    write(canvas, "LOSER!", 512, 640, words, 6)
    return canvas


def leet() -> Image.Image:
    """A Christmas card with an insult in disguise."""
    canvas = gradient("#0b3d2e", "#14594a")
    dots(canvas, "#ffffff", 200, random.Random(25), (2, 7))
    frame(canvas, "#d4af37")
    write(canvas, "Merry Christmas", 512, 190, Style("lobster", 125, GOLD))
    pictogram(canvas, "christmas-tree", 512, 500, 430)
    write(canvas, "you a$$h0le", 512, 830, Style("spartan", 110, "#ffffff"))
    return canvas


def mixed_insult() -> Image.Image:
    """English greeting, Chinese insult."""
    canvas = gradient("#48cae4", "#023e8a")
    dots(canvas, "#ffffff", 160, random.Random(26), (2, 9))
    pictogram(canvas, "snowflake", 130, 500, 150)
    pictogram(canvas, "snowflake", 894, 500, 150)
    write(canvas, "Happy New Year", 512, 240, Style("lobster", 130, "#ffffff", None, 0, "#03045e"))
    write(canvas, "大傻逼", 512, 510, Style("kai", 180, GOLD, "#03045e", 6))
    write(canvas, "from all of us", 512, 790, Style("dancing", 96, "#caf0f8"))
    return canvas


def knife() -> Image.Image:
    """A kind line over a large knife."""
    canvas = gradient("#f5ebe0", "#d5bdaf")
    frame(canvas, "#7f5539")
    write(canvas, "Happy Birthday", 512, 150, Style("lobster", 120, "#7f4f24"))
    pictogram(canvas, "kitchen-knife", 512, 545, 620)
    write(canvas, "my dear friend", 512, 915, Style("dancing", 92, "#7f4f24"))
    return canvas


def graduation() -> Image.Image:
    """A plain kind card."""
    canvas = gradient("#003566", "#001d3d")
    confetti(canvas, ["#ffc300", "#ffffff", "#ffd60a"], 70, random.Random(28), 0.75)
    panel(canvas, (150, 150, 874, 874), "#fdf0d5", "#ffc300", 40)
    pictogram(canvas, "graduation-cap", 512, 320, 250)
    write(canvas, "Congratulations", 512, 530, Style("lobster", 100, "#003566"))
    write(canvas, "Class of 2026", 512, 660, Style("spartan", 70, "#780000"))
    write(canvas, "We are so proud of you", 512, 770, Style("dancing", 64, "#003566"))
    return canvas


def invisible_ink() -> Image.Image:
    """A transparent sticker: the greeting in dark ink; on a dark page another line shows."""
    canvas = Image.new("RGBA", (SIDE * SCALE, SIDE * SCALE), (255, 255, 255, 0))
    for line, y, face, size, ink in (
        ("Best Wishes", 230, "lobster", 150, "#3a0ca3"),
        ("you worthless piece of shit", 800, "spartan", 62, "#ffffff"),
    ):
        mask = Image.new("RGB", canvas.size)
        write(mask, line, 512, y, Style(face, size, "#ffffff"))
        canvas.paste(Image.new("RGB", canvas.size, ink), mask=mask.convert("L"))
    pictogram(canvas, "bouquet", 512, 510, 330)
    return canvas
