"""What people and scripts meet at the command line: terminals, pipes, Ctrl-C, and the habits of Docker users."""
import itertools
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import BUSYBOX, PATIENCE_SECONDS, PROGRAM, docker, eventually, on_terminal

SLEEPER = f"services:\n  s:\n    image: {BUSYBOX}\n    stop_grace_period: 1s\n    deploy: {{replicas: %d}}\n"


@pytest.mark.parametrize("words, part", [
    (["run", "-it", BUSYBOX, "sh"], "interactive containers are not supported"),
    (["run", "--privileged", BUSYBOX], "privileged"), (["run", "--rm", "-d", BUSYBOX], "--rm needs someone who waits"),
    (["stop", "-t", "3", "x"], "stop_grace_period"), (["up", "--build"], "docker build"),
    (["down", "web"], "takes no services"), (["exec", "x", "sh"], "docker exec"), (["stack", "deploy"], "drover up"),
    (["-H", "tcp://host:1", "ps"], "reached by a context"), (["config", "-o", "wide"], "yaml"),
])
def test_what_docker_has_and_drover_has_not_is_said(stopped_drover, words, part):
    done = stopped_drover.run(*words, check=False)
    assert done.returncode == 2 and part in done.stderr and done.stdout == ""


def test_up_is_not_content_with_one_that_ends_again_and_again(drover):
    ends = f"services:\n  s: {{image: {BUSYBOX}, init: true, command: ['sh', '-c', 'sleep 0.2; exit 4']}}\n"
    done = drover.up(ends, settle="1s", check=False)
    assert done.returncode == 1
    assert re.search(r"t/s\.1 ends again and again: exited with status 4.*`drover logs t/s\.1`", done.stderr), done.stderr
    again = drover.run("restart", "t/s", check=False)
    assert again.returncode == 1 and "t/s.1 ends again and again" in again.stderr
    # One that has to be started twice comes up all the same.
    file = "/tmp/there"
    twice = ends.replace("sleep 0.2; exit 4", f"sleep 0.2; test -e {file} || {{ touch {file}; exit 4; }}; sleep 1000")
    drover.run("down", "-p", "t", "-v")
    drover.up(twice.replace("init: true", "init: true, volumes: [there:/tmp]") + "volumes: {there: }\n", settle="1s")
    assert drover.task("t/s", "running")["attempt"] == 2
    late = drover.up(ends.replace("sleep 0.2; exit 4", "sleep 1000"), "--wait-timeout", "2s", settle="100s", check=False)
    assert late.returncode != 0 and "t/s.1 runs, but has not for long enough to be called up" in late.stderr


def test_run_rm_leaves_nothing(drover):
    done = drover.run("run", "--rm", "--name", "once", BUSYBOX, "sh", "-c", "echo hello; exit 5", check=False)
    assert (done.returncode, done.stdout) == (5, "hello\n")
    assert "exited with status 5" in done.stderr.splitlines()[-1]
    eventually("job and container are gone", lambda: not drover.jobs() and not drover.containers())


def test_run_again(drover):
    service = f"services:\n  s: {{image: {BUSYBOX}, command: ['sh', '-c', 'echo one; exit 3'], deploy: {{mode: replicated-job, %s}}}}\n"
    drover.up(service % "restart_policy: {condition: none}", check=False)
    # `up` may look between start and end, and be content.
    eventually("it has failed", lambda: drover.jobs()["t/s"]["standing"] == "failed")
    before = drover.task("t/s")
    done = drover.run("run", "--again", "t/s", check=False)
    assert (done.returncode, done.stdout) == (3, "one\n")
    after = drover.task("t/s")
    assert after["id"] != before["id"] and after["revision"] == 1
    assert drover.out("run", "--again", "-d", "s") == "t/s\n"
    refused = drover.run("run", "--again", "--env", "A=1", "t/s", check=False)
    assert refused.returncode == 2 and "--again runs a job as it is" in refused.stderr
    drover.run("run", "-d", "--name", "long", BUSYBOX, "sleep", "100")
    refused = drover.run("run", "--again", "long", check=False)
    assert refused.returncode != 0 and "job default/long has not come to its end" in refused.stderr
    # One that is stopped comes to no end, and has slots still to come: whoever waits for it is told.
    drover.up(f"services:\n  p: {{image: {BUSYBOX}, command: ['true'], x-drover: {{array: 3, concurrency: 1}}}}\n")
    drover.up(f"services:\n  p: {{image: {BUSYBOX}, command: ['sleep', '100'], stop_grace_period: 0s, x-drover: {{array: 3, concurrency: 1}}}}\n", "-d")
    drover.run("stop", "t/p")
    waiting = subprocess.Popen([PROGRAM, "run", "--again", "t/p"], env=drover.environment, stderr=subprocess.PIPE, text=True)
    eventually("it runs again", lambda: drover.task("t/p", "running"))
    drover.run("stop", "t/p")
    assert waiting.wait(60) != 0


