"""Run the command line as `python -m listener`."""

from __future__ import annotations

from listener.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
