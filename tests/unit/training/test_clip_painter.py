"""Cards that torch draws: things are where the plan puts them, and what is done to them is done."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from training.clip.cards import CANVAS, SIDE
from training.clip.painter import Painter, jpeg
from training.clip.plans import Ground, Layer, Plan

WHITE, RED, BLUE = (255, 255, 255), (200, 20, 20), (0, 0, 255)
PLAIN = Ground((WHITE, WHITE), 0)
SCALE = SIDE / CANVAS


@pytest.fixture(scope="module")
def painter():
    """One sprite whose left half is opaque blue and whose right half is clear, and one word that fills its box."""
    sprite = np.zeros((1, 144, 144, 4), np.uint8)
    sprite[0, :, :72] = (*BLUE, 255)
    return Painter(sprite, np.full((1, 64, 704), 255, np.uint8), "cpu")


def plan(**more):
    parts = {
        "ground": PLAIN, "backdrop": None, "lettering": (), "pictograms": (), "over": (), "window": (0, 0, CANVAS),
        "caption": "", "concepts": (), "risks": (),
    }  # fmt: skip
    return Plan(**(parts | more))


def painted(painter, one):
    return painter.paint([one]).permute(0, 2, 3, 1).numpy()[0]


def at(picture, x, y):
    return picture[round(y * SCALE), round(x * SCALE)].tolist()


def test_a_pictogram_stands_in_its_box_and_nowhere_else(painter):
    picture = painted(painter, plan(pictograms=(Layer(0, (60, 90, 120, 120)),)))
    assert at(picture, 75, 150) == list(BLUE)
    assert at(picture, 165, 150) == list(WHITE)  # the clear half
    assert at(picture, 30, 150) == at(picture, 75, 60) == at(picture, 75, 225) == list(WHITE)


def test_mirroring_turning_and_tinting_change_which_half_and_which_colour(painter):
    mirrored = painted(painter, plan(pictograms=(Layer(0, (60, 60, 120, 120), mirrored=True),)))
    assert at(mirrored, 75, 120) == list(WHITE)
    assert at(mirrored, 165, 120) == list(BLUE)
    turned = painted(painter, plan(pictograms=(Layer(0, (60, 60, 120, 120), angle=90.0),)))
    assert at(turned, 120, 165) == list(BLUE)  # a quarter turn anticlockwise brings the left half down
    assert at(turned, 120, 75) == list(WHITE)
    tinted = painted(painter, plan(pictograms=(Layer(0, (60, 60, 120, 120), tint=RED, tinted=1.0),)))
    assert at(tinted, 75, 120) == list(RED)


def test_a_turned_sprite_lies_as_pil_turns_it(painter):
    sprite = np.zeros((144, 144, 4), np.uint8)
    sprite[:, :72] = (*BLUE, 255)
    turned = Image.fromarray(sprite).rotate(25, Image.Resampling.BILINEAR).resize((120, 120), Image.Resampling.BILINEAR)
    canvas = Image.new("RGB", (CANVAS, CANVAS), WHITE)
    canvas.paste(turned, (60, 60), turned)
    expected = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(float)
    ours = painted(painter, plan(pictograms=(Layer(0, (60, 60, 120, 120), angle=25.0),))).astype(float)
    assert np.abs(ours - expected).mean() < 3
    assert (np.abs(ours - expected).max(axis=2) > 60).mean() < 0.02


def test_a_window_shows_its_part_of_the_card(painter):
    picture = painted(painter, plan(pictograms=(Layer(0, (120, 120, 120, 120)),), window=(120, 120, 120)))
    assert picture[80, 40].tolist() == list(BLUE)
    assert picture[80, 120].tolist() == list(WHITE)


def test_cards_of_one_batch_do_not_meet(painter):
    ours = plan(pictograms=(Layer(0, (60, 60, 120, 120)),), over=(Layer(0, (0, 0, 700, 40), tint=RED, tinted=1.0),))
    batch = painter.paint([plan(), ours, plan(ground=Ground((RED, BLUE), 0))]).permute(0, 2, 3, 1).numpy()
    assert (batch[0] == 255).all()
    np.testing.assert_array_equal(batch[1], painted(painter, ours))
    assert batch[2, 80, 0, 0] > batch[2, 80, -1, 0]  # from red to blue


def test_ornaments_of_the_ground_are_drawn(painter):
    ground = Ground((WHITE, WHITE), 0, dots=((120, 120, 7, RED),), frame=(6, 6, BLUE))
    picture = painted(painter, plan(ground=ground))
    assert at(picture, 120, 120) == list(RED)
    assert at(picture, 120, 9) == list(BLUE)
    assert at(picture, 120, 60) == list(WHITE)


@pytest.mark.parametrize("quality", [35, 60, 90])
def test_jpeg_loses_about_what_libjpeg_loses(quality):
    rng = np.random.default_rng(quality)
    smooth = rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)
    picture = Image.fromarray(smooth).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0)
    theirs = np.asarray(Image.open(buffer)).astype(float)
    before = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 255
    ours = (jpeg(before, torch.tensor([float(quality)]))[0].permute(1, 2, 0).numpy() * 255).round()
    truth = np.asarray(picture).astype(float)
    assert np.abs(ours - theirs).mean() < 0.35 * np.abs(theirs - truth).mean() + 0.5


def test_the_same_generator_draws_the_same_noise(painter):
    noisy = plan(noise=10.0)
    first, again = (painter.paint([noisy], torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert len(first.unique()) > 5
