from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from castray.actors.outpost_package import build_package, entrypoint
from castray.transfer.outpost_link import OutpostSettings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = OutpostSettings(
    key_digest="0" * 64,
    code="1" * 64,
    roots=("/data with 'quotes' and $HOME",),
    first_port=28900,
    last_port=28999,
    monitor_port=8000,
    monitor_poll_interval_s=1,
    monitor_timeout_s=1,
    idle_s=60,
)

IMPORT_ALL = """
import json, sys
sys.path.insert(0, ".")
import castray.actors.outpost_job
from castray.transfer.hashing import available_algorithms
ours = {m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] in ("castray", "blake3")}
print(json.dumps([available_algorithms(), sorted(ours)]))
"""


def unpacked(directory: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(build_package().content)) as archive:
        archive.extractall(directory)
    return directory


def test_everything_that_an_outpost_imports_travels_with_it(tmp_path: Path) -> None:
    place = unpacked(tmp_path)

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=place, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    algorithms, files = json.loads(done.stdout)
    assert algorithms == ["blake3", "sha256"]
    assert [file for file in files if not file.startswith(str(place))] == []


def test_the_same_code_makes_the_same_package() -> None:
    first, second = build_package.__wrapped__(), build_package.__wrapped__()

    assert first == second


def test_nothing_travels_that_has_no_use_there() -> None:
    names = zipfile.ZipFile(io.BytesIO(build_package().content)).namelist()

    assert [name for name in names if not name.endswith((".py", ".so", ".sh"))] == []
    parts = {name.split("/")[1] for name in names if name.startswith("castray/")}
    assert parts.isdisjoint({"api", "cli", "page", "discovery", "config.py", "store.py"})


def test_the_start_runs_the_python_of_the_cluster_with_the_settings_as_they_were(
    tmp_path: Path,
) -> None:
    place = unpacked(tmp_path)
    python = place / "its-python"
    python.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    python.chmod(0o755)
    # As the agent of a Ray node starts its workers, and one of those the job's shell.
    worker = f"import subprocess; subprocess.run({entrypoint('ensure', SETTINGS)!r}, shell=True)"
    raylet = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    command = f"--python_worker_command={python} setup_worker.py --more"

    output = subprocess.check_output(
        [sys.executable, "-c", raylet, worker, command], cwd=place, text=True
    )

    module, verb, settings = json.loads(output)[1:]
    assert (module, verb) == ("castray.actors.outpost_job", "ensure")
    assert OutpostSettings.model_validate_json(settings) == SETTINGS


def test_the_command_is_one_line_for_a_shell() -> None:
    words = shlex.split(entrypoint("remove", SETTINGS))

    assert words[:4] == ["exec", "sh", "start-outpost.sh", "remove"]
    assert OutpostSettings.model_validate_json(words[4]) == SETTINGS
