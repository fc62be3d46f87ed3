"""`/metrics`, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipework_core.engine.attachments import AttachmentStatus

CONTENT_TYPE = CONTENT_TYPE_LATEST
#: Seconds: an attachment takes some ten milliseconds, a lease seconds.
_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """What is counted, in a registry of its own.

    `kinds` are those that there are: a guest's root can make up others, and Prometheus keeps each value of a label.
    """

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = kinds
        self._registry = CollectorRegistry()
        self._runs = Counter(
            "pipework_runs", "Changes that were carried out or failed.", ["command"], registry=self._registry
        )
        self._failures = Counter(
            "pipework_failures", "Changes that failed and were undone.", ["command"], registry=self._registry
        )
        self._refusals = Counter("pipework_refusals", "Requests that the policy refused.", registry=self._registry)
        self._seconds = Histogram(
            "pipework_run_seconds", "How long changes took.", ["command"], buckets=_BUCKETS, registry=self._registry
        )
        self._attachments = Gauge(
            "pipework_attachments", "What is attached.", ["kind", "state"], registry=self._registry
        )
        self._leases = Gauge(
            "pipework_leases", "Leases whose DHCP client is to stay.", ["alive"], registry=self._registry
        )

    def count_run(self, command: str, seconds: float, *, failed: bool) -> None:
        """Count a change."""
        self._runs.labels(command).inc()
        self._seconds.labels(command).observe(seconds)
        if failed:
            self._failures.labels(command).inc()

    def count_refusal(self) -> None:
        """Count what the policy refused."""
        self._refusals.inc()

    def write(self, found: Iterable[AttachmentStatus]) -> bytes:
        """Return all figures, those of attachments from the list as it is now."""
        self._attachments.clear()
        self._leases.clear()
        for status in found:
            kind = status.kind if status.kind in self._kinds else "other"
            self._attachments.labels(kind, status.state).inc()
            if status.dhcp and status.alive is not None:
                self._leases.labels("yes" if status.alive else "no").inc()
        return generate_latest(self._registry)
