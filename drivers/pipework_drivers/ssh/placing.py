"""Puts scripts of ours on another machine, for the commands that need them in a place there.

They lie in a folder of root's alone on the tmpfs /run, and stay there until that machine starts anew: another desk may
be starting something from it at any time, the next run copies nothing, and it is a tenth of a megabyte. What runs on,
a DHCP client that stays, has copies of its own and does without.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError
from pipework_drivers.ssh.protocol import Job, quote_word
from pipework_drivers.ssh.scripts import read_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_drivers.ssh.scripts import ScriptFolder
    from pipework_drivers.ssh.session import Session

_ABSENT = 1


class Placing:
    """What was put there, or found there, in one session."""

    def __init__(self, session: Session, where: str) -> None:
        self._session = session
        self._where = where
        self._places: dict[str, str] = {}

    @property
    def places(self) -> Mapping[str, str]:
        """Where folders of scripts are there, by their paths here."""
        return self._places

    def place_folder(self, folder: str) -> None:
        """Have the scripts of a folder there: one round trip to ask for them, another one if they are not.

        Raises HostError when they cannot be, and when what has their name is not root's alone.
        """
        if folder in self._places:
            return
        scripts = read_folder(folder)
        code = self._session.run_jobs([Job(f"placed {quote_word(scripts.path)}")])[0].code
        if code == _ABSENT:
            self._send_scripts(scripts)
        elif code:
            raise HostError(
                f"{scripts.path} on {self._where} is not a folder of root's alone, and nothing in it is run.",
                hint=f"look there who made it (`ls -ld {scripts.path}`), remove it, and run this again",
            )
        self._places[folder] = scripts.path

    def _send_scripts(self, scripts: ScriptFolder) -> None:
        words = ["place", scripts.path, f"{scripts.path}.{os.urandom(4).hex()}"]
        words += [word for file in scripts.files for word in file]
        outcome = self._session.run_jobs([Job(" ".join(map(quote_word, words)))])[0]
        if outcome.code:
            said = (outcome.stderr.strip().splitlines() or ["no reason was given"])[0]
            raise HostError(
                f"the scripts that this takes cannot be written to {scripts.path} on {self._where}: {said}.",
                hint="is there room on /run there (`df /run`)?",
            )
