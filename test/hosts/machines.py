"""Several machines on one: each is a set of namespaces (processes, network, mounts, host name) around a first process.

A machine has an address, a host name and a boot id of its own; whatever runs on it ends with its first process, as with the
power. All of it ends with the process that made it, however that ends; what then lies about in files and cgroups, the next
run removes.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path

from harness import PATIENCE_SECONDS, TOP, docker, eventually

PREFIX = "drover-hosts-"
NAMESPACES = ["--pid", "--net", "--uts", "--mount", "--ipc"]


def run(*words, check=True):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stderr}")
    return done.stdout.strip()


def only_child(parent):
    """The child of a process that makes one, once it is there; None when the parent has ended."""
    def look():
        found = run("pgrep", "-P", parent.pid, check=False).split()
        return found or parent.poll() is not None
    found = eventually("a child process", look)
    return int(found[0]) if isinstance(found, list) else None


def begin(*unshare):
    """A first process in new namespaces, which ends with this one: (the process that made it, its number)."""
    # It ignores the end of children, so the kernel clears away whoever is left to it.
    outer = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", *unshare,
                              "env", "--ignore-signal=CHLD", "sleep", "infinity"], stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    inner = only_child(outer)
    assert inner, f"unshare {' '.join(unshare)} does not work here: this needs root"
    # Its namespaces are there before the command it becomes.
    eventually("the first process", lambda: Path(f"/proc/{inner}/comm").read_text() == "sleep\n")
    return outer, inner


class Process:
    """A process on a machine. `pid` is its number outside."""

    def __init__(self, machine, words, log, environment=None):
        with open(log, "ab") as out:
            self.shell = subprocess.Popen(machine.enter + list(map(str, words)), stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=out, env={**os.environ, **(environment or {})})
        self.pid = only_child(self.shell)

    def alive(self):
        return self.shell.poll() is None

    def send(self, number):
        os.kill(self.pid, number)
        if number == signal.SIGCONT:
            # It stopped itself when its child did.
            self.shell.send_signal(number)

    def wait(self):
        return self.shell.wait(PATIENCE_SECONDS)

    def end(self, number=signal.SIGTERM):
        """Send the signal and wait until it has ended."""
        if self.alive():
            self.send(number)
        return self.wait()


class Network:
    """A bridge in a namespace of its own, which the machines are wired to."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self.cgroup = self.folder.name
        self.outer, self.inner = begin("--net")
        self.machines = []
        self.run("ip", "link", "add", "switch", "type", "bridge")
        self.run("ip", "link", "set", "switch", "up")

    def run(self, *words, check=True):
        return run("nsenter", "--target", self.inner, "--net", *words, check=check)

    def clean(self):
        for machine in self.machines:
            machine.off()
        self.outer.kill()
        self.outer.wait()
        remove_leftovers(self.folder)


def remove_leftovers(folder):
    """Files and cgroups of machines that are off."""
    for top in glob.glob(f"/sys/fs/cgroup/{folder.name}") + glob.glob(f"/sys/fs/cgroup/*/{folder.name}"):
        for place, _, _ in os.walk(top, topdown=False):
            Path(place).rmdir()
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers_of_killed_runs():
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not Path(f"/proc/{folder.name.split('-')[2]}").exists():
            remove_leftovers(folder)


