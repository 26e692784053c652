"""One form for connections; a kind shows only the fields that it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from studio.engine.lm.scripts import SCRIPTS
from studio.lms.models import Connection, Kind


@dataclass(frozen=True, slots=True)
class KindHelp:
    """How a kind introduces itself."""

    kind: Kind
    icon: str
    title: str
    sentence: str
    fields: tuple[str, ...]
    model: str
    """What stands in the box for the model at first."""
    model_help: str


_PRICES = ("prompt_price", "completion_price")
_LIMITS = ("requests_per_minute", "tokens_per_minute")
_ABILITIES = ("follows_schemas", "calls_tools", "sees_images")
_REMOTE = (
    *("name", "model", "base_url", "key", "format", "concurrency"),
    *_PRICES,
    *_LIMITS,
    *_ABILITIES,
)

KINDS: dict[str, KindHelp] = {
    help_.kind.value: help_
    for help_ in (
        KindHelp(
            Kind.EMBEDDED,
            "lm",
            "Embedded model",
            "Gemma 3 270M on this machine: no key, no network, no cost. Small, but real.",
            ("name", "concurrency"),
            "gemma-3-270m",
            "",
        ),
        KindHelp(
            Kind.OPENAI_HTTP,
            "compile",
            "OpenAI-compatible server",
            "OpenAI itself, vLLM, llama.cpp, Ollama, and whatever speaks the same protocol. "
            "The fast road.",
            _REMOTE,
            "",
            "As the server knows it, such as gpt-5-mini.",
        ),
        KindHelp(
            Kind.LITELLM,
            "spark",
            "Any provider, through litellm",
            "Anthropic, Google, Azure, Bedrock and a hundred more.",
            _REMOTE,
            "",
            "As litellm names it: provider/model, such as anthropic/claude-sonnet-4-5.",
        ),
        KindHelp(
            Kind.SCRIPTED,
            "review",
            "Scripted",
            "Answers by simple rules, at once and always the same: for trying things out.",
            ("name", "model"),
            "",
            "Which set of rules.",
        ),
    )
}


class AbilityField(forms.TypedChoiceField):
    """Yes, no, or what is known of the model."""

    def __init__(self, label: str, help_text: str) -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            required=False,
            choices=[("", "As is known of it"), ("yes", "Yes"), ("no", "No")],
            coerce=lambda text: text == "yes",
            empty_value=None,
        )

    def prepare_value(self, value: Any) -> Any:
        """As one of the choices."""
        return {True: "yes", False: "no", None: ""}.get(value, value)


class ConnectionForm(forms.ModelForm[Connection]):
    """A connection of one kind, new or stored."""

    key = forms.CharField(
        label="Key",
        required=False,
        max_length=2000,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted and never shown again.",
    )
    remove_key = forms.BooleanField(label="Remove the stored key", required=False)
    concurrency = forms.IntegerField(
        label="Calls at the same time",
        min_value=1,
        max_value=256,
        initial=8,
        help_text="The most that may be on their way at once.",
    )
    follows_schemas = AbilityField(
        "Follows a JSON Schema", "The server guarantees the shape of an answer."
    )
    calls_tools = AbilityField("Calls tools", "Agents then use the model's own tool calls.")
    sees_images = AbilityField("Sees images", "Pictures and PDFs may be sent to it.")

    class Meta:
        model = Connection
        fields = (
            "name",
            "model",
            "base_url",
            "format",
            "concurrency",
            "prompt_price",
            "completion_price",
            *_LIMITS,
            *_ABILITIES,
        )
        labels = {  # noqa: RUF012
            "name": "Name",
            "model": "Model",
            "base_url": "Address",
            "format": "Format",
            "prompt_price": "Price of what it reads",
            "completion_price": "Price of what it writes",
            "requests_per_minute": "Most calls a minute",
            "tokens_per_minute": "Most tokens a minute",
        }
        help_texts = {  # noqa: RUF012
            "name": "How it is called in this project.",
            "base_url": "The part before /chat/completions, such as https://api.openai.com/v1.",
            "format": "How prompts are written when nobody says otherwise.",
            "prompt_price": "US dollars for a million tokens.",
            "completion_price": "US dollars for a million tokens.",
            "requests_per_minute": "For all workers together. Empty: no limit of ours.",
            "tokens_per_minute": "What it reads and writes. Empty: no limit of ours.",
        }

    field_order = (
        "name",
        "model",
        "base_url",
        "key",
        "remove_key",
        "format",
        "concurrency",
        "prompt_price",
        "completion_price",
        *_LIMITS,
        *_ABILITIES,
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind_help = KINDS[kind]
        has_key = bool(self.instance.pk and self.instance.has_key)
        for name in list(self.fields):
            known = name in self.kind_help.fields
            if not (known or (name == "remove_key" and has_key)):
                del self.fields[name]
        if kind == Kind.SCRIPTED:
            self.fields["model"] = forms.ChoiceField(
                label="Rules",
                choices=[(name, f"{name}: {script.summary}") for name, script in SCRIPTS.items()],
            )
        if "model" in self.fields:
            self.fields["model"].help_text = self.kind_help.model_help
        if kind == Kind.OPENAI_HTTP:
            self.fields["base_url"].required = True
        if kind == Kind.LITELLM:
            self.fields["base_url"].help_text = "Only for a server of your own."
            for name in _PRICES:
                self.fields[name].help_text += " Empty: litellm’s own list."
        if has_key:
            self.fields["key"].label = "Replace the key"
            self.fields["key"].help_text = "A key is stored. Leave this empty to keep it."
        for name in _PRICES:
            if name in self.fields:
                self.fields[name].widget.attrs |= {"min": "0", "step": "any"}

    def clean(self) -> dict[str, Any]:
        """Prices are not negative, and one does not replace and remove at once."""
        cleaned = super().clean() or self.cleaned_data
        for name in _PRICES:
            if (cleaned.get(name) or 0) < 0:
                self.add_error(name, "A price is not negative.")
        for name in _LIMITS:
            if cleaned.get(name) == 0:
                self.add_error(name, "At least one a minute, or nothing for no limit.")
        if cleaned.get("key") and cleaned.get("remove_key"):
            self.add_error("remove_key", "Replace the key or remove it, not both.")
        return cleaned

    def values(self) -> dict[str, Any]:
        """The plain fields, for the services."""
        plain = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("key", "remove_key")
        }
        return plain if self.instance.pk else {"model": self.kind_help.model, **plain}
