// How the board shows the whole pipeline.

export const FIT = { padding: "28px", maxZoom: 1.1, duration: 200 } as const;

/** The same at once, for the first look. */
export const FIT_NOW = { ...FIT, duration: 0 };
