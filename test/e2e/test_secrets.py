"""Configs and secrets on real Docker: as files in containers, and nowhere else."""
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from harness import BUSYBOX, docker, eventually

# Nothing but a container's own file and the file the user wrote may ever hold these.
FILE_SECRET = "planted-secret-of-a-file-5d1c"
ENVIRONMENT_SECRET = "planted-secret-of-a-variable-77ab"
SECOND_SECRET = "planted-secret-number-two-0e9f"

COMPOSE = f"""
services:
  user:
    image: {BUSYBOX}
    command: sleep 1000
    stop_grace_period: 0s
    configs: [app, {{source: inline, target: /etc/inline.conf, mode: 0400, uid: "7", gid: "8"}}]
    secrets: [pw, {{source: token, target: api-token, mode: "0640"}}]
    deploy: {{update_config: {{monitor: 1ms}}}}
  other:
    image: {BUSYBOX}
    command: sleep 1000
    stop_grace_period: 0s
    secrets: [{{source: token, target: /token}}]
  neither:
    image: {BUSYBOX}
    command: sleep 1000
    stop_grace_period: 0s
configs:
  app: {{file: ./app.conf}}
  inline: {{content: "port=$$PORT\\n"}}
  unused: {{file: ./not-there}}
secrets:
  pw: {{file: ./pw}}
  token: {{environment: E2E_TOKEN}}
"""


@pytest.fixture
def files_dir():
    folder = tempfile.mkdtemp(prefix="drover-e2e-", dir="/dev/shm")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


def container_of(drover, job):
    found = docker("ps", "-q", "--filter", f"label=drover.cluster={drover.cluster_id}",
                   "--filter", f"label=drover.job={job}").split()
    return found[0] if len(found) == 1 else None


def read(drover, job, path):
    return docker("exec", container_of(drover, job), "cat", path)


def kept_files(files_dir):
    return [path for path in files_dir.rglob("*") if path.is_file()]


def everything_said(drover):
    """All that people and programs can see, and all that lies on disk, as bytes."""
    yield "the log", drover.log().encode()
    for path in drover.data.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    targets = ["cluster", "projects", "jobs", "tasks", "nodes", "volumes", "openapi.json"]
    targets += [f"jobs/{job['id']}" for job in drover.get("/v1/jobs")["jobs"]]
    targets += [f"jobs/{job['id']}/revisions" for job in drover.get("/v1/jobs")["jobs"]]
    targets += [f"tasks/{task['id']}" for task in drover.get("/v1/tasks")["tasks"]]
    for target in targets:
        yield target, repr(drover.request("GET", f"/v1/{target}")).encode()
    for job in drover.jobs():
        for command in ("inspect", "why", "history"):
            yield f"{command} {job}", drover.run(command, job, check=False).stdout.encode()
    for container in drover.containers():
        yield "docker inspect", docker("inspect", container).encode()


def assert_secret(drover, *secrets):
    for where, found in everything_said(drover):
        for secret in secrets:
            assert secret.encode() not in found, (secret, where)


