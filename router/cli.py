"""The command `ockham`. Subcommands are found through the entry-point group
`ockham.commands`, so this module knows none of them: a function becomes a command, a
`typer.Typer` a group, and a function named `group.command` goes into a group that another
floor brings. Errors raised on purpose end in one line and their exit code.
"""

import os
import sys
from importlib.metadata import entry_points

import typer

from router.errors import OckhamError

__all__ = ["build", "main"]

GROUP = "ockham.commands"
INTERRUPTED = 130


def build() -> typer.Typer:
    """The command tree of everything that is installed."""
    app = typer.Typer(
        name="ockham",
        help="Use no bigger model than the question needs, and prove it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    groups: dict[str, typer.Typer] = {"": app}
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        parent, _, name = entry.name.rpartition(".")
        command = entry.load()
        if isinstance(command, typer.Typer):
            # A group of its own: what is added below must not end up in the module's object.
            groups[name] = typer.Typer(help=command.info.help, no_args_is_help=True)
            groups[name].registered_callback = command.registered_callback
            groups[name].registered_commands += command.registered_commands
            groups[name].registered_groups += command.registered_groups
            app.add_typer(groups[name], name=name)
        else:
            groups[parent].command(name=name)(command)
    return app


def main() -> None:
    """Run the command line; exit codes are those of `router.errors`."""
    # Nothing here may reach a hub or a price list over the network by itself.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Torch's threads would spin while they wait, and starve the model server beside them.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A pipe has no width; 80 columns would cut tables that nobody is short of room for.
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", "160")
    try:
        build()()
    except OckhamError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader (head, less) went away: that is its right, not our error.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        raise SystemExit(0) from None
