"""Programs and documents written for the SDK keep working."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from gatepost_client.testing import FakeServer

ROOT = Path(__file__).parents[2]
README = ROOT / "clients" / "python" / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(300)
def test_programs_written_for_older_versions_type_check() -> None:
    programs = sorted(map(str, Path(__file__).parent.glob("usage_*.py")))
    assert programs
    command = [sys.executable, "-m", "mypy", "--strict", *programs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout


def test_the_sdk_in_ten_lines_is_ten_lines() -> None:
    assert len(BLOCKS[0].strip().splitlines()) == 10


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_the_readmes_code_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeServer() as server:
        monkeypatch.setenv("GATEPOST_TARGET", server.target)
        monkeypatch.chdir(tmp_path)
        Image.new("RGB", (64, 64), "red").save("card.png")
        (tmp_path / "cards").mkdir()
        Image.new("RGB", (64, 64), "red").save("cards/1.png")
        code = code.replace("localhost:50051", server.target)
        names: dict[str, object] = {"__name__": "readme"}
        exec(compile(code, str(README), "exec"), names)
        for name, value in names.items():
            if name.startswith("test_"):
                value()  # type: ignore[operator]
        printed = capsys.readouterr().out
    if "show it" in code:
        assert printed == "show it\n"
    assert "Unavailable" not in printed
    assert "error" not in printed.lower()
    # The block about TLS makes no call, and the one with a fake asks its own.
    assert server.received or "Tls(" in code or "FakeServer" in code
