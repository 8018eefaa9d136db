"""gatepostd calibrate, with the shipped model on a handful of pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from gatepost_server.cli.calibrate import CardsError, calibrate, read_list, write
from gatepost_server.cli.settings import default_repository
from gatepost_server.stages.clip.calibration import Calibration
from gatepost_server.stages.clip.model import Choice, ClipModel
from gatepost_server.stages.clip.questions import Questions

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::torch.jit.TracerWarning"
    ),
]

PROMPTS = default_repository() / "clip" / "1" / "prompts.yaml"


@pytest.fixture
def cards(tmp_path):
    """Plain coloured cards as kind ones; discs on black, of two shapes, as the other ones."""
    rows = ["file,category"]
    rng = np.random.default_rng(4)
    for number in range(16):
        label = "weapons" if number % 4 == 0 else ""
        picture = Image.new("RGB", (300, 200 + 50 * (number % 3)), tuple(int(c) for c in rng.integers(120, 255, 3)))
        if label:
            ImageDraw.Draw(picture).ellipse((80, 40, 220, 180), fill="black")
        picture.save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,{label}")
    (tmp_path / "cards.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return ClipModel(Choice(PROMPTS.parent, tmp_path_factory.mktemp("cache")))


def test_what_is_written_is_what_the_clip_step_reads(model, cards, tmp_path_factory):
    out = tmp_path_factory.mktemp("fitted")
    fits = calibrate(model, PROMPTS, cards, tiles=(0.6,), alarms=0.05)
    write(fits, PROMPTS, out, model="", pretrained="", tiles="0.6")
    assert fits.keys() == {"weapons"}
    assert Calibration.load(out / "calibration.json").lines.keys() == {"weapons"}
    kept = yaml.safe_load((out / "prompts.yaml").read_text())["categories"]["weapons"]
    all_of_them = yaml.safe_load(PROMPTS.read_text())["categories"]["weapons"]
    assert kept == [all_of_them[place] for place in fits["weapons"].entries]
    assert Questions.ask(model, out / "prompts.yaml").categories[0] == "weapons"
    assert json.loads((out / "calibration.json").read_text())["tiles"] == "0.6"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,category\na.png,swords\n", "swords"),
        ("file,category\na.png,weapons\n", "no kind cards"),
        ("name\na.png\n", "columns"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path, text, said):
    (tmp_path / "cards.csv").write_text(text)
    with pytest.raises(CardsError, match=said):
        read_list(tmp_path)


def test_a_file_that_is_no_picture_is_named(model, cards):
    (cards / "3.png").write_bytes(b"not a picture")
    with pytest.raises(CardsError, match=r"3\.png"):
        calibrate(model, PROMPTS, cards, tiles=(), alarms=0.05)
