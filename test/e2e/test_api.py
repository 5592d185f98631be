"""The API as programs use it: every documented address answers, keys make retries safe, pages and events miss nothing."""
import json
import re
import signal
import uuid

import pytest

from harness import BUSYBOX, TOP, UnixConnection, eventually

NO_ID = "00000000-0000-7000-8000-000000000000"
SPEC = {"image": BUSYBOX, "replicas": 0}


def documented():
    """(method, path, answer's schema, has a body) of docs/openapi.yaml, which is generated and so has one form."""
    rows, path, method, schema, body = [], None, None, None, False
    text = (TOP / "docs/openapi.yaml").read_text()
    for line in text.split("\ncomponents:")[0].splitlines():
        if found := re.match(r"  (/\S*):$", line):
            path = found[1]
        elif found := re.match(r"    (get|post|delete|put|patch):$", line):
            method = found[1].upper()
            rows.append([method, path, None, False])
        elif "requestBody:" in line:
            rows[-1][3] = True
        elif (found := re.search(r"schemas/(\w+)'", line)) and found[1] != "error_answer":
            rows[-1][2] = found[1]
    return [tuple(row) for row in rows]


def fields_of(schema):
    """The names of the fields of a schema."""
    text = (TOP / "docs/openapi.yaml").read_text()
    block = re.search(rf"\n    {schema}:\n((?:      .*\n)+)", text)[1]
    return set(re.findall(r"\n        (\w+):", block))


@pytest.mark.parametrize("method, path, schema, has_body", documented())
def test_every_documented_address_answers(shared, method, path, schema, has_body):
    if path == "/v1/events":
        return  # its answer has no end: test_events_resume reads it
    target = path.replace("{name}", "none").replace("{id}", NO_ID)
    status, answer = shared.request(method, target, {} if has_body else None)
    if "{" in path or has_body:
        # Nothing is called that, or the empty body lacks something: told as an error, not as an unknown address.
        assert status in (200, 400, 404, 409, 426), answer
        if status != 200:
            assert set(answer) == {"error"} and "the API has no" not in answer["error"]["message"]
    else:
        assert status == 200
        if path != "/healthz":
            assert set(answer) <= fields_of(schema)
    status, answer = shared.request("TRACE", target)
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")


def test_views_have_the_documented_fields(shared):
    shared.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s, ports: ['18590:80']}}\n", project="views")
    task = shared.get("/v1/tasks?project=views")["tasks"][0]
    assert set(task) <= fields_of("task_view") and task["ports"][0]["host_port"] == 18590
    assert shared.get(f"/v1/tasks/{task['id']}") == task
    job = shared.get(f"/v1/jobs/{task['job_id']}")
    assert set(job) <= fields_of("job_view") and job["spec"]["image"] == BUSYBOX
    node = shared.get(f"/v1/nodes/{task['node']}")
    assert set(node) <= fields_of("node_view") and node["tasks"] >= 1
    assert set(shared.get("/v1/projects/views")) <= fields_of("project_view")
    for query, count in (("job=s", 1), ("job=x", 0), ("state=running", 1), ("state=failed", 0), (f"node={task['node']}", 1),
                         (f"node={NO_ID}", 0)):
        assert len(shared.get(f"/v1/tasks?project=views&{query}")["tasks"]) == count, query
    shared.run("down", "-p", "views")


def submit(drover, name, key=None, project="keys", **spec):
    headers = {"Idempotency-Key": key} if key else {}
    return drover.request("POST", "/v1/jobs", {"project": project, "job": {"name": name, "spec": {**SPEC, **spec}}}, headers)


def test_the_same_key_gives_the_same_answer_and_one_effect(drover):
    key = str(uuid.uuid4())
    first = submit(drover, "a", key)
    assert first[0] == 200 and first[1]["jobs"][0]["effect"] == "created"
    assert submit(drover, "a", key) == first
    assert submit(drover, "a", key, replicas=1)[0] == 409
    status, answer = submit(drover, "b", key)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (409, "conflict", "Idempotency-Key")
    assert set(drover.all_jobs()) == {"keys/a"}
    # A restart asked for twice is one restart; without the key it would be two.
    job = first[1]["jobs"][0]["id"]
    other = str(uuid.uuid4())
    scaled = drover.request("POST", f"/v1/jobs/{job}/scale", {"replicas": 2}, {"Idempotency-Key": other})
    assert scaled[0] == 200
    assert drover.request("POST", f"/v1/jobs/{job}/scale", {"replicas": 0})[0] == 200
    assert drover.request("POST", f"/v1/jobs/{job}/scale", {"replicas": 2}, {"Idempotency-Key": other}) == scaled
    assert drover.all_jobs()["keys/a"]["replicas"] == 0
    # The manager's death changes none of it.
    drover.kill("dev", signal.SIGKILL)
    drover.start()
    assert submit(drover, "a", key) == first
    assert submit(drover, "b", key)[0] == 409
    # What failed had no effect, and its key is free.
    key = str(uuid.uuid4())
    assert submit(drover, "Not A Name", key)[0] == 400
    assert submit(drover, "c", key)[0] == 200


