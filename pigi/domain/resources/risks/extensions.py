"""What a tool's own settings do, wherever they stand in its part of a resource's ``extensions``.

Keys are known by name, whichever tool has them and in whichever case: what runs hooks in one is not asked for a reason
to exist in another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.resources.risks.commands import argument_words, check_command, check_line
from pigi.domain.resources.risks.permissions import check_allowed, reaches_outside
from pigi.domain.resources.risks.variables import variable_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Broken = Iterator[tuple[str, str]]

_SAFE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,63}")
_HELPERS: Final = (
    "apikeyhelper", "headershelper", "otelheadershelper", "proxyauthhelper", "awsauthrefresh", "awscredentialexport",
    "gcpauthrefresh", "policyhelper", "credentialhelper",
)  # fmt: skip
_OFF: Final = frozenset({"bypasspermissions", "yolo", "dangerfullaccess", "never", "fullauto", "unsafe"})


def check_extensions(value: object, pointer: str) -> Broken:
    """The rules that a tool's own settings break, each with where; ``value`` is what stands at ``pointer``."""
    if isinstance(value, dict):
        for key, item in value.items():
            here = f"{pointer}/{_token(key)}" if _SAFE_KEY.fullmatch(key) else pointer
            name = re.sub(r"[^a-z]", "", key.lower())
            check = _CHECKS.get(name) or (_approves if name.endswith(("autoapprove", "autoapproval")) else None)
            if check is not None:
                yield from check(item, here)
            if check not in (_hooks, _line):  # which look at all that they hold
                yield from check_extensions(item, here)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from check_extensions(item, f"{pointer}/{position}")


def _token(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _hooks(value: object, here: str) -> Broken:
    commands = list(_commands(value, here))
    if value:
        yield "runs-hooks", here
    for command, place in commands:
        yield from ((rule, place) for rule in check_line(command) if rule != "runs-a-shell")


def _commands(value: object, here: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"command", "bash", "powershell", "windows", "linux", "osx"} and isinstance(item, str):
                yield item, f"{here}/{key}"
            else:
                yield from _commands(item, f"{here}/{_token(key)}" if _SAFE_KEY.fullmatch(key) else here)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _commands(item, f"{here}/{position}")


def _line(value: object, here: str) -> Broken:
    if value:
        yield "runs-a-status-line", here
    for command, place in _commands(value, here):
        yield from ((rule, place) for rule in check_line(command) if rule != "runs-a-shell")


def _helper(value: object, here: str) -> Broken:
    if value:
        yield "runs-a-helper", here
    if isinstance(value, str):
        yield from ((rule, here) for rule in check_line(value) if rule != "runs-a-shell")


def _marketplaces(value: object, here: str) -> Broken:
    if value:
        yield "adds-a-marketplace", here


def _plugins(value: object, here: str) -> Broken:
    if isinstance(value, dict) and any(value.values()):
        yield "enables-plugins", here


def _sandbox(value: object, here: str) -> Broken:
    if value in (False, "danger-full-access", "off", "none"):
        yield "weakens-the-sandbox", here
    if isinstance(value, dict):
        known: dict[str, Any] = value
        off = known.get("enabled") is False or bool(known.get("excludedCommands"))
        if off or any(known.get(name) for name in ("allowUnsandboxedCommands", "enableWeakerNestedSandbox")):
            yield "weakens-the-sandbox", here


def _approves(value: object, here: str) -> Broken:
    if value not in (False, None, "", 0) and value not in ([], {}):
        yield "approves-by-itself", here


def _mode(value: object, here: str) -> Broken:
    if isinstance(value, str) and re.sub(r"[^a-z]", "", value.lower()) in _OFF:
        yield "switches-off-approval", here


def _servers(value: object, here: str) -> Broken:
    if value is True:
        yield "trusts-all-servers", here


def _environment(value: object, here: str) -> Broken:
    if isinstance(value, dict):
        for name, item in value.items():
            rule = variable_rule(name, item if isinstance(item, str) else None)
            if rule is not None:
                yield rule, f"{here}/{_token(name)}" if _SAFE_KEY.fullmatch(name) else here


def _allowed(value: object, here: str) -> Broken:
    if isinstance(value, list):
        for position, rule in enumerate(value):
            if isinstance(rule, str):
                yield from ((broken, f"{here}/{position}") for broken in check_allowed(rule))


def _directories(value: object, here: str) -> Broken:
    if isinstance(value, list) and any(isinstance(place, str) and reaches_outside(place) for place in value):
        yield "reaches-outside", here


def _started(value: object, here: str) -> Broken:
    """Servers that are told inside of a tool's settings: each with a command and its arguments."""
    for key, server in value.items() if isinstance(value, dict) else ():
        place = f"{here}/{_token(key)}" if _SAFE_KEY.fullmatch(key) else here
        if isinstance(server, dict) and isinstance(server.get("command"), str):
            arguments = server.get("args")
            words = [word for word in arguments if isinstance(word, str)] if isinstance(arguments, list) else []
            yield from ((rule, place) for rule in check_command(argument_words(server["command"], words)))


_CHECKS: Final[dict[str, Callable[[Any, str], Broken]]] = {
    "hooks": _hooks,
    **dict.fromkeys(("statusline", "subagentstatusline", "filesuggestion"), _line),
    **dict.fromkeys(_HELPERS, _helper),
    **dict.fromkeys(("extraknownmarketplaces", "marketplaces", "pluginmarketplaces"), _marketplaces),
    **dict.fromkeys(("enabledplugins", "plugins"), _plugins),
    **dict.fromkeys(("sandbox", "sandboxmode", "sandboxenabled"), _sandbox),
    **dict.fromkeys(("allowunsandboxedcommands", "dangerouslydisablesandbox"), _approves),
    **dict.fromkeys(
        ("autoapprove", "alwaysallow", "autoaccept", "autoapprovedtools", "trust", "yolo", "allowalltools",
         "skipdangerousmodepermissionprompt", "skipautopermissionprompt"),
        _approves,
    ),
    **dict.fromkeys(("defaultmode", "permissionmode", "approvalmode", "approvalpolicy", "defaultapprovalmode"), _mode),
    "enableallprojectmcpservers": _servers,
    **dict.fromkeys(("env", "environment", "environmentvariables"), _environment),
    **dict.fromkeys(("allow", "allowedtools", "autoallow"), _allowed),
    "additionaldirectories": _directories,
    **dict.fromkeys(("mcpservers", "servers"), _started),
}  # fmt: skip
