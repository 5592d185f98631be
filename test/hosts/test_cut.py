"""The network fails: a machine is cut off, both ways or one way, its connections are reset, packets are lost."""
from cluster import service
from harness import eventually

ON_ALPHA = ', placement: {constraints: ["node.labels.disk == fast"]}'


def on(cluster, job):
    return {task["node_name"] for task in cluster.tasks(job)}


def count_where(cluster, job, host):
    return sum(name == host.name for name, _, _ in cluster.containers(job))


def test_a_machine_that_is_cut_off_is_replaced_and_steps_back_when_it_is_healed(cluster):
    alpha = cluster.hosts["alpha"]
    cluster.up(service(replicas=6), project="cut")
    cluster.ready("cut/s", 6)
    # This one ends while it is cut off, and nothing could replace it: its success counts.
    cluster.up(service('command: ["sleep", "5"]', name="batch", deploy=", mode: replicated-job" + ON_ALPHA), "-d",
               project="once")
    eventually("it runs", lambda: cluster.task("once/batch", "running"))
    alpha.cut()
    cluster.wait_state("down", alpha)
    eventually("all run elsewhere", lambda: "alpha" not in {task["node_name"] for task in cluster.ready("cut/s", 6)})
    kept = {task["id"] for task in cluster.tasks("cut/s")}
    assert count_where(cluster, "cut/s", alpha) == 2, "what runs there goes on: nobody could say otherwise"
    eventually("the batch ended there", lambda: count_where(cluster, "once/batch", alpha) == 0)
    assert cluster.jobs()["once/batch"]["succeeded"] == 0
    alpha.heal()
    cluster.wait_state("ready", alpha)
    cluster.settled("cut/s", 6)
    assert {task["id"] for task in cluster.tasks("cut/s")} == kept
    eventually("it is counted", lambda: cluster.jobs()["once/batch"]["standing"] == "completed")
    task = cluster.task("once/batch")
    assert (cluster.jobs()["once/batch"]["succeeded"], task["attempt"], task["reason"]) == (1, 1, "exit_zero")
    assert [task for _, task, _ in cluster.containers("once/batch", dead_too=True)] == [task["id"]]


def test_hearing_or_speaking_alone_is_not_being_there(cluster):
    alpha, beta, _ = cluster.hosts.values()
    cluster.up(service(replicas=6), project="half")
    cluster.ready("half/s", 6)
    alpha.cut("in")
    beta.cut("out")
    cluster.wait_state("down", alpha, beta)
    eventually("all run on the third", lambda: {task["node_name"] for task in cluster.ready("half/s", 6)} == {"gamma"})
    kept = {task["id"] for task in cluster.tasks("half/s")}
    alpha.heal()
    beta.heal()
    cluster.wait_state("ready")
    cluster.settled("half/s", 6)
    assert {task["id"] for task in cluster.tasks("half/s")} == kept


def test_connections_that_are_reset_and_packets_that_are_lost(cluster):
    alpha, beta, _ = cluster.hosts.values()
    cluster.up(service(replicas=6), project="reset")
    cluster.ready("reset/s", 6)
    beta.lose(0.3)
    alpha.reset()
    cluster.wait_state("down", alpha)
    eventually("none is left on alpha", lambda: "alpha" not in on(cluster, "reset/s"))
    alpha.heal()
    # The lossy one, which may or may not have been called silent, takes work meanwhile or later.
    cluster.up(service(replicas=6), "-d", project="lossy")
    beta.heal()
    cluster.wait_state("ready")
    for job in ("reset/s", "lossy/s"):
        cluster.ready(job, 6)
        cluster.settled(job, 6)