def test_a_schedule(drover):
    drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    command: [sh, -c, 'echo done']
    x-drover: {{schedule: {{cron: "0 3 1 1 *", time_zone: Europe/Berlin}}}}
""")
    assert drover.jobs()["t/s"]["standing"] == "scheduled"
    assert "the next run is at " in drover.jobs()["t/s"]["message"] and "03:00 (Europe/Berlin)" in drover.jobs()["t/s"]["message"]
    assert not drover.tasks("t/s", everything=True)
    assert drover.out("run", "--again", "t/s") == "done\n"
    history = drover.json("history", "t/s")
    assert [run["outcome"] for run in history["runs"]] == ["succeeded"] and history["next_run_wall_ms"]
    assert "by hand" in drover.out("history", "t/s")


def test_run_again_waits_for_its_run_and_not_for_the_next(drover):
    """A run that goes on into the next minute, when another one is due, which begins right after it."""
    into_next = "m=$$(date +%M); while [ $$(date +%M) = $$m ]; do sleep 0.2; done; sleep 1; echo over; exit 3"
    for _ in range(3):
        # Time to ask for it: the later in the minute, the sooner it is over.
        left = 60 - time.time() % 60
        if left < 10:
            time.sleep(left)
        drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    init: true
    command: [sh, -c, '{into_next}']
    stop_grace_period: 0s
    deploy: {{restart_policy: {{condition: none}}}}
    x-drover: {{schedule: {{cron: "* * * * *", overlap: queue}}}}
""")
        done = drover.run("run", "--again", "t/s", check=False, seconds=2 * PATIENCE_SECONDS)
        if done.stdout or "drover stop ends" not in done.stderr:
            break
        # Where `up` took until the next minute, the run of that minute was first.
        drover.run("down", "-p", "t")
    assert (done.returncode, done.stdout) == (3, "over\n"), done.stderr

    def begun():
        runs = drover.json("history", "t/s")["runs"]
        assert [run["outcome"] for run in runs if not run["scheduled_wall_ms"]] == ["failed"]
        return "running" in [run["outcome"] for run in runs if run["scheduled_wall_ms"]]
    eventually("the next one runs", begun)


def test_an_array(drover):
    drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    command: [sh, -c, 'echo $$DROVER_ARRAY_INDEX of $$DROVER_ARRAY_SIZE']
    x-drover: {{array: "0-6:2,9", concurrency: 2}}
