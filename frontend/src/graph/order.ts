// The order of a list to which two people have done something.

/** The keys that are left, in the order of the side that reordered them; what only the other side
 * has stands behind what stood before it there. */
export function mergeOrder(
	base: readonly string[],
	mine: readonly string[],
	theirs: readonly string[],
	left: ReadonlySet<string>,
): string[] {
	const [first, second] =
		isReordered(base, theirs) && !isReordered(base, mine) ? [theirs, mine] : [mine, theirs];
	const order = first.filter((key) => left.has(key));
	const placed = new Set(order);
	second.forEach((key, index) => {
		if (!left.has(key) || placed.has(key)) return;
		let before = index - 1;
		while (before >= 0 && !placed.has(second[before] ?? "")) before -= 1;
		const spot = before < 0 ? 0 : order.indexOf(second[before] ?? "") + 1;
		order.splice(spot, 0, key);
		placed.add(key);
	});
	return order;
}

/** Whether what is in both stands in another order. */
export function isReordered(base: readonly string[], other: readonly string[]): boolean {
	const [known, kept] = [new Set(base), new Set(other)];
	const before = base.filter((key) => kept.has(key));
	const after = other.filter((key) => known.has(key));
	return before.some((key, index) => key !== after[index]);
}
