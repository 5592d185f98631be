"""What the README shows, and what Docker users try first."""
import json
import platform
import re
import urllib.request

import pytest

from harness import BUSYBOX, WEB, TOP, docker, eventually


def get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.read().decode()


def test_the_shop_comes_up_serves_and_goes_down(drover):
    done = drover.run("up", "-f", TOP / "examples/shop/compose.yaml")
    assert "shop/migrate.1 completed" in done.stdout
    assert drover.jobs()["shop/migrate"]["standing"] == "completed"
    webs = drover.tasks("shop/web")
    assert len(webs) == 3 and all(task["ready"] for task in webs)
    ports = {task["ports"][0]["host_port"] for task in webs}
    assert len(ports) == 3
    for port in ports:
        assert "Welcome to the shop" in get(port)
    drover.run("down", "-p", "shop", "-v")
    assert drover.jobs() == {}
    assert drover.containers() == []
    label = f"label=drover.cluster={drover.cluster_id}"
    assert docker("volume", "ls", "-q", "--filter", label) == ""
    assert docker("network", "ls", "-q", "--filter", label) == ""


def test_a_second_up_changes_nothing(drover):
    drover.run("up", "-f", TOP / "examples/shop/compose.yaml")
    before = sorted(drover.containers())
    done = drover.run("up", "-f", TOP / "examples/shop/compose.yaml")
    assert done.stdout.count("unchanged") == 3
    assert sorted(drover.containers()) == before


def test_services_reach_each_other_by_name(drover):
    drover.up(f"""
services:
  server:
    image: {WEB}
    healthcheck: {{test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/"], interval: 1s}}
  client:
    image: {BUSYBOX}
    command: ["wget", "-q", "-O", "-", "http://server/"]
    depends_on: {{server: {{condition: service_healthy}}}}
    deploy: {{mode: replicated-job}}
""")
    assert "hello from" in drover.out("logs", "t/client")


def test_run_prints_the_output_and_ends_with_the_status(drover):
    done = drover.run("run", BUSYBOX, "sh", "-c", "echo to out; echo to err >&2; exit 3", check=False)
    assert done.returncode == 3
    assert done.stdout == "to out\n"
    assert "to err\n" in done.stderr
    assert drover.run("run", BUSYBOX, "true").returncode == 0


def test_logs_tail_and_since(drover):
    drover.run("run", "--name", "talk", BUSYBOX, "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done")
    assert drover.out("logs", "talk") == "".join(f"line {i}\n" for i in range(1, 6))
    assert drover.out("logs", "--tail", "2", "talk") == "line 4\nline 5\n"
    assert drover.out("logs", "--since", "2000-01-01T00:00:00Z", "talk").count("line") == 5
    assert re.match(r"\d{4}-\d\d-\d\dT\S+Z line 5", drover.out("logs", "-t", "-n", "1", "talk"))
    assert "tail" in drover.run("logs", "--tail", "x", "talk", check=False).stderr


def test_scale_up_and_down(drover):
    drover.up(f"services:\n  s:\n    image: {BUSYBOX}\n    stop_grace_period: 1s\n")
    drover.run("scale", "t/s=3")
    assert len([task for task in drover.tasks("t/s") if task["ready"]]) == 3
    kept = next(task["container_id"] for task in drover.tasks("t/s") if task["slot"] == 1)
    drover.run("scale", "t/s=1")
    eventually("one task", lambda: len(drover.tasks("t/s")) == 1)
    assert drover.tasks("t/s")[0]["container_id"] == kept
    drover.run("scale", "t/s=0")
    assert drover.tasks("t/s") == [] and drover.containers(running_only=True) == []
    drover.run("scale", "t/s=2")
    assert len([task for task in drover.tasks("t/s") if task["ready"]]) == 2


