"""The manager dies and returns. Last of all: for a while after its start no machine is judged."""
from harness import BUSYBOX, docker, eventually


def test_a_manager_that_dies_restarts_nothing_and_judges_nobody_at_first(cluster):
    cluster.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{replicas: 6}}}}\n", project="again")
    before = sorted(cluster.containers("again/s"))
    tasks = {task["id"]: task["attempt"] for task in cluster.ready("again/s", 6)}
    assert len(before) == 6
    cluster.kill_manager()
    # Its workers go on without it.
    victim = cluster.hosts["gamma"].containers("label=drover.project=again")
    task, container = next((task, containers[0]) for task, containers in victim.items())
    docker("kill", container, host=cluster.hosts["gamma"].docker_host)
    eventually("it runs again", lambda: cluster.hosts["gamma"].containers("label=drover.project=again").get(task, [container])
               != [container])
    cluster.start_manager()
    cluster.wait_state("ready")
    cluster.settled("again/s", 6)
    after = {each["id"]: each["attempt"] for each in cluster.tasks("again/s")}
    assert after == {**tasks, task: 2}
    assert len(set(before) & set(cluster.containers("again/s"))) == 5
