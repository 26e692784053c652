// A spec as a file of the person who draws. Its text can be pasted on a canvas.

import type { Spec } from "../graph";
import { asClip } from "../store/clipboard";

export function download(name: string, spec: Spec): void {
	const blob = new Blob([JSON.stringify(asClip(spec), null, 2)], { type: "application/json" });
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = `${name}.json`;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
