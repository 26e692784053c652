// Run the pipeline on one input, and read what every step did.

import { PanelHead } from "./PanelHead";
import { TryForm } from "./TryForm";
import { TryResult } from "./TryResult";

export function TryPanel() {
	return (
		<section className="panel-below try" aria-label="Try the pipeline on one input">
			<PanelHead title={<h2>Try it on one input</h2>} />
			<div className="panel-below-body">
				<TryForm />
				<TryResult />
			</div>
		</section>
	);
}