def test_stop_restart_and_rm(drover):
    drover.up(f"services:\n  s:\n    image: {BUSYBOX}\n    stop_grace_period: 1s\n")
    drover.run("stop", "t/s")
    assert drover.jobs()["t/s"]["standing"] == "stopped"
    assert drover.containers(running_only=True) == []
    drover.run("restart", "t/s")
    assert drover.jobs()["t/s"]["standing"] == "running"
    before = drover.containers(running_only=True)
    drover.run("restart", "t/s")
    after = drover.containers(running_only=True)
    assert len(after) == 1 and after != before
    drover.run("rm", "t/s")
    assert drover.containers() == []


def test_an_update_that_fails_goes_back_and_users_can_too(drover):
    compose = (f"services:\n  s:\n    image: {BUSYBOX}\n    stop_grace_period: 1s\n    command: [sh, -c, '%s']\n"
               "    deploy:\n      replicas: 2\n"
               "      update_config: {order: start-first, monitor: 1s, failure_action: %s}\n"
               "      rollback_config: {monitor: 1s}\n")
    runs = "trap exit TERM; sleep 1000 & wait"
    drover.up(compose % (runs, "rollback"))
    first = set(drover.containers(running_only=True))
    failed = drover.up(compose % ("echo broken; exit 3", "rollback"), check=False)
    assert failed.returncode == 1
    assert "t/s was rolled back from revision 2 to 1: 1 of 2 failed: s.1 " in failed.stderr
    # The second slot was never touched; the first one may have been taken over before the new task ended.
    now = set(drover.containers(running_only=True))
    assert len(now) == 2 and first & now
    history = json.loads(drover.out("history", "t/s", "-o", "json"))
    assert [(one["number"], one["current"], one["outcome"]) for one in history["revisions"]] == [
        (2, False, "rolled_back"), (1, True, "done")]
    # What was taken back is history, and can be read like any other.
    assert "broken\n" in drover.out("logs", "t/s")
    paused = drover.up(compose % ("exit 3", "pause"), check=False)
    assert paused.returncode == 1 and "the update is paused" in paused.stderr
    assert len(drover.containers(running_only=True)) >= 1
    assert re.search(r"3 \*.*paused", drover.out("history", "t/s"))
    assert "goes back to revision 1" in drover.out("rollback", "t/s")
    assert len(drover.containers(running_only=True)) == 2
    mixed = drover.run("rollback", "t/s", "--file", "compose.yaml", check=False)
    assert mixed.returncode != 0 and "--file is for taking back a project" in mixed.stderr, mixed
    again = drover.run("rollback", "t/s", "--to", "7", check=False)
    assert again.returncode != 0 and "has no revision 7" in again.stderr


def test_a_second_worker_is_turned_away_from_the_same_docker(drover):
    drover.up(f"services: {{s: {{image: {BUSYBOX}, stop_grace_period: 1s, command: sleep 1000}}}}\n")
    before = drover.containers(running_only=True)
    drover.spawn("worker", name="second", data=drover.folder / "second")
    eventually("the second worker is told whose Docker it is",
               lambda: f"its Docker is that of node {platform.node()} (" in drover.log())
    assert "stop one of them, or give it a Docker of its own" in drover.log()
    assert len(drover.get("/v1/nodes")["nodes"]) == 1
    assert drover.containers(running_only=True) == before


