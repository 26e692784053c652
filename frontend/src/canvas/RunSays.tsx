// Tells screen readers how a run goes, each change once; eyes see it at the nodes.

import { useEffect, useState } from "react";
import { useStores } from "../store/hooks";
import { changesIn } from "../store/says";

export function RunSays() {
	const { trying } = useStores();
	const [words, setWords] = useState("");
	useEffect(
		() =>
			trying.subscribe((now, before) => {
				const said = changesIn(before, now);
				if (said) setWords(said);
			}),
		[trying],
	);
	return (
		<p className="sr-only" role="status">
			{words}
		</p>
	);
}
