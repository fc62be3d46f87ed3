"""The topology file: YAML in, a frozen `Topology` out. Nothing here asks or changes a host.

`load` reads a file, `parse` a text, `expand` names the guests of patterns and hands out addresses of pools.
`schema` is what editors check the file with. The libraries are an extra, `pipework[up]`, and are imported
with the first file that is read.
"""

from __future__ import annotations

from pipework_core.topology.expansion import expand
from pipework_core.topology.model import HostEntry, Link, Place, Pool, Topology
from pipework_core.topology.reading import load, parse, schema

__all__ = ["HostEntry", "Link", "Place", "Pool", "Topology", "expand", "load", "parse", "schema"]
