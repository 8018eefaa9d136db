"""Whether this machine can draw the cards: fonts by apt, pictograms by npm."""

from __future__ import annotations

import subprocess

from benchmarks.cards import Split, pictures
from benchmarks.cards.fonts import ROOT
from benchmarks.cards.splits import FACES, FALLBACK


def missing(split: Split) -> str:
    """Why the cards of a split cannot be drawn, "" where they can. Fetches the split's pictograms (a few MB)."""
    lacking = sorted({face.file for face in (*FACES[split].all, *FALLBACK) if not (ROOT / face.file).is_file()})
    if lacking:
        return f"fonts are not installed ({', '.join(lacking[:3])}{', ...' if lacking[3:] else ''}); see `make fonts`"
    try:
        pictures.fetch(split)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"pictograms could not be fetched with npm ({error})"
    return ""
