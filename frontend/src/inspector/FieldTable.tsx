// Fields as a table: name, type, description; add, rename, retype, remove.

import type { ReactNode } from "react";
import { type Field, freeName } from "../graph";
import { Icon } from "../nodes/Icon";
import { Bounds } from "./Bounds";
import { NameInput } from "./NameField";
import { TypeField } from "./TypeField";

interface FieldTableProps {
	title: string;
	fields: readonly Field[];
	/** Names that are taken by the other side. */
	taken?: readonly string[];
	blank: string;
	disabled: boolean;
	onFields(fields: Field[], mark: string): void;
	extra?(field: Field): ReactNode;
}

export function FieldTable({
	title,
	fields,
	taken = [],
	blank,
	disabled,
	onFields,
	extra,
}: FieldTableProps) {
	const replace = (index: number, change: Partial<Field>, mark: string) =>
		onFields(
			fields.map((field, at) => (at === index ? { ...field, ...change } : field)),
			mark,
		);
	const names = [...taken, ...fields.map((field) => field.name)];
	return (
		<fieldset className="field-table">
			<legend className="form-label">{title}</legend>
			{fields.length === 0 && <p className="panel-note">None yet.</p>}
			{fields.map((field, index) => (
				// The place is the identity: names change while they are typed.
				// biome-ignore lint/suspicious/noArrayIndexKey: see above
				<div className="field-row" key={index} data-field={field.name}>
					<div className="field-line">
						<NameInput
							aria-label={`Name of field ${index + 1}`}
							value={field.name}
							others={names.filter((_, at) => at !== index + taken.length)}
							disabled={disabled}
							onName={(name) => replace(index, { name }, `field-name:${index}`)}
						/>
						{!disabled && (
							<button
								type="button"
								className="btn btn-ghost btn-sm btn-square"
								aria-label={`Remove ${field.name}`}
								title={`Remove ${field.name}`}
								onClick={() =>
									onFields(
										fields.filter((_, at) => at !== index),
										"",
									)
								}
							>
								<Icon name="trash" />
							</button>
						)}
					</div>
					<TypeField
						name={field.name}
						type={field.type}
						disabled={disabled}
						onType={(type) => replace(index, { type }, `field-type:${index}`)}
					/>
					<input
						className="input input-sm"
						aria-label={`Description of ${field.name}`}
						placeholder="Description for the prompt (optional)"
						value={field.description}
						maxLength={500}
						disabled={disabled}
						onChange={(event) =>
							replace(index, { description: event.target.value }, `field-text:${index}`)
						}
					/>
					<Bounds
						field={field}
						disabled={disabled}
						onField={(changed, mark) =>
							onFields(
								fields.map((other, at) => (at === index ? changed : other)),
								`field-bound:${index}:${mark}`,
							)
						}
					/>
					{extra?.(field)}
				</div>
			))}
			{!disabled && (
				<button
					type="button"
					className="btn btn-sm btn-ghost add-field"
					onClick={() =>
						onFields(
							[...fields, { name: freeName(blank, names), type: "str", description: "" }],
							"",
						)
					}
				>
					<Icon name="plus" /> Add a field
				</button>
			)}
		</fieldset>
	);
}
