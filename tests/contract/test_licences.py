"""Nothing of what the locks install is under a licence that would bind gatepost or who runs it: no GPL, no AGPL."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[2] / "requirements"
# Lesser ("LGPL", "Lesser General Public") is another licence: a library of its own beside ours.
BINDING = re.compile(
    r"(?<!L)GPL|(?<!Lesser )General Public|Server Side Public|SSPL|Commons Clause|Non-?Commercial|BUSL", re.IGNORECASE
)
# Their metadata says nothing; these are in the LICENSE file, or where that is missing in the sources.
READ_BY_HAND = {
    "atheris": "Apache-2.0",
    "axe-playwright-python": "MIT",  # and axe-core, which it carries: MPL-2.0; tests only
    "cel-python": "Apache-2.0",
    "resvg-py": "MIT",
    "wordninja": "MIT",
}


def locked() -> list[str]:
    text = "\n".join((LOCKS / f"{lock}.lock").read_text() for lock in ("build", "gatepost", "torch-cpu"))
    return sorted(set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE)))


def stated(name: str) -> str:
    """All that the package's metadata says about its licence, on one line; a whole text by its title."""
    metadata = distribution(name).metadata
    free = (metadata.get("License") or "").strip()[:200]
    classifiers = [line for line in metadata.get_all("Classifier", []) if line.startswith("License ::")]
    return " | ".join(filter(None, [metadata.get("License-Expression"), free, *classifiers])).replace("\n", " ")


def test_no_package_binds_us() -> None:
    packages = [name for name in locked() if is_installed(name)]
    assert len(packages) > 100
    found = {name: stated(name) or READ_BY_HAND.get(name, "") for name in packages}
    assert not {name: licence for name, licence in found.items() if BINDING.search(licence)}
    assert not [name for name, licence in found.items() if not licence], "read its licence and write it down here"


def is_installed(name: str) -> bool:
    """Some are for other platforms; test_locks says whether one is missing here."""
    try:
        distribution(name)
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "AGPL-3.0-or-later",
        "GNU General Public License v3 (GPLv3)",
        "GNU Affero General Public License v3",
    ],
)
def test_a_binding_licence_is_seen(licence: str) -> None:
    assert BINDING.search(licence)


@pytest.mark.parametrize("licence", ["LGPL-3.0-only", "GNU Lesser General Public License v2 or later (LGPLv2+)", "MIT"])
def test_others_are_let_through(licence: str) -> None:
    assert not BINDING.search(licence)
