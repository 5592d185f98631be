"""Requests and files that are wrong: a clear error each, no crash, no change of state."""
import json
import shutil
import socket
import time

import pytest

from harness import BUSYBOX, PATIENCE_SECONDS, eventually, make_drover

NO_ID = "00000000-0000-7000-8000-000000000000"
JOB = {"name": "s", "spec": {"image": BUSYBOX}}


@pytest.fixture(scope="module")
def target():
    """A drover with something in it that must not change."""
    drover = make_drover()
    drover.start()
    assert drover.cluster_id
    drover.up(f"services:\n  s: {{image: {BUSYBOX}, stop_grace_period: 1s, volumes: ['data:/data']}}\nvolumes: {{data: }}\n",
              project="kept")
    yield drover
    drover.run("down", "-v", "-p", "kept", check=False)
    drover.clean()
    shutil.rmtree(drover.folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_happens(target):
    """After every test: the same process, healthy, with the same projects, jobs, tasks and volumes."""
    process = target.processes["dev"]
    before = target.picture()
    yield
    assert process.poll() is None, target.log()[-3000:]
    assert target.get("/healthz") == {"ok": True}
    assert target.picture() == before


def raw(target, *pieces, pause=0.0):
    """Send bytes as they are; what comes back until the peer closes, or one whole answer."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(str(target.socket))
    answer = b""
    try:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it may refuse before it has read everything
    connection.settimeout(PATIENCE_SECONDS)
    try:
        while data := connection.recv(65536):
            answer += data
            if has_whole_answer(answer):
                break
    except ConnectionResetError:
        pass
    connection.close()
    return answer


def has_whole_answer(answer):
    head, end, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return bool(end) and len(body) >= int(line.split(b":")[1])
    return False


def refusal(answer):
    """(status, code, message, field) of raw bytes that must be an error in the one shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return (status, *parts(json.loads(body)))


def parts(answer):
    assert set(answer) == {"error"}, answer
    error = answer["error"]
    assert set(error) in ({"code", "message"}, {"code", "message", "field"}), answer
    assert error["message"] and "\n" not in error["message"]
    return error["code"], error["message"], error.get("field")


def post(target, path, body, headers=None):
    status, answer = target.request("POST", path, body, headers)
    return (status, *parts(answer))


# -- JSON


@pytest.mark.parametrize("body, status, code, words", [
    (b"", 400, "invalid", "needs a JSON body"),
    (b"{", 400, "syntax", "JSON line 1"),
    (b'{"jobs": [}', 400, "syntax", "JSON line 1, column"),
    (b'{\n "jobs": tru\n}', 400, "syntax", "JSON line 2"),
    (b'{} {}', 400, "syntax", "JSON line 1"),
    (b"[]", 400, "invalid", "expected"),
    (b'"x"', 400, None, None),
    (b"null", 400, None, None),
    (b'{"jobs": 5}', 400, "invalid", "expected"),
    (b'{"jobs": [], "jobs": []}', 400, "syntax", "duplicate"),
    (b'{"jobz": []}', 400, "invalid", "unknown field"),
    (b'{"name": "other", "jobs": []}', 400, "invalid", "is not the project of the address"),
    (b'{"name": "x\xff"}', 400, "syntax", "JSON line 1"),
    (b'{"name": "a\\u0000b"}', 400, None, None),
    (b'{"jobs": [{"name": "s"}]}', 400, "invalid", None),
    (b'{"jobs": [{"name": "s", "spec": {}}]}', 400, "invalid", None),
    (b'{"jobs": [{"name": "s", "spec": {"image": 5}}]}', 400, "invalid", "expected"),
    (b'{"jobs": [{"name": "s", "spec": {"image": ""}}]}', 400, "invalid", None),
    (b'{"jobs": [{"name": "s", "spec": {"image": "a b"}}]}', 400, "invalid", "image reference"),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "replicas": -1}}]}', 400, "invalid", "-1 is less than 0"),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "replicas": 1.5}}]}', 400, "invalid", "expected"),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "replicas": 1e400}}]}', 400, None, None),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "replicas": 99999999999999999999}}]}', 400, None, None),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "mode": "sometimes"}}]}', 400, "invalid", "is none of"),
    (b'{"jobs": [{"name": "S!", "spec": {"image": "x"}}]}', 400, "invalid", None),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x"}}, {"name": "s", "spec": {"image": "x"}}]}', 400, "invalid", None),
    (b'{"jobs": [{"name": "s", "spec": {"image": "x", "mounts": [{"kind": "volume", "source": "no", "target": "/x"}]}}]}',
     400, "invalid", None),
    (b"[" * 100000, 413, "too_large", "deep"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, 413, "too_large", None),
], ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else None)
def test_bodies_that_are_wrong(target, body, status, code, words):
    told = post(target, "/v1/projects/new/apply", body)
    assert told[0] == status, told
    assert code is None or told[1] == code, told
    assert words is None or words in told[2], told


