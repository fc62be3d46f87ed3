"""What goes wrong, in words of the API."""

from __future__ import annotations

from pipework_core.model.errors import ConflictError
from pipework_core.serve.problem import encode_problem


def test_no_hint_names_an_option_of_the_command_line() -> None:
    error = ConflictError("web1 has eth1 already.", hint="repeat with --replace to give up what is there")
    assert encode_problem(error)["hint"] == "DELETE it before, or PUT another interface of the guest"
