"""What probe.py sends, and what it makes of whatever a neighbour sends. On a real segment: tests/lab/test_probe.py."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_backends.scripts import probe

OWN, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FOUR, SIX = socket.inet_aton("192.168.1.1"), socket.inet_pton(socket.AF_INET6, "fd00::1")
WANTED = {FOUR, SIX}
STRANGER = socket.inet_aton("192.168.1.9")


def reply(sender: bytes, mac: bytes = OTHER) -> bytes:
    body = probe.ARP.pack(1, 0x0800, 6, 4, 2, mac, sender, OWN, STRANGER)
    return probe.HEADER.pack(OWN, mac, probe.ETH_P_ARP) + body


def advertisement(target: bytes, *, mac: bytes = b"", hops: int = 255, code: int = 0, options: bytes = b"") -> bytes:
    if mac:
        options += bytes((2, 1)) + mac
    message = probe.NEIGHBOUR.pack(136, code, 0, 0, target) + options
    head = probe.IPV6.pack(6 << 28, len(message), 58, hops, target, bytes(16))
    return probe.HEADER.pack(OWN, OTHER, probe.ETH_P_IPV6) + head + message


def answer(frame: bytes) -> tuple[bytes, bytes] | None:
    return probe.holder(frame, OWN, WANTED)


TAKEN = {
    "a reply": reply(FOUR),
    "a request of the holder": probe.arp(OTHER, FOUR, STRANGER),
    "an announcement": probe.arp(OTHER, FOUR, FOUR),
    "a probe for the same": probe.arp(OTHER, bytes(4), FOUR),
    "padding behind a reply": reply(FOUR) + bytes(18),
    "an advertisement": advertisement(SIX),
    "an advertisement by proxy": advertisement(SIX, mac=OTHER),
    "an option in front": advertisement(SIX, options=bytes((14, 1)) + bytes(6), mac=OTHER),
    "detection of the same": probe.solicitation(OTHER, SIX),
}
FREE = {
    "our own probe": probe.arp(OWN, bytes(4), FOUR),
    "our own solicitation": probe.solicitation(OWN, SIX),
    "a request for it by somebody else": probe.arp(OTHER, STRANGER, FOUR),
    "another's reply": reply(STRANGER),
    "a probe for another": probe.arp(OTHER, bytes(4), STRANGER),
    "a reply without a sender": reply(bytes(4)),
    "an advertisement that a router passed on": advertisement(SIX, hops=254),
    "an advertisement with a code": advertisement(SIX, code=1),
    "an advertisement of another": advertisement(socket.inet_pton(socket.AF_INET6, "fd00::9")),
    "of another protocol": reply(FOUR)[:12] + b"\x08\x00" + reply(FOUR)[14:],
    "nothing": b"",
}


@pytest.mark.parametrize("frame", TAKEN.values(), ids=TAKEN.keys())
def test_who_has_an_address_is_found(frame: bytes) -> None:
    found = answer(frame)
    assert found in {(FOUR, OTHER), (SIX, OTHER)}


@pytest.mark.parametrize("frame", FREE.values(), ids=FREE.keys())
def test_what_proves_nothing_is_passed_over(frame: bytes) -> None:
    assert answer(frame) is None


def test_the_mac_is_the_one_that_is_advertised() -> None:
    """A proxy's own address stands in the Ethernet header, the holder's in the option."""
    third = bytes.fromhex("020000000003")
    assert answer(advertisement(SIX, mac=third)) == (SIX, third)
    assert answer(reply(FOUR, third)) == (FOUR, third)


def test_a_request_for_it_by_somebody_who_has_an_address_is_no_detection() -> None:
    frame = bytearray(probe.solicitation(OTHER, SIX))
    frame[14 + 8 : 14 + 24] = socket.inet_pton(socket.AF_INET6, "fd00::9")
    assert answer(bytes(frame)) is None


@pytest.mark.parametrize("whole", [reply(FOUR), advertisement(SIX), probe.solicitation(OTHER, SIX)])
def test_a_frame_that_was_cut_off_proves_nothing(whole: bytes) -> None:
    assert [size for size in range(len(whole)) if answer(whole[:size])] == []


@given(st.binary(max_size=120))
def test_no_frame_breaks_it(frame: bytes) -> None:
    assert answer(frame) is None or answer(frame)[0] in WANTED


@given(st.sampled_from([*TAKEN.values(), *FREE.values()]), st.data())
def test_no_change_of_a_frame_breaks_it(frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(0, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = answer(bytes(changed))
    assert found is None or (found[0] in WANTED and len(found[1]) == 6 and found[1] != OWN)


@given(st.binary(max_size=64))
def test_options_come_to_an_end(options: bytes) -> None:
    """An option of length 0 would be read for ever."""
    assert len(probe.link_address(options)) in {0, 6}


def test_a_solicitation_is_what_the_rfc_says() -> None:
    frame = probe.solicitation(OWN, SIX)
    assert frame[:6] == bytes.fromhex("3333ff000001")
    assert frame[14 + 7] == 255
    assert frame[14 + 8 : 14 + 24] == bytes(16)
    assert socket.inet_ntop(socket.AF_INET6, frame[14 + 24 : 14 + 40]) == "ff02::1:ff00:1"
    # The sum over pseudo header and message, its checksum included, is 0 (RFC 4443, 2.3).
    pseudo = frame[14 + 8 : 14 + 40] + (24).to_bytes(4) + (58).to_bytes(4)
    assert probe.checksum(pseudo + frame[14 + 40 :]) == 0


def test_every_address_is_asked_for_three_times_at_the_intervals_of_the_rfc() -> None:
    for _ in range(50):
        frames, end = probe.timetable(OWN, WANTED)
        fours = [due for due, frame in frames if frame == probe.arp(OWN, bytes(4), FOUR)]
        sixes = [due for due, frame in frames if frame == probe.solicitation(OWN, SIX)]
        assert len(fours) == len(sixes) == 3
        assert all(1 <= later - due <= 2 for due, later in pairwise(fours))
        assert 0 <= fours[0] <= 1
        assert end >= fours[-1] + 2
        assert end >= sixes[-1] + 1
        assert frames == sorted(frames)
