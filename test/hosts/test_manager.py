"""The manager dies and returns. Last of all: for a while after its start no machine is judged."""
import signal
import time

from cluster import service
from harness import docker, eventually

# After so long without a word a node is down.
SILENT_SECONDS = 10


def kill_one(cluster, host, project):
    """Kill a container of the project there, wait until its task has a new one, and return the task's id."""
    def running():
        return host.containers(f"label=drover.project={project}")
    task, containers = sorted(running().items())[0]
    docker("kill", containers[0], host=host.docker_host)
    eventually("it runs again", lambda: running().get(task, containers) != containers)
    return task


def test_a_manager_that_is_cut_off_from_all_is_not_needed_for_a_while(cluster):
    cluster.up(service(replicas=6), project="alone")
    before = cluster.containers("alone/s")
    tasks = {task["id"]: task["attempt"] for task in cluster.ready("alone/s", 6)}
    cluster.machine.cut()
    # All silent at once is no reason to start anything, and there is nowhere to.
    cluster.wait_state("down")
    killed = [kill_one(cluster, host, "alone") for host in cluster.hosts.values()]
    cluster.machine.heal()
    cluster.wait_state("ready")
    cluster.settled("alone/s", 6)
    assert {each["id"]: each["attempt"] for each in cluster.tasks("alone/s")} == {
        task: attempt + (task in killed) for task, attempt in tasks.items()}
    assert len(set(before) & set(cluster.containers("alone/s"))) == 3


def test_a_manager_that_dies_restarts_nothing_and_judges_nobody_at_first(cluster):
    cluster.up(service(replicas=6), project="again")
    before = sorted(cluster.containers("again/s"))
    tasks = {task["id"]: task["attempt"] for task in cluster.ready("again/s", 6)}
    assert len(before) == 6
    cluster.kill_manager()
    # Its workers go on without it.
    task = kill_one(cluster, cluster.hosts["gamma"], "again")
    # A worker that needs longer than the timeout to come back is not given up in the minute after the start.
    beta = cluster.hosts["beta"]
    beta.worker.send(signal.SIGSTOP)
    cluster.start_manager()
    time.sleep(SILENT_SECONDS + 3)
    beta.worker.send(signal.SIGCONT)
    cluster.wait_state("ready")
    cluster.settled("again/s", 6)
    after = {each["id"]: each["attempt"] for each in cluster.tasks("again/s")}
    assert after == {**tasks, task: 2}
    assert len(set(before) & set(cluster.containers("again/s"))) == 5