def test_a_plan_is_shown_kept_and_done(drover):
    folder = drover.folder / "planned"
    folder.mkdir()

    def write(command, port="18480-18489", replicas=2):
        (folder / "compose.yaml").write_text(f"""
name: t
services:
  s:
    image: {BUSYBOX}
    command: ["sh", "-c", "{command}"]
    stop_grace_period: 1s
    ports: ["{port}:80"]
    volumes: ["data:/data"]
    deploy: {{replicas: {replicas}, update_config: &fast {{monitor: 1s, parallelism: 0}}, rollback_config: *fast}}
volumes: {{data: }}
""")

    write("sleep 1000")
    plan = drover.run("plan", "--out", "first.plan", "--detailed-exitcode", cwd=folder, check=False)
    assert plan.returncode == 2, plan.stderr
    assert "+ s.1 on" in plan.stdout and "port 18480 -> 80/tcp" in plan.stdout and "t_data" in plan.stdout
    assert not drover.containers() and (folder / "first.plan").stat().st_mode & 0o77 == 0
    # The file says what is done, whatever the Compose file says meanwhile.
    write("sleep 1001")
    drover.run("up", "--plan", "first.plan", cwd=folder)
    write("sleep 1000")
    same = drover.run("plan", "--detailed-exitcode", cwd=folder)
    assert "nothing to change" in same.stdout
    running = set(drover.containers(running_only=True))
    late = drover.run("up", "--plan", "first.plan", cwd=folder, check=False)
    assert late.returncode == 4 and "the plan is out of date: t/s is new since the plan" in late.stderr
    drover.run("up", cwd=folder)
    assert set(drover.containers(running_only=True)) == running
    write("sleep 1002")
    plan = json.loads(drover.out("plan", "-o", "json", "--out", "second.plan", cwd=folder))
    assert [change["field"] for change in plan["jobs"][0]["changes"]] == ["command"]
    assert plan["jobs"][0]["replaces"] == 2 and not plan["problems"]
    text = (folder / "second.plan").read_text()
    for broken, why in ((text.replace("sleep 1002", "sleep 9999"), "was edited"), ("{}", "is no plan"),
                        (text.replace('"drover_plan":2', '"drover_plan":3'), "another release")):
        (folder / "broken.plan").write_text(broken)
        assert why in drover.run("up", "--plan", "broken.plan", cwd=folder, check=False).stderr
    drover.run("up", "--plan", "second.plan", cwd=folder)
    assert not running & set(drover.containers(running_only=True))
    # A whole project goes back; there is one machine, so nothing is better off elsewhere.
    assert "t/s goes back to revision 1" in drover.out("rollback", cwd=folder)
    assert "nothing to move" in drover.out("rebalance", "--dry-run")
    # What can never fit is told, and nothing is done.
    write("sleep 1000", port="18480")
    never = drover.run("plan", cwd=folder, check=False)
    assert never.returncode == 1 and "would not run: no node has port 18480/tcp free" in never.stderr


def test_volumes_keep_their_data_until_they_are_removed(drover):
    compose = f"""
services:
  w:
    image: {BUSYBOX}
    command: ["sh", "-c", "%s"]
    volumes: ["data:/data"]
    deploy: {{mode: replicated-job}}
volumes: {{data: }}
"""
    drover.up(compose % "echo kept > /data/x")
    drover.run("down", "-p", "t")
    assert "t_data" in drover.out("volume", "ls")
    drover.up(compose % "cat /data/x")
    assert drover.out("logs", "t/w").endswith("kept\n")
    refused = drover.run("volume", "rm", "t_data", check=False)
    assert refused.returncode and "t/w" in refused.stderr
    drover.run("down", "-p", "t")
    drover.run("volume", "rm", "t_data")
    eventually("the volume is gone", lambda: "t_data" not in docker("volume", "ls", "-q").split())
    assert "t_data" not in drover.out("volume", "ls")


def test_inspect_nodes_and_events_speak_json(drover):
    drover.run("run", "--name", "one", BUSYBOX, "true")
    job = json.loads(drover.out("inspect", "default/one"))
    assert job["spec"]["image"] == BUSYBOX
    task = json.loads(drover.out("inspect", "default/one.1"))
    assert task["state"] == "completed" and task["exit_code"] == 0 and task["reason"] == "exit_zero"
    node = drover.json("nodes")["nodes"][0]
    assert node["capacity"]["memory_bytes"] > 0 and node["platform_os"] == "linux"
    kinds = [json.loads(line) for line in
             drover.out("events", "--after", "1-0", "--for", "1s", "-o", "json").splitlines()]
    assert any(event["kind"] == "task" and event["state"] == "completed" for event in kinds)


def test_config_prints_what_up_would_do_and_reads_it_back(drover):
    first = drover.out("config", "-f", TOP / "examples/shop/compose.yaml")
    second = drover.out("config", "-f", "-", stdin=first)
    assert first == second
    assert "replicas: 3" in first


