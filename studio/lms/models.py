"""Connections to language models."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse

from studio.accounts.models import Project


class Kind(models.TextChoices):
    """How a connection reaches its model; see `lms.services.open_lm`."""

    EMBEDDED = "embedded", "Embedded model (on this machine)"
    OPENAI_HTTP = "openai_http", "OpenAI-compatible server"
    LITELLM = "litellm", "Provider, through litellm"
    SCRIPTED = "scripted", "Scripted (for trying things out)"


class Format(models.TextChoices):
    """How prompts are written for a model."""

    AUTO = "", "As suits the model"
    CHAT = "chat", "Chat (models that follow instructions)"
    JSON = "json", "JSON (models that follow instructions, and programs that read along)"
    XML = "xml", "XML (models that were trained to write tags)"
    COMPLETION = "completion", "Completion (base models that continue text)"


class Connection(models.Model):
    """One language model that a project may use."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="connections")
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    model = models.CharField(max_length=120)
    """The model's name as its server knows it."""
    base_url = models.CharField(max_length=300, blank=True)
    encrypted_key = models.TextField(blank=True)
    """The key, encrypted with a secret that is not in the database; never shown again."""
    prompt_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    """US dollars for a million tokens read."""
    completion_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    """US dollars for a million tokens written."""
    format = models.CharField(
        max_length=20, choices=Format.choices, default=Format.AUTO, blank=True
    )
    """The format that it gets when nobody names one."""
    concurrency = models.PositiveSmallIntegerField(default=8)
    """Calls in flight at most."""
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    """What the provider allows, for all workers together; None: as much as one likes."""
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    follows_schemas = models.BooleanField(null=True, blank=True)
    """Whether an answer has the shape of a JSON Schema by guarantee; None: as is known of it."""
    calls_tools = models.BooleanField(null=True, blank=True)
    sees_images = models.BooleanField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "slug"], name="one_connection_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("lms:connection", args=[self.project.slug, self.slug])

    @property
    def has_key(self) -> bool:
        """Whether a key is stored."""
        return bool(self.encrypted_key)
