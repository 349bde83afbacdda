"""Where a request came from, only as exactly as a person needs to tell their own sessions from others'."""

import ipaddress
import re
from dataclasses import dataclass

# First match counts: browsers name their relatives too.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|Chromium)/|\bHeadlessChrome/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iOS", r"\b(?:iPhone|iPad|iPod)\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)
_MOST = 1000  # characters of a header that are looked at
HERE = "this computer"


@dataclass(frozen=True, slots=True)
class Place:
    """`agent`: "Firefox on Linux"; `address`: "this computer", "192.0.2.x", "2001:db8:1::"."""

    agent: str = ""
    address: str = ""


def place(agent: str, address: str) -> Place:
    """The place that a User-Agent header and a client's address tell."""
    return Place(_agent(agent[:_MOST]), _address(address))


def _agent(header: str) -> str:
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, header)), "")
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, header)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or ("a program" if header.strip() else "")


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return HERE
    if address.version == 4:
        return str(address).rpartition(".")[0] + ".x"
    return str(ipaddress.ip_network((address, 48), strict=False).network_address)


def source(address: str) -> str:
    """What counts as one sender: an address, or the network that one customer of the newer kind is given."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))
