// The pure ring: what a drawing is, what may be done to it, what is wrong with it.
export * from "./actions";
export * from "./check";
export * from "./connect";
export * from "./converters";
export * from "./history";
export * from "./layout";
export * from "./ports";
export * from "./signature";
export * from "./spec";
export * from "./types";
