"""Who: every state a runtime can report, and every way into a wrong namespace that must stay closed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.guests import GuestDirectory
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import GuestError, PipeworkError, UsageError
from pipework_core.model.plan import Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import HOST_INODE, FakeDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipework_core.model.context import Guest
    from pipework_core.model.plan import Command

ID = "4f0c" * 16
UNKNOWN = Outcome(code=1, stderr="Error: No such container: web1")
NO_LXC = Outcome(code=1, stderr="web1 doesn't exist")


def container(*, pid: int = 42, status: str = "running", network: str = "none", asked: float = 100.0) -> Outcome:
    answer = {"id": ID, "name": "/web1", "pid": pid, "status": status, "network": network}
    return Outcome(code=0, stdout=json.dumps(answer), asked=asked)


def runtimes(answers: Mapping[str, Outcome]) -> Callable[[Command], Outcome]:
    """Return a handler that answers for each program; the others know nobody."""
    return lambda command: answers.get(command.argv[0], NO_LXC if command.argv[0] == "lxc-info" else UNKNOWN)


def resolve(text: str, driver: FakeDriver) -> Guest:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    directory = GuestDirectory(plugins=PluginManager(warn=pytest.fail), driver=driver, warn=pytest.fail)
    return directory.find_guest(text, clock=lambda: now, sleep=sleep)


PINS = {"/proc/42/ns/net": PinnedNetns(inode=7, born=50.0)}


@pytest.mark.parametrize("name", ["web1", "docker:web1"])
def test_a_running_container_is_found_and_pinned(name: str) -> None:
    guest = resolve(name, FakeDriver(runtimes({"docker": container()}), pins=PINS))
    assert (guest.name, guest.runtime, guest.id, guest.pid, guest.inode) == ("web1", "docker", ID, 42, 7)
    assert guest.netns.path == "/proc/42/ns/net"


def test_podman_is_asked_when_docker_does_not_know_the_name() -> None:
    assert resolve("web1", FakeDriver(runtimes({"podman": container()}), pins=PINS)).runtime == "podman"


def test_lxc_is_found_by_lxc_info() -> None:
    answer = Outcome(code=0, stdout="State:          RUNNING\nPID:            42\n", asked=100.0)
    guest = resolve("web1", FakeDriver(runtimes({"lxc-info": answer}), pins=PINS))
    assert (guest.runtime, guest.pid) == ("lxc", 42)


def test_a_named_namespace_is_found() -> None:
    driver = FakeDriver(runtimes({}), pins={"/run/netns/web1": PinnedNetns(inode=9)})
    assert resolve("web1", driver).netns.path == "/run/netns/web1"
    assert resolve("netns:web1", driver).pid == 0


def test_a_hostile_name_stays_one_argument() -> None:
    driver = FakeDriver(runtimes({}))
    with pytest.raises(GuestError):
        resolve("web1; rm -rf $(x) 'y", driver)
    assert [command.argv[-1] for command in driver.reads if command.argv[0] == "docker"] == ["web1; rm -rf $(x) 'y"]


@pytest.mark.parametrize(
    ("name", "driver", "sentence", "hint"),
    [
        ("web1", FakeDriver(runtimes({})), "no running guest is called 'web1'", "netns:NAME"),
        ("docker:web1", FakeDriver(runtimes({})), "docker knows no guest 'web1'", "list"),
        ("netns:web1", FakeDriver(), "netns knows no guest 'web1'", "list"),
        ("pid:99", FakeDriver(), "pid knows no guest '99'", "list"),
        ("netns:../../etc", FakeDriver(), "netns knows no guest", "list"),
        (
            "web1",
            FakeDriver(runtimes({"docker": container(pid=0, status="exited")})),
            "the docker guest 'web1' is not running (exited)",
            "start it",
        ),
        (
            "web1",
            FakeDriver(runtimes({"lxc-info": Outcome(code=0, stdout="State: STOPPED\n")})),
            "the lxc guest 'web1' is not running (stopped)",
            "start it",
        ),
        (
            "web1",
            FakeDriver(runtimes({"docker": container(pid=0, status="created")})),
            "did not start within 3 seconds",
            "start it",
        ),
        (
            "web1",
            FakeDriver(runtimes({"docker": container(network="host")}), pins=PINS),
            "shares the host's own network",
            "network of its own",
        ),
        (
            "pid:42",
            FakeDriver(pins={"/proc/42/ns/net": PinnedNetns(inode=HOST_INODE)}),
            "shares the host's own network",
            "network of its own",
        ),
        (
            "pid:42",
            FakeDriver(pins={"/proc/42/ns/net": PinnedNetns(inode=77), "/proc/1/ns/net": PinnedNetns(inode=77)}),
            "shares the host's own network",
            "network of its own",
        ),
        (
            "4f",
            FakeDriver(
                runtimes({"docker": Outcome(code=1, stderr="Error: Multiple IDs found with provided prefix: 4f")})
            ),
            "ambiguous",
            "more of the ID",
        ),
        (
            "web1",
            FakeDriver(runtimes({"docker": container()}), pins={**PINS, "/run/netns/web1": PinnedNetns(inode=8)}),
            "'web1' is ambiguous: there are docker:web1 and netns:web1",
            "the one you mean",
        ),
        (
            "docker:web1",
            FakeDriver(runtimes({"docker": Outcome(code=1, stderr="Cannot connect to the Docker daemon")})),
            "Cannot connect to the Docker daemon",
            "is docker running",
        ),
        (
            "web1",
            FakeDriver(runtimes({"docker": Outcome(code=1, stderr="Cannot connect to the Docker daemon")})),
            "no running guest is called 'web1' (docker does not answer: Cannot connect",
            "netns:NAME",
        ),
        (
            "podman:web1",
            FakeDriver(runtimes({"podman": Outcome(code=125, stderr='level=error msg="db"\nError: no such driver\n')})),
            "podman does not answer: no such driver",
            "is podman running",
        ),
        ("docker:web1", FakeDriver(programs=frozenset()), "docker is not installed here", "install it"),
        ("docker:web1", FakeDriver(runtimes({"docker": Outcome(code=0, stdout="<html>")})), "no JSON", ""),
        ("rkt:web1", FakeDriver(), "there is no runtime 'rkt'", "docker, podman"),
        (
            "web1",
            FakeDriver(runtimes({"docker": container(asked=10.0)}), pins=PINS),
            "did not start within 3 seconds",
            "",
        ),
    ],
)
def test_every_other_state_is_its_own_clear_error(name: str, driver: FakeDriver, sentence: str, hint: str) -> None:
    with pytest.raises(PipeworkError if "no runtime" in sentence else GuestError) as raised:
        resolve(name, driver)
    assert sentence in str(raised.value)
    assert "level=error" not in str(raised.value)
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    "name", ["", "-v", "a\nb", "docker:", "pid:0", "pid:x", "pid:-1", "pid:²", f"pid:{'9' * 5000}"]
)
def test_what_is_no_name_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolve(name, FakeDriver())
    assert raised.value.hint


def test_a_container_that_is_just_starting_is_waited_for() -> None:
    answers = iter([container(pid=0, status="created"), container(pid=0, status="created"), container()])
    driver = FakeDriver(lambda command: next(answers) if command.argv[0] == "docker" else NO_LXC, pins=PINS)
    assert resolve("docker:web1", driver).pid == 42


def test_a_process_born_after_the_runtime_was_asked_is_a_recycled_pid() -> None:
    answers = iter([container(asked=10.0), container(asked=60.0)])
    driver = FakeDriver(lambda _: next(answers), pins=PINS)
    assert resolve("docker:web1", driver).pid == 42
    assert len(driver.reads) == 2, "the first answer must not have been believed"


OTHER_ID = "9e1d" * 16


@pytest.mark.parametrize(
    "groups",
    [
        f"0::/system.slice/docker-{OTHER_ID}.scope\n",
        f"12:pids:/docker/{OTHER_ID}\n0::/system.slice/docker.service\n",
        f"0::/../{OTHER_ID}\n",
        f"0::/machine.slice/libpod-{OTHER_ID}.scope/container\n",
    ],
)
def test_a_process_of_another_container_is_of_an_engine_elsewhere(groups: str) -> None:
    pins = {"/proc/42/ns/net": PinnedNetns(inode=7, born=50.0, groups=groups)}
    with pytest.raises(GuestError, match=r"process 42 of this machine is not 'web1': docker's engine") as caught:
        resolve("web1", FakeDriver(runtimes({"docker": container()}), pins=pins))
    assert caught.value.hint


@pytest.mark.parametrize(
    "groups",
    [
        "",
        "0::/\n",
        "11:cpu:/\n0::/\n",
        "0::/user.slice/user-1000.slice/user@1000.service/docker.service\n",
        f"0::/system.slice/docker-{ID}.scope\n",
        f"0::/docker/{OTHER_ID}/docker/{ID}\n",
        f"5:pids:/docker/{ID}/inner\n0::/system.slice/containerd.service\n",
        f"0::/../../docker-{ID}.scope\n",
    ],
)
def test_a_process_that_may_be_of_the_container_is_not_refused(groups: str) -> None:
    pins = {"/proc/42/ns/net": PinnedNetns(inode=7, born=50.0, groups=groups)}
    assert resolve("web1", FakeDriver(runtimes({"docker": container()}), pins=pins)).pid == 42


@pytest.mark.parametrize(("user", "hint"), [(0, "look at the list"), (1000, "run pipework as root")])
def test_an_unknown_guest_and_a_runtime_that_refuses_an_ordinary_user(
    monkeypatch: pytest.MonkeyPatch, user: int, hint: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    refusal = Outcome(code=1, stderr="permission denied while trying to connect to the Docker daemon socket")
    with pytest.raises(GuestError, match="no running guest is called 'web1'") as caught:
        resolve("web1", FakeDriver(runtimes({"docker": refusal})))
    assert caught.value.hint.startswith(hint)


def test_one_namespace_under_two_names_is_no_ambiguity() -> None:
    driver = FakeDriver(runtimes({"docker": container()}), pins={**PINS, "/run/netns/web1": PinnedNetns(inode=7)})
    assert resolve("web1", driver).runtime == "docker"


@pytest.mark.parametrize("name", ["docker:web1/../web2", "docker:../images", "podman:a/b"])
def test_a_name_is_no_path_of_the_runtimes_api(name: str) -> None:
    driver = FakeDriver(runtimes({"docker": container(), "podman": container()}), pins=PINS)
    with pytest.raises(GuestError, match="knows no guest"):
        resolve(name, driver)
    assert driver.reads == []


@pytest.mark.parametrize(("runtime", "variable"), [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST")])
def test_an_engine_on_another_machine_knows_none_of_our_processes(
    monkeypatch: pytest.MonkeyPatch, runtime: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "tcp://192.0.2.1:2375")
    driver = FakeDriver(runtimes({runtime: container()}), pins=PINS)
    with pytest.raises(GuestError, match=f"{variable} sends {runtime} to tcp://192.0.2.1:2375") as raised:
        resolve(f"{runtime}:web1", driver)
    assert variable in raised.value.hint
    assert driver.reads == []
