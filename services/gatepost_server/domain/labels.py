"""The closed vocabularies that evidence and decisions are written in."""

from __future__ import annotations

from enum import StrEnum


class Category(StrEnum):
    """A kind of harm. The order is the wire order of every score vector: append, never reorder."""

    INSULT = "insult"
    HATE = "hate"
    THREAT = "threat"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    WEAPONS = "weapons"
    SELF_HARM = "self_harm"
    DRUGS = "drugs"
    HATE_SYMBOL = "hate_symbol"
    SPAM = "spam"
    ILL_OMEN = "ill_omen"
    OFF_SCRIPT = "off_script"


CATEGORIES: tuple[Category, ...] = tuple(Category)


class Decision(StrEnum):
    """What may happen to an image; only ALLOW means that it may be shown."""

    ALLOW = "ALLOW"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"
    HOLD = "HOLD"


class StageName(StrEnum):
    """The Triton models of the ensemble, in the order of the data flow."""

    DECODE = "decode"
    OCR_DETECT = "ocr_detect"
    OCR_RECOGNIZE = "ocr_recognize"
    TEXT_TOXICITY = "text_toxicity"
    CLIP = "clip"
    FUSION = "fusion"


class Background(StrEnum):
    """What a transparent image was laid on before the nets looked at it."""

    OPAQUE = "opaque"
    WHITE = "white"
    BLACK = "black"
