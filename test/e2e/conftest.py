"""End to end: the real program against a real Docker daemon.

Each test gets a `drover` of its own (data folder, socket, cluster id), so tests cannot see each other's containers; what a
test makes is removed at its end. DROVER names the program; tools/docker-up and tools/make-images have run before.
"""
import shutil
from pathlib import Path

import pytest

from harness import RUNS, Drover, PrivateDocker, make_drover, remove_cluster

# Did the test itself pass? For fixtures that check something after it.
PASSED = pytest.StashKey()


@pytest.fixture(scope="session", autouse=True)
def no_leftovers_of_killed_runs():
    for run in RUNS.iterdir() if RUNS.is_dir() else []:
        if not Path(f"/proc/{run.read_text()}").exists():
            remove_cluster(run.name)
    yield


@pytest.fixture
def stopped_drover():
    """A drover whose daemons the test starts itself."""
    drover = make_drover()
    yield drover
    drover.clean()
    shutil.rmtree(drover.folder, ignore_errors=True)


@pytest.fixture
def drover(stopped_drover):
    stopped_drover.start()
    assert stopped_drover.cluster_id
    return stopped_drover


@pytest.fixture(scope="module")
def shared():
    """One drover for all tests of a module; each uses a project of its own."""
    drover = make_drover()
    drover.start()
    assert drover.cluster_id
    yield drover
    drover.clean()
    shutil.rmtree(drover.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def private_docker():
    daemon = PrivateDocker()
    yield daemon
    daemon.clean()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of the log of a drover whose test failed."""
    report = (yield).get_result()
    if report.when == "call":
        item.stash[PASSED] = report.passed
    for drover in {id(value): value for value in item.funcargs.values() if isinstance(value, Drover)}.values():
        if report.failed:
            report.sections.append(("drover's log", drover.log()[-6000:]))
