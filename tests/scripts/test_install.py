"""scripts/install.py with the real pip and uv, at an index on this machine that is like a company's."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import install
import pip_settings

UV = Path(sys.prefix) / "bin" / "uv"
WHEEL = "tiny_thing-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n"
needs_uv = pytest.mark.skipif(not UV.exists() or not shutil.which("openssl"), reason="needs uv in .venv, and openssl")


@dataclass
class Company:
    """A folder with the index's files, its certificate, and a .venv to install into."""

    folder: Path
    url: str
    venv: Path

    def pip_conf(self, *lines: str) -> None:
        (self.folder / "pip.conf").write_text("\n".join(("[global]", *lines)) + "\n")

    def install(self, digest: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """In an environment that holds next to nothing."""
        pin = f"tiny-thing==1.0 --hash=sha256:{digest or self.digest}\n"
        (self.folder / "run.txt").write_text(pin)
        command = [self.venv / "bin" / "python", ROOT / "scripts" / "install.py", self.venv, self.folder / "run.txt"]
        bare = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "PIP_CONFIG_FILE": str(self.folder / "pip.conf")}
        return subprocess.run(
            command,
            env=bare | {"UV_CACHE_DIR": str(self.folder / "cache"), **environment},
            capture_output=True,
            text=True,
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256((self.folder / "simple" / "tiny-thing" / WHEEL).read_bytes()).hexdigest()

    @property
    def installed(self) -> bool:
        return bool(list(self.venv.glob("lib/python3*/site-packages/tiny_thing-1.0.dist-info")))


class Guarded(http.server.SimpleHTTPRequestHandler):
    """Lets in who says the password."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:secret").decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, as that takes seconds."""
    path = tmp_path_factory.mktemp("company") / "venv"
    subprocess.run([sys.executable, "-m", "venv", path], check=True)
    return path


@pytest.fixture
def company(tmp_path: Path, venv: Path) -> Iterator[Company]:
    make_wheel(tmp_path / "simple" / "tiny-thing")
    make_certificates(tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Guarded(*args, directory=str(tmp_path)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for installed in venv.glob("lib/python3*/site-packages/tiny_thing-1.0.dist-info"):
        shutil.rmtree(installed)
    (venv / "bin" / "uv").unlink(missing_ok=True)
    (venv / "bin" / "uv").symlink_to(UV)
    yield Company(tmp_path, f"https://me:secret@127.0.0.1:{server.server_port}/simple", venv)
    server.shutdown()
    server.server_close()


def make_certificates(folder: Path) -> None:
    """An authority of the company's own, which nobody else knows, and its certificate for 127.0.0.1."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=Company",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=index",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem -extfile names",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


def make_wheel(folder: Path) -> None:
    folder.mkdir(parents=True)
    info = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("tiny_thing.py", "")
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>')


@needs_uv
def test_uv_takes_index_password_and_certificate_from_pips_file(company: Company) -> None:
    company.pip_conf(f"index-url = {company.url}", f"cert = {company.folder / 'ca.pem'}")
    done = company.install()
    assert (done.returncode, done.stderr) == (0, "")
    assert company.installed


@needs_uv
def test_uv_takes_them_from_pips_variables(company: Company) -> None:
    done = company.install(PIP_INDEX_URL=company.url, REQUESTS_CA_BUNDLE=str(company.folder / "ca.pem"), PIP_USER="1")
    assert (done.returncode, done.stderr) == (0, "")
    done = company.install(PIP_INDEX_URL=company.url, PIP_TRUSTED_HOST=company.url.split("@")[1].split("/")[0])
    assert (done.returncode, done.stderr) == (0, "")


@needs_uv
def test_where_uv_cannot_and_pip_can_pip_does_and_it_is_told(company: Company) -> None:
    company.pip_conf(f"index-url = {company.url}", f"cert = {company.folder / 'ca.pem'}", "constraint = /nowhere.txt")
    done = company.install(UV_DEFAULT_INDEX="https://127.0.0.1:1/simple", UV_HTTP_RETRIES="0")
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("[WARN] uv could not get the packages (")
    assert line.endswith("); trying with pip, which takes longer")
    assert company.installed


@needs_uv
def test_a_file_that_is_not_the_pinned_one_stops_the_set_up_in_one_line(company: Company) -> None:
    company.pip_conf(f"index-url = {company.url}", f"cert = {company.folder / 'ca.pem'}")
    done = company.install("0" * 64)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "[ERROR] tiny-thing==1.0 is not the file that requirements/run.txt pins: its hash differs, so nothing was installed."
    )
    assert not company.installed
    (company.venv / "bin" / "uv").unlink()  # pip says the same, also where it is uv itself that was changed
    by_pip = company.install("0" * 64)
    assert by_pip.returncode == 1
    assert not company.installed


@needs_uv
def test_where_nothing_can_be_had_the_last_line_says_what_to_do(company: Company) -> None:
    company.pip_conf("index-url = https://127.0.0.1:1/simple", "retries = 0")
    done = company.install()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"[ERROR] {install.FAILED}"
    assert len(done.stderr.splitlines()) <= 15


def test_pips_settings_in_uvs_words(tmp_path: Path) -> None:
    listing = """\
:env:.index-url='https://from.variable/simple'
global.index-url='https://from.file/simple'
global.extra-index-url='\\nhttps://one/simple\\nhttps://two/simple'
install.find-links='/a /b'
global.trusted-host='one\\ntwo'
global.proxy='http://proxy:3128'
:env:.default-timeout='180'
global.cert='/etc/ca.pem'
global.no-index='false'
list.format='columns'
"""
    assert pip_settings.uv_environment(
        pip_settings.parse(listing), {"UV_HTTP_TIMEOUT": "7", "REQUESTS_CA_BUNDLE": "/other.pem"}, ""
    ) == {
        "UV_DEFAULT_INDEX": "https://from.variable/simple",
        "UV_INDEX": "https://one/simple https://two/simple",
        "UV_FIND_LINKS": "/a,/b",
        "UV_INSECURE_HOST": "one two",
        "HTTP_PROXY": "http://proxy:3128",
        "HTTPS_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert pip_settings.uv_environment({}, {"CURL_CA_BUNDLE": str(tmp_path)}, "/pip.pem") == {
        "SSL_CERT_DIR": str(tmp_path)
    }
    assert pip_settings.uv_environment({}, {}, "/pip.pem") == {"SSL_CERT_FILE": "/pip.pem"}
    assert pip_settings.uv_environment({}, {}, "") == {"UV_SYSTEM_CERTS": "1"}


def test_how_far_it_is_comes_from_what_the_installers_say() -> None:
    uv, pip = install.InstallProgress(), install.InstallProgress(one_by_one=True)
    assert str(uv).startswith("looking for packages, 0:0")
    for line in (
        "Resolved 150 packages in 135ms",
        "Downloading torch (846.8MiB)",
        "Downloading nvidia-cudnn-cu12 (1.0GiB)",
        " Downloaded torch",
    ):
        uv.hear(line)
    assert str(uv).startswith("847 MB of 1,871 fetched, 0:0")
    for line in (
        "Collecting av",
        "  Downloading av-18.1.0.whl (34.1 MB)",
        "  Downloading https://a.b/numpy-2.4.6.whl (16.9 MB)",
    ):
        pip.hear(line)
    assert str(pip).startswith("34 MB fetched, 0:0")
    pip.hear("Installing collected packages: numpy, av")
    assert str(pip).startswith("51 MB fetched, unpacking, 0:0")


def test_an_installer_ends_with_who_called_it(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, time; sys.path.insert(0, sys.argv[1]); import install\n"
        "pid = pathlib.Path(sys.argv[2])\n"
        "while os.fork():\n"
        "    while not pid.exists() or not pid.read_text(): time.sleep(0.01)\n"
        "    os._exit(0)\n"
        "install.run(['sh', '-c', 'echo $$ > \"$0\"; exec sleep 60', str(pid)], dict(os.environ), install.InstallProgress())"
    )
    pid = tmp_path / "pid"
    subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "scripts"), str(pid)], timeout=30, capture_output=True, check=True
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
