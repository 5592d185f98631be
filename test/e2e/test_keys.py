"""What Compose keys become: looked up in `docker inspect`, or seen from inside the container."""
import json
import os
import socket
from pathlib import Path

from harness import BUSYBOX, docker, eventually


def inspect(drover, job):
    """Docker's own words for the one container of a job."""
    task, = drover.tasks(job)
    return json.loads(docker("inspect", task["container_id"]))[0]


def inside(drover, job, *words):
    task, = drover.tasks(job)
    return docker("exec", task["container_id"], *words)


def host_config(drover, job):
    return inspect(drover, job)["HostConfig"]


def test_what_the_kernel_gives(drover):
    drover.up(f"""
services:
  quota:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    cpu_shares: 512
    cpu_period: 50ms
    cpu_quota: 25000
    cpuset: "0"
    mem_limit: 64m
    memswap_limit: 64m
    mem_reservation: 32m
    pids_limit: 50
    oom_score_adj: 500
    cgroup: private
  cpus:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    cpus: 0.5
    deploy: {{resources: {{limits: {{cpus: "0.5"}}}}}}
""")
    host = host_config(drover, "t/quota")
    assert {key: host[key] for key in ("CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus", "Memory", "MemorySwap",
                                       "MemoryReservation", "PidsLimit", "OomScoreAdj", "CgroupnsMode")} == {
        "CpuShares": 512, "CpuPeriod": 50000, "CpuQuota": 25000, "CpusetCpus": "0", "Memory": 64 << 20,
        "MemorySwap": 64 << 20, "MemoryReservation": 32 << 20, "PidsLimit": 50, "OomScoreAdj": 500,
        "CgroupnsMode": "private"}
    assert inside(drover, "t/quota", "cat", "/proc/1/oom_score_adj") == "500"
    assert "Cpus_allowed_list:\t0" in inside(drover, "t/quota", "cat", "/proc/1/status").splitlines()
    assert host_config(drover, "t/cpus")["NanoCpus"] == 500_000_000


def has_every_capability():
    """Docker can make no privileged container on a machine that is itself a container with fewer."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    bounding = Path("/proc/self/status").read_text().split("CapBnd:\t")[1].split("\n")[0]
    return int(bounding, 16) == (1 << (last + 1)) - 1


def test_what_separates_from_the_machine(drover):
    drover.up(f"""
services:
  open:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    privileged: {str(has_every_capability()).lower()}
    pid: host
    uts: host
    ipc: host
    network_mode: host
  closed:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    network_mode: none
    ipc: none
    group_add: [20]
    security_opt: [no-new-privileges, "seccomp:unconfined"]
    devices: ["/dev/null:/dev/nothing:r", {{source: /dev/zero, target: /dev/naught}}]
    device_cgroup_rules: ["c 1:7 r"]
""")
    assert inside(drover, "t/open", "hostname") == socket.gethostname()
    assert inside(drover, "t/open", "readlink", "/proc/self/ns/net") == os.readlink("/proc/self/ns/net")
    assert inside(drover, "t/open", "readlink", "/proc/self/ns/ipc") == os.readlink("/proc/self/ns/ipc")
    assert host_config(drover, "t/open")["Privileged"] == has_every_capability()
    assert host_config(drover, "t/open")["PidMode"] == "host"
    status = inside(drover, "t/closed", "cat", "/proc/1/status")
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t0" in status
    assert inside(drover, "t/closed", "ls", "/sys/class/net") == "lo"
    assert "20" in status.split("Groups:")[1].split("\n")[0].split()
    assert inside(drover, "t/closed", "ls", "/dev/nothing", "/dev/naught").split() == ["/dev/naught", "/dev/nothing"]
    assert host_config(drover, "t/closed")["DeviceCgroupRules"] == ["c 1:7 r"]
    # Without a network of the project, nothing is made that would tie it to a machine.
    assert docker("network", "ls", "-q", "--filter", f"label=drover.cluster={drover.cluster_id}") == ""


def test_a_machine_with_a_policy_refuses_what_leaves_the_container(stopped_drover):
    policy = stopped_drover.folder / "worker.yaml"
    policy.write_text("privileges: [uts=host]\n")
    stopped_drover.spawn("manager")
    stopped_drover.spawn("worker", "--policy", policy, data=stopped_drover.folder / "worker")
    stopped_drover.wait_ready()
    keys = {"a": "privileged: true", "b": "uts: host", "c": "devices: [/dev/null]", "d": "network_mode: host",
            "e": "gpus: all"}
    services = "".join(f"  {name}: {{image: '{BUSYBOX}', command: [sleep, '1000'], stop_grace_period: 0s, {key}}}\n"
                       for name, key in keys.items())
    stopped_drover.up("services:\n" + services, "-d")

    def told(name):
        """Why a task of the service was refused; None while none was."""
        return next((task["message"] for task in stopped_drover.tasks(f"t/{name}", everything=True)
                     if task["reason"] == "refused_by_policy"), None)

    def says(name, words):
        message = eventually(f"{name} is refused", lambda: told(name))
        assert words in message

    eventually("what has a line runs", lambda: stopped_drover.task("t/b", "running"))
    says("a", "privilege privileged is not allowed")
    says("c", f'the line "devices: [/dev/null]" to {policy}')
    says("d", f'the line "networks: [host]" to {policy}')
    says("e", f'the line "device_drivers: [any]" to {policy}')


def test_a_terminal_names_and_marks(drover):
    done = drover.up(f"""
