// Which LM answers in a try.

import { useId } from "react";
import { LmOptions } from "../inspector/LmOptions";
import { useEditor, useStores, useTry } from "../store/hooks";

export function TryConnection() {
	const { trying, page } = useStores();
	const { connections } = page.palette;
	const connection = useTry((state) => state.connection);
	const readOnly = useEditor((state) => state.readOnly);
	const id = useId();
	if (connections.length === 0) {
		return (
			<p className="panel-note">
				There is no language model in this project yet.{" "}
				{page.urls.new_connection && (
					<a className="text-link" href={page.urls.new_connection}>
						Add one
					</a>
				)}
			</p>
		);
	}
	return (
		<div className="form-row">
			<label className="form-label" htmlFor={id}>
				Language model
			</label>
			<select
				id={id}
				className="select select-sm"
				value={connection}
				disabled={readOnly}
				onChange={(event) => trying.getState().setConnection(event.target.value)}
			>
				<LmOptions />
			</select>
		</div>
	);
}