def test_a_removal_sent_again_gives_its_first_answer(drover):
    job = submit(drover, "a")[1]["jobs"][0]["id"]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = drover.request("DELETE", f"/v1/jobs/{job}", None, key)
    assert first[0] == 200 and first[1]["jobs"][0]["effect"] == "removed"
    eventually("the job is gone", lambda: drover.all_jobs() == {})
    assert drover.request("DELETE", f"/v1/jobs/{job}", None, key) == first
    assert drover.request("DELETE", f"/v1/jobs/{job}")[0] == 404
    assert submit(drover, "b")[0] == 200
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = drover.request("DELETE", "/v1/projects/keys", None, key)
    assert first[0] == 200
    eventually("the project is gone", lambda: drover.get("/v1/projects")["projects"] == [])
    assert drover.request("DELETE", "/v1/projects/keys", None, key) == first


def test_pages_add_up_to_the_list(shared):
    jobs = [{"name": f"j{i:02}", "spec": SPEC} for i in range(23)]
    status, _ = shared.request("POST", "/v1/projects/paged/apply", {"jobs": jobs})
    assert status == 200
    whole = shared.get("/v1/jobs?project=paged")
    assert not whole.get("next") and [job["name"] for job in whole["jobs"]] == [job["name"] for job in jobs]
    for limit in (1, 7, 22, 23, 24):
        seen, after = [], ""
        while True:
            page = shared.get(f"/v1/jobs?project=paged&limit={limit}&after={after}")
            assert 1 <= len(page["jobs"]) <= limit
            seen += page["jobs"]
            after = page.get("next")
            if not after:
                break
        assert seen == whole["jobs"]
    # A page does not care what happened to the last item of the one before.
    first = shared.get("/v1/jobs?project=paged&limit=3")
    gone = shared.request("DELETE", f"/v1/jobs/{first['jobs'][2]['id']}")
    assert gone[0] == 200
    after = shared.get(f"/v1/jobs?project=paged&limit=3&after={first['next']}")
    assert [job["name"] for job in after["jobs"]] == ["j03", "j04", "j05"]
    assert shared.get("/v1/jobs?project=paged&after=paged/z") == {"jobs": []} or \
        shared.get("/v1/jobs?project=paged&after=paged/z")["jobs"] == []
    assert shared.request("DELETE", "/v1/projects/paged")[0] == 200


def read_events(drover, count, last_id=None, target="/v1/events"):
    """So many events from the stream, each as (id, kind, data)."""
    connection = UnixConnection(drover.socket)
    connection.request("GET", target, headers={"Last-Event-ID": last_id} if last_id else {})
    answer = connection.getresponse()
    assert answer.status == 200 and answer.getheader("Content-Type").startswith("text/event-stream")
    events, current = [], {}
    while len(events) < count:
        line = answer.readline().decode().rstrip("\n")
        if not line and "data" in current:
            events.append((current["id"], current["event"], json.loads(current["data"])))
            current = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            current[name] = value
    connection.close()
    return events


def test_events_resume_where_the_reader_left(drover):
    for i in range(5):
        assert submit(drover, f"e{i}", project="events")[0] == 200
    events = read_events(drover, 8, target="/v1/events?after=1-0")
    numbers = [int(id.split("-")[1]) for id, _, _ in events]
    assert numbers == list(range(1, 9))
    assert all(data["number"] == number and data["kind"] == kind
               for number, (_, kind, data) in zip(numbers, events))
    resumed = read_events(drover, 3, last_id=events[4][0])
    assert resumed == events[5:8]
    # The number of another run means nothing now: the reader is told to look at everything again.
    old = events[-1][0]
    drover.kill("dev", signal.SIGKILL)
    drover.start()
    first = read_events(drover, 1, last_id=old)[0]
    assert first[1] == "resync" and first[0].split("-")[0] != old.split("-")[0]


def test_the_audit_log_tells_who_asked_for_what(drover):
    drover.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s}}\n", project="audited")
    drover.run("stop", "audited/s")
    drover.run("down", "-p", "audited")
    lines = (drover.data / "manager" / "audit.log").read_text().splitlines()
    told = [line.split()[1:-1] for line in lines]
    for act, subject in (("apply", "audited"), ("stop", "audited/s"), ("remove", "audited")):
        assert ["uid:0", act, subject] in told, told
    # A line that is changed shows at the next start.
    path = drover.data / "manager" / "audit.log"
    path.write_text(path.read_text().replace("audited/s", "audited/t"))
    drover.kill("dev", signal.SIGTERM)
    drover.start()
    assert "audit.log: line 2 does not follow from what came before it" in drover.log()
