"""Every command and every program in the documents runs, against a real gatepost; or it is in a list that says why not,
and is held against the programs' own parsers. A new one that does neither fails here."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.stack import Stack
from gatepost_client import Client
from gatepost_client.tickets import JwksUrl
from gatepost_server.gateway.credentials.caller import Role
from gatepost_server.gateway.credentials.token_file import TokenStore
from gatepost_server.policy.book import open_book
from gatepost_server.records.sql_record import SqlRecord
from gatepost_server.tickets.folder import KeyFolder
from tests.builders import evidence, line, request
from tests.docs_commands import PAGES, PYTHON, ROOT, Command, blocks, commands, mentions
from tests.docs_known import check
from tests.e2e.conftest import CARDS
from tests.unit.records.record_contract import entry
from tests.unit.rescan.random_results import stored
from tests.unit.rescan.stored_results import write_results

pytestmark = pytest.mark.timeout(600)

SERVES = "serves until Ctrl-C; what else is shown runs against such a server"
MEASURES = "takes minutes to hours"
TESTS = "CI runs it"
CONTAINERS = "there is no container engine and no cluster here"
FETCHES = "asks a registry"
ELSEWHERE = "names machines, buckets or files of nobody's; tests of its own run it"

# What is not run here, by its beginning, and why. It is looked up instead (tests/docs_known.py).
NOT_RUN: dict[str, str] = {
    r"make (demo|test|test-unit|setup|test-browser)\b": TESTS,
    r"make (serve|console-demo)\b": SERVES,
    r"(\S*/)?gatepostd (--\S+ \S+ )*(up|triton|gateway|console)( --\S+( \S+)?)*\s*(#.*)?$": SERVES,
    r"GATEPOST_\S+=.* gatepostd (up|gateway|triton)": SERVES,
    r"\S*gatepostd calibrate": ELSEWHERE,
    r"\S*python -m (benchmarks|training)\.": MEASURES,
    r"(\S*/)?gatepostd tune\b": MEASURES,
    r"(docker|kubectl) ": CONTAINERS,
    r"pip install ": FETCHES,
    r"pre-commit install": "would change this repository's hooks",
    r"gatepostd rescan (s3:|cards\.parquet|.*--in-process)": ELSEWHERE,
    r"gatepost check .*gate\.example": ELSEWHERE,
    r"gatepost file-gate ": SERVES,
    r"gatepostd bank (preview|remove) [0-9a-z]+|gatepostd bank preview": ELSEWHERE,
    r"gatepost (watch|appeal) verdicts/": ELSEWHERE,
    r"gatepostd keys revoke KID": ELSEWHERE,
    r'gatepostd bank add .*"shown on Monday"': "loads a net for seconds, as the same command of docs/bank.md does, which runs",
}
NOT_LOOKED_UP = ("pre-commit",)  # programs that are not ours

# What ends otherwise than with 0 when all is well.
ENDS_WITH: dict[str, tuple[int, ...]] = {
    r"\S*gatepost check ": (0, 1),  # 1: some were not allowed
    r".*gatepostd? doctor": (0, 1),
}

# Programs that need what is not there: by page and the text that they hold.
PROGRAMS_NOT_RUN: dict[tuple[str, str], str] = {
    ("docs/security.md", "Tls("): "needs a gateway with these certificates: tests/integration/test_gateway_mtls.py",
    ("clients/python/README.md", ""): "run against a fake server: tests/contract/test_client_usage.py",
}


@dataclass
class Scene:
    """A folder with the files that documents speak of, and the server that they mean."""

    folder: Path
    stack: Stack
    environment: dict[str, str] = field(default_factory=dict)

    def meant(self, text: str) -> str:
        """The documents' addresses, here."""
        http = f"http://{self.stack.http}"
        for said in ("https://gatepost.internal", "http://127.0.0.1:41873", "http://127.0.0.1:8080"):
            text = text.replace(said, http)
        return re.sub(r"\b(localhost|127\.0\.0\.1):50051\b", self.stack.address, text)

    def lacks(self, command: Command) -> str:
        """A program of others that is not installed, such as jq; "" where all are there."""
        programs = [words[0] for words in command.simple() if "/" not in words[0]]
        return next((name for name in programs if shutil.which(name, path=self.environment["PATH"]) is None), "")

    def run(self, command: Command) -> subprocess.CompletedProcess[str]:
        """In bash, with a card on standard input, for those who read it."""
        with (self.folder / "card.png").open("rb") as card:
            return subprocess.run(
                ["bash", "-o", "pipefail", "-c", self.meant(command.text)],
                cwd=self.folder,
                env=self.environment,
                stdin=card,
                capture_output=True,
                text=True,
                timeout=300,
            )


def not_run(command: Command) -> str:
    """Why; "" where it runs."""
    return next((why for pattern, why in NOT_RUN.items() if re.match(pattern, command.text)), "")


