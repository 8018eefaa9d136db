"""The clip stage with the weights that are shipped."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gatepost_server.domain.errors import GatepostError
from gatepost_server.domain.labels import CATEGORIES, Category
from gatepost_server.tensors.check import first_breach

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "model_repository" / "clip" / "1"
PICTOGRAMS = ROOT / "tests" / "data" / "pictograms"
WEAPONS = CATEGORIES.index(Category.WEAPONS)
BLADES = ("knife", "dagger", "swords")
KIND = ("cake", "flowers", "lantern", "rabbit", "fireworks", "dragon", "balloon")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::torch.jit.TracerWarning"
    ),
]
REVIEW = 0.5  # the default policy's


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    from gatepost_server.stages.clip import Clip

    return Clip({"directory": str(SHIPPED), "cache": str(tmp_path_factory.mktemp("clip")), "device": "cpu"})


def card(*things, corner=False, size=(512, 512), ground=(250, 240, 225)):
    """A card with one thing large in the middle, or the things small in the corners."""
    picture = Image.new("RGB", size, ground)
    side = int(min(size) * (0.3 if corner else 0.7))
    corners = [(size[0] - side - 12, size[1] - side - 12), (12, 12), (size[0] - side - 12, 12)]
    places = corners if corner else [((size[0] - side) // 2, (size[1] - side) // 2)]
    for name, place in zip(things, places, strict=False):
        drawn = Image.open(PICTOGRAMS / f"{name}.png").convert("RGBA").resize((side, side))
        picture.paste(drawn, place, drawn)
    return np.asarray(picture)


def item(*views, prompt=""):
    return {"CLIP_PIXELS": np.stack(views), "PROMPT": np.array([prompt.encode()], dtype=object)}


def scores(clip, *views):
    (result,) = clip.run([item(*views)])
    return result.arrays["IMAGE_SCORES"]


# Daggers are held out of the training (training/clip/risk.yaml): they need only stand out, below.
@pytest.mark.parametrize("weapon", ["knife", "swords"])
def test_a_large_drawn_weapon_is_found(clip, weapon):
    assert scores(clip, card(weapon))[WEAPONS] >= REVIEW


def test_a_weapon_in_one_corner_of_a_kind_card_is_found(clip):
    assert scores(clip, card("swords", "cake", "flowers", corner=True))[WEAPONS] >= REVIEW


@pytest.mark.parametrize("weapon", BLADES)
def test_a_small_weapon_scores_far_above_every_kind_thing(clip, weapon):
    kind = max(scores(clip, card(thing, "cake", "flowers", corner=True))[WEAPONS] for thing in KIND)
    assert scores(clip, card(weapon, "cake", "flowers", corner=True))[WEAPONS] > 2 * kind


@pytest.mark.parametrize("thing", KIND)
def test_kind_pictograms_score_low_everywhere(clip, thing):
    assert scores(clip, card(thing)).max() < 0.5


def test_the_region_points_at_the_weapon(clip):
    (result,) = clip.run([item(card("dagger", "cake", "flowers", corner=True))])
    x0, y0, x1, y1 = result.arrays["IMAGE_REGIONS"][WEAPONS]
    assert x0 <= 0.83 <= x1  # the dagger's middle
    assert y0 <= 0.83 <= y1


def test_a_weapon_in_any_view_counts(clip):
    assert scores(clip, card("cake"), card("rabbit"), card("knife"))[WEAPONS] >= REVIEW


def test_a_batch_answers_as_each_request_alone(clip):
    items = [item(card("knife"), prompt="a knife"), item(card("cake", size=(384, 512)), card("cake", size=(384, 512)))]
    together = clip.run(items)
    for one, alone in zip(together, (clip.run([each])[0] for each in items), strict=True):
        for name, value in alone.arrays.items():
            np.testing.assert_allclose(one.arrays[name], value, atol=0.03, err_msg=name)


def test_the_prompt_that_fits_is_more_similar(clip):
    for picture, fitting, other in (
        (card("cake"), "一个生日蛋糕", "一把刀"),
        (card("rabbit"), "a cute rabbit", "a red lantern"),
        (card("knife"), "a kitchen knife", "a bouquet of flowers"),
    ):
        right, wrong = clip.run([item(picture, prompt=fitting), item(picture, prompt=other)])
        assert right.arrays["PROMPT_SIMILARITY"][0] > wrong.arrays["PROMPT_SIMILARITY"][0]


def test_without_a_prompt_there_is_no_similarity(clip):
    (result,) = clip.run([item(card("cake"))])
    assert math.isnan(result.arrays["PROMPT_SIMILARITY"][0])


def test_a_prompt_that_is_no_utf8_or_endless_is_still_answered(clip):
    for prompt in (b"\xff\xfe\x00", b"x" * 1_000_000, b"\x00", "　".encode()):
        (result,) = clip.run([{**item(card("cake")), "PROMPT": np.array([prompt], dtype=object)}])
        assert first_breach(clip.contract.outputs, result.arrays) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 512), (512, 1), (512, 7), (3, 2)])
def test_degenerate_pictures_are_judged_like_any_other(clip, size):
    (result,) = clip.run([item(np.full((size[1], size[0], 3), 200, dtype=np.uint8))])
    assert first_breach(clip.contract.outputs, result.arrays) is None
    assert np.isfinite(result.arrays["IMAGE_SCORES"]).all()
    assert np.linalg.norm(result.arrays["EMBEDDING"]) == pytest.approx(1, abs=1e-3)


def test_pixels_of_no_use_are_that_requests_error_alone(clip):
    bad = {**item(card("cake")), "CLIP_PIXELS": np.zeros((0, 8, 8, 3), dtype=np.uint8)}
    first, second, third = clip.run([item(card("cake")), bad, item(card("knife"))])
    assert isinstance(second, GatepostError)
    assert first.arrays["IMAGE_SCORES"][WEAPONS] < 0.5 < third.arrays["IMAGE_SCORES"][WEAPONS]


def test_an_empty_batch_has_no_answers(clip):
    assert list(clip.run([])) == []


def test_open_clip_itself_gives_the_same_vectors(clip, tmp_path):
    """The service's converted image tower and trimmed texts against open_clip's float32 on the expanded folder."""
    import open_clip
    import torch

    from gatepost_server.stages.clip.expand import expanded

    folder = expanded(SHIPPED, tmp_path)
    net, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", pretrained_text=False)
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    picture = card("knife", "cake", corner=True)
    texts = ["a birthday cake", "一把刀", "a much longer caption about a red lantern, a rabbit and some flowers"]
    with torch.inference_mode():
        image = net.eval().encode_image(preprocess(Image.fromarray(picture))[None], normalize=True).numpy()
        text = net.encode_text(tokenize(texts), normalize=True).numpy()
    (result,) = clip.run([item(picture)])
    assert float(image[0] @ result.arrays["EMBEDDING"]) > 0.99
    similarities = [clip.run([item(picture, prompt=each)])[0].arrays["PROMPT_SIMILARITY"][0] for each in texts]
    np.testing.assert_allclose(similarities, image[0] @ text.T, atol=0.03)


def test_a_folder_of_open_clips_can_be_named_and_its_path_is_not_told(clip, tmp_path):
    from gatepost_server.stages.clip import Clip
    from gatepost_server.stages.clip.expand import expanded

    folder = expanded(SHIPPED, tmp_path)
    calibration = str(SHIPPED / "calibration.json")
    stage = Clip(
        {"directory": str(SHIPPED), "model": f"local-dir:{folder}", "calibration": calibration, "device": "cpu"}
    )
    np.testing.assert_allclose(scores(stage, card("knife")), scores(clip, card("knife")), atol=0.03)
    (model,) = stage.models
    assert model.name == folder.name
    assert len(model.version) == 12


def test_another_open_clip_model_can_be_named(tmp_path):
    """A model of open_clip's own list with a checkpoint file; random weights will do."""
    import open_clip
    import torch

    from gatepost_server.stages.clip import Clip

    checkpoint = tmp_path / "random.pt"
    torch.save(open_clip.create_model("RN50-quickgelu").state_dict(), checkpoint)
    stage = Clip(
        {
            "directory": str(SHIPPED),
            "model": "RN50-quickgelu",
            "pretrained": str(checkpoint),
            "tiles": "",
            "device": "cpu",
        }
    )
    (result,) = stage.run([item(card("cake"), prompt="a cake")])
    assert result.arrays["EMBEDDING"].shape == (1024,)
    assert first_breach(stage.contract.outputs, result.arrays) is None
    assert stage.models[0].name == "RN50-quickgelu"
