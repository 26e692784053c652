// Builds the bundles of the site: `site` for every page, `canvas` for the canvas island, `editor`
// for pages on which code is written.
// The names carry no hash, because Django's static files storage adds one.
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
	plugins: [tailwindcss()],
	base: "./",
	publicDir: false,
	build: {
		outDir: "dist",
		// The folder is served while `npm run dev` rebuilds: names are stable, nothing goes stale.
		emptyOutDir: false,
		target: "es2022",
		modulePreload: false,
		rolldownOptions: {
			input: {
				canvas: "src/main.tsx",
				editor: "src/editor/main.ts",
				labelling: "src/editor/labelling.ts",
				site: "src/site.ts",
				"site-css": "src/site.css",
			},
			output: {
				entryFileNames: "[name].js",
				chunkFileNames: "[name].js",
				assetFileNames: ({ names }) =>
					names.some((name) => name.startsWith("site")) ? "site[extname]" : "[name][extname]",
			},
			// React Flow marks its file for React servers; there is none here.
			onLog: (level, log, write) => {
				if (log.code !== "MODULE_LEVEL_DIRECTIVE") write(level, log);
			},
		},
	},
	test: { include: ["src/**/*.test.ts"], environment: "node" },
});
