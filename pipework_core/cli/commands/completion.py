"""`pipework completion bash|zsh|fish`: print what lets a shell complete command lines of pipework.

The scripts ask `pipework completion reply -- WORD...`, with the words of the command line up to the cursor. The first
line of the answer is `files` where the name of a file may stand, else `words`; each of the others is a word, a
tabulator, and a few words about it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("completion bash|zsh|fish",)
HELP = (
    (
        "completion SHELL",
        "print a script for bash, zsh or fish, which completes commands, options, guests and interfaces",
    ),
)
OPTIONS = ()
EXAMPLES = (
    ("completion bash > /etc/bash_completion.d/pipework", "for everybody who uses bash"),
    ("completion zsh > /usr/local/share/zsh/site-functions/_pipework", "for zsh"),
    ("completion fish > ~/.config/fish/completions/pipework.fish", "for fish"),
)

_SHELLS = ("bash", "zsh", "fish")
_REPLY = "reply"


class CompletionRequest(Record):
    """The shell whose script is wanted; without one, the words for which candidates are."""

    shell: str = ""
    words: Sequence[str] = ()


def parse_request(args: ParsedArgs) -> CompletionRequest:
    """Return what is asked for; raise UsageError for a shell that there is no script for."""
    first, *rest = args.operands or ("",)
    if first == _REPLY:
        return CompletionRequest(words=rest)
    hint = "write pipework completion bash, zsh or fish"
    if first not in _SHELLS:
        raise UsageError(f"there is no completion for {first!r}." if first else "completion needs a shell.", hint=hint)
    if rest:
        raise UsageError(f"{rest[0]!r} is one word too many.", hint=f"write pipework completion {first}")
    return CompletionRequest(first)


def run(request: CompletionRequest, settings: Settings) -> int:
    """Print the script, or the candidates."""
    del settings
    if request.shell:
        from pkgutil import get_data

        print((get_data("pipework_core.cli.completion", f"shells/pipework.{request.shell}") or b"").decode(), end="")
        return 0
    from pipework_core.cli.completion.reply import complete_line

    *words, current = request.words or ("",)
    found = complete_line(words, current, os.environ)
    lines = ["files" if found.files else "words", *(f"{word}\t{said}" for word, said in found.candidates)]
    print("\n".join(lines))
    return 0
