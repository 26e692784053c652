"""Settings of the server that the browser tests start: real, but quick to set up."""

from __future__ import annotations

import os
from pathlib import Path

from studio.settings import *  # noqa: F403

# Another bundle than the one in frontend/dist, such as one that is being worked on.
if dist := os.environ.get("E2E_DIST"):
    STATICFILES_DIRS = [Path(dist)]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tables straight from the models: that the migrations make the same is tested elsewhere.
_APPS = ("accounts", "lms", "datasets", "metrics", "pipelines", "runs", "reviews", "serving")
MIGRATION_MODULES = dict.fromkeys(_APPS)