""")
    eventually("all are done", lambda: drover.jobs()["t/s"]["standing"] == "completed")
    assert sorted(drover.out("logs", "--no-log-prefix", "t/s").split("\n")[:-1]) == [f"{i} of 5" for i in (0, 2, 4, 6, 9)]
    done = drover.run("run", "--again", "t/s")
    assert sorted(line.split("| ")[-1] for line in done.stdout.splitlines()) == [f"{i} of 5" for i in (0, 2, 4, 6, 9)]
    assert len({task["id"] for task in drover.tasks("t/s", everything=True)}) == 10


def test_run_ends_as_docker_run_does_when_the_command_does_not_exist(drover):
    assert drover.run("run", BUSYBOX, "nosuchcommand", check=False).returncode == 127


def test_ctrl_c_ends_the_waiting_and_not_the_job(drover):
    process = subprocess.Popen([PROGRAM, "run", "--name", "long", BUSYBOX, "sleep", "100"], env=drover.environment,
                               stderr=subprocess.PIPE, text=True)
    eventually("it runs", lambda: drover.task("default/long", "running"))
    process.send_signal(signal.SIGINT)
    assert "default/long runs on" in process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert process.returncode == 130
    assert drover.task("default/long")["state"] == "running"


def test_a_reader_that_leaves_ends_the_program_quietly(drover):
    drover.run("run", "--name", "many", BUSYBOX, "sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
    process = subprocess.Popen([PROGRAM, "logs", "many"], env=drover.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"line 0\n"
    process.stdout.close()
    assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGPIPE
    assert process.stderr.read() == b""


def test_the_table_fits_into_the_window(drover):
    (drover.folder / "compose.yaml").write_text(SLEEPER % 8)
    written = on_terminal(drover, "up", "-f", drover.folder / "compose.yaml", "-p", "t", rows=8, columns=40)
    frames = re.split(r"\x1b\[\d+A\x1b\[J", written)
    assert len(frames) > 1
    for frame in frames[1:]:
        lines = frame.splitlines()
        assert lines[0].split() == ["TASK", "STATE", "NODE", "DETAIL"]
        assert len(lines) < 8 and all(len(line) <= 40 for line in lines)
        assert lines[-1] == "... and 3 more"
    # Each frame goes up by exactly what the one before it drew.
    ups = [int(up) for up in re.findall(r"\x1b\[(\d+)A", written)]
    first = frames[0].splitlines()
    assert ups[0] == len(first) - next(i for i, line in enumerate(first) if line.startswith("TASK"))
    assert ups[1:] == [len(frame.splitlines()) for frame in frames[1:-1]]
    wide = on_terminal(drover, "ps", "-o", "wide", columns=40)
    assert drover.tasks("t/s")[0]["container"] in wide


def test_scale_and_down_wait_until_it_is_so(drover):
    drover.up(SLEEPER % 4)
    drover.run("scale", "t/s=1")
    assert len(drover.containers(running_only=True)) == 1
    drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    stop_grace_period: 1s
    volumes: ["data:/data"]
volumes: {{data: }}
""")
    drover.run("down", "-p", "t", "-v")
    label = f"label=drover.cluster={drover.cluster_id}"
    assert docker("volume", "ls", "-q", "--filter", label) == ""
    assert json.loads(drover.out("volume", "ls", "-o", "json"))["volumes"] == []


def test_an_unchanged_project_is_quiet(drover):
    drover.up(SLEEPER % 2)
    assert drover.up(SLEEPER % 2).stdout == "job t/s unchanged (revision 1)\n"


def test_ps_shows_what_is_missed(drover):
    compose = f"services:\n  s:\n    image: {BUSYBOX}\n    command: ['false']\n    deploy: {{restart_policy: {{condition: none}}}}\n"
    # `up` may look between start and end, and be content; `ps` must show it afterwards.
    drover.up(compose, check=False)
    eventually("ps shows the failed task", lambda: "t/s.1  failed (exit_nonzero)" in drover.out("ps"))
    drover.run("run", BUSYBOX, "false", check=False)
    assert "default/" not in drover.out("ps")
    assert "default/" in drover.out("ps", "-a")


def test_logs_of_a_project_and_across_restarts(drover):
    (drover.folder / "compose.yaml").write_text(f"""
services:
  again:
    image: {BUSYBOX}
    command: ["sh", "-c", "echo first; echo second; sleep 1; exit 1"]
  once:
    image: {BUSYBOX}
    command: ["echo", "only"]
    deploy: {{mode: replicated-job}}
""")
    drover.run("up", "-d", "-f", drover.folder / "compose.yaml", "-p", "t")
    eventually("it has ended", lambda: drover.task("t/once", "completed"))
    assert "t/once.1 | only\n" in drover.out("logs", "-p", "t")
    process = subprocess.Popen([PROGRAM, "logs", "-f", "-n", "1", "t/again"], env=drover.environment,
                               stdout=subprocess.PIPE, text=True)
    seen = []
    while seen.count("second\n") < 3:
        seen.append(process.stdout.readline())
        assert seen[-1], seen
    process.kill()
    process.wait()
    # The wish for the last line was for what had been written; later attempts are read from their beginning.
    assert seen[-4:] == ["first\n", "second\n"] * 2
    process.stdout.close()


def test_a_task_that_never_started_has_no_logs_but_a_reason(drover):
    drover.run("run", "--name", "bad", "nosuch/image:1", check=False)
    assert "bad.1 has not started: " in drover.run("logs", "bad").stderr


