"""Stands in for runc: adds a hook to a container that is about to be made, and then is runc.

Docker calls it by the name of a runtime (`docker run --runtime pipework`). It is run without the packages of Python
(`-IS`), since it costs each container its start-up; so it imports nothing of pipework.

    oci_runtime.py RUNC HOOK-WORD... -- ARGUMENT-OF-RUNC...
"""

from __future__ import annotations

import json
import os
import sys

#: By these names containers ask, in the environment that Docker gives them.
_WORD = "pipework_cmd"


def find_bundle(words: list[str]) -> str:
    """Return the folder of the container that runc is to create; empty when it is to do something else."""
    if "create" not in words and "run" not in words:
        return ""
    for at, word in enumerate(words):
        if word in {"--bundle", "-b"} and at + 1 < len(words):
            return words[at + 1]
        if word.startswith("--bundle="):
            return word.removeprefix("--bundle=")
    return "."


def add_hook(path: str, hook: list[str]) -> None:
    """Add the hook to the container's configuration, when its environment asks (the OCI specification, config.md)."""
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    variables = config.get("process", {}).get("env") or []
    if not any(_WORD in variable.partition("=")[0] for variable in variables):
        return
    hooks = config.setdefault("hooks", {}).setdefault("createRuntime", [])
    hooks.insert(0, {"path": hook[0], "args": hook, "timeout": 60})
    temporary = f"{path}.pipework"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(config, file)
    os.replace(temporary, path)


def main() -> None:
    """Add the hook, and become runc."""
    at = sys.argv.index("--")
    runc, *hook = sys.argv[1:at]
    words = sys.argv[at + 1 :]
    bundle = find_bundle(words)
    if bundle:
        add_hook(os.path.join(bundle, "config.json"), hook)
    os.execvp(runc, [runc, *words])  # noqa: S606 - what this stands in for


if __name__ == "__main__":
    main()
