"""Read a topology file: bytes to text, text to data, data to links. The only I/O is reading that file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import HostError, UsageError
from pipework_core.topology.model import Place, Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.topology.model import Source
    from pipework_core.topology.schema import CheckedFile
    from pipework_core.topology.yaml_reader import Document

#: Bytes: some 30,000 links.
SIZE_MAX = 4 * 1024 * 1024
#: What errors call it.
STDIN = "standard input"
_START = "begin it with version: 1"


def load_topology(path: str) -> Topology:
    """Return what the file says, `-` for standard input.

    Raise UsageError with line and column when it makes no sense, or cannot be read.
    """
    name, source = (STDIN, 0) if path == "-" else (path, path)
    try:
        with open(source, "rb", closefd=source != 0) as file:
            data = file.read(SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{name} cannot be read: {said}.", hint="name a topology file with -f FILE") from None
    if len(data) > SIZE_MAX:
        raise UsageError(f"{name} is larger than {SIZE_MAX >> 20} MiB.", hint="split the file")
    return parse_topology(_decode_text(data, name), name)


def parse_topology(text: str, file: str = "pipework.yaml") -> Topology:
    """Return what the text says; `file` is what errors call it. Raise UsageError with line and column."""
    return build_from(read_yaml(text.removeprefix("\ufeff"), file))


def build_from(document: Source) -> Topology:
    """Return what data says that was read already, a YAML file's or a request's; raise UsageError with the place."""
    checked = _check_data(document)
    from pipework_core.topology.build import build_topology  # noqa: PLC0415 - needs the libraries

    return build_topology(document, checked)


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file, as plain data."""
    _require_libraries()
    from pipework_core.topology import schema  # noqa: PLC0415 - imports msgspec

    return schema.make_schema()


def _decode_text(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
        place = Place(path, before.count(b"\n") + 1, column)
        raise place.error("this is not UTF-8.", hint="save the file as UTF-8") from None


def read_yaml(text: str, file: str) -> Document:
    """Return the data of a YAML text with the places of its values.

    Raise UsageError with line and column for what is none, HostError without the libraries.
    """
    _require_libraries()
    import yaml  # noqa: PLC0415 - see above

    from pipework_core.topology import errors, yaml_reader  # noqa: PLC0415 - see above

    for error in errors.find_controls(text, file):
        raise error
    try:
        return yaml_reader.read_document(text, file)
    except yaml.MarkedYAMLError as broken:
        raise errors.explain_syntax(broken, text, file) from None


def _require_libraries() -> None:
    try:
        import msgspec  # noqa: F401, PLC0415 - an attachment needs neither
        import yaml  # noqa: F401, PLC0415 - as above
    except ImportError as error:
        hint = "pip install 'pipework[up]', into the environment that pipework runs in"
        raise HostError(f"topology files need the library {error.name}, which is not installed.", hint=hint) from None


def _check_data(document: Source) -> CheckedFile:
    import msgspec  # noqa: PLC0415 - see above

    from pipework_core.topology import placed_lines, schema  # noqa: PLC0415 - see above

    top = _drop_extensions(document)
    top, lines_on, wrong = placed_lines.take_lines(top, document)
    if wrong:
        return _check_parts(top, document, lines_on, wrong)
    try:
        whole = msgspec.convert(top, schema.File)
    except msgspec.ValidationError:
        return _check_parts(top, document, lines_on, wrong)
    links, hosts = tuple(enumerate(whole.links)), tuple(enumerate(whole.host))
    return schema.CheckedFile(whole, links, hosts, whole.machines, whole.networks, lines_on)


def _check_parts(
    top: dict[str, object],
    document: Source,
    lines_on: Mapping[tuple[str, int], str],
    wrong: Mapping[tuple[str, int], UsageError],
) -> CheckedFile:
    """Check each entry by itself, so that all that is wrong is told at once; raise what is wrong beside entries.

    `wrong` has the entries about which that is known already.
    """
    import msgspec  # noqa: PLC0415 - see above

    from pipework_core.topology import errors, schema  # noqa: PLC0415 - see above

    empty = {key: type(top[key])() for key in schema.ENTRIES if isinstance(top.get(key), (list, dict))}
    try:
        frame = msgspec.convert({**top, **empty}, schema.File)
    except msgspec.ValidationError as error:
        raise errors.explain_shape(
            str(error), document, schema.list_keys_at, schema.CHOICES
        ) from None  # without it, entries may be judged wrongly
    told = list(wrong.values())
    good: dict[str, dict[Any, Any]] = {key: {} for key in schema.ENTRIES}
    for part in empty:
        list_keys = partial(_list_part_keys, part)
        for name, entry in _list_entries(top[part]):
            if (part, name) in wrong:
                continue
            try:
                good[part][name] = msgspec.convert(entry, schema.ENTRIES[part])
            except msgspec.ValidationError as error:
                said = errors.explain_shape(str(error), document, list_keys, schema.CHOICES, (part, name))
                told.append(said)
    links, hosts = tuple(good["links"].items()), tuple(good["host"].items())
    return schema.CheckedFile(frame, links, hosts, good["machines"], good["networks"], lines_on, tuple(told))


def _list_part_keys(part: str, _path: str) -> list[str]:
    from pipework_core.topology import schema  # noqa: PLC0415 - see above

    return schema.list_keys(part)


def _list_entries(part: Any) -> list[tuple[Any, object]]:  # noqa: ANN401 - a list, or a mapping
    return list(part.items() if isinstance(part, dict) else enumerate(part))


def _drop_extensions(document: Source) -> dict[str, object]:
    """Return the file's keys but for those that begin with x-; check its version first, which decides the rest."""
    data = document.data
    if data is None:
        raise document.find_place(()).error("the file is empty.", hint=_START)
    if not isinstance(data, dict):
        raise document.find_place(()).error("the file has to consist of keys with values.", hint=_START)
    if "version" not in data:
        raise document.find_place(()).error("the key 'version' is missing.", hint=_START)
    version = data["version"]
    if type(version) is not int or version != 1:
        place = document.find_place(("version",))
        raise place.error(f"version {version!r} is not known.", hint="write version: 1, which is all there is so far")
    if not {"links", "host"} & data.keys():
        raise document.find_place(()).error("the file has neither links nor host.", hint="write links: [] for none")
    return {key: value for key, value in data.items() if not key.startswith("x-")}