def test_up_waits_through_a_restart_of_the_manager(drover):
    compose = f"services:\n  s:\n    image: {BUSYBOX}\n    healthcheck: {{test: [CMD, test, -e, /ok], interval: 1s, start_period: 60s}}\n"
    (drover.folder / "compose.yaml").write_text(compose)
    process = subprocess.Popen([PROGRAM, "up", "-f", drover.folder / "compose.yaml", "-p", "t"],
                               env=drover.environment, stdout=subprocess.PIPE, text=True)
    container = eventually("it starts", lambda: (drover.task("t/s", "running") or {}).get("container_id"))
    drover.kill()
    drover.start()
    docker("exec", container, "touch", "/ok")
    output = process.communicate(timeout=PATIENCE_SECONDS)[0]
    assert process.returncode == 0 and output.endswith("t/s.1 running\n")


def test_the_file_named_by_the_environment_is_read(drover, tmp_path):
    (tmp_path / "compose.yaml").write_text(f"services:\n  here: {{image: {BUSYBOX}}}\n")
    (tmp_path / "other.yaml").write_text(f"services:\n  there: {{image: {BUSYBOX}}}\n")
    words = ["config", "--services"]
    assert drover.run(*words, cwd=tmp_path).stdout == "here\n"
    assert drover.run(*words, cwd=tmp_path, environment={"COMPOSE_FILE": "other.yaml"}).stdout == "there\n"
    assert drover.run(*words, "-f", "compose.yaml", cwd=tmp_path, environment={"COMPOSE_FILE": "other.yaml"}).stdout == "here\n"


def test_of_two_files_the_one_that_is_not_read_is_told(stopped_drover, tmp_path):
    for name in ("compose.yaml", "docker-compose.yml"):
        (tmp_path / name).write_text(f"services:\n  s: {{image: {BUSYBOX}}}\n")
    done = stopped_drover.run("config", "--services", cwd=tmp_path)
    assert done.stderr == "warning: compose.yaml is read, and not docker-compose.yml beside it\n"
    (tmp_path / "compose.yaml").unlink()
    assert stopped_drover.run("config", "--services", cwd=tmp_path).stderr == ""


def test_a_file_where_a_service_should_stand_is_told(stopped_drover, tmp_path):
    for _ in range(2):
        done = stopped_drover.run("up", "other.yaml", cwd=tmp_path, check=False)
        assert done.returncode == 3 and "drover up -f other.yaml" in done.stderr
        (tmp_path / "compose.yaml").write_text(f"services:\n  s: {{image: {BUSYBOX}}}\n")


def test_the_help_has_lines_of_a_window_and_no_letter_twice(stopped_drover):
    listed = stopped_drover.out("help").split("Commands:\n")[1].split("\n\n")[0].splitlines()
    for command in [line[2:15].split() for line in listed]:
        text = stopped_drover.out("help", *command)
        letters = re.findall(r"^  -(.),", text, re.M)
        assert len(letters) == len(set(letters)), command
        assert max(map(len, text.splitlines())) <= 100, command
    assert "COMPOSE_FILE" in stopped_drover.out("help", "up")
    assert "no manager answers on" in (done := stopped_drover.run("ps", check=False)).stderr
    assert done.stderr.count(str(stopped_drover.socket)) == 1
    elsewhere = stopped_drover.run("-H", "127.0.0.1:4242", "ps", check=False)
    assert elsewhere.returncode == 6 and "is that the path of its socket" in elsewhere.stderr


def test_a_job_of_a_project(drover):
    for project in ("t", "u"):
        drover.up(f"services:\n  s: {{image: {BUSYBOX}, command: ['sh', '-c', 'echo of {project}'], deploy: {{mode: replicated-job}}}}\n",
                  project=project)
    assert [task["project"] for task in drover.json("ps", "-a", "u/s")["tasks"]] == ["u"]
    assert not drover.json("ps", "t/s")["tasks"]
    ambiguous = drover.run("jobs", "s", check=False)
    assert ambiguous.returncode == 4 and '"s" could be t/s, u/s' in ambiguous.stderr
    assert [job["project"] for job in drover.json("jobs", "-p", "t", "s")["jobs"]] == ["t"]
    assert [task["project"] for task in drover.json("ps", "-ap", "t", "s")["tasks"]] == ["t"]
    assert drover.out("logs", "-p", "u", "s") == "of u\n"
    task = drover.json("ps", "-a", "u/s")["tasks"][0]["id"]
    assert drover.out("logs", "-p", "u", task) == "of u\n"
    assert drover.run("logs", "-p", "t", task, check=False).returncode == 3
    refused = drover.run("logs", "-p", "u", "t/s", check=False)
    assert refused.returncode == 2 and '"t/s" is not of project u' in refused.stderr


