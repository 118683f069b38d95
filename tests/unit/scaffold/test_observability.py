"""What Prometheus and Grafana are given: valid by their own tools, and about metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from c2kit.scaffold.alerts import rules
from c2kit.scaffold.observability import dashboard, scraping
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import Mesh
from tests.kubernetes import require_program
from tests.scaffolding import planned_everything

if TYPE_CHECKING:
    from c2kit.scaffold.plan import Plan

DOCUMENTED = Path(__file__).parents[3] / "docs/reference/metrics.md"


def expressions(plan: Plan) -> list[str]:
    told = [rule["expr"] for rule in yaml.safe_load(rules(plan, Templates()))["groups"][0]["rules"]]
    panels = json.loads(dashboard(plan, Templates()))["panels"]
    return told + [target["expr"] for panel in panels for target in panel["targets"]]


def about(plan: Plan, alert: str, label: str) -> dict[str, str]:
    """The expressions of an alert, by whom they are about."""
    told = yaml.safe_load(rules(plan, Templates()))["groups"][0]["rules"]
    return {re.findall(rf'{label}="([^"]+)"', rule["expr"])[0]: rule["expr"] for rule in told if rule["alert"] == alert}


def test_every_metric_that_is_asked_for_is_one_that_is_served() -> None:
    documented = set(re.findall(r"`(c2kit_[a-z_]+)`", DOCUMENTED.read_text()))
    asked = {
        re.sub("_bucket$", "", name)
        for each in expressions(planned_everything())
        for name in re.findall(r"c2kit_[a-z_]+", each)
    }
    assert asked
    assert asked <= documented


def test_every_interface_and_stage_has_alerts_of_its_own() -> None:
    plan = planned_everything()
    told = yaml.safe_load(rules(plan, Templates()))["groups"][0]["rules"]
    away = {
        found
        for rule in told
        if rule["alert"] == "C2kitStageAway"
        for found in re.findall(r'stage="([^"]+)"', rule["expr"])
    }
    assert away == {each.stage.name for each in plan.workloads}
    down = [rule for rule in told if rule["alert"] == "C2kitLinkDown"]
    assert len(down) == sum(each.stage.link is not None for each in plan.workloads)


def test_lag_is_alarmed_at_the_number_that_the_script_names() -> None:
    told = yaml.safe_load(rules(planned_everything(), Templates()))["groups"][0]["rules"]
    lags = {
        re.findall(r'consumer="([^"]+)"', rule["expr"])[0]: rule["expr"] for rule in told if rule["alert"] == "C2kitLag"
    }
    assert lags["identify"].endswith("> 500")
    assert lags["decom"].endswith("> 1000")


def test_more_replicas_are_advised_only_of_what_can_have_some() -> None:
    told = yaml.safe_load(rules(planned_everything(), Templates()))["groups"][0]["rules"]
    advised = {
        re.findall(r'consumer="([^"]+)"', rule["expr"])[0]: "more replicas" in rule["annotations"]["description"]
        for rule in told
        if rule["alert"] == "C2kitLag"
    }
    scaling = {"identify", "decom"}
    assert {name for name, is_advised in advised.items() if is_advised} == scaling
    assert {"encode", "client", "client-raw-log"} <= advised.keys() - scaling


@pytest.mark.parametrize(("mesh", "port"), [(Mesh.SIDECAR, 15020), (Mesh.NONE, 8080)])
def test_metrics_are_asked_for_where_the_network_policies_let_in(mesh: Mesh, port: int) -> None:
    plan = planned_everything(mesh)
    (job,) = yaml.safe_load(scraping(plan, Templates()))["scrape_configs"]
    (address,) = [each for each in job["relabel_configs"] if each.get("target_label") == "__address__"]
    assert address["replacement"] == f"$1:{port}"
    assert job["kubernetes_sd_configs"][0]["namespaces"]["names"] == [plan.namespace]


def test_panels_stand_beside_each_other_and_never_over_each_other() -> None:
    panels = json.loads(dashboard(planned_everything(), Templates()))["panels"]
    squares = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(squares)) == len(squares)
    assert max(x for x, _ in squares) < 24


def test_edges_of_the_mesh_are_pictured_only_where_there_is_one() -> None:
    assert any("istio_" in each for each in expressions(planned_everything()))
    assert not any("istio_" in each for each in expressions(planned_everything(Mesh.NONE)))


class TestPrometheusItself:
    def test_it_takes_the_configuration_and_the_rules(self, tmp_path: Path) -> None:
        plan = planned_everything()
        (tmp_path / "alerts.yaml").write_text(rules(plan, Templates()))
        text = scraping(plan, Templates())
        # Debian builds it without the discovery of Kubernetes, whose place another one takes here.
        discovery = re.compile(r"    kubernetes_sd_configs:.*?(?=    metrics_path)", re.DOTALL)
        assert discovery.search(text)
        (tmp_path / "prometheus.yaml").write_text(discovery.sub("    static_configs: [{ targets: [a:1] }]\n", text))
        done = _promtool("check", "config", str(tmp_path / "prometheus.yaml"))
        assert done.returncode == 0, done.stderr
        assert "SUCCESS" in done.stdout

    def test_its_own_evaluation_raises_an_alert_when_it_should_and_only_then(self, tmp_path: Path) -> None:
        plan = planned_everything()
        (tmp_path / "alerts.yaml").write_text(rules(plan, Templates()))
        where = 'namespace="all-of-it"'
        down, up = (
            f'c2kit_link_state{{{where}, interface="{name}", state="connected"}}' for name in ("client", "server")
        )
        series = [
            (down, "1 1 0x20"),
            (up, "1x22"),
            (f'c2kit_processor_unaccounted{{{where}, stage="decom"}}', "0x10 3x12"),
        ]
        cases = [
            ("5m", "C2kitLinkDown", ["client"]),
            ("2m", "C2kitLinkDown", []),
            ("9m", "C2kitUnaccounted", []),
            ("13m", "C2kitUnaccounted", ["decom"]),
        ]
        text = yaml.safe_dump(
            {
                "rule_files": ["alerts.yaml"],
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": "1m",
                        "input_series": [{"series": name, "values": values} for name, values in series],
                        "promql_expr_test": [
                            {
                                "expr": f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
                                "eval_time": at,
                                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": len(of)}] if of else [],
                            }
                            for at, alert, of in cases
                        ],
                    }
                ],
            }
        )
        (tmp_path / "tests.yaml").write_text(text)
        done = _promtool("test", "rules", str(tmp_path / "tests.yaml"))
        assert done.returncode == 0, done.stdout + done.stderr


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = str(require_program("promtool", "Debian's package prometheus"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
