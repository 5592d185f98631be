"""A damaged database file is refused with a clear message, or it is whole: never a crash, never a part of the truth."""
import re
import shutil
import subprocess

import pytest

from world import PROGRAM, SEED, TOOLS, Cluster, eventually, make_folder, remove_folder, say, scaled

COUNTS = re.compile(r"(\d+) damages: (\d+) refused, (\d+) harmless, (\d+) unseen, (\d+) unclear")
IN_PROCESS = 3000
ON_THE_PROGRAM = 60
# What `drover help` says of a store that does not work.
EXIT_STORE = 8


@pytest.fixture(scope="module")
def healthy():
    """A cluster that was ended, its stores full enough that most pages hold something, and what its API told."""
    with Cluster() as cluster:
        cluster.start()
        for number in range(40):
            assert cluster.submit(f"j{number}", number % 3, environment={"FILLER": "x" * (number * 150)})[0] == 200
        cluster.wait_settled({f"j{number}": number % 3 for number in range(40)})
        assignments = len(cluster.running())
        cluster.kill("worker")
        picture = {name: job["replicas"] for name, job in cluster.jobs().items()}
        cluster.kill("manager")
        yield cluster, picture, assignments


@pytest.fixture
def scratch():
    made = make_folder("/dev/shm")
    yield made
    remove_folder(made)


def damage(store, scratch, count, keep):
    kept = scratch / "kept"
    kept.mkdir()
    counts = count_damages([TOOLS / "damage", store, "--scratch", scratch / "store", "--keep", str(keep), kept], count)
    return counts, sorted(kept.iterdir())


def count_damages(words, count):
    done = subprocess.run([*words, "--count", str(count), "--seed", str(SEED)], capture_output=True, text=True, check=False)
    found = COUNTS.search(done.stdout)
    assert found and done.returncode == 0, done.stdout + done.stderr
    return [int(number) for number in found.groups()]


def start_on(cluster, name, store, answers):
    """Start the program on a damaged store: True when it refused, False when it serves."""
    data = store.parent / f"{store.name}-data"
    data.mkdir()
    shutil.move(store, data / name)
    words = [PROGRAM, name, "--data-dir", data] + (["--docker", cluster.docker_socket] if name == "worker" else [])
    cluster.log_path.write_text("")
    process = cluster.spawn(name, words)
    eventually(lambda: f"{name} serves or ends\n{cluster.tail()}", lambda: process.poll() is not None or answers())
    ended = process.poll() is not None
    if ended:
        assert process.returncode == EXIT_STORE and "is damaged: " in cluster.tail(), (process.returncode, cluster.tail())
        assert "signal" not in cluster.tail().replace("reading it ended with signal", "")
        del cluster.processes[name]
    return ended


def test_a_damaged_authority_is_refused_or_whole(healthy, scratch):
    """The key and certificate that everyone who joined knows the cluster by."""
    cluster, _, _ = healthy
    whole = (cluster.manager_data / "manager" / "trust" / "authority.pem").read_bytes()
    trust = scratch / "trust"
    trust.mkdir()
    (trust / "authority.pem").write_bytes(whole)
    counts = count_damages([TOOLS / "damage_authority", trust], scaled(1500))
    # The real program on a few.
    for number in range(8):
        data = scratch / f"data{number}"
        shutil.copytree(cluster.manager_data, data)
        at = len(whole) * (2 * number + 1) // 16
        (data / "manager" / "trust" / "authority.pem").write_bytes(whole[:at])
        cluster.log_path.write_text("")
        process = cluster.spawn("manager", [PROGRAM, "manager", "--data-dir", data])
        assert process.wait(20) == EXIT_STORE and "authority.pem does not hold" in cluster.tail(), cluster.tail()
        del cluster.processes["manager"]
    say(f"damage, the cluster's authority: {counts[0]} damages: {counts[1]} refused, {counts[2]} harmless, {counts[3]} unseen; "
        f"drover manager started on 8: refused 8 with status {EXIT_STORE}")


def test_a_damaged_membership_is_refused_or_whole(scratch):
    """What a worker that has joined proves itself with, and knows its manager by."""
    with Cluster() as cluster:
        cluster.spawn("manager", [PROGRAM, "manager", "--data-dir", cluster.manager_data, "--listen", "127.0.0.1:0"])
        cluster.wait_manager()
        printed = subprocess.run([PROGRAM, "-H", cluster.socket, "token", "create", "--role", "worker"],
                                 capture_output=True, text=True, check=True).stdout
        cluster.spawn("worker", [PROGRAM, *printed.split()[1:], "--data-dir", cluster.worker_data, "--docker",
                                 cluster.docker_socket])
        trust = cluster.worker_data / "worker" / "trust"
        eventually(lambda: f"the worker joins\n{cluster.tail()}", (trust / "certificate.pem").exists)
        cluster.kill("worker")
        counts = count_damages([TOOLS / "damage_membership", trust], scaled(3000))
        # The real program on a few.
        number = 0
        for name in ("certificate.pem", "ca.pem", "key.pem"):
            whole = (trust / name).read_bytes()
            for part in (1, 3, 5):
                data = scratch / f"data{number}"
                shutil.copytree(cluster.worker_data, data)
                (data / "worker" / "trust" / name).write_bytes(whole[:len(whole) * part // 6])
                cluster.log_path.write_text("")
                process = cluster.spawn("worker", [PROGRAM, "worker", "--data-dir", data])
                assert process.wait(20) == EXIT_STORE, cluster.tail()
                assert f"the files in {data}/worker/trust do not belong together" in cluster.tail(), cluster.tail()
                del cluster.processes["worker"]
                number += 1
        say(f"damage, a worker's membership: {counts[0]} damages: {counts[1]} refused, {counts[2]} harmless, {counts[3]} unseen; "
            f"drover worker started on {number}: refused {number} with status {EXIT_STORE}")


def tell(what, counts, refused, served):
    say(f"damage, {what}: {counts[0]} damages: {counts[1]} refused, {counts[2]} harmless, {counts[3]} unseen; drover {what} "
        f"started on {refused + served}: refused {refused} with status {EXIT_STORE}, served {served} whole, 0 signals")


def test_a_damaged_store_of_the_manager_is_refused_or_whole(healthy, scratch):
    cluster, picture, _ = healthy
    counts, kept = damage(cluster.manager_data / "manager", scratch, scaled(IN_PROCESS), scaled(ON_THE_PROGRAM))
    refused = 0
    for store in kept:
        if start_on(cluster, "manager", store, lambda: cluster.get_or_none("/healthz")):
            refused += 1
            continue
        assert {name: job["replicas"] for name, job in cluster.jobs().items()} == picture
        cluster.kill("manager")
    assert 0 < refused < len(kept)
    tell("manager", counts, refused, len(kept) - refused)


def test_a_damaged_store_of_the_worker_is_refused_or_whole(healthy, scratch):
    cluster, _, assignments = healthy
    counts, kept = damage(cluster.worker_data / "worker", scratch, scaled(IN_PROCESS), scaled(ON_THE_PROGRAM))
    before = cluster.running()
    assert len(before) == assignments
    refused = 0
    for store in kept:
        if start_on(cluster, "worker", store, lambda: "Docker answers" in cluster.tail()):
            refused += 1
        else:
            cluster.kill("worker")
    # Neither a worker that refuses nor one that serves takes what runs for a stranger's.
    assert cluster.running() == before
    assert 0 < refused < len(kept)
    tell("worker", counts, refused, len(kept) - refused)
