"""``python -m vpngw_iac``."""

from vpngw_iac.cli.app import main

if __name__ == "__main__":
    main()
