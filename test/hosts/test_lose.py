"""A machine loses its power, or its worker hangs; and what comes back."""
import signal

from cluster import service
from harness import BUSYBOX, eventually


def test_what_a_dead_machine_ran_runs_elsewhere_once_and_not_again_when_it_returns(cluster):
    alpha = cluster.hosts["alpha"]
    cluster.up(service(replicas=6), project="kill")
    before = cluster.ready("kill/s", 6)
    lost = {task["id"] for task in before if task["node_name"] == "alpha"}
    assert {task["node_name"] for task in before} == set(cluster.hosts)
    cluster.power_off(alpha)
    cluster.wait_state("down", alpha)
    after = eventually("all run again", lambda: [task for task in cluster.ready("kill/s", 6)
                                                 if task["node_name"] != "alpha"])
    cluster.settled("kill/s", 6)
    kept = {task["id"] for task in before} - lost
    assert {task["id"] for task in after} & {task["id"] for task in before} == kept
    assert {task["reason"] for task in cluster.tasks("kill/s", everything=True) if task["id"] in lost} == {"node_lost"}
    cluster.power_on(alpha)
    cluster.wait_state("ready", alpha)
    cluster.settled("kill/s", 6)
    assert {task["id"] for task in cluster.tasks("kill/s")} == {task["id"] for task in after}


def test_a_job_counts_each_success_once_though_a_machine_dies_with_part_of_it(cluster):
    alpha = cluster.hosts["alpha"]
    cluster.up(f"""
services:
  batch:
    image: {BUSYBOX}
    command: ["sleep", "8"]
    deploy: {{mode: replicated-job, replicas: 6}}
""", "-d", project="batch")
    eventually("all run", lambda: sum(task["state"] == "running" for task in cluster.tasks("batch/batch")) == 6)
    assert any(task["node_name"] == "alpha" for task in cluster.tasks("batch/batch"))
    cluster.power_off(alpha)
    eventually("the job is done", lambda: cluster.jobs()["batch/batch"]["standing"] == "completed", 120)
    job = cluster.jobs()["batch/batch"]
    assert (job["succeeded"], job["replicas"]) == (6, 6)
    succeeded = [task["slot"] for task in cluster.tasks("batch/batch", everything=True) if task["reason"] == "exit_zero"]
    assert sorted(succeeded) == [1, 2, 3, 4, 5, 6]
    cluster.power_on(alpha)
    cluster.wait_state("ready", alpha)
    assert cluster.jobs()["batch/batch"]["succeeded"] == 6
    eventually("nothing runs", lambda: cluster.containers("batch/batch") == [])


def test_data_waits_for_its_machine(cluster):
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
""", project="pinned")
    task = cluster.ready("pinned/db", 1, ["alpha"])[0]
    cluster.power_off(alpha)
    eventually("it is unreachable", lambda: cluster.task("pinned/db")["unreachable"], 90)
    assert cluster.task("pinned/db")["id"] == task["id"], "it was replaced, on an empty volume"
    assert cluster.containers("pinned/db") == []
    cluster.power_on(alpha)
    cluster.settled("pinned/db", 1)
    after = cluster.task("pinned/db")
    assert after["id"] == task["id"] and after["attempt"] == 2
    assert alpha.docker("exec", after["container_id"], "cat", "/data/log") == "started\nstarted"


def test_a_worker_that_hangs_is_replaced_and_steps_back_when_it_goes_on(cluster):
    beta = cluster.hosts["beta"]
    cluster.up(service(replicas=6), project="hang")
    cluster.ready("hang/s", 6)
    beta.worker.send(signal.SIGSTOP)
    cluster.wait_state("down", beta)
    eventually("all run elsewhere", lambda: all(task["node_name"] != "beta" for task in cluster.ready("hang/s", 6)))
    kept = {task["id"] for task in cluster.tasks("hang/s")}
    assert len(cluster.containers("hang/s")) > 6, "nobody could stop those on beta"
    beta.worker.send(signal.SIGCONT)
    cluster.wait_state("ready", beta)
    cluster.settled("hang/s", 6)
    assert {task["id"] for task in cluster.tasks("hang/s")} == kept


def test_a_worker_program_is_replaced_in_place(cluster):
    gamma = cluster.hosts["gamma"]
    cluster.up(service(replicas=6), project="swap")
    before = sorted(cluster.containers("swap/s"))
    copy = gamma.folder / "drover-new"
    copy.write_bytes(gamma.program.read_bytes())
    copy.chmod(0o755)
    assert gamma.worker.end(signal.SIGTERM) == 0
    assert sorted(cluster.containers("swap/s")) == before
    gamma.program = copy
    cluster.start_worker(gamma)
    cluster.wait_state("ready", gamma)
    cluster.settled("swap/s", 6)
    assert sorted(cluster.containers("swap/s")) == before


def test_docker_killed_on_one_machine_interrupts_only_there(cluster):
    beta = cluster.hosts["beta"]
    cluster.up(service(replicas=6), project="docker")
    before = {task["id"]: task for task in cluster.ready("docker/s", 6)}
    beta.kill_docker()
    cluster.wait_state("degraded", beta)
    beta.start_docker()
    cluster.wait_state("ready", beta)
    cluster.settled("docker/s", 6)
    after = {task["id"]: task for task in cluster.tasks("docker/s")}
    assert set(after) == set(before)
    for task in after.values():
        elsewhere = task["node_name"] != "beta"
        assert task["attempt"] == (1 if elsewhere else 2)
        assert not elsewhere or task["container_id"] == before[task["id"]]["container_id"]
