"""Health checks, Docker's and the worker's own: what they gate and what they end."""
from harness import BUSYBOX, docker, eventually

SERVER = """
  {name}:
    image: %s
    init: true
    stop_grace_period: 1s
    command: ["sh", "-c", "mkdir /www; sleep 1; echo ok > /www/ready; exec httpd -f -p 8080 -h /www"]
""" % BUSYBOX


def why(drover, task):
    return drover.out("why", task)


def test_the_worker_asks_a_server_and_acts_on_its_answers(drover):
    """The gate of a dependency, a restart under the policy, and an update that starts first."""
    compose = "services:" + SERVER.format(name="server") + """
    environment: {V: '%s'}
    deploy: {update_config: {order: start-first, monitor: 100ms}, restart_policy: {max_attempts: 1}}
    x-drover:
      health: {http: {port: 8080, path: %s}, interval: 300ms, timeout: 2s, retries: 2, start_period: 30s, start_interval: 200ms}
  client:
    image: """ + BUSYBOX + """
    command: ["wget", "-q", "-O", "-", "http://server:8080/ready"]
    depends_on: {server: {condition: service_healthy}}
    deploy: {mode: replicated-job}
"""
    drover.up(compose % (1, "/ready"))
    assert "ok" in drover.out("logs", "t/client")
    task = drover.tasks("t/server")[0]
    assert task["ready"] and task["health"] == "healthy" and task["attempt"] == 1

    # The new task takes over only once it answers, and it never does: the old one serves on.
    drover.up(compose % (2, "/absent"), "-d")
    eventually("the check fails", lambda: "answered 404" in why(drover, "t/server"))
    tasks = drover.tasks("t/server")
    assert [(t["ready"], t["revision"]) for t in tasks if t["id"] == task["id"]] == [(True, 1)]
    assert [t["health"] for t in tasks if t["revision"] == 2] == ["starting"]
    drover.up(compose % (3, "/ready"))
    tasks = [t for t in drover.tasks("t/server") if t["state"] == "running"]
    assert [(t["ready"], t["revision"]) for t in tasks] == [(True, 3)]

    docker("exec", tasks[0]["container_id"], "rm", "/www/ready")
    eventually("another attempt", lambda: [t["attempt"] for t in drover.tasks("t/server")
                                           if t["ready"] and t["id"] == tasks[0]["id"]] == [2])
    docker("exec", drover.containers(running_only=True)[0], "rm", "/www/ready")
    told = "unhealthy: health check GET :8080/ready answered 404, 2 times in a row; 1 of 1 restarts used"
    eventually("the policy is used up", lambda: told in why(drover, "t/server"))


def test_hooks_run_beside_the_command(drover):
    """After the start as another user, before the task is said to run; and before the stop."""
    drover.up(f"""
services:
  server:
    image: {BUSYBOX}
    user: "1000"
    init: true
    command: ["sh", "-c", "while ! test -e /data/chowned; do sleep 0.1; done; touch /data/mine && exec sleep 1000"]
    volumes: [data:/data]
    environment: {{A: outer}}
    post_start:
      - {{command: chown 1000 /data, user: root}}
      - command: ["sh", "-c", "sleep 1; echo $$A $$(pwd) > chowned"]
        working_dir: /data
        environment: {{A: inner}}
    pre_stop:
      - {{command: sh -c "echo stopped > /data/stopped"}}
      - {{command: sh -c "echo too late; exit 4"}}
  reader:
    image: {BUSYBOX}
    volumes: [data:/data]
    command: [cat, /data/chowned]
    depends_on: {{server: {{condition: service_started}}}}
    deploy: {{mode: replicated-job}}
volumes: {{data: }}
""")
    assert drover.out("logs", "t/reader") == "inner /data\n"
    assert drover.tasks("t/server")[0]["ready"]
    drover.run("stop", "t/server")
    assert "pre_stop hook 2 of 2 (sh -c echo too late; exit 4) exited with status 4: too late" in drover.log()
    assert docker("run", "--rm", "-v", "t_data:/data", BUSYBOX, "cat", "/data/stopped") == "stopped"


