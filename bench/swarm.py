"""A Docker Swarm of one machine for a bench to compare with: made when Docker is in none, and left again at the end.

It listens on the loopback interface only, and takes its networks from 198.18.0.0/15, which is set aside for measuring
(RFC 2544). In a Docker that manages a swarm already, services are made beside those that are there, on this machine alone;
nothing else is touched, and the swarm is not left. Where Docker is in a swarm that it does not manage, or cannot make one,
Swarm is left out and the bench says why.
"""
import os

from common import COMMAND, IMAGE, docker, until

POOL = "198.18.0.0/15"
GATEWAY_NETWORK = "docker_gwbridge"


class NoSwarm(Exception):
    """Swarm cannot be compared with here; the text says why."""


class Swarm:
    name = "Swarm"

    def __init__(self):
        state = docker("GET", "/info")["Swarm"]
        self.made = False
        self.had_gateway = self.has_gateway()
        if state["LocalNodeState"] == "inactive":
            self.make()
            state = docker("GET", "/info")["Swarm"]
        elif not state.get("ControlAvailable"):
            raise NoSwarm(f"Docker is in a swarm ({state['LocalNodeState']}) that it does not manage")
        else:
            print("Docker manages a swarm already: services are added to it, bound to this machine, and removed again")
        self.node = state["NodeID"]
        # By its id, Swarm uses the image as it is; by name it asks the registry before each start.
        self.image = docker("GET", f"/images/{IMAGE}/json")["Id"]

    def make(self):
        try:
            docker("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1",
                                           "DefaultAddrPool": [POOL], "SubnetSize": 24})
        except RuntimeError as problem:
            raise NoSwarm(f"no swarm can be made: {problem}") from problem
        self.made = True
        print("Docker is in no swarm: one is made on the loopback interface, and left at the end")
        until(lambda: docker("GET", "/nodes")[0]["Status"]["State"] == "ready", 0.05)

    @staticmethod
    def has_gateway():
        return any(each["Name"] == GATEWAY_NETWORK for each in docker("GET", "/networks"))

    def submit(self, name, replicas, restart_delay_ns=None):
        """A service of the bench's command, as it comes but for the stop grace; its id."""
        restart = {} if restart_delay_ns is None else {"RestartPolicy": {"Condition": "any", "Delay": restart_delay_ns}}
        return docker("POST", "/services/create", {
            "Name": f"drover-bench-{os.getpid()}-{name}",
            "Mode": {"Replicated": {"Replicas": replicas}},
            "TaskTemplate": {
                "ContainerSpec": {"Image": self.image, "Command": COMMAND, "StopGracePeriod": 0,
                                  "Labels": {f"bench.{i}": "x" for i in range(7)}},
                "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
                "Placement": {"Constraints": [f"node.id == {self.node}"]}, **restart}})["ID"]

    def running(self, service):
        return sum(task["Status"]["State"] == "running" and task["DesiredState"] == "running"
                   for task in self.tasks(service))

    @staticmethod
    def tasks(service):
        return docker("GET", f"/tasks?filters=%7B%22service%22%3A%5B%22{service}%22%5D%7D")

    def remove(self, service):
        """The containers go after the service, and their tasks with them."""
        label = f"com.docker.swarm.service.id={service}"
        docker("DELETE", f"/services/{service}")
        until(lambda: not docker("GET", f"/containers/json?all=1&filters=%7B%22label%22%3A%5B%22{label}%22%5D%7D"), 0.05)

    def close(self):
        if not self.made:
            return
        docker("POST", "/swarm/leave?force=true")
        if not self.had_gateway and self.has_gateway():
            docker("DELETE", f"/networks/{GATEWAY_NETWORK}")


def swarm_or_none():
    try:
        return Swarm()
    except NoSwarm as why:
        print(f"without Swarm: {why}")
        return None