services:
  dressed:
    image: {BUSYBOX}
    command: [sh, -c, "test -t 1 && echo a terminal; sleep 1000"]
    stop_grace_period: 0s
    container_name: by_name
    tty: true
    stdin_open: true
    domainname: example.com
    hostname: h
    dns_opt: [use-vc]
    dns_search: [a.example.com]
    expose: [80, 8000-8001]
    attach: false
  other:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    links: [dressed]
""")
    assert "container_name becomes a name" in done.stderr and "attach changes nothing" in done.stderr
    config = inspect(drover, "t/dressed")["Config"]
    assert config["Tty"] and config["OpenStdin"] and config["Domainname"] == "example.com"
    assert set(config["ExposedPorts"]) == {"80/tcp", "8000/tcp", "8001/tcp"}
    resolv = inside(drover, "t/dressed", "cat", "/etc/resolv.conf")
    assert "search a.example.com" in resolv and "use-vc" in resolv
    assert inside(drover, "t/dressed", "hostname", "-f") == "h.example.com"
    assert "by_name" in inside(drover, "t/other", "ping", "-c", "1", "-w", "10", "by_name")
    # The output of a terminal comes as it is, without the frames that other output is packed in.
    assert eventually("its words", lambda: drover.out("logs", "t/dressed")) == "a terminal\n"


def test_mounts_and_networks_in_the_long_form(drover):
    drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    mac_address: "02:42:0a:63:07:09"
    volumes:
      - {{type: bind, source: /proc, target: /p, bind: {{recursive: disabled, create_host_path: false}}}}
      - {drover.folder}:/labelled:ro,z
      - {{type: volume, target: /v, volume: {{labels: {{team: blue}}}}}}
      - {{type: volume, source: named, target: /n, consistency: cached}}
    networks:
      first: {{aliases: [other], link_local_ips: [169.254.7.9]}}
      second: {{priority: 5}}
volumes: {{named: }}
networks: {{first: , second: }}
""")
    about = inspect(drover, "t/s")
    bind, = [mount for mount in about["HostConfig"]["Mounts"] if mount["Type"] == "bind"]
    assert bind["BindOptions"] == {"NonRecursive": True}
    assert about["HostConfig"]["Binds"] == [f"{drover.folder}:/labelled:ro,z"]
    anonymous, = [mount["Name"] for mount in about["Mounts"] if mount["Destination"] == "/v"]
    assert json.loads(docker("volume", "inspect", anonymous))[0]["Labels"]["team"] == "blue"
    # The one with the higher priority is joined first, so the container's own address is there.
    assert about["HostConfig"]["NetworkMode"] == "t_second"
    assert about["NetworkSettings"]["Networks"]["t_second"]["MacAddress"] == "02:42:0a:63:07:09"
    assert about["NetworkSettings"]["Networks"]["t_first"]["IPAMConfig"] == {"LinkLocalIPs": ["169.254.7.9"]}


def test_a_network_with_addresses_of_its_own(drover):
    drover.up(f"""
services:
  s:
    image: {BUSYBOX}
    command: [sleep, "1000"]
    stop_grace_period: 0s
    networks: {{own: {{ipv4_address: 10.217.38.77, mac_address: "02:42:0a:d9:26:4d"}}}}
networks:
  own:
    ipam:
      config: [{{subnet: 10.217.38.0/24, ip_range: 10.217.38.64/26, gateway: 10.217.38.9, aux_addresses: {{a: 10.217.38.65}}}}]
""")
    words = inside(drover, "t/s", "ip", "addr", "show", "eth0")
    assert "10.217.38.77/24" in words and "02:42:0a:d9:26:4d" in words
    assert "via 10.217.38.9" in inside(drover, "t/s", "ip", "route")
    pool, = json.loads(docker("network", "inspect", "t_own"))[0]["IPAM"]["Config"]
    assert pool["IPRange"] == "10.217.38.64/26" and pool["AuxiliaryAddresses"] == {"a": "10.217.38.65"}
