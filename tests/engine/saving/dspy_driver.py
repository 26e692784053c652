"""Run by `test_dspy_live.py` in a process of its own, with the real DSPy; prints JSON.

Arguments: a folder with one folder for each exported program, and one to save states into.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, Literal


def main(exported: Path, saved: Path) -> None:
    """Run every exported program, and save programs as DSPy's users do."""
    import dspy

    results = {folder.name: _run(dspy, folder) for folder in sorted(exported.iterdir())}
    _save(dspy, saved)
    sys.stdout.write(json.dumps(results))


def _run(dspy: Any, folder: Path) -> dict[str, Any]:
    found = importlib.util.spec_from_file_location(
        f"exported_{folder.name}", folder / "program.py"
    )
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    tools = {name: _tool(name) for name in task.get("tools", ())}
    pipeline = module.Pipeline(**({"tools": tools} if tools else {}))
    pipeline.load(str(folder / "program.json"))
    lm = dspy.utils.DummyLM(task["answers"])
    with dspy.context(lm=lm):
        prediction = pipeline(**task["inputs"])
    pipeline.save(str(folder / "again.json"))
    return {
        "outputs": dict(prediction),
        "calls": [call["messages"] for call in lm.history],
        "kinds": {name: type(step).__name__ for name, step in pipeline.steps.items()},
    }


def _tool(name: str) -> Any:
    def look_up(query: str) -> str:
        """Looks something up."""
        return f"{name} knows {query}"

    look_up.__name__ = name
    return look_up


def _save(dspy: Any, saved: Path) -> None:
    def demo(**values: Any) -> Any:
        return dspy.Example(**values)

    bare = dspy.Predict(dspy.Signature("question -> answer", "Answer."))
    bare.demos = [
        demo(question="1+1?", answer="2", dspy_uuid="x"),
        {"question": "?", "answer": "!"},
    ]
    bare.save(str(saved / "bare.json"))

    thinking = dspy.ChainOfThought("question -> answer")
    thinking.predict.demos = [demo(question="q", reasoning="because", answer="a", augmented=True)]
    thinking.save(str(saved / "thinking.json"))

    agent = dspy.ReAct(dspy.Signature("question -> answer", "Find out."), tools=[_tool("search")])
    agent.react.demos = [
        demo(
            question="q",
            trajectory="[[ ## thought_0 ## ]]",
            next_thought="look",
            next_tool_name="search",
            next_tool_args={"query": "x"},
            augmented=True,
        )
    ]
    agent.extract.predict.demos = [
        demo(question="q", trajectory="t", reasoning="r", answer="a", augmented=True)
    ]
    agent.save(str(saved / "agent.json"))

    class Search(dspy.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.plan = dspy.ChainOfThought(
                dspy.Signature("message, hint: str | None -> problem, tags: list[str]", "Plan.")
            )
            self.steps = {
                "classify": dspy.Predict(
                    dspy.make_signature(
                        {
                            "problem": (str, dspy.InputField()),
                            "tags": (list[str], dspy.InputField()),
                            "area": (
                                Literal["billing", "it's else"],
                                dspy.OutputField(desc="where it goes"),
                            ),
                            "urgency": (int, dspy.OutputField()),
                        },
                        "Classify.",
                    )
                )
            }

    search = Search()
    search.plan.predict.demos = [
        demo(message="m", problem="p"),
        demo(message="m", hint=None, reasoning="r", problem="p", tags=["t"], augmented=True),
    ]
    search.steps["classify"].demos = [demo(problem="p", tags=["t"], area="it's else", urgency=3)]
    search.steps["classify"].lm = dspy.LM("openai/gpt-4o-mini", api_key="sk-secret")
    search.save(str(saved / "search.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
