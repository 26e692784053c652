import { afterEach, expect, it, vi } from "vitest";
import { request } from "./client";

afterEach(() => void vi.unstubAllGlobals());

function answering(response: Response): void {
	vi.stubGlobal("document", { cookie: "" });
	vi.stubGlobal("fetch", async () => response);
}

it.each(["<html>Please accept our terms</html>", "", '{"revision": 3, "spe'])(
	"takes %j for no answer at all, although the status is 200",
	async (text) => {
		answering(new Response(text, { status: 200 }));
		await expect(request("PUT", "/api/")).rejects.toMatchObject({ status: 0, code: "unreadable" });
	},
);

it("tells a refusal without words by its status", async () => {
	answering(new Response("<html>", { status: 503 }));
	await expect(request("GET", "/api/")).rejects.toMatchObject({
		status: 503,
		message: "The server stumbled. Try again in a moment.",
	});
});

it("gives what was answered", async () => {
	answering(new Response('{"revision": 3}', { status: 200 }));
	expect(await request("GET", "/api/")).toEqual({ revision: 3 });
});
