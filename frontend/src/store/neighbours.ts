// Other tabs of this browser that have the same pipeline open.

/** What we need of a `BroadcastChannel`. */
export interface Channel {
	postMessage(message: unknown): void;
	onmessage: ((event: { data: unknown }) => void) | null;
}

type Message =
	| { kind: "saved"; tab: string; revision: number }
	| { kind: "who"; tab: string }
	| { kind: "here"; tab: string };

export interface Neighbours {
	/** Tell them that this tab has saved. */
	saved(revision: number): void;
	/** Be told when one of them has. */
	onSaved(listener: (revision: number) => void): void;
	/** The tabs that answer, this one not among them. */
	alive(): Promise<ReadonlySet<string>>;
}

/** Tabs in the background answer at once; those that the browser has frozen do not. */
const PATIENCE_MS = 200;

export function createNeighbours(channel: Channel | null, tab: string): Neighbours {
	/** Those who have answered, for each question that is open. */
	const asked = new Set<Set<string>>();
	const listeners: ((revision: number) => void)[] = [];
	const post = (message: Message) => channel?.postMessage(message);
	if (channel) {
		channel.onmessage = ({ data }) => {
			const message = data as Message;
			if (message.kind === "who") post({ kind: "here", tab });
			if (message.kind === "here") for (const here of asked) here.add(message.tab);
			if (message.kind === "saved") for (const listener of listeners) listener(message.revision);
		};
	}
	return {
		saved: (revision) => post({ kind: "saved", tab, revision }),
		onSaved: (listener) => void listeners.push(listener),
		alive: async () => {
			if (!channel) return new Set();
			const here = new Set<string>();
			asked.add(here);
			post({ kind: "who", tab });
			await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
			asked.delete(here);
			return here;
		},
	};
}

export function browserChannel(project: string, pipeline: string): Channel | null {
	if (typeof BroadcastChannel === "undefined") return null;
	try {
		return new BroadcastChannel(`compile-studio:${project}/${pipeline}`) as unknown as Channel;
	} catch {
		return null; // Where storing is forbidden, some browsers forbid this too.
	}
}
