"""Machines are emptied on purpose."""
import threading
import time

from cluster import service
from harness import BUSYBOX, eventually


class Watch(threading.Thread):
    """Asks again and again how many tasks of the job are ready, and how many containers run."""

    def __init__(self, cluster, job):
        super().__init__(daemon=True)
        self.cluster, self.job = cluster, job
        self.least, self.rounds, self.done = 1 << 30, 0, False

    def run(self):
        while not self.done:
            project, name = self.job.split("/")
            tasks = self.cluster.get(f"/v1/tasks?project={project}")["tasks"]
            ready = sum(task["ready"] for task in tasks if task["job"] == name)
            self.least = min(self.least, ready, len(self.cluster.containers(self.job)))
            self.rounds += 1
            time.sleep(0.02)

    def stop(self):
        self.done = True
        self.join()


def test_drain_replaces_before_it_stops(cluster):
    cluster.up(service(replicas=3), project="drain")
    cluster.ready("drain/s", 3, where=list(cluster.hosts))
    watch = Watch(cluster, "drain/s")
    watch.start()
    cluster.run("node", "drain", "beta")
    assert "beta" not in {name for name, _, _ in cluster.containers()}
    cluster.run("node", "drain", "alpha")
    watch.stop()
    assert watch.rounds > 3 and watch.least >= 3, (watch.rounds, watch.least)
    assert {name for name, _, _ in cluster.containers("drain/s")} == {"gamma"}
    assert cluster.nodes()["alpha"]["state"] == "draining"
    cluster.settled("drain/s", 3)
    cluster.run("node", "resume", "alpha", "beta")
    cluster.wait_state("ready")
    cluster.settled("drain/s", 3)


def test_drain_stops_what_cannot_move_and_resume_starts_it(cluster):
    alpha = cluster.hosts["alpha"]
    cluster.up(f"""
services:
  db:
    image: {BUSYBOX}
    stop_grace_period: 1s
    command: ["sh", "-c", "echo started >> /data/log; exec sleep 1000000"]
    volumes: ["data:/data"]
    deploy: {{placement: {{constraints: ["node.labels.disk == fast"]}}}}
volumes: {{data: {{}}}}
""", project="stay")
    cluster.up(service().replace("replicas: 1", "mode: global"), project="agent")
    cluster.ready("stay/db", 1, where=["alpha"])
    cluster.ready("agent/s", 3)
    cluster.run("node", "drain", "alpha")
    assert alpha.containers() == {}
    cluster.ready("agent/s", 2, where=["beta", "gamma"])
    assert "stay_data lives on alpha, which is draining" in cluster.out("why", "stay/db")
    cluster.run("node", "resume", "alpha")
    after = cluster.ready("stay/db", 1, where=["alpha"])[0]
    cluster.ready("agent/s", 3)
    assert alpha.docker("exec", after["container_id"], "cat", "/data/log") == "started\nstarted"


def test_rebalance_fills_a_machine_that_comes_back_and_stops_nothing_before(cluster):
    cluster.run("node", "drain", "beta", "gamma")
    cluster.up(service(replicas=6, deploy=", update_config: {parallelism: 2}"), project="level")
    cluster.ready("level/s", 6, where=["alpha"] * 6)
    cluster.run("node", "resume", "beta", "gamma")
    cluster.wait_state("ready")
    shown = cluster.run("rebalance", "--dry-run").stdout
    assert shown.count("would move") >= 2, shown
    assert {name for name, _, _ in cluster.containers("level/s")} == {"alpha"}
    watch = Watch(cluster, "level/s")
    watch.start()
    cluster.run("rebalance")
    watch.stop()
    assert watch.rounds > 3 and watch.least >= 6, (watch.rounds, watch.least)
    assert {name for name, _, _ in cluster.containers("level/s")} == {"alpha", "beta", "gamma"}
    assert "nothing to move" in cluster.run("rebalance").stdout
