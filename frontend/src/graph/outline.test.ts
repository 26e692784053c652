import { describe, expect, it } from "vitest";
import { addressOf, pathOf, TOP } from "./levels";
import { nodeIn, outlineOf } from "./outline";

describe("outlineOf", () => {
	it("leads to the level and to the step", () => {
		const path = [{ node: "n2", part: "body" }];
		expect(outlineOf(TOP)).toBe("");
		expect(outlineOf(TOP, "n5")).toBe("?open=n5#node-n5");
		expect(outlineOf(path, "n5")).toBe("?at=n2.body&open=n5#node-n5");
	});

	it("keeps strange ids apart", () => {
		const path = [{ node: "a.b%", part: "body" }];
		expect(new URLSearchParams(outlineOf(path)).get("at")).toBe("a%2Eb%25.body");
		expect(outlineOf(TOP, "a b")).toBe("?open=a+b");
	});
});

describe("nodeIn", () => {
	it("finds the node behind the way", () => {
		expect(nodeIn("#/n5")).toEqual(["n5"]);
		expect(nodeIn("#/n2/body/n5")).toEqual(["n5"]);
		expect(nodeIn(addressOf([{ node: "n2", part: "body" }]))).toEqual([]);
		expect(nodeIn("#/%")).toEqual([]);
		expect(nodeIn("")).toEqual([]);
	});

	it("leaves the way as it is", () => {
		expect(pathOf("#/n2/body/n5")).toEqual([{ node: "n2", part: "body" }]);
		expect(pathOf("#/n5")).toEqual(TOP);
	});
});
