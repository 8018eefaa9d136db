"""Characters that differ in a stroke or two look alike; those that change a wish do not."""

from __future__ import annotations

import pytest

from gatepost_server.text.glyphs import look_alike


@pytest.mark.parametrize("pair", ["未末", "果呆", "王玉", "早旱", "年牛", "o0", "l1", "好好"])
def test_what_a_reader_mixes_up_looks_alike_either_way(pair):
    assert look_alike(*pair)
    assert look_alike(*reversed(pair))


@pytest.mark.parametrize("pair", ["余难", "爱恨", "爸妈", "福祸", "生死", "乐哭", "69", "46", "二三", "千十", "ax"])
def test_what_says_something_else_does_not(pair):
    assert not look_alike(*pair)
