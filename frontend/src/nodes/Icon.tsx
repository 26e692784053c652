// Line drawings, 24 × 24, in the stroke of the rest of the site.

const PATHS = {
	input: "M4 12h11M11 7.5l4.5 4.5L11 16.5M19.5 5v14",
	output: "M4.5 5v14M9 12h11M16 7.5l4.5 4.5-4.5 4.5",
	predict: "M12 3.5l1.9 6.6 6.6 1.9-6.6 1.9L12 20.5l-1.9-6.6L3.5 12l6.6-1.9z",
	chain_of_thought: "M4 6h8M4 11h12M4 16h6M15 16l2.5 2.5L22 14",
	tools: "M14.5 5.5a4 4 0 00-5 5L4 16v4h4l5.5-5.5a4 4 0 005-5L15.5 12 12 8.5z",
	code: "M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5M13.5 4.5l-3 15",
	best: "M7 4h10v5a5 5 0 01-10 0zM4 5h3M17 5h3M4 5a4 4 0 003.5 5M20 5a4 4 0 01-3.5 5M12 14v4M8 20h8",
	flow: "M4 12h5M9 12c3 0 3-6 6-6h5M9 12c3 0 3 6 6 6h5",
	unknown:
		"M9 9a3 3 0 116 0c0 2-3 2.3-3 4.5M12 17.5v.01M3.5 12a8.5 8.5 0 1017 0 8.5 8.5 0 00-17 0",
	undo: "M8.5 5L4 9.5 8.5 14M4.5 9.5H14a5.5 5.5 0 010 11H9",
	redo: "M15.5 5L20 9.5 15.5 14M19.5 9.5H10a5.5 5.5 0 000 11h5",
	fit: "M4 9V5.5A1.5 1.5 0 015.5 4H9M15 4h3.5A1.5 1.5 0 0120 5.5V9M20 15v3.5a1.5 1.5 0 01-1.5 1.5H15M9 20H5.5A1.5 1.5 0 014 18.5V15",
	tidy: "M4 4.5h6v5H4zM4 14.5h6v5H4zM14.5 9.5h5.5v5h-5.5zM10 7h2.3v10H10M12.3 12h2.2",
	align_left: "M4 4v16M8 7.5h11M8 16.5h6",
	align_centre: "M12 4v3.5M12 7.5h5.5M12 7.5H6.5M12 7.5v9M12 16.5h3M12 16.5H9M12 16.5V20",
	align_right: "M20 4v16M5 7.5h11M10 16.5h6",
	align_top: "M4 4h16M7.5 8v11M16.5 8v6",
	align_middle: "M4 12h3.5M7.5 12V6.5M7.5 12v5.5M7.5 12h9M16.5 12V9M16.5 12v3M16.5 12H20",
	align_bottom: "M4 20h16M7.5 5v11M16.5 10v6",
	spread_x: "M4 4v16M20 4v16M10 8h4v8h-4z",
	spread_y: "M4 4h16M4 20h16M8 10h8v4H8z",
	plus: "M12 5v14M5 12h14",
	close: "M6 6l12 12M18 6L6 18",
	trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
	copy: "M9 9h11v11H9zM5.5 15H4V4h11v1.5",
	run: "M7.5 5l11 7-11 7z",
	stop: "M7 7h10v10H7z",
	skip: "M5 6l7 6-7 6zM13 6l7 6-7 6z",
	wait: "M12 7.5V12l3 2M3.5 12a8.5 8.5 0 1017 0 8.5 8.5 0 00-17 0",
	up: "M12 19V5.5M6.5 11L12 5.5l5.5 5.5",
	enter: "M4 4.5h16v15H4zM9 8.5v7h7M9 15.5l6.5-6.5",
	note: "M4.5 4.5h15v10l-5 5h-10zM14.5 19.5v-5h5",
	group: "M3.5 3.5h17v17h-17zM7 7h5v4H7zM12 13h5v4h-5z",
	history: "M4.5 12a7.5 7.5 0 102.2-5.3L4.5 9M4.5 4.5V9H9M12 8v4.5l3 1.8",
	compile: "M4 6h6l4 6h6M4 18h6l4-6M17 9l3 3-3 3",
	check: "M5 12.5l4.5 4.5L19 7.5",
	warning: "M12 4l9 15.5H3L12 4zM12 10v4.5M12 17v.01",
	edit: "M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM14 6.5l3.5 3.5",
	expose: "M4 12h10M10.5 8l4 4-4 4M18 5h2v14h-2",
	search: "M5 11a6 6 0 1012 0 6 6 0 00-12 0M15.5 15.5L20 20",
	module: "M12 3.2l8 4.4v8.8l-8 4.4-8-4.4V7.6zM4 7.6l8 4.4 8-4.4M12 12v8.8",
	key: "M3.5 6.5h17v11h-17zM7 10v.01M11 10v.01M15 10v.01M8 14h8",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "icon" }: { name: IconName; className?: string }) {
	return (
		<svg
			className={className}
			viewBox="0 0 24 24"
			fill="none"
			stroke="currentColor"
			strokeWidth="1.75"
			strokeLinecap="round"
			strokeLinejoin="round"
			aria-hidden="true"
		>
			<path d={PATHS[name]} />
		</svg>
	);
}
