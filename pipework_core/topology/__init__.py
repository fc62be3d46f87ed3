"""The topology file: YAML in, a frozen `Topology` out. Nothing here asks or changes a host.

`load_topology` reads a file, `parse_topology` a text. `expand_topology` names the guests of patterns and hands out the
addresses of pools. `make_schema` is what editors check the file with. The libraries are an extra, `pipework[up]`, and
are imported with the first file that is read.
"""

from __future__ import annotations

from pipework_core.spec.pools import Pool
from pipework_core.topology.expand import expand_machines, expand_topology
from pipework_core.topology.load import load_topology, make_schema, parse_topology
from pipework_core.topology.model import HostEntry, Link, Machine, Network, Place, Topology

__all__ = [
    "HostEntry",
    "Link",
    "Machine",
    "Network",
    "Place",
    "Pool",
    "Topology",
    "expand_machines",
    "expand_topology",
    "load_topology",
    "make_schema",
    "parse_topology",
]
