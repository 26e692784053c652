"""The site's administrator adds people here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from studio.accounts.models import User

admin.site.register(User, UserAdmin)
