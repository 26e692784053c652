#!/usr/bin/env python
"""Run one of Django's or the studio's commands."""

from __future__ import annotations

from studio.__main__ import main

if __name__ == "__main__":
    main()
