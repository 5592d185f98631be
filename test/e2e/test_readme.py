"""The README's tour: every command runs in order and prints lines of the shape the README shows."""
import re
import shlex
import socket

from harness import TOP

AGE = re.compile(r"\b\d+ (second|minute|hour|day)s?\b")
SIZE = re.compile(r"\b\d+(\.\d+)? (B|KB|MB|GB|TB)\b")


def tour():
    """[(words, lines)] of the blocks between "## A tour" and the next heading."""
    section = (TOP / "README.md").read_text().split("## A tour\n")[1].split("\n## ")[0]
    steps = []
    for block in re.findall(r"```\n(.*?)```", section, re.S):
        for line in block.splitlines():
            if line.startswith("$ drover "):
                steps.append((shlex.split(line)[2:], []))
            elif line.strip():
                steps[-1][1].append(line)
    return steps


def shape(line, node):
    """The line without what differs from run to run and from machine to machine."""
    line = AGE.sub("AGE", line)
    line = SIZE.sub("SIZE", line)
    return re.sub(r"\s+", " ", re.sub(rf"\b{re.escape(node)}\b", "NODE", line)).strip()


def compare(words, shown, printed):
    """`...` in the README stands for any lines; without it nothing else may be printed."""
    wanted = [shape(line, "vm") for line in shown]
    found = [shape(line, socket.gethostname()) for line in printed]
    if "..." not in wanted:
        assert found == wanted, words
    for line in wanted:
        assert line == "..." or line in found, f"drover {' '.join(words)} does not print {line!r} but {found}"


def test_the_readme_tells_the_truth(drover):
    steps = tour()
    assert len(steps) >= 10
    for words, shown in steps:
        done = drover.run(*words, cwd=TOP / "examples/shop")
        compare(words, shown, done.stdout.splitlines())


def test_the_readme_lists_every_command(drover):
    listed = re.findall(r"^\| `([a-z ]+)` \|", (TOP / "README.md").read_text(), re.M)
    known = [line[2:15].strip() for line in drover.out("help").split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert listed == known
