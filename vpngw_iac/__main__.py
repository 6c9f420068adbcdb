"""The program ``vpngw``, and ``python -m vpngw_iac``."""

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process.

    What is loaded stays: Python's collector would look through it over a hundred times, a tenth of the start. It
    looks again when so many objects were added since that some of them may be garbage.
    """
    gc.set_threshold(100_000, 10, 10)
    from vpngw_iac.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