class Machine:
    """One machine; `number` tells its address from the others'."""

    def __init__(self, network, name, number):
        self.network, self.name, self.number = network, name, number
        self.address = f"10.77.0.{number}"
        self.port = f"port{number}"
        self.folder = network.folder / name
        self.folder.mkdir()
        self.outer = None
        network.machines.append(self)
        self.on()

    def on(self):
        """Switch it on. Nothing runs on it yet. (Only in the main thread: machines end with the thread that made them.)"""
        self.outer, self.inner = begin("--mount-proc", *NAMESPACES)
        self.enter = ["nsenter", "--target", str(self.inner), *NAMESPACES]
        boot = self.folder / "boot_id"
        boot.write_text(f"{uuid.uuid4()}\n")
        self.run("hostname", self.name)
        self.run("mount", "--bind", boot, "/proc/sys/kernel/random/boot_id")
        # One hardware address for life, as a network card has.
        self.network.run("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0",
                         "address", f"02:00:0a:4d:00:{self.number:02x}", "netns", self.inner)
        self.network.run("ip", "link", "set", self.port, "master", "switch", "up")
        for words in (["addr", "add", f"{self.address}/24", "dev", "eth0"], ["link", "set", "lo", "up"],
                      ["link", "set", "eth0", "up"]):
            self.run("ip", *words)

    def off(self):
        """Cut the power: nothing is said to anybody, on the network or on the machine."""
        if self.outer:
            self.network.run("ip", "link", "set", self.port, "down")
            os.kill(self.inner, signal.SIGKILL)
            self.outer.wait(PATIENCE_SECONDS)
            self.outer = None
            # The kernel takes the namespace apart when it has time; the wire must be free for the next start.
            self.network.run("ip", "link", "delete", self.port, check=False)

    def run(self, *words, check=True):
        return run(*self.enter, *words, check=check)

    # -- the network's faults, by packet filter on this machine

    def cut(self, direction="both"):
        """Drop what comes in, what goes out, or both."""
        if direction in ("in", "both"):
            self.run("iptables", "-A", "INPUT", "-i", "eth0", "-j", "DROP")
        if direction in ("out", "both"):
            self.run("iptables", "-A", "OUTPUT", "-o", "eth0", "-j", "DROP")

    def reset(self):
        """Answer everything of TCP with a reset, in both directions."""
        reject = ["-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset"]
        self.run("iptables", "-A", "INPUT", "-i", "eth0", *reject)
        self.run("iptables", "-A", "OUTPUT", "-o", "eth0", *reject)

    def lose(self, share):
        """Drop this share of the packets that come in and that go out."""
        for chain, side in (("INPUT", "-i"), ("OUTPUT", "-o")):
            self.run("iptables", "-A", chain, side, "eth0", "-m", "statistic", "--mode", "random",
                     "--probability", share, "-j", "DROP")

    def heal(self):
        for chain in ("INPUT", "OUTPUT"):
            self.run("iptables", "-F", chain)


class DockerMachine(Machine):
    """A machine with a Docker daemon."""

    def __init__(self, network, name, number):
        self.docker_process = None
        super().__init__(network, name, number)
        (self.folder / "daemon.json").write_text("{}")
        self.docker_socket = self.folder / "docker.sock"
        self.docker_host = f"unix://{self.docker_socket}"
        self.docker_log = self.folder / "docker.log"

    def prepare(self):
        """Start Docker and give it the images of the tests."""
        self.start_docker()
        subprocess.run([TOP / "tools" / "make-images"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DOCKER_HOST": self.docker_host})

    def on(self):
        super().on()
        # What a machine has under /run does not outlive it.
        shutil.rmtree(self.folder / "docker-run", ignore_errors=True)

    def start_docker(self):
        # A daemon that was killed leaves its file behind, and the number may be another process's by now.
        (self.folder / "docker.pid").unlink(missing_ok=True)
        (self.folder / "docker-run/containerd/containerd.pid").unlink(missing_ok=True)
        self.docker_process = Process(self, [
            "dockerd", "--config-file", self.folder / "daemon.json", "--data-root", self.folder / "docker",
            "--exec-root", self.folder / "docker-run", "--pidfile", self.folder / "docker.pid", "-H", self.docker_host,
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{self.network.cgroup}/{self.name}",
        ], self.docker_log)

        def answers():
            assert self.docker_process.alive(), self.docker_log.read_text()[-3000:]
            return self.docker("version", "-f", "{{.Server.Version}}", check=False)
        eventually(f"Docker on {self.name} answers", answers)

    def docker(self, *words, **options):
        return docker(*words, host=self.docker_host, **options)

    def stop_docker(self):
        """As `systemctl stop docker`."""
        self.docker_process.end()

    def kill_docker(self):
        """As a crash: its containers outlive it until the next daemon finds them."""
        self.docker_process.end(signal.SIGKILL)
        # Its helper ends with it, or at once.
        self.run("pkill", "-KILL", "-x", "containerd", check=False)


def at_once(*calls):
    """Make the calls side by side; the first error is the caller's."""
    errors = []

    def guard(call):
        try:
            call()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=guard, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
