"""The frame that asks for DHCP servers, and what is believed of answers: anybody can send any."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from pipework_backends import script

NUMBER, MAC, SERVER = b"\x01\x02\x03\x04", b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x99"


@pytest.fixture(scope="module")
def probe() -> Any:  # noqa: ANN401 - a script
    spec = importlib.util.spec_from_file_location("dhcp_servers", script("dhcp_servers.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(probe: Any, options: bytes = b"\x35\x01\x02\x36\x04\x0a\0\0\x01\xff") -> bytes:  # noqa: ANN401 - as above
    """Return an offer, made of the question."""
    asked = bytearray(probe.discover(MAC, NUMBER))
    asked[0:12] = MAC + SERVER
    asked[34:38] = b"\0\x43\0\x44"
    asked[42] = probe.REPLY
    return bytes(asked[: 14 + 20 + 8 + 236]) + probe.COOKIE + options


def test_an_offer_names_its_server(probe: Any) -> None:  # noqa: ANN401 - as above
    assert probe.offerer(answer(probe), NUMBER) == ("10.0.0.1", "02:00:00:00:00:99")


def test_whatever_is_short_or_else_is_none(probe: Any) -> None:  # noqa: ANN401 - as above
    good = answer(probe)
    for length in range(len(good) - 1):  # but for the end
        assert probe.offerer(good[:length], NUMBER) is None
    assert probe.offerer(good, b"\0\0\0\0") is None
    assert probe.offerer(probe.discover(MAC, NUMBER), NUMBER) is None
    for options in (
        b"\x35\x01\x05\x36\x04\x0a\0\0\x01\xff",
        b"\x36\x04\x0a\0\0\x01\xff",
        b"\x35\x01\x02\x36\x03\x0a\0\0",
    ):
        assert probe.offerer(answer(probe, options), NUMBER) is None
    for place in range(len(good)):
        for value in (0, 255):
            probe.offerer(good[:place] + bytes((value,)) + good[place + 1 :], NUMBER)