@pytest.mark.parametrize("change, field", [
    ({"image": 5}, "job.spec.image"), ({"command": ["a", 1]}, "job.spec.command[1]"),
    ({"ports": [{"container_port": 70000}]}, "job.spec.ports[0].container_port"),
    ({"restart": {"condition": "x"}}, "job.spec.restart.condition"), ({"frob": 1}, "job.spec.frob"),
])
def test_an_error_names_the_field(target, change, field):
    body = {"project": "new", "job": {"name": "s", "spec": {"image": BUSYBOX, **change}}}
    status, code, message, told = post(target, "/v1/jobs", body)
    assert (status, code, told) == (400, "invalid", field), message


def test_huge_bodies(target):
    assert post(target, "/v1/projects/new/apply", b" " * (4 * 1024 * 1024 + 1))[:2] == (413, "too_large")
    assert post(target, "/v1/jobs", b" " * (512 * 1024 + 1))[:2] == (413, "too_large")
    many = {"jobs": [{"name": "s", "spec": {"image": BUSYBOX, "command": ["x"] * 2000}}]}
    assert post(target, "/v1/projects/new/apply", many)[:2] == (400, "invalid")
    head = b"POST /v1/projects/new/apply HTTP/1.1\r\nHost: d\r\n"
    assert refusal(raw(target, head + b"Content-Length: 99999999999\r\n\r\n"))[:2] == (413, "too_large")
    assert refusal(raw(target, head + b"Content-Length: 99999999999999999999999\r\n\r\n"))[0] in (400, 413)
    chunks = [b"fffff\r\n" + b" " * 0xfffff + b"\r\n"] * 5
    assert refusal(raw(target, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks))[:2] == (413, "too_large")


# -- addresses and methods


@pytest.mark.parametrize("method, path, status, code", [
    ("GET", "/", 404, "not_found"), ("GET", "/v2/jobs", 404, "not_found"), ("GET", "/v1/jobs/", 404, "not_found"),
    ("GET", "/v1//jobs", 404, "not_found"), ("GET", "/v1/../v1/jobs", 404, "not_found"),
    ("GET", "/v1/jobs/%2e%2e", 400, "invalid"), ("GET", "/v1/jobs/%zz", 400, "invalid"),
    ("GET", "/v1/jobs/%00", 400, "invalid"), ("GET", "/v1/jobs/x", 400, "invalid"),
    ("GET", f"/v1/jobs/{NO_ID}", 404, "not_found"), ("GET", f"/v1/tasks/{NO_ID}", 404, "not_found"),
    ("GET", f"/v1/nodes/{NO_ID}", 404, "not_found"), ("GET", f"/v1/tasks/{NO_ID}/logs", 404, "not_found"),
    ("GET", "/v1/projects/none", 404, "not_found"), ("DELETE", "/v1/projects/none", 404, "not_found"),
    ("DELETE", "/v1/volumes/none", 404, "not_found"), ("DELETE", f"/v1/jobs/{NO_ID}", 404, "not_found"),
    ("POST", f"/v1/jobs/{NO_ID}/stop", 404, "not_found"), ("POST", f"/v1/jobs/{NO_ID}/restart", 404, "not_found"),
    ("POST", f"/v1/tasks/{NO_ID}/stop", 404, "not_found"), ("POST", f"/v1/tasks/{NO_ID}/restart", 404, "not_found"),
    ("POST", "/v1/projects/none/stop", 404, "not_found"), ("POST", "/v1/projects/none/restart", 404, "not_found"),
    ("DELETE", "/v1/volumes/kept_data", 409, "conflict"), ("DELETE", "/v1/projects/kept?volumes=maybe", 400, "invalid"),
    ("PUT", "/v1/jobs", 405, "method_not_allowed"), ("DELETE", "/v1/jobs", 405, "method_not_allowed"),
    ("PATCH", "/v1/cluster", 405, "method_not_allowed"), ("OPTIONS", "/v1/jobs", 405, "method_not_allowed"),
    ("FROB", "/v1/jobs", 405, "method_not_allowed"), ("GET", "/v1/projects/kept/apply", 405, "method_not_allowed"),
    ("GET", "/v1/jobs?limit=0", 400, "invalid"), ("GET", "/v1/jobs?limit=501", 400, "invalid"),
    ("GET", "/v1/tasks?limit=x", 400, "invalid"), ("GET", "/v1/events?after=x", 400, "invalid"),
    ("GET", "/v1/nodes/%s/sync" % NO_ID, None, None), ("GET", "/v1/streams/%s" % NO_ID, None, None),
])
def test_addresses_that_are_wrong(target, method, path, status, code):
    told, answer = target.request(method, path)
    error = parts(answer)
    assert status is None or (told, error[0]) == (status, code), (told, error)
    assert told >= 400


