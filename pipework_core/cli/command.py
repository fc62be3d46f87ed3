"""What a module of a command holds. To add a command, write such a module, and a line in `spec.options.COMMANDS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.parser import Settings
    from pipework_core.spec.options import ParsedArgs


class CommandModule(Protocol):
    """A module of `pipework_core.cli.commands`."""

    @property
    def USAGE(self) -> Sequence[str]:  # noqa: N802 - a constant of a module
        """The lines of `--help` that show its forms, without the word pipework."""

    @property
    def HELP(self) -> Sequence[tuple[str, str]]:  # noqa: N802 - a constant of a module
        """The entries of `--help` about it: a term and one sentence."""

    @property
    def OPTIONS(self) -> Sequence[str]:  # noqa: N802 - a constant of a module
        """The names of the options that it takes beside `spec.options.GENERAL`."""

    def parse_request(self, args: ParsedArgs) -> Any:  # noqa: ANN401 - each command has a type of its own
        """Return what the words ask for; raise UsageError when they make no sense."""

    def run(self, request: Any, settings: Settings) -> int:  # noqa: ANN401 - as above
        """Do it, print what came of it, and return the exit code."""
