"""`localpi` and `python -m localpi`: runs a command and turns what went wrong into an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import click

from localpi.cli import exits
from localpi.cli.app import app
from localpi.cli.output import say, show_error
from localpi.errors import LocalpiError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (DESIGN: 0 1 2 3 4 5 70 78, and 130 when interrupted)."""
    try:
        result = app.main(arguments, prog_name="localpi", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 -- the edge: everything becomes an exit code
        return explain(error)
    except SystemExit:
        # Click's answer to a reader that has left (`localpi logs | head`); it keeps the interpreter from complaining.
        return exits.DONE
    except KeyboardInterrupt:
        return explain(click.Abort())
    return result if isinstance(result, int) else exits.DONE


def explain(error: Exception) -> int:
    """Say on stderr what went wrong; returns the exit code for it."""
    code = exits.BUG
    if isinstance(error, click.ClickException):
        error.show()
        code = exits.USAGE
    elif isinstance(error, click.Abort):
        say("stopped")
        code = exits.INTERRUPTED
    elif isinstance(error, LocalpiError):
        show_error(error)
        code = exits.exit_code(error)
    elif isinstance(error, OSError):
        say(f"That did not work: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        code = exits.REFUSED
    else:
        traceback.print_exception(error)
        say("This is a bug of localpi; the lines above say where.")
    return code


if __name__ == "__main__":
    sys.exit(main())
