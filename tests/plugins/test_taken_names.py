"""A third party that takes the name of a built-in: an error for who writes that name, and nobody else's business."""

from __future__ import annotations

import pytest

from pipework_core.engine.guests import GuestDirectory
from pipework_core.model.errors import PluginError
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing import FakeDriver, make_context, make_facts, make_link
from plugins.strangers import BACKEND, RESOLVER

NIC = make_facts(host=[make_link("eth0", up=True)])


class Module:
    """What an entry point would lead to."""

    def __init__(self, name: str, code: str) -> None:
        exec(compile(code, name, "exec"), self.__dict__)  # noqa: S102 - the code is above
        self.__name__ = name


MACVLAN = Module("mine", BACKEND.replace('"tap"', '"macvlan"'))
DOCKER = Module("mine", RESOLVER.replace('"containerd"', '"docker"'))


def test_a_kind_that_is_written_names_both() -> None:
    with pytest.raises(PluginError, match="pipework itself and mine both provide 'macvlan'") as raised:
        make_context("macvlan:eth0 web1 10.0.0.1/24", MACVLAN, facts=NIC)
    assert raised.value.hint == "uninstall mine, or the other one"


def test_a_bare_name_means_the_built_in() -> None:
    assert make_context("eth0 web1 10.0.0.1/24", MACVLAN, facts=NIC).attachment.kind == "macvlan"


def test_what_was_made_goes_on_with_the_built_in() -> None:
    backend = PluginManager(warn=pytest.fail, third_parties=False, extra=[MACVLAN]).find_backend("macvlan")
    assert type(backend).__module__ == "pipework_backends.links.macvlan"


def test_a_runtime_that_is_written_names_both() -> None:
    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=[DOCKER])
    with pytest.raises(PluginError, match="pipework itself and mine both provide 'docker'"):
        GuestDirectory(plugins=plugins, driver=FakeDriver()).find_guest("docker:web1")
