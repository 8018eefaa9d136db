"""What happens when a stub or the server dies, with a scripted server."""

from __future__ import annotations

import itertools
from threading import Event

import pytest
from structlog.testing import capture_logs

from gatepost_server.serving import supervisor
from gatepost_server.serving.management import ManagementError
from gatepost_server.serving.server import TritonFailedError
from gatepost_server.serving.settings import TritonSettings
from gatepost_server.serving.supervisor import Supervisor


class Management:
    def __init__(self, world):
        self.world = world

    def config(self, model):
        return {"name": model, "parameters": {"side": {"string_value": "1"}}}

    def load(self, model, config):
        self.world.loads.append((model, config))
        if self.world.refuse_loads:
            raise ManagementError("refused")
        self.world.start_stubs(model)


class Server:
    def __init__(self, settings, world):
        self.world = world
        self.pid = len(world.servers) + 100
        self.settings = settings
        self.started = 0.0
        self.code = None
        self.stopped = False
        self.management = Management(world)
        world.servers.append(self)

    def wait_ready(self, stop):
        if self.world.failing_starts and len(self.world.servers) > 1:
            self.world.failing_starts -= 1
            raise TritonFailedError("no model loaded")

    def exit_code(self):
        return self.code

    def stop(self):
        self.stopped = True


class World:
    """One host: its servers and stubs, and a clock that moves when somebody waits."""

    def __init__(self):
        self.servers, self.loads, self.waits = [], [], []
        self.stubs = {}  # process id to model name
        self.pids = itertools.count(1000)
        self.start_stubs("clip")
        self.start_stubs("decode")
        self.refuse_loads = False
        self.failing_starts = 0
        self.now = 0.0
        self.script = []  # one callable for each look of the supervisor; then it is stopped

    def start_stubs(self, model):
        self.stubs.update({next(self.pids): model for _ in range(2)})

    def kill_stub(self, model):
        del self.stubs[max(pid for pid, name in self.stubs.items() if name == model)]

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        if seconds != WATCH:
            return False
        if not self.script:
            return True
        self.script.pop(0)()
        return False


WATCH = 0.25


@pytest.fixture
def world(monkeypatch):
    world = World()
    monkeypatch.setattr(supervisor, "TritonServer", lambda settings: Server(settings, world))
    monkeypatch.setattr(supervisor, "find_stubs", lambda server: dict(world.stubs))
    monkeypatch.setattr(supervisor, "is_running", lambda pid, server: pid in world.stubs)
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: world.now)
    return world


@pytest.fixture
def run(world, tmp_path):
    def go(*script, **changed):
        world.script = list(script)
        settings = TritonSettings(repository=tmp_path, watch_interval_s=WATCH, restart_backoff_s=(1.0, 5.0), **changed)
        stop = Event()
        stop.wait = world.wait
        supervised = Supervisor(settings)
        supervised.start(stop)
        with capture_logs() as logs:
            outcome = supervised.run(stop)
        return outcome, [entry["event"] for entry in logs]

    return go


def nothing():
    pass


def dies(world):
    def die():
        world.servers[-1].code = -9

    return die


def test_a_healthy_server_is_left_alone(run, world):
    assert run(nothing, nothing) == (True, [])
    assert world.loads == []


def test_a_model_with_a_dead_stub_is_loaded_anew_with_something_changed(run, world):
    outcome, events = run(lambda: world.kill_stub("clip"), nothing)
    assert outcome
    assert events == ["triton.stub_died", "triton.stub_revived"]
    ((model, config),) = world.loads
    assert model == "clip"
    assert config["parameters"]["side"] == {"string_value": "1"}
    assert config["parameters"]["reload_nonce"]["string_value"]


def test_old_stubs_that_linger_after_a_reload_do_not_hide_a_new_death(run, world):
    """One of two died, the other one lingers beside the two new ones; then one of the new ones dies."""
    _, events = run(lambda: world.kill_stub("clip"), lambda: world.kill_stub("clip"), nothing)
    assert events == ["triton.stub_died", "triton.stub_revived"] * 2


def test_old_stubs_that_end_after_a_reload_are_not_missed(run, world):
    def old_one_ends():
        del world.stubs[min(pid for pid, name in world.stubs.items() if name == "clip")]

    _, events = run(lambda: world.kill_stub("clip"), old_one_ends, nothing)
    assert events == ["triton.stub_died", "triton.stub_revived"]


def test_a_load_that_fails_is_tried_again_at_the_next_look(run, world):
    def break_clip():
        world.kill_stub("clip")
        world.refuse_loads = True

    def mend():
        world.refuse_loads = False

    _, events = run(break_clip, mend)
    assert events == ["triton.stub_died", "triton.reload_failed", "triton.stub_died", "triton.stub_revived"]


def test_a_dead_server_is_started_again_at_the_same_address(run, world):
    outcome, events = run(dies(world), nothing)
    assert outcome
    assert events == ["triton.died", "triton.stopped", "triton.starting", "triton.ready"]
    first, second = world.servers
    assert first.stopped
    assert second.settings == first.settings
    assert second.settings.grpc_port > 0


def test_a_server_that_does_not_come_back_is_given_up_after_the_last_wait(run, world):
    world.failing_starts = 9
    outcome, events = run(dies(world), nothing)
    assert not outcome
    assert events[-1] == "triton.given_up"
    assert [wait for wait in world.waits if wait != WATCH] == [1.0, 5.0]
    assert all(server.stopped for server in world.servers)


def test_servers_that_keep_dying_young_are_given_up_too(run, world):
    outcome, events = run(*[dies(world)] * 3, nothing)
    assert not outcome
    assert events.count("triton.died") == 3


def test_a_server_that_lived_long_earns_its_successors_all_the_waits_again(run, world):
    def dies_old():
        world.now += 100
        world.servers[-1].code = -9

    outcome, _ = run(*[dies_old] * 4, nothing, healthy_after_s=60)
    assert outcome
    assert len(world.servers) == 5


def test_a_first_start_that_fails_is_the_caller_s_to_hear_and_leaves_nothing_running(world, tmp_path):
    world.failing_starts = 1
    world.servers.append(None)  # so that the next one counts as failing
    supervised = Supervisor(TritonSettings(repository=tmp_path))
    with pytest.raises(TritonFailedError):
        supervised.start(Event())
    assert world.servers[-1].stopped
    with pytest.raises(RuntimeError, match="not running"):
        supervised.server  # noqa: B018


def test_restarts_of_stubs_and_servers_are_told_but_not_first_starts(world, tmp_path):
    told = []

    class Told:
        def server_restarted(self):
            told.append("server")

        def stub_restarted(self, model):
            told.append(model)

    world.script = [lambda: world.kill_stub("clip"), dies(world), nothing]
    stop = Event()
    stop.wait = world.wait
    supervised = Supervisor(
        TritonSettings(repository=tmp_path, watch_interval_s=WATCH, restart_backoff_s=(1.0,)), Told()
    )
    supervised.start(stop)
    assert supervised.run(stop)
    assert told == ["clip", "server"]
