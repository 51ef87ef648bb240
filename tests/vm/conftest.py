"""Makes `minivm` importable, as it is for `boot`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
