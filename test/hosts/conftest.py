"""End to end over several machines: namespaces with a Docker daemon and a worker each, a manager in a fourth.

One cluster serves all tests, each with projects of its own; after each, every machine is on, connected and ready again.
DROVER names the program.
"""
import pytest

from cluster import Cluster


@pytest.fixture(scope="session")
def machines():
    cluster = Cluster()
    yield cluster
    cluster.clean()


@pytest.fixture
def cluster(machines):
    yield machines
    machines.restore()
    for project in {job["project"] for job in machines.json("jobs")["jobs"]}:
        machines.run("down", "-v", "-p", project)
    assert machines.containers(dead_too=True) == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the ends of the logs when a test failed."""
    report = (yield).get_result()
    machines = item.funcargs.get("machines")
    if report.failed and machines:
        report.sections.append(("manager's log", machines.log()[-4000:]))
        for host in machines.hosts.values():
            if host.log.exists():
                report.sections.append((f"{host.name}'s log", host.log.read_text(errors="replace")[-2000:]))
