"""`@tus/server` with `@tus/file-store`, which neither syncs nor hashes what it receives.

npm installs it into a temporary folder; nothing of it is kept.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import free_ports, running, wait_for_port

_PACKAGES = ("@tus/server@2.4.5", "@tus/file-store@2.1.1")
_SCRIPT = Path(__file__).with_name("tus_server.mjs")


@contextmanager
def tus_server(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run it, and yield the address of its endpoint and the folder that it writes to.

    :raises subprocess.CalledProcessError: npm could not install it.
    """
    # The node and npm of the virtual environment come first.
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    files = folder / "files"
    files.mkdir(parents=True)
    script = shutil.copy(_SCRIPT, folder)
    install = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--silent"]
    subprocess.run([*install, "--prefix", folder, *_PACKAGES], env=env, check=True)
    (port,) = free_ports(1)
    # The virtual environment's node is a script that starts the real one, which would outlive it.
    path = ["node", "--print", "process.execPath"]
    node = subprocess.run(path, env=env, check=True, capture_output=True, text=True).stdout.strip()
    command = [node, script, files, str(port)]
    with running(command, log=folder / "tus.log", cwd=folder):
        wait_for_port("127.0.0.1", port)
        yield f"http://127.0.0.1:{port}/files", files
