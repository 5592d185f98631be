"""A job that must not run twice holds a lease."""
import time

from harness import BUSYBOX, eventually


def moment(host, container, field):
    """When Docker says it was started or finished, on the one clock of all machines; seconds with nanoseconds, as text
    that compares."""
    return host.docker("inspect", "-f", f"{{{{.State.{field}}}}}", container)


def test_what_holds_a_lease_never_runs_twice(cluster):
    cluster.up(f"""
services:
  one:
    image: {BUSYBOX}
    stop_grace_period: 1s
    x-drover: {{on_disconnect: stop}}
""", project="lease")
    old = cluster.ready("lease/one", 1)[0]
    host = cluster.hosts[old["node_name"]]
    host.cut()
    cluster.wait_state("down", host)
    eventually("it is stopped there", lambda: not host.containers("label=drover.project=lease"), seconds=120)
    assert len(cluster.tasks("lease/one")) == 1
    new = eventually("it runs elsewhere", lambda: next(
        (task for task in cluster.tasks("lease/one") if task["ready"] and task["id"] != old["id"]), None), seconds=180)
    assert new["node_name"] != old["node_name"]
    ended = moment(host, old["container_id"], "FinishedAt")
    begun = moment(cluster.hosts[new["node_name"]], new["container_id"], "StartedAt")
    assert ended < begun, (ended, begun)
    host.heal()
    cluster.wait_state("ready", host)
    time.sleep(1)
    cluster.settled("lease/one", 1)
    assert cluster.task("lease/one")["id"] == new["id"]