def test_why_says_a_thing_once(drover):
    compose = f"""
services:
  web: {{image: {BUSYBOX}, stop_grace_period: 1s, environment: {{N: %s}}, command: %s}}
  once: {{image: {BUSYBOX}, command: ['true'], deploy: {{mode: replicated-job}}}}
"""
    drover.up(compose % ("1", "[sh, -c, 'echo one; exec sleep 1000']"))
    eventually("it has ended", lambda: drover.jobs()["t/once"]["standing"] == "completed")
    assert drover.out("why", "web") == "t/web is running: 1 of 1 ready\n"
    assert drover.out("why", "web.1") == "t/web.1 is running\n"
    assert drover.out("why", "once") == "t/once is completed: 1 of 1 succeeded\n"
    drover.up(compose % ("2", "[sh, -c, 'echo two; exec sleep 1000']"))
    assert drover.out("logs", "web") == "one\ntwo\n"
    paused = drover.up(compose % ("3", "['false']"), check=False)
    assert paused.returncode == 1 and paused.stderr.endswith("; `drover rollback t/web` takes it back\n")
    assert drover.out("why", "web").startswith("t/web is degraded: the update has failed; 1 of 1 failed")
    assert drover.run("rollback", "web").stdout.startswith("job t/web goes back to revision 2\n")
    drover.run("scale", "web=0")
    assert drover.out("why", "web").startswith("t/web is running: 0 of 0 ready\n  revision 3 was gone back on")
    for words, part in ((["why", "webb"], 'no job or task is called "webb"; did you mean t/web?'),
                        (["stop", "elsewhere"], "`drover jobs` lists what there is"),
                        (["logs", "t"], '"t" is a project: drover logs -p t'),
                        (["stop", "t"], '"t" is a project, and drover stop takes its jobs')):
        done = drover.run(*words, check=False)
        assert done.returncode == 3 and part in done.stderr


def test_a_plan_tells_a_change_once_and_of_hashes_the_start(drover):
    compose = "services:\n  s: {image: %s, configs: [c], command: [printf, one], deploy: {mode: replicated-job}}\nconfigs: {c: {content: %s}}\n"
    drover.up(compose % (BUSYBOX, "one"))
    (drover.folder / "compose.yaml").write_text((compose % (BUSYBOX, "two")).replace("command: [printf, one], ", ""))
    shown = drover.out("plan", "-f", drover.folder / "compose.yaml", "-p", "t")
    assert re.search(r'configs\[0\]\.hash: "[0-9a-f]{12}\.\.\." -> "[0-9a-f]{12}\.\.\."\n', shown)
    assert "        command: " in shown and "has_command" not in shown
    eventually("it has ended", lambda: drover.jobs()["t/s"]["standing"] == "completed")
    drover.run("run", "--again", "t/s")
    eventually("it has ended again", lambda: drover.jobs()["t/s"]["standing"] == "completed")
    assert drover.out("logs", "t/s") == "one\none"


def test_nothing_is_scaled_when_an_operand_is_wrong(drover):
    drover.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s}}\n", project="scaling")
    done = drover.run("scale", "scaling/s=3", "scaling/s", check=False)
    assert done.returncode == 2 and "is not JOB=REPLICAS" in done.stderr
    assert len(drover.tasks("scaling/s")) == 1


def test_a_long_list_is_of_one_moment(drover):
    """600 tasks are two pages; while they are read, there are now 600 of them and now none."""
    drover.up(f"services:\n  s:\n    image: {BUSYBOX}\n    deploy: {{replicas: 600, placement: {{constraints: "
              "[node.labels.nowhere==yes]}}\n", "-d")
    job = drover.get("/v1/jobs")["jobs"][0]["id"]
    end = threading.Event()

    def change():
        for n in itertools.count():
            drover.request("POST", f"/v1/jobs/{job}/scale", {"replicas": n % 2 * 600})
            if end.wait(0.05):
                return

    changer = threading.Thread(target=change)
    changer.start()
    try:
        counts = set()
        for _ in range(20):
            done = drover.run("ps", "-q")
            if "is not of one moment" not in done.stderr:
                counts.add(len(done.stdout.split()))
        assert counts and counts <= {0, 600}
    finally:
        end.set()
        changer.join()
