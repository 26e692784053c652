import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { VersionRow } from "../api/versions";
import { rename, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { createDrafts } from "./drafts";
import { createEditor } from "./editor";
import { FakeServer, fakeBrowser } from "./fakes";
import { createSaver } from "./saver";
import { createVersions } from "./versions";

function setUp() {
	const server = new FakeServer(oneStep());
	const editor = createEditor(server.graph);
	const drafts = createDrafts(fakeBrowser().shelf, "support", "triage");
	const { save, revision } = server;
	const saver = createSaver({ editor, drafts, revision, save });
	const row = (number: number): VersionRow => ({
		number,
		message: "",
		by: "alice",
		at: "2026-01-01T00:00:00Z",
		nodes: 3,
		is_current: false,
		restored_from: null,
		runs: 0,
	});
	const old = toSpec(rename(oneStep(), "n2", "old"));
	const calls = {
		list: vi.fn(async () => ({ versions: [row(3), row(2), row(1)], more: false })),
		read: vi.fn(async (_: number) => ({ spec: old as unknown })),
		make: vi.fn(async (_: string) => row(4)),
		bringBack: vi.fn(async (_: number, base: number) => ({
			...(await server.save(old, base)),
			version: 5,
		})),
	};
	const versions = createVersions({ editor, saver, ...calls });
	const name = () => editor.getState().history.present.nodes[1]?.name;
	const draw = (to: string) => editor.getState().change((graph) => rename(graph, "n2", to));
	return { server, editor, saver, versions, name, draw, ...calls };
}

describe("versions", () => {
	it("are chosen for comparing: two at most, each read once", async () => {
		const { versions, read } = setUp();
		for (const number of [1, 2, 3, 3, 3]) await versions.getState().choose(number);
		expect(versions.getState().chosen).toEqual([2, 3]);
		expect(read).toHaveBeenCalledTimes(3);
	});

	it("are not chosen when they cannot be read", async () => {
		const { versions, read } = setUp();
		read.mockResolvedValueOnce({ spec: { version: 99, nodes: [], edges: [] } });
		await versions.getState().choose(1);
		expect(versions.getState()).toMatchObject({ chosen: [], isBusy: false });
		expect(versions.getState().message).toContain("version 99");
	});

	it("are made of what is saved: unsaved edits are saved first", async () => {
		const { versions, server, draw, make } = setUp();
		draw("mine");
		expect(await versions.getState().save("With a message")).toBe(true);
		expect(make).toHaveBeenCalledWith("With a message");
		expect(server.graph.nodes[1]?.name).toBe("mine");
	});

	it("are not made while the drawing cannot be saved", async () => {
		const { versions, server, draw, make, saver } = setUp();
		server.mood = "gone";
		draw("mine");
		expect(await versions.getState().save("")).toBe(false);
		expect(make).not.toHaveBeenCalled();
		expect(versions.getState().message).toContain("could not be saved");
		server.mood = "well";
		await saver.getState().saveNow();
	});

	it("come back as the drawing, and undo returns", async () => {
		const { versions, name, editor, saver } = setUp();
		expect(await versions.getState().restore(1)).toBe(true);
		expect(name()).toBe("old");
		expect(saver.getState()).toMatchObject({ phase: "saved", revision: 2 });
		expect(editor.getState().said.text).toContain("Version 1 is back, as version 5.");
		editor.getState().undo();
		expect(name()).toBe("classify");
		await saver.getState().saveNow();
	});

	it("say why one does not come back", async () => {
		const { versions, bringBack, name } = setUp();
		bringBack.mockRejectedValueOnce(new ApiError(409, "conflict", "Somebody has saved."));
		expect(await versions.getState().restore(1)).toBe(false);
		expect(versions.getState().message).toBe("Somebody has saved.");
		expect(name()).toBe("classify");
	});
});