def test_a_body_where_none_belongs(target):
    job = target.get("/v1/jobs")["jobs"][0]["id"]
    for path in ("/v1/projects/kept/stop", f"/v1/jobs/{job}/stop", f"/v1/jobs/{job}/restart"):
        assert post(target, path, {"x": 1})[:2] == (413, "too_large")
    answer = raw(target, b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\n\r\nhello")
    assert refusal(answer)[:2] == (413, "too_large")


def test_idempotency_keys_that_are_wrong(target):
    for key in ("", "x" * 129):
        told = post(target, "/v1/projects/none/stop", None, {"Idempotency-Key": key})
        assert told[:2] == (400, "invalid") and told[3] == "Idempotency-Key"


# -- HTTP itself


REQUEST = b"POST /v1/projects/kept/stop HTTP/1.1\r\nHost: d\r\n"


@pytest.mark.parametrize("request_bytes", [
    b"\x00\x01\x02\r\n\r\n", b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET /v1/jobs\r\n\r\n", b"GET /v1/jobs HTTP/2.0\r\nHost: d\r\n\r\n",
    b"GET /v1/jobs HTTP/1.1\r\n\r\n", b"GET /v1/jobs HTTP/1.1\nHost: d\n\n", b"GET  /v1/jobs HTTP/1.1\r\nHost: d\r\n\r\n",
    b"GET http://d/v1/jobs HTTP/1.1\r\nHost: d\r\n\r\n", b"GET /v1/jobs HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\nA b: c\r\n\r\n", b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\n folded: c\r\n\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost : d\r\n\r\n", b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\nX: \x00\r\n\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\nExpect: tea\r\n\r\n", b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\nOrigin: http://x\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: d\r\n\r\n", b"GET / HTTP/1.1\r\nHost: d\r\nX: " + b"a" * 17000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: d\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(70)) + b"\r\n",
    # Smuggling: what one reader takes for a body another takes for the next request.
    REQUEST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REQUEST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    REQUEST + b"Content-Length: +5\r\n\r\n", REQUEST + b"Content-Length: 0x5\r\n\r\n", REQUEST + b"Content-Length: -1\r\n\r\n",
    REQUEST + b"Content-Length: 5, 5\r\n\r\n", REQUEST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    REQUEST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", REQUEST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    REQUEST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/projects/kept/apply HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 300 + b"\r\nhello\r\n0\r\n\r\n",
    b"POST /v1/projects/kept/apply HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    b"POST /v1/projects/kept/apply HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
    b"POST /v1/projects/kept/apply HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nhello\r\n",
    b"POST /v1/projects/kept/apply HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
], ids=lambda value: value[:60].decode("latin-1").encode("unicode_escape").decode())
def test_requests_that_are_no_http(target, request_bytes):
    answer = raw(target, request_bytes)
    status, code, message, _ = refusal(answer)
    assert 400 <= status < 500 or status in (501, 505), (status, code, message)
    # One answer, and the connection is not used further.
    assert answer.count(b"Content-Length:") == 1


def test_what_follows_a_refused_request_is_not_read_as_one(target):
    hidden = b"POST /v1/projects/kept/stop HTTP/1.1\r\nHost: d\r\n\r\n"
    answer = raw(target, REQUEST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(hidden) + hidden)
    assert refusal(answer)[0] == 400
    answer = raw(target, REQUEST + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden)
    assert refusal(answer)[0] == 413


def test_half_requests_and_slow_clients_hold_nobody_up(target):
    slow = []
    for i in range(200):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(str(target.socket))
        connection.sendall([b"", b"G", b"GET /v1/jobs HTTP/1.1\r\nHo",
                            b"POST /v1/projects/new/apply HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{"][i % 4])
        slow.append(connection)
    assert target.get("/v1/cluster")["jobs"] == 1
    # Byte by byte a request is still one.
    request = b"GET /healthz HTTP/1.1\r\nHost: d\r\n\r\n"
    assert raw(target, *[bytes([byte]) for byte in request], pause=0.002).startswith(b"HTTP/1.1 200")
    # Those that began a head and do not go on are told so and dropped.
    answer = b""
    while data := slow[2].recv(4096):
        answer += data
    assert refusal(answer)[:2] == (408, "timeout")
    for connection in slow:
        connection.close()


def test_a_client_that_leaves_in_the_middle(target):
    for request in (b"GET /v1/jobs HTTP/1.1\r\nHost: d\r\n\r\n", b"GET /v1/events HTTP/1.1\r\nHost: d\r\n\r\n",
                    b"POST /v1/projects/new/apply HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n\r\n{"):
        for _ in range(20):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(str(target.socket))
            connection.sendall(request)
            connection.close()
    eventually("the API answers", target.answers)


# -- Compose files


@pytest.mark.parametrize("compose, place, words", [
    ("services: {s: {image: x}\n", "2:1", "began in line 1"),
    ("services:\n  s:\n    image: x\n   command: y\n", "4:4", ""),
    ("services:\n\ts: {image: x}\n", "2:1", "tab"),
    ("services:\n  s:\n    image: x\n    image: y\n", "4:5", ""),
    ("services:\n  s:\n    imaje: x\n", "3:5: services.s.imaje", 'did you mean "image"?'),
    ("services:\n  s:\n    image: [x]\n", "3:5: services.s.image", ""),
    ("services:\n  s: {image: x, ports: ['80:x']}\n", "2:", "services.s.ports[0]"),
    ("services:\n  s: {image: x, ports: ['99999:80']}\n", "2:", "services.s.ports[0]"),
    ("services:\n  s: {build: .}\n", "2:7: services.s.build", "refused"),
    ("services:\n  s: {image: x, depends_on: [t]}\n", "2:", '"t"'),
    ("services:\n  s: {image: x, volumes: ['data:/x']}\n", "2:", "data"),
    ("services:\n  s: {image: x, networks: [n]}\n", "2:", "n"),
    ("services:\n  s: {image: '${X:?not set}'}\n", "2:", "not set"),
    ("services:\n  s: {image: x, deploy: {replicas: many}}\n", "2:", "services.s.deploy.replicas"),
    ("services:\n  s: {image: x, mem_limit: 12q}\n", "2:", "services.s.mem_limit"),
    ("services:\n  s: {image: x, stop_grace_period: soon}\n", "2:", "services.s.stop_grace_period"),
    ("services: &a {s: *a}\n", "1:", ""),
    ("a: " + "[" * 100 + "]" * 100, "1:", ""),
    ("services:\n  s: {image: 'x', environment: {A: \"\\xZZ\"}}\n", "2:", ""),
    ("- a\n- b\n", "1:1", ""),
    ("", "", ""),
], ids=range(21))
def test_mistakes_in_a_compose_file_name_their_place(target, compose, place, words):
    done = target.up(compose, project="new", check=False)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert f"compose.yaml:{place}" in done.stderr and words in done.stderr, done.stderr


def test_a_huge_compose_file_and_one_that_is_no_text(target):
    done = target.up("#" * (4 * 1024 * 1024 + 1), project="new", check=False)
    assert done.returncode == 2 and "compose.yaml" in done.stderr
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
    done = target.up(bomb, project="new", check=False)
    assert done.returncode == 2 and "compose.yaml:" in done.stderr
    path = target.folder / "binary.yaml"
    path.write_bytes(b"services:\n  s: {image: \xff\xfe}\n")
    done = target.run("up", "-f", path, check=False)
    assert done.returncode == 2 and "binary.yaml: byte 23: the file is not text in UTF-8" in done.stderr
