"""The modules by kind."""

from __future__ import annotations

from studio.engine.extensions import Table, is_kind
from studio.engine.modules.base import Module, ModuleKind
from studio.engine.modules.chain_of_thought import chain_of_thought
from studio.engine.modules.predict import Predict, PredictParams

MODULES: Table[ModuleKind] = Table(
    "studio.modules",
    {
        "predict": ".predict:PREDICT",
        "chain_of_thought": ".chain_of_thought:CHAIN_OF_THOUGHT",
        "multi_chain_comparison": ".multi_chain_comparison:MULTI_CHAIN_COMPARISON",
        "react": ".react:REACT",
        "program_of_thought": ".program_of_thought:PROGRAM_OF_THOUGHT",
        "code_act": ".code_act:CODE_ACT",
        "best_of_n": ".best_of_n:BEST_OF_N",
        "refine": ".refine:REFINE",
        "majority": ".majority:MAJORITY",
        "constraint": ".constraint:CONSTRAINT",
        "retrieve": ".retrieve:RETRIEVE",
        "knn_demos": ".knn_demos:KNN_DEMOS",
        "map": ".map_over:MAP",
        "branch": ".branch:BRANCH",
        "router": ".router:ROUTER",
        "subpipeline": ".subpipeline:SUBPIPELINE",
        "template": ".template:TEMPLATE",
        "python": ".python_transform:PYTHON_TRANSFORM",
        "convert": ".convert:CONVERT",
    },
    is_kind(ModuleKind),
    package=__name__,
    reserved=("input", "output"),
)

__all__ = ["MODULES", "Module", "ModuleKind", "Predict", "PredictParams", "chain_of_thought"]
