"""The entry point of the command line. Commands load when they are used, so that `pigi --help` is quick.

Exit codes: 0 done; 1 refused or failed, with one line that names the next step; 2 wrong usage.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("pigi.cli.up:up", "Run everything in one process tree; --demo shows the main job."),
    "demo": ("pigi.cli.demo:demo", "Do the main job, over HTTP, on a running installation."),
    "web": ("pigi.cli.processes:web", "Become the web server."),
    "worker": ("pigi.cli.processes:worker", "Become the worker of a pool: quick, ai or slow."),
    "beat": ("pigi.cli.processes:beat", "Become the pump and the schedules."),
    "migrate": ("pigi.cli.installation:migrate", "Bring the databases to the newest revision."),
    "check": ("pigi.cli.installation:check", "Look for what would keep Pigi from working; --deploy for production."),
    "operators": ("pigi.cli.operators:operators", "Add, list, disable and enable operators."),
    "accounts": ("pigi.cli.accounts:accounts", "Help people who lost the device of their second factor."),
    "organisations": ("pigi.cli.organisations:organisations", "Add, list and show organisations."),
    "export": ("pigi.cli.exports:export", "Export an organisation or what is held about a person."),
    "api-keys": ("pigi.cli.api_keys:api_keys", "Issue, list and revoke API keys."),
    "billing": ("pigi.cli.billing:billing", "Compare Pigi with Stripe, check the set-up, give plans."),
    "jobs": ("pigi.cli.jobs:jobs", "List, show, retry and cancel jobs."),
    "keys": ("pigi.cli.keys:keys", "Rotate keys, and show what is under which and how old each is."),
    "audit": ("pigi.cli.audit:audit", "Read and prove the audit chain."),
    "inventory": ("pigi.cli.inventory:show", "Show every place where data is, and for how long."),
    "backup": ("pigi.cli.backups:backup", "Back up all databases, encrypted for a key that Pigi does not hold."),
    "backups": ("pigi.cli.backups:backups", "List backups, make the key that opens them."),
    "restore": ("pigi.cli.backups:restore", "Make an empty installation anew from a backup."),
    "retention": ("pigi.cli.retention:retention", "Show what is kept for how long, and remove what is over it."),
    "holds": ("pigi.cli.holds:holds", "Add, approve, release and list legal holds."),
    "erase": ("pigi.cli.deletions:erase_subject", "Start the deletion of an organisation or an account."),
    "deletions": ("pigi.cli.deletions:deletions", "Show deletions with their steps and due dates."),
    "policy": ("pigi.cli.policy:policy", "Publish the privacy policy, list versions, see who was told."),
    "requests": ("pigi.cli.privacy_requests:requests", "What people ask about their data, and answering it."),
    "usage": ("pigi.cli.usage:usage", "Show what is left of usage: daily counts that are about nobody."),
    "tickets": ("pigi.cli.contact:tickets", "What people wrote on the contact page, and answering it."),
    "promises": ("pigi.cli.promises:promises", "Show how each promise stands, and check them now."),
    "verify-receipt": ("pigi.cli.receipts:verify_receipt", "Check the receipt of a deletion, without a network."),
}
"""Each command: where it is, and its line in the help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are first used."""

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(
            "pigi",
            help="Pigi keeps an organisation's AI agents' configuration, under promises that can be checked.",
            epilog="Settings come from the environment; .env.example lists them. Exit codes: 0 done, 1 refused or "
            "failed, 2 wrong usage.",
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
        )
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the table."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now; None for an unknown name."""
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The help's list, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.places.items()])


cli = click.version_option(package_name="pigi", message="%(prog)s %(version)s")(LazyGroup(COMMANDS))


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code. Never a traceback: a failure is one line on stderr."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(words, prog_name="pigi", standalone_mode=False)
    except click.ClickException as error:
        import_module("pigi.cli.failures").show_usage(error, as_json="--json" in words)
        return error.exit_code
    except click.Abort:
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter's own flush at the end would complain again.
        sys.stdout = None
        return 1
    except Exception as error:  # noqa: BLE001 - the one place that turns whatever happened into a sentence
        failures = import_module("pigi.cli.failures")
        failures.show(error, as_json="--json" in words)
        return 1
    return code if isinstance(code, int) else 0