def exit_codes(command: Command) -> tuple[int, ...]:
    return next((codes for pattern, codes in ENDS_WITH.items() if re.match(pattern, command.text)), (0,))


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a gatepostd leaves in its state folder: a record, a ring of keys, a token."""
    folder = tmp_path_factory.mktemp("state") / "gatepost"
    folder.mkdir()

    async def written() -> None:
        record = SqlRecord.in_file(folder / "record.db")
        await record.open()
        await record.add([entry(1, subject="user-4711")])
        await record.close()

    asyncio.run(written())
    KeyFolder(folder / "ticket-keys").init()
    TokenStore(folder / "credentials.json").new("cards", [Role.MODERATE], id="first")
    return folder.parent


@pytest.fixture
def scene(stack: Stack, state: Path, tmp_path: Path) -> Scene:
    """Files that pages name: a card that is allowed, one that is not, folders of them, results, policies."""
    Image.open(CARDS / "new_year.jpg").save(tmp_path / "card.png")
    Image.open(CARDS / "new_year_replaced.jpg").save(tmp_path / "bad.png")
    for name in ("new_year.jpg", "new_year_replaced.jpg"):
        shutil.copy(CARDS / name, tmp_path)
    (tmp_path / "cards").mkdir()
    shutil.copy(tmp_path / "card.png", tmp_path / "cards")
    scanned = [evidence(lines=[line("祝你草泥马")]), evidence()]
    card = open_book().get("greeting-card")
    write_results(tmp_path / "results", [stored(place, each, request(), card) for place, each in enumerate(scanned)])
    policy = ROOT / "services" / "gatepost_server" / "policy" / "policies" / "greeting-card.yaml"
    shutil.copy(policy, tmp_path / "new.yaml")
    for shared in (".venv", "benchmarks", "services"):
        (tmp_path / shared).symlink_to(ROOT / shared)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    shutil.copytree(state, tmp_path / "state")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEPOST_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "GATEPOST_TARGET": stack.address,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    return Scene(tmp_path, stack, environment)


PAGES_WITH_COMMANDS = [page for page in PAGES if any(not not_run(command) for command in commands(page))]


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=named)
def test_the_commands_of_a_page_run(page: Path, scene: Scene) -> None:
    if any(command.text.startswith("gatepostd keys init ") for command in commands(page)):
        shutil.rmtree(scene.folder / "state" / "gatepost" / "ticket-keys")
    left_out = []
    for command in commands(page):
        if not_run(command):
            continue
        if lacking := scene.lacks(command):
            left_out.append(f"{command.place}, for there is no {lacking} here")
            continue
        done = scene.run(command)
        assert done.returncode in exit_codes(command), f"{command.place}: {command.text}\n{done.stdout}{done.stderr}"
    if left_out:
        pytest.skip(f"NOT RUN: {'; '.join(left_out)}")


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page) or mentions(page)], ids=named)
def test_what_is_not_run_is_there(page: Path) -> None:
    """Commands, options, targets, modules, files and extras by name."""
    for command in [each for each in commands(page) if not_run(each)] + mentions(page):
        for words in command.simple():
            if words[0] in NOT_LOOKED_UP:
                continue
            try:
                check(words)
            except AssertionError as error:
                pytest.fail(f"{command.place}: {command.text}: {error}")


PAGES_WITH_PROGRAMS = [page for page in PAGES if any(block.language in PYTHON for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES_WITH_PROGRAMS, ids=named)
def test_the_programs_of_a_page_run(page: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order and in one namespace, for a page goes on where it was; it begins with what its text speaks of."""
    monkeypatch.chdir(scene.folder)
    monkeypatch.setenv("GATEPOST_TARGET", scene.stack.address)
    with Client(scene.stack.address, timeout=120) as client:
        image = (scene.folder / "card.png").read_bytes()
        names: dict[str, Any] = {
            "__name__": "page",
            "client": client,
            "image": image,
            "verdict": client.moderate(image, expected_text=["新年快乐", "仕途顺遂"]),
            "keys": JwksUrl(f"http://{scene.stack.http}/.well-known/jwks.json"),
            "site": _site,
        }
        for block in blocks(page):
            if block.language not in PYTHON or _why_no_program(page, block.text):
                continue
            exec(compile(scene.meant(block.text), block.place, "exec"), names)


def _why_no_program(page: Path, text: str) -> str:
    return next((why for (name, part), why in PROGRAMS_NOT_RUN.items() if name == named(page) and part in text), "")


async def _site(_scope: Any, _receive: Callable[..., Any], _send: Callable[..., Any]) -> None:
    """Somebody's ASGI application."""


def test_every_reason_is_needed() -> None:
    everything = [command.text for page in PAGES for command in commands(page)]
    idle = [pattern for pattern in NOT_RUN if not any(re.match(pattern, text) for text in everything)]
    assert idle == []
    for name, part in PROGRAMS_NOT_RUN:
        assert any(part in block.text for block in blocks(ROOT / name) if block.language in PYTHON), name
