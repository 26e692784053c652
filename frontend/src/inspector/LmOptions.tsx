// The language models of the project, as the options of a choice.

import { useStores } from "../store/hooks";

export function LmOptions() {
	const { connections } = useStores().page.palette;
	return connections.map(({ slug, name, model }) => (
		<option key={slug} value={slug}>
			{name} {model && model !== name ? `(${model})` : ""}
		</option>
	));
}
