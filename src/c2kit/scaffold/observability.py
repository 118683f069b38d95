"""How a mission is seen: what Prometheus asks whom, and a dashboard of Grafana."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from c2kit.scaffold.edges import AGENT_METRICS_PORT
from c2kit.scaffold.plan import HEALTH_PORT
from c2kit.scaffold.settings import Mesh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c2kit.scaffold.plan import Plan
    from c2kit.scaffold.rendering import Templates

__all__ = ["Panel", "dashboard", "scraping"]

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 24


@frozen(kw_only=True)
class Panel:
    """A picture of a few series."""

    title: str
    unit: str
    """As Grafana calls it."""
    queries: tuple[tuple[str, str], ...]
    """An expression, and what each of its series is called."""
    description: str = ""


def scraping(plan: Plan, templates: Templates) -> str:
    """What Prometheus asks: each stage, through the mesh's agent beside it where there is one."""
    has_mesh = plan.settings.mesh is Mesh.SIDECAR
    return templates.render(
        "prometheus.yaml.j2",
        mission=plan.mission,
        namespace=plan.namespace,
        monitoring=plan.settings.monitoring.namespace,
        path="/stats/prometheus" if has_mesh else "/metrics",
        port=AGENT_METRICS_PORT if has_mesh else HEALTH_PORT,
    )


def dashboard(plan: Plan, templates: Templates) -> str:
    """The dashboard, as Grafana imports it."""
    placed = [
        (panel, {"h": _HEIGHT, "w": _WIDTH, "x": number * _WIDTH % _COLUMNS, "y": number // 2 * _HEIGHT})
        for number, panel in enumerate(_panels(plan))
    ]
    return templates.render(
        "dashboard.json.j2", mission=plan.description.name, uid=f"c2kit-{plan.mission}"[:40], panels=placed
    )


def _panels(plan: Plan) -> Iterator[Panel]:
    where = f'namespace="{plan.namespace}"'
    yield Panel(
        title="Unaccounted",
        unit="short",
        description="Anything but 0 is an error of c2kit.",
        queries=(
            (f"sum by (stage, processor) (c2kit_processor_unaccounted{{{where}}})", "{{stage}} {{processor}}"),
            (f"sum by (stream) (c2kit_stream_unaccounted_records{{{where}}})", "{{stream}}"),
            (f"sum by (interface) (c2kit_interface_unaccounted_bytes{{{where}}})", "{{interface}}"),
        ),
    )
    yield Panel(
        title="Links that are connected",
        unit="bool_on_off",
        queries=((f'max by (interface) (c2kit_link_state{{{where}, state="connected"}})', "{{interface}}"),),
    )
    yield _rate("Received from devices", "Bps", "c2kit_link_received_bytes_total", "interface", where)
    yield _rate("Sent to devices", "Bps", "c2kit_link_sent_bytes_total", "interface", where)
    yield _rate("Packets taken", "pps", "c2kit_processor_taken_total", "stage, processor", where)
    yield _rate("Bytes that are part of no frame", "Bps", "c2kit_interface_discarded_bytes_total", "interface", where)
    yield Panel(
        title="Records that wait",
        unit="short",
        queries=((f"max by (stream, consumer) (c2kit_stream_lag_records{{{where}}})", "{{consumer}} of {{stream}}"),),
    )
    yield Panel(
        title="From input to commit, of 99 in 100",
        unit="s",
        queries=(
            (
                f"histogram_quantile(0.99, sum by (stage, le) (rate(c2kit_step_seconds_bucket{{{where}}}[5m])))",
                "{{stage}}",
            ),
        ),
    )
    yield Panel(
        title="Since the last commit",
        unit="s",
        queries=((f"time() - max by (stage) (c2kit_stage_last_commit_timestamp_seconds{{{where}}})", "{{stage}}"),),
    )
    yield Panel(
        title="Commands by fate, in an hour",
        unit="short",
        queries=((f"sum by (fate) (increase(c2kit_commands_total{{{where}}}[1h]))", "{{fate}}"),),
    )
    yield Panel(
        title="Set aside, in an hour",
        unit="short",
        queries=((f"sum by (stage) (increase(c2kit_dead_letters_total{{{where}}}[1h]))", "{{stage}}"),),
    )
    if plan.settings.mesh is Mesh.SIDECAR:
        yield from _mesh_panels(plan)


def _mesh_panels(plan: Plan) -> Iterator[Panel]:
    for title, metric in (("sent", "istio_tcp_sent_bytes_total"), ("received", "istio_tcp_received_bytes_total")):
        query = (
            "sum by (source_workload, destination_service_name) "
            f'(rate({metric}{{reporter="source", source_workload_namespace="{plan.namespace}"}}[5m]))'
        )
        legend = "{{source_workload}} to {{destination_service_name}}"
        yield Panel(title=f"Bytes {title} by each edge of the mesh", unit="Bps", queries=((query, legend),))


def _rate(title: str, unit: str, metric: str, by: str, where: str) -> Panel:
    legend = " ".join(f"{{{{{name.strip()}}}}}" for name in by.split(","))
    return Panel(title=title, unit=unit, queries=((f"sum by ({by}) (rate({metric}{{{where}}}[5m]))", legend),))
