"""Signatures, modules, formats, language models, metrics and compilers: plain Python, async.

Everything that a user of the library needs comes from here: `from studio.engine import Predict,
Program, Runtime, evaluate`. A name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.engine.compilers import COMPILERS, CompileTask, compile_program, estimate
    from studio.engine.compilers.base import PRESETS, CompilerKind, Plan, Preset, Teacher
    from studio.engine.compilers.demos import with_demos
    from studio.engine.compilers.events import CompileResult, Finished
    from studio.engine.compilers.running import Question
    from studio.engine.compilers.search import Proposal, Search, Standing
    from studio.engine.compilers.traces import TracePool
    from studio.engine.drawing import Drawing
    from studio.engine.errors import (
        BudgetSpent,
        CompileError,
        ConstraintBroken,
        EngineError,
        GraphError,
        InputError,
        LMError,
        MetricError,
        ParseError,
        RetrievalError,
        SandboxError,
        SandboxUnavailable,
        SignatureError,
        StateError,
        ToolError,
    )
    from studio.engine.evaluation import Evaluation, MemoryLedger, evaluate, evaluate_all
    from studio.engine.example import Candidate, Demo, Example, PredictorState
    from studio.engine.extensions import ExtensionProblem, Table
    from studio.engine.fields import Constraints, FieldType, accepts, parse_type
    from studio.engine.formats import FORMATS
    from studio.engine.graph import NODE_KINDS, build, check, empty_spec, spec_hash
    from studio.engine.graph.code.problems import CodeError
    from studio.engine.graph.code.read import from_python
    from studio.engine.graph.code.write import to_python
    from studio.engine.lm.base import LM
    from studio.engine.lm.cached import Cached
    from studio.engine.lm.compose import compose
    from studio.engine.lm.embedded import EmbeddedLM
    from studio.engine.lm.litellm_client import LiteLLMLM
    from studio.engine.lm.metered import Budget, Spent
    from studio.engine.lm.openai_embedder import OpenAIHttpEmbedder
    from studio.engine.lm.openai_http import OpenAIHttpLM
    from studio.engine.lm.rate_bucket import RateLimits
    from studio.engine.lm.retrying import Retrying
    from studio.engine.lm.scripted import ScriptedLM
    from studio.engine.lm.stores import MemoryStore, open_store
    from studio.engine.messages import Attachment, Completion, Message, Request, ToolSpec, Usage
    from studio.engine.metrics import METRICS, MetricKind, Score, judge, make_metric
    from studio.engine.modules import MODULES
    from studio.engine.modules.base import Composite, Module, ModuleKind, WithoutLM
    from studio.engine.modules.best_of_n import BestOfN
    from studio.engine.modules.branch import Branch
    from studio.engine.modules.chain_of_thought import chain_of_thought
    from studio.engine.modules.code_act import CodeAct
    from studio.engine.modules.constraint import Constraint
    from studio.engine.modules.convert import Convert
    from studio.engine.modules.knn_demos import KnnDemos
    from studio.engine.modules.majority import Majority
    from studio.engine.modules.map_over import MapOver
    from studio.engine.modules.multi_chain_comparison import MultiChainComparison
    from studio.engine.modules.predict import Predict, PredictParams
    from studio.engine.modules.program_of_thought import ProgramOfThought
    from studio.engine.modules.python_transform import PythonTransform
    from studio.engine.modules.react import ReAct
    from studio.engine.modules.refine import Refine
    from studio.engine.modules.retrieve import Retrieve
    from studio.engine.modules.router import Router
    from studio.engine.modules.subpipeline import Subpipeline
    from studio.engine.modules.template import Template
    from studio.engine.program import INPUT, Node, Program, Wire
    from studio.engine.rehearsal import NodeNews, Rehearsal, rehearse
    from studio.engine.retrieval.base import Embedder, Passage, Retriever
    from studio.engine.retrieval.collection import Collection
    from studio.engine.retrieval.embeddings import Embeddings
    from studio.engine.retrieval.fulltext import FullText
    from studio.engine.retrieval.hybrid import Hybrid
    from studio.engine.runtime import Runtime
    from studio.engine.sandbox import Limits, MontySandbox, Sandbox
    from studio.engine.saving.dspy_code import to_dspy
    from studio.engine.saving.dspy_export import export_dspy
    from studio.engine.saving.dspy_state import Imported, read_dspy_state
    from studio.engine.saving.files import read_file, write_file
    from studio.engine.saving.messages import export_jsonl, export_messages
    from studio.engine.saving.programs import dump_program, dump_state, load_program, load_state
    from studio.engine.saving.reading import to_text
    from studio.engine.signature import Field, Signature
    from studio.engine.tools.base import Tool
    from studio.engine.tools.http_tool import HttpTool
    from studio.engine.tools.mcp_client import McpServer, mcp_tools
    from studio.engine.tools.python_tool import PythonTool
    from studio.engine.tools.retrieval_tool import RetrievalTool
    from studio.engine.trace import Prediction, Step

_HOMES: dict[str, tuple[str, ...]] = {
    "compilers": (
        "COMPILERS",
        "CompileTask",
        "compile_program",
        "estimate",
    ),
    "compilers.base": (
        "PRESETS",
        "CompilerKind",
        "Plan",
        "Preset",
        "Teacher",
    ),
    "compilers.demos": ("with_demos",),
    "compilers.events": (
        "CompileResult",
        "Finished",
    ),
    "compilers.running": ("Question",),
    "compilers.search": ("Proposal", "Search", "Standing"),
    "compilers.traces": ("TracePool",),
    "drawing": ("Drawing",),
    "errors": (
        "BudgetSpent",
        "CompileError",
        "ConstraintBroken",
        "EngineError",
        "GraphError",
        "InputError",
        "LMError",
        "MetricError",
        "ParseError",
        "RetrievalError",
        "SandboxError",
        "SandboxUnavailable",
        "SignatureError",
        "StateError",
        "ToolError",
    ),
    "evaluation": (
        "Evaluation",
        "MemoryLedger",
        "evaluate",
        "evaluate_all",
    ),
    "example": (
        "Candidate",
        "Demo",
        "Example",
        "PredictorState",
    ),
    "extensions": (
        "ExtensionProblem",
        "Table",
    ),
    "fields": (
        "Constraints",
        "FieldType",
        "accepts",
        "parse_type",
    ),
    "formats": ("FORMATS",),
    "graph": (
        "NODE_KINDS",
        "build",
        "check",
        "empty_spec",
        "spec_hash",
    ),
    "graph.code.problems": ("CodeError",),
    "graph.code.read": ("from_python",),
    "graph.code.write": ("to_python",),
    "lm.base": ("LM",),
    "lm.cached": ("Cached",),
    "lm.compose": ("compose",),
    "lm.embedded": ("EmbeddedLM",),
    "lm.litellm_client": ("LiteLLMLM",),
    "lm.metered": ("Budget", "Spent"),
    "lm.openai_embedder": ("OpenAIHttpEmbedder",),
    "lm.openai_http": ("OpenAIHttpLM",),
    "lm.rate_bucket": ("RateLimits",),
    "lm.retrying": ("Retrying",),
    "lm.scripted": ("ScriptedLM",),
    "lm.stores": (
        "MemoryStore",
        "open_store",
    ),
    "messages": (
        "Attachment",
        "Completion",
        "Message",
        "Request",
        "ToolSpec",
        "Usage",
    ),
    "metrics": (
        "METRICS",
        "MetricKind",
        "Score",
        "judge",
        "make_metric",
    ),
    "modules": ("MODULES",),
    "modules.base": (
        "Composite",
        "Module",
        "ModuleKind",
        "WithoutLM",
    ),
    "modules.best_of_n": ("BestOfN",),
    "modules.branch": ("Branch",),
    "modules.chain_of_thought": ("chain_of_thought",),
    "modules.code_act": ("CodeAct",),
    "modules.constraint": ("Constraint",),
    "modules.convert": ("Convert",),
    "modules.knn_demos": ("KnnDemos",),
    "modules.majority": ("Majority",),
    "modules.map_over": ("MapOver",),
    "modules.multi_chain_comparison": ("MultiChainComparison",),
    "modules.predict": (
        "Predict",
        "PredictParams",
    ),
    "modules.program_of_thought": ("ProgramOfThought",),
    "modules.python_transform": ("PythonTransform",),
    "modules.react": ("ReAct",),
    "modules.refine": ("Refine",),
    "modules.retrieve": ("Retrieve",),
    "modules.router": ("Router",),
    "modules.subpipeline": ("Subpipeline",),
    "modules.template": ("Template",),
    "program": (
        "INPUT",
        "Node",
        "Program",
        "Wire",
    ),
    "rehearsal": (
        "NodeNews",
        "Rehearsal",
        "rehearse",
    ),
    "retrieval.base": (
        "Embedder",
        "Passage",
        "Retriever",
    ),
    "retrieval.collection": ("Collection",),
    "retrieval.embeddings": ("Embeddings",),
    "retrieval.fulltext": ("FullText",),
    "retrieval.hybrid": ("Hybrid",),
    "runtime": ("Runtime",),
    "sandbox": (
        "Limits",
        "MontySandbox",
        "Sandbox",
    ),
    "saving.dspy_code": ("to_dspy",),
    "saving.dspy_export": ("export_dspy",),
    "saving.dspy_state": (
        "Imported",
        "read_dspy_state",
    ),
    "saving.files": (
        "read_file",
        "write_file",
    ),
    "saving.messages": (
        "export_jsonl",
        "export_messages",
    ),
    "saving.programs": (
        "dump_program",
        "dump_state",
        "load_program",
        "load_state",
    ),
    "saving.reading": ("to_text",),
    "signature": (
        "Field",
        "Signature",
    ),
    "tools.base": ("Tool",),
    "tools.http_tool": ("HttpTool",),
    "tools.mcp_client": (
        "McpServer",
        "mcp_tools",
    ),
    "tools.python_tool": ("PythonTool",),
    "tools.retrieval_tool": ("RetrievalTool",),
    "trace": (
        "Prediction",
        "Step",
    ),
}
"""Where each name lives, below this package."""

_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for, once."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "COMPILERS",
    "FORMATS",
    "INPUT",
    "LM",
    "METRICS",
    "MODULES",
    "NODE_KINDS",
    "PRESETS",
    "Attachment",
    "BestOfN",
    "Branch",
    "Budget",
    "BudgetSpent",
    "Cached",
    "Candidate",
    "CodeAct",
    "CodeError",
    "Collection",
    "CompileError",
    "CompileResult",
    "CompileTask",
    "CompilerKind",
    "Completion",
    "Composite",
    "Constraint",
    "ConstraintBroken",
    "Constraints",
    "Convert",
    "Demo",
    "Drawing",
    "EmbeddedLM",
    "Embedder",
    "Embeddings",
    "EngineError",
    "Evaluation",
    "Example",
    "ExtensionProblem",
    "Field",
    "FieldType",
    "Finished",
    "FullText",
    "GraphError",
    "HttpTool",
    "Hybrid",
    "Imported",
    "InputError",
    "KnnDemos",
    "LMError",
    "Limits",
    "LiteLLMLM",
    "Majority",
    "MapOver",
    "McpServer",
    "MemoryLedger",
    "MemoryStore",
    "Message",
    "MetricError",
    "MetricKind",
    "Module",
    "ModuleKind",
    "MontySandbox",
    "MultiChainComparison",
    "Node",
    "NodeNews",
    "OpenAIHttpEmbedder",
    "OpenAIHttpLM",
    "ParseError",
    "Passage",
    "Plan",
    "Predict",
    "PredictParams",
    "Prediction",
    "PredictorState",
    "Preset",
    "Program",
    "ProgramOfThought",
    "Proposal",
    "PythonTool",
    "PythonTransform",
    "Question",
    "RateLimits",
    "ReAct",
    "Refine",
    "Rehearsal",
    "Request",
    "RetrievalError",
    "RetrievalTool",
    "Retrieve",
    "Retriever",
    "Retrying",
    "Router",
    "Runtime",
    "Sandbox",
    "SandboxError",
    "SandboxUnavailable",
    "Score",
    "ScriptedLM",
    "Search",
    "Signature",
    "SignatureError",
    "Spent",
    "Standing",
    "StateError",
    "Step",
    "Subpipeline",
    "Table",
    "Teacher",
    "Template",
    "Tool",
    "ToolError",
    "ToolSpec",
    "TracePool",
    "Usage",
    "Wire",
    "WithoutLM",
    "accepts",
    "build",
    "chain_of_thought",
    "check",
    "compile_program",
    "compose",
    "dump_program",
    "dump_state",
    "empty_spec",
    "estimate",
    "evaluate",
    "evaluate_all",
    "export_dspy",
    "export_jsonl",
    "export_messages",
    "from_python",
    "judge",
    "load_program",
    "load_state",
    "make_metric",
    "mcp_tools",
    "open_store",
    "parse_type",
    "read_dspy_state",
    "read_file",
    "rehearse",
    "spec_hash",
    "to_dspy",
    "to_python",
    "to_text",
    "with_demos",
    "write_file",
]