def test_who_waits_for_health_where_nothing_checks_it_fails(drover):
    """Of the image alone nobody knows before it runs whether it has a check."""
    checked = "drover-test/checked:1"
    made = docker("create", BUSYBOX, "true").strip()
    docker("commit", "--change", 'HEALTHCHECK --interval=300ms CMD ["true"]', made, checked)
    docker("rm", made)
    compose = """
services:
  db: {image: %s, command: ["sleep", "1000"], init: true, stop_grace_period: 1s}
  web: {image: %s, command: ["sleep", "1000"], init: true, stop_grace_period: 1s, depends_on: {db: {condition: service_healthy}}}
"""
    try:
        done = drover.up(compose % (BUSYBOX, BUSYBOX), check=False)
        assert done.returncode != 0
        told = "needs db to be healthy, but it has no health check"
        assert told in done.stderr
        assert "dependency_failed" in why(drover, "t/web") and told in why(drover, "t/web")
        # Of web nothing changes, but what it waits for.
        (drover.folder / "compose.yaml").write_text(compose % (checked, BUSYBOX))
        planned = drover.out("plan", "-f", drover.folder / "compose.yaml", "-p", "t")
        assert "  ~ job web restarted\n      + web.1 on " in planned, planned
        drover.up(compose % (checked, BUSYBOX))
        assert [t["health"] for t in drover.tasks("t/db")] == ["healthy"]
    finally:
        drover.run("down", "-p", "t", check=False)
        docker("rmi", "-f", checked)


def test_jobs_wait_for_jobs_of_other_projects(drover):
    """For their first start, to be restarted with them, and for nobody who waits for them."""
    infra = """
services:
  db:
    image: %s
    init: true
    stop_grace_period: 1s
    environment: {V: "%s"}
    command: ["sh", "-c", "sleep 2; touch /ready; exec sleep 1000"]
    healthcheck: {test: ["CMD", "test", "-e", "/ready"], interval: 300ms, retries: 100}
    deploy: {update_config: {monitor: 100ms}}
%s"""
    shop = """
services:
  web:
    image: %s
    init: true
    stop_grace_period: 1s
    command: ["sleep", "1000"]
    x-drover:
      depends_on:
        infra/%s: {condition: service_healthy, restart: true}
"""
    done = drover.up(shop % (BUSYBOX, "db"), project="shop", check=False)
    assert done.returncode != 0
    assert "compose.yaml:10:9: services.web.x-drover.depends_on.infra/db: there is no job infra/db" in done.stderr
    drover.up(infra % (BUSYBOX, 1, ""), "-d", project="infra")
    drover.up(shop % (BUSYBOX, "db"), "-d", project="shop")
    told = "waits for infra/db to be healthy: 0 of 1 healthy"
    assert told in why(drover, "shop/web") or drover.tasks("infra/db")[0]["ready"]
    eventually("web runs", lambda: [t["ready"] for t in drover.tasks("shop/web")] == [True])
    web, = drover.tasks("shop/web")
    db, = drover.tasks("infra/db")
    assert db["health"] == "healthy" and db["started_wall_ms"] <= web["started_wall_ms"]

    path = drover.folder / "next.yaml"
    path.write_text(infra % (BUSYBOX, 2, ""))
    planned = drover.out("plan", "-f", path, "-p", "infra")
    assert "~ job shop/web restarted" in planned
    assert "job shop/web restarted" in drover.up(infra % (BUSYBOX, 2, ""), project="infra").stdout
    eventually("web is made anew",
               lambda: [t["ready"] for t in drover.tasks("shop/web") if t["id"] != web["id"]] == [True])

    # The other way round as well is a cycle.
    back = '    x-drover: {depends_on: [shop/web]}\n'
    done = drover.up(infra % (BUSYBOX, 2, back), project="infra", check=False)
    assert done.returncode != 0
    assert "the jobs wait for each other: db -> shop/web -> db" in done.stderr
    drover.run("down", "-p", "infra")
    assert drover.tasks("shop/web")[0]["ready"]
    drover.run("down", "-p", "shop")
