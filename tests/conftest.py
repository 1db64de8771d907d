"""What every test runs under: pictures are drawn without a screen, and other warnings are errors."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")  # before anything imports matplotlib
