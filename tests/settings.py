"""Settings for tests: a data folder that is thrown away, cheap passwords, no worker.

With `STUDIO_TEST_DATABASE_URL` and `STUDIO_TEST_BROKER_URL` the tests run on those servers.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_data_dir = tempfile.mkdtemp(prefix="studio-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("STUDIO_")]:
    if not _name.startswith(("STUDIO_TEST_", "STUDIO_CHROMIUM")):
        del os.environ[_name]
os.environ |= {
    "STUDIO_ENV": "development",
    "STUDIO_DATA_DIR": _data_dir,
    "STUDIO_SECRET_KEY": "for-tests-only",
    "STUDIO_LOG_LEVEL": "WARNING",
    "DATABASE_URL": os.environ.get("STUDIO_TEST_DATABASE_URL", ""),
    "BROKER_URL": os.environ.get("STUDIO_TEST_BROKER_URL", "") or "memory://",
    "EMBEDDED_LM_URL": "",
}

from studio.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Look for static files when they are asked for, not once for every test client.
WHITENOISE_AUTOREFRESH = True