def test_configs_and_secrets(stopped_drover, files_dir):
    drover = stopped_drover
    drover.environment["E2E_TOKEN"] = ENVIRONMENT_SECRET
    assert drover.spawn("dev", "--files-dir", "here").wait(60) != 0
    assert "--files-dir: here is not an absolute path" in drover.log()
    drover.start("--files-dir", files_dir)
    (drover.folder / "app.conf").write_bytes(b"one\n")
    (drover.folder / "pw").write_text(FILE_SECRET)

    # They are there, as asked for.
    done = drover.up(COMPOSE)
    assert FILE_SECRET not in done.stdout + done.stderr
    assert read(drover, "user", "/app") == "one"
    assert read(drover, "user", "/etc/inline.conf") == "port=$PORT"
    assert read(drover, "user", "/run/secrets/pw") == FILE_SECRET
    assert read(drover, "user", "/run/secrets/api-token") == ENVIRONMENT_SECRET
    assert read(drover, "other", "/token") == ENVIRONMENT_SECRET
    stat = ["exec", container_of(drover, "user"), "stat", "-c", "%a %u:%g"]
    assert docker(*stat, "/etc/inline.conf") == "400 7:8"
    assert docker(*stat, "/run/secrets/api-token") == "440 0:0"
    assert docker(*stat, "/run/secrets/pw") == "444 0:0"
    assert "Read-only" in docker("exec", container_of(drover, "user"), "sh", "-c", "(echo > /app) 2>&1; true")
    assert os.stat(drover.data / "manager/secrets.key").st_mode & 0o777 == 0o600
    assert_secret(drover, FILE_SECRET, ENVIRONMENT_SECRET)

    # What is printed reads back, and tells nothing.
    printed = drover.out("config", "-f", drover.folder / "compose.yaml", "-p", "t")
    assert FILE_SECRET not in printed and f"file: {drover.folder}/pw" in printed
    assert "environment: E2E_TOKEN" in printed and "unused" not in printed
    assert FILE_SECRET not in drover.out("config", "-f", drover.folder / "compose.yaml", "-o", "json")

    # The same again changes nothing; other bytes replace the tasks of who uses them.
    before = {job: container_of(drover, job) for job in ("user", "other", "neither")}
    drover.up(printed)
    assert {job: container_of(drover, job) for job in before} == before
    (drover.folder / "app.conf").write_bytes(b"two\n")
    (drover.folder / "pw").write_text(SECOND_SECRET)
    drover.up(COMPOSE)
    assert read(drover, "user", "/app") == "two"
    assert read(drover, "user", "/run/secrets/pw") == SECOND_SECRET
    assert [container_of(drover, job) for job in ("other", "neither")] == [before["other"], before["neither"]]

    # The way back brings back the bytes.
    drover.run("rollback", "t/user")
    assert read(drover, "user", "/app") == "one"
    assert read(drover, "user", "/run/secrets/pw") == FILE_SECRET

    # A worker that comes back takes up its containers, and their files; where these have gone, as after a reboot, it asks.
    before = container_of(drover, "user")
    drover.kill()
    drover.start("--files-dir", files_dir)
    assert container_of(drover, "user") == before
    drover.kill(number=signal.SIGTERM)
    shutil.rmtree(next(files_dir.iterdir()))
    docker("kill", before)
    drover.start("--files-dir", files_dir)
    eventually("it runs again", lambda: container_of(drover, "user"))
    assert read(drover, "user", "/run/secrets/pw") == FILE_SECRET
    assert_secret(drover, FILE_SECRET, ENVIRONMENT_SECRET, SECOND_SECRET)

    # A key that is gone: said so, and nothing is lost.
    drover.kill(number=signal.SIGTERM)
    (drover.data / "manager/secrets.key").rename(drover.folder / "kept")
    drover.spawn("dev", "--files-dir", files_dir).wait(60)
    assert "secrets.key, which is missing: bring back the right one" in drover.log()
    (drover.folder / "wrong").write_text("ab" * 32 + "\n")
    (drover.folder / "wrong").chmod(0o600)
    drover.spawn("dev", "--files-dir", files_dir, "--secrets-key", drover.folder / "wrong").wait(60)
    assert "wrong: bring back the right one" in drover.log()
    drover.start("--files-dir", files_dir, "--secrets-key", drover.folder / "kept")

    # One that is lost: what runs goes on without it, and `up` brings the secrets anew under another key.
    drover.kill(number=signal.SIGTERM)
    before = container_of(drover, "user")
    drover.start("--files-dir", files_dir, "--forget-secrets")
    assert "are forgotten" in drover.log()
    assert container_of(drover, "user") == before
    drover.up(COMPOSE)
    assert container_of(drover, "user") != before
    assert read(drover, "user", "/run/secrets/pw") == SECOND_SECRET
    drover.kill(number=signal.SIGTERM)
    drover.start("--files-dir", files_dir)

    # With their tasks the files go.
    drover.run("down", "-p", "t")
    eventually("no file is left", lambda: not kept_files(files_dir))
