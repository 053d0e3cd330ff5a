"""Tell uv what pip was told: index, certificates, proxy. A company's mirror is set up in pip.conf or PIP_…, which
uv does not read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

SECTIONS = ("global", "install", ":env:")  # later ones win, as in pip
ALIASES = {"default-timeout": "timeout", "extra-index-urls": "extra-index-url"}
TRUSTSTORE = (24, 2)  # the pip from which on it trusts what the system trusts


def _words(value: str) -> str:
    return " ".join(value.split())


def _comma_separated(value: str) -> str:
    return ",".join(value.split())


def _true(value: str) -> str:
    return "1" if value.lower() in ("1", "true", "yes", "on") else ""


# pip's option: uv's variables, and how uv writes the value.
VARIABLES: dict[str, tuple[tuple[str, ...], Callable[[str], str]]] = {
    "index-url": (("UV_DEFAULT_INDEX",), str.strip),
    "extra-index-url": (("UV_INDEX",), _words),
    "find-links": (("UV_FIND_LINKS",), _comma_separated),
    "no-index": (("UV_NO_INDEX",), _true),
    "trusted-host": (("UV_INSECURE_HOST",), _words),
    "cert": (("SSL_CERT_FILE",), str.strip),
    "client-cert": (("SSL_CLIENT_CERT",), str.strip),
    "proxy": (("HTTP_PROXY", "HTTPS_PROXY"), str.strip),
    "timeout": (("UV_HTTP_TIMEOUT",), str.strip),
    "retries": (("UV_HTTP_RETRIES",), str.strip),
    "keyring-provider": (("UV_KEYRING_PROVIDER",), lambda value: "subprocess" if value == "subprocess" else ""),
}


def read(python: str, environment: Mapping[str, str]) -> str:
    """Return the output of `pip config list`: every file and variable that pip takes settings from, merged by pip
    itself."""
    command = [python, "-m", "pip", "config", "list"]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout


def parse(listing: str) -> dict[str, str]:
    """Map option to value, from lines such as `global.index-url='https://…'`."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if equals and section in found:
            found[section][ALIASES.get(option, option)] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in found[section].items() if value.strip()}


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str], own_bundle: str) -> dict[str, str]:
    """Return what to add to the environment for uv. Settings that uv has already stay.

    `own_bundle` is the file of certificates that pip brings along, empty where pip trusts the system's."""
    added = dict(_variables(settings))
    if bundle := environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE"):  # as pip does
        added.setdefault("SSL_CERT_FILE", bundle)
    if "SSL_CERT_FILE" in added and Path(added["SSL_CERT_FILE"]).is_dir():
        added["SSL_CERT_DIR"] = added.pop("SSL_CERT_FILE")
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & (added.keys() | environment.keys()):
        added |= {"SSL_CERT_FILE": own_bundle} if own_bundle else {"UV_SYSTEM_CERTS": "1"}
    if "UV_INDEX" in added or "UV_FIND_LINKS" in added:
        added["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip does; hashes say which file it must be
    return {name: value for name, value in added.items() if not environment.get(name)}


def _variables(settings: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for option, value in settings.items():
        names, write = VARIABLES.get(option, ((), str))
        for name in names:
            if written := write(value):
                yield name, written


def own_bundle() -> str:
    """Return pip's certificates (on Debian the system's), in the Python that runs this; empty where pip trusts the
    system's."""
    import pip
    from pip._vendor import certifi

    version = tuple(int(part) for part in pip.__version__.split(".")[:2])
    return "" if version >= TRUSTSTORE and _system_trusts_anybody() else certifi.where()


def _system_trusts_anybody() -> bool:
    import ssl

    return sys.platform == "darwin" or bool(ssl.create_default_context().get_ca_certs())
