"""`python -m peer`."""

import sys

from peer.commands.line import main

if __name__ == "__main__":
    sys.exit(main())
