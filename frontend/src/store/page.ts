// What the server has put into the page for the canvas.

import {
	type Blank,
	isEndKind,
	isStepKind,
	type Kind,
	type Problem,
	readSignature,
} from "../graph";

export interface Param {
	name: string;
	type: "whole" | "number" | "yes-no" | "names" | "text";
	default: unknown;
	label: string | null;
	help: string | null;
	min: number | null;
	max: number | null;
	choices: string[] | null;
	widget: string | null;
	required: boolean | null;
}

export interface PaletteKind {
	kind: string;
	title: string;
	summary: string;
	/** Under which head the palette shows it; empty for the ends. */
	group: string;
	/** Some place inside of it asks a language model. */
	calls_lm: boolean;
	/** Demos may be pinned to it. */
	takes_demos: boolean;
	params: Param[];
}

export interface PaletteModule {
	slug: string;
	name: string;
	kind: string;
	signature: unknown;
	params: Record<string, unknown>;
}

export interface Connection {
	slug: string;
	name: string;
	model: string;
	kind: string;
}

export interface PageData {
	project: string;
	pipeline: string;
	name: string;
	spec: unknown;
	revision: number;
	/** What the server found in `spec`. */
	problems: Problem[];
	may_write: boolean;
	palette: {
		kinds: PaletteKind[];
		modules: PaletteModule[];
		connections: Connection[];
		/** All of the project, this one among them. */
		pipelines?: { slug: string; name: string }[];
	};
	urls: Record<
		| "pipeline"
		| "try"
		| "prompts"
		| "code"
		| "read_code"
		| "runs"
		| "compile"
		| "evaluate"
		| "outline"
		| "versions"
		| "revisions"
		| "versions_page"
		| "compare_versions"
		| "sign_in"
		| "pipelines"
		| "new_connection",
		string
	>;
}

/** Something that the palette offers. */
export interface Offer {
	readonly key: string;
	readonly title: string;
	readonly summary: string;
	readonly group: string;
	readonly blank: Blank;
}

export function readPage(): PageData {
	const element = document.getElementById("canvas-data");
	return JSON.parse(element?.textContent ?? "{}") as PageData;
}

/** What may be added; kinds that this page cannot draw are left out. */
export function offersOf({ palette }: PageData): Offer[] {
	const kinds = palette.kinds
		.filter(({ kind }) => isEndKind(kind) || isStepKind(kind))
		.map(({ kind, title, summary, group }): Offer => {
			const blank = { kind: kind as Kind, name: NAMES[kind] ?? kind };
			return { key: kind, title, summary, group: isEndKind(kind) ? ENDS : group, blank };
		});
	const modules = palette.modules
		.filter(({ kind }) => isStepKind(kind))
		.map((module): Offer => {
			const signature = readSignature(module.signature);
			return {
				key: `module:${module.slug}`,
				title: module.name,
				summary: signature.instruction || "A saved step of this project.",
				group: SAVED,
				blank: {
					kind: module.kind as Kind,
					name: module.slug.replaceAll("-", "_"),
					signature,
					params: module.params,
					module: module.slug,
				},
			};
		});
	const all = [...kinds, ...modules];
	return groupsOf(all).flatMap((group) => all.filter((offer) => offer.group === group));
}

/** The groups in the order in which the palette shows them. */
export function groupsOf(offers: readonly Offer[]): string[] {
	const found = [...new Set(offers.map(({ group }) => group))];
	const place = (group: string) => [SAVED, ENDS].indexOf(group) + 1;
	return found.sort((one, other) => place(one) - place(other));
}

const SAVED = "Saved modules";
const ENDS = "Ends";
/** What a step is called at first, where its kind is no good name. */
const NAMES: Readonly<Record<string, string>> = {
	chain_of_thought: "reason",
	multi_chain_comparison: "compare",
	program_of_thought: "compute",
	code_act: "act",
	react: "agent",
	best_of_n: "best",
	majority: "vote",
	constraint: "ensure",
	knn_demos: "predict",
	map: "each",
	template: "fill",
	python: "transform",
};