def test_up_with_what_config_prints_replaces_no_task(drover):
    (drover.folder / "compose.yaml").write_text(f"services:\n  s:\n    image: {BUSYBOX}\n    logging: {{options: {{max-file: 3}}}}\n")
    drover.up((drover.folder / "compose.yaml").read_text())
    before = drover.tasks("t/s")[0]
    printed = drover.out("config", "-f", drover.folder / "compose.yaml", "-p", "t")
    assert "privileged: false" in printed
    drover.up(printed)
    assert drover.tasks("t/s")[0]["container_id"] == before["container_id"]


def test_restart_after_docker_kill(drover):
    drover.up(f"services:\n  s:\n    image: {BUSYBOX}\n")
    victim = drover.tasks("t/s")[0]
    docker("kill", victim["container_id"])
    def back():
        task = drover.tasks("t/s")
        return task and task[0]["ready"] and task[0]["attempt"] == 2
    eventually("the second attempt", back)
    assert drover.tasks("t/s")[0]["id"] == victim["id"]


def test_an_image_that_is_there_is_not_said_to_be_pulled(drover):
    done = drover.up(f"services:\n  s:\n    image: {BUSYBOX}\n")
    assert "running" in done.stdout and "pulling" not in done.stdout
    assert "pulling" not in drover.log()


@pytest.mark.parametrize("words, part", [
    (["frob"], "is not a command"), (["pss"], 'Did you mean "ps"'), (["up", "--frob"], "no option --frob"),
    (["scale", "x"], "JOB=REPLICAS"), (["inspect"], "needs JOB|TASK|NODE"), (["ps", "-o", "yaml"], "none of wide, json"),
    (["why", "nothing"], "no job or task is called"), (["up", "-f", "/nonexistent"], "cannot be opened"),
])
def test_mistakes_on_the_command_line_are_told(drover, words, part):
    done = drover.run(*words, check=False)
    assert done.returncode not in (0, 1) and part in done.stderr


@pytest.mark.parametrize("words, part", [
    (["up", "--detatch"], "no option --detatch; did you mean --detach?"),
    (["token", "list"], '"token list" is not a command. Did you mean "token ls"?'),
    (["node", "list"], '"node list" is not a command: use `drover nodes`'),
    (["volume", "frobnicate"], '"volume frobnicate" is not a command.\nSee \'drover help volume\''),
    (["token", "rm", "frob"], "there is no token frob"),
    (["token", "create", "--role", "worker", "--ttl", "0s"], "--ttl: a token that lives for no time"),
    (["token", "create", "--role", "worker", "--uses", "0"], "--uses: a token for no join"),
    (["scale", "web=x"], '"web=x" is not JOB=REPLICAS: "x" is not a whole number'),
])
def test_what_is_nearly_right_is_answered_with_what_is(drover, words, part):
    done = drover.run(*words, check=False)
    assert done.returncode not in (0, 1) and part in done.stderr


def test_a_token_says_nothing_without_a_manager_to_join(drover):
    done = drover.run("worker", "--data-dir", drover.folder / "other", "--token", "drover1-frob", check=False)
    assert done.returncode == 2 and "a token needs --join HOST:PORT" in done.stderr


def test_the_version_needs_no_manager(stopped_drover):
    assert re.fullmatch(r"drover [0-9.]+\n", stopped_drover.out("--version")) and stopped_drover.out("-v")
    done = stopped_drover.run("version", check=False)
    assert done.returncode == 6 and re.fullmatch(r"drover [0-9.]+\n", done.stdout)
    assert done.stderr.startswith("drover version: no manager answers on ") and "/v1/" not in done.stderr


def test_without_a_manager_the_commands_say_so(stopped_drover):
    done = stopped_drover.run("ps", check=False)
    assert done.returncode == 6
    assert "is `drover dev` or `drover manager` running?" in done.stderr
