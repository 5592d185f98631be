"""Projects of several files and profiles: what `drover config` makes of them, and what runs."""
import os
import subprocess

import pytest

from harness import BUSYBOX, PROGRAM


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "shop"
    path.mkdir()
    return path


def write(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/").replace("_", ".") + ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def config(*words, cwd, stdin=None, check=True, **environment):
    done = subprocess.run([PROGRAM, "config", *map(str, words)], capture_output=True, text=True, cwd=cwd, input=stdin,
                          env={**os.environ, **environment}, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def service(image, **keys):
    return f"services: {{web: {{image: {image}{''.join(f', {key}: {value}' for key, value in keys.items())}}}}}\n"


def test_an_override_beside_the_default_file_is_merged_and_one_beside_a_named_file_is_not(folder):
    write(folder, compose=service("one", user="a"), compose_override=service("two"))
    assert "image: two\n" in config(cwd=folder).stdout and "user: a\n" in config(cwd=folder).stdout
    assert "image: one\n" in config("-f", "compose.yaml", cwd=folder).stdout
    (folder / "compose.override.yaml").rename(folder / "docker-compose.override.yml")
    assert "image: two\n" in config(cwd=folder).stdout


def test_the_file_of_the_nearest_folder_above_is_found(folder):
    write(folder, compose=service("one", volumes="['./one:/one']"), compose_override=service("two"))
    (folder / "a" / "b").mkdir(parents=True)
    written = config(cwd=folder / "a" / "b").stdout
    assert "image: two\n" in written and f"source: {folder}/one\n" in written and written.startswith("name: shop\n")
    write(folder, compose_override="services: {web: {imag: x}}\n")
    assert "../../compose.override.yaml:1:18: " in config(cwd=folder / "a" / "b", check=False).stderr
    lost = config(cwd="/", check=False)
    assert lost.returncode == 3 and "no compose.yaml in this folder or above it" in lost.stderr


def test_files_are_merged_in_the_order_they_are_named(folder):
    write(folder, a=service("one", ports="['1:1']"), b=service("two", ports="['2:2']"))
    written = config("-f", "a.yaml", "-f", "b.yaml", cwd=folder).stdout
    assert "image: two\n" in written and 'published: "1"' in written and 'published: "2"' in written
    assert written == config(cwd=folder, COMPOSE_FILE="a.yaml:b.yaml").stdout
    assert written == config(cwd=folder, COMPOSE_FILE="a.yaml;;b.yaml", COMPOSE_PATH_SEPARATOR=";").stdout
    assert written == config("-f", "a.yaml", "-f", "-", cwd=folder, stdin=service("two", ports="['2:2']")).stdout
    assert "image: one\n" in config("-f", "b.yaml", "-f", "a.yaml", cwd=folder).stdout


def test_paths_start_at_the_folder_of_the_first_file_or_the_one_that_is_named(folder):
    write(folder, a=service("x", volumes="['./one:/one']"), sub__b=service("x", volumes="['./two:/two']"))
    two = config("-f", "a.yaml", "-f", "sub/b.yaml", cwd=folder).stdout
    assert f"source: {folder}/one\n" in two and f"source: {folder}/two\n" in two and two.startswith("name: shop\n")
    named = config("-f", "a.yaml", "--project-directory", "sub", cwd=folder).stdout
    assert f"source: {folder}/sub/one\n" in named and named.startswith("name: sub\n")
    absent = config("--project-directory", "absent", "-f", "a.yaml", cwd=folder, check=False)
    assert absent.returncode and "--project-directory: absent: No such file" in absent.stderr


def test_a_mistake_is_said_of_the_file_it_stands_in(folder):
    write(folder, compose=service("x"), compose_override="services:\n  web:\n    imag: y\n")
    done = config(cwd=folder, check=False)
    assert done.returncode == 2 and "compose.override.yaml:3:5: services.web.imag: " in done.stderr


def test_a_service_of_another_file_is_extended_and_its_mistakes_are_found_there(folder):
    write(folder, compose="services: {web: {extends: {service: base, file: sub/base.yaml}, user: me}}\n",
          sub__base="services:\n  base:\n    image: x\n    volumes: [./data:/data]\n")
    written = config(cwd=folder).stdout
    assert f"source: {folder}/sub/data\n" in written and "user: me\n" in written
    write(folder, sub__base="services:\n  base:\n    imag: x\n")
    assert "sub/base.yaml:3:5: services.web.imag: " in config(cwd=folder, check=False).stderr
    outside = config("-f", "shop/compose.yaml", cwd=folder.parent, check=False)
    assert "shop/sub/base.yaml:3:5: " in outside.stderr


def test_an_included_file_brings_its_services_its_folder_and_its_variables(folder):
    write(folder, compose="include: [db/compose.yaml]\n" + service("x"),
          db__compose="services: {db: {image: 'db:${TAG}', volumes: ['./data:/data']}}\n")
    (folder / "db" / ".env").write_text("TAG=5\n")
    written = config(cwd=folder).stdout
    assert "image: db:5\n" in written and f"source: {folder}/db/data\n" in written and "image: x\n" in written
    assert "image: db:6\n" in config(cwd=folder, TAG="6").stdout
    write(folder, db__compose="services:\n  web: {image: y}\n")
    twice = config(cwd=folder, check=False)
    assert twice.returncode == 2 and "db/compose.yaml:2:3: services.web: compose.yaml:2 declares" in twice.stderr


def test_variables_come_from_the_files_that_are_named(folder):
    write(folder, compose=service("'x:${TAG-none}'"))
    (folder / ".env").write_text("TAG=usual\n")
    (folder / "a.env").write_text("TAG=a\n")
    (folder / "b.env").write_text("TAG=b\n")
    assert "image: x:usual\n" in config(cwd=folder).stdout
    assert "image: x:b\n" in config("--env-file", "a.env", "--env-file", "b.env", cwd=folder).stdout
    assert "image: x:a\n" in config(cwd=folder, COMPOSE_ENV_FILES="b.env,a.env").stdout
    gone = config("--env-file", "gone.env", cwd=folder, check=False)
    assert gone.returncode and f"{folder}/gone.env: the file does not exist" in gone.stderr


def test_a_file_of_variables_names_the_compose_files_too(folder):
    write(folder, a=service("one"), b=service("two", user="me"))
    (folder / ".env").write_text("COMPOSE_FILE=a.yaml:b.yaml\n")
    written = config(cwd=folder).stdout
    assert "image: two\n" in written and "user: me\n" in written
    assert "image: one\n" in config(cwd=folder, COMPOSE_FILE="a.yaml").stdout


PROFILES = f"""
services:
  web: {{image: {BUSYBOX}, command: [sleep, '1000'], stop_grace_period: 1s}}
  debug: {{image: {BUSYBOX}, command: [sleep, '1000'], stop_grace_period: 1s, profiles: [tools]}}
"""


def test_profiles_choose_services(folder):
    write(folder, compose=PROFILES)

    def names(*words, **environment):
        return config("--services", *words, cwd=folder, **environment).stdout.split()

    assert names() == ["web"] and names("--profile", "tools") == ["web", "debug"] == names("--profile", "*")
    assert names(COMPOSE_PROFILES="other,tools") == ["web", "debug"] and names("debug") == ["debug"]
    unknown = config("nobody", cwd=folder, check=False)
    assert unknown.returncode and 'the project has no service "nobody"' in unknown.stderr


def test_what_belongs_to_a_profile_that_is_not_active_is_left_alone(drover, folder):
    write(folder, compose=PROFILES)
    assert "job shop/debug created" in drover.out("up", "debug", cwd=folder)
    up = drover.run("up", "--remove-orphans", cwd=folder)
    assert "job shop/web created" in up.stdout and "debug" not in up.stdout + up.stderr
    refused = drover.run("down", "--volumes", cwd=folder, check=False)
    assert refused.returncode and "take them down too: --profile '*'" in refused.stderr
    down = drover.out("down", cwd=folder)
    assert "job shop/web is being removed\n" in down and "job shop/debug stays: its profile is not active\n" in down
    assert drover.out("ps", "-q").count("\n") == 1
    assert "project shop is gone\n" in drover.out("down", "--profile", "tools", cwd=folder)
