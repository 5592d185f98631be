"""Where tasks go: over machines, by labels, by ports, one on each."""
from harness import BUSYBOX, WEB, eventually


def test_tasks_spread_over_the_machines(cluster):
    cluster.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{replicas: 6}}}}\n", project="spread")
    cluster.ready("spread/s", 6, where=[name for name in cluster.hosts for _ in range(2)])
    cluster.settled("spread/s", 6)


def test_labels_decide_and_why_says_what_is_missing(cluster):
    def constrained(words):
        return (f"services:\n  s:\n    image: {BUSYBOX}\n    stop_grace_period: 1s\n"
                f"    deploy: {{replicas: 4, placement: {{constraints: ['{words}']}}}}\n")
    cluster.up(constrained("node.labels.zone == north"), project="north")
    cluster.ready("north/s", 4, where=["alpha", "alpha", "beta", "beta"])
    cluster.up(constrained("node.hostname != alpha"), project="others")
    assert {task["node_name"] for task in cluster.ready("others/s", 4)} == {"beta", "gamma"}
    cluster.up(constrained("node.labels.zone == east"), "-d", project="east")
    assert "3 do not match node.labels.zone==east" in cluster.out("why", "east/s").replace(" == ", "==")


def test_a_fixed_port_is_one_task_on_each_machine_and_open_to_the_others(cluster):
    cluster.up(f"""
services:
  web:
    image: {WEB}
    stop_grace_period: 1s
    ports: ["8080:80"]
    deploy: {{replicas: 3}}
""", project="port")
    cluster.ready("port/web", 3, where=list(cluster.hosts))
    for host in cluster.hosts.values():
        page = cluster.machine.run("busybox", "wget", "-qO-", f"http://{host.address}:8080/healthz")
        assert page == "ok"
    cluster.run("scale", "--detach", "port/web=4")
    waits = eventually("the fourth waits", lambda: [task for task in cluster.tasks("port/web") if task["state"] == "pending"])
    assert waits[0]["message"].startswith("no node has port 8080/tcp free: 3 of 3 have "), waits[0]["message"]
    cluster.run("scale", "port/web=3")
    cluster.settled("port/web", 3)


def test_a_global_job_runs_on_each_machine(cluster):
    cluster.up(f"""
services:
  agent: {{image: {BUSYBOX}, stop_grace_period: 1s, deploy: {{mode: global}}}}
""", project="global")
    cluster.ready("global/agent", 3, where=list(cluster.hosts))
    cluster.up(f"""
services:
  once:
    image: {BUSYBOX}
    command: ["sh", "-c", "hostname"]
    deploy: {{mode: global-job}}
""", project="once")
    eventually("it is done", lambda: cluster.jobs()["once/once"]["standing"] == "completed")
    assert cluster.jobs()["once/once"]["succeeded"] == 3
    ended = cluster.tasks("once/once", everything=True)
    assert sorted(task["node_name"] for task in ended if task["reason"] == "exit_zero") == sorted(cluster.hosts)
