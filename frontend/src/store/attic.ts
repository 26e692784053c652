// Room for what is too large for `localStorage`: IndexedDB as a few promises.
// Where the browser has none, or it is full, nothing is kept and nothing breaks.

export interface Attic {
	get(key: string): Promise<unknown>;
	/** Whether it was kept. */
	put(key: string, value: unknown): Promise<boolean>;
	remove(key: string): Promise<void>;
	keys(prefix: string): Promise<string[]>;
}

const DATABASE = "compile-studio";
const STORE = "kept";
const PATIENCE_MS = 5_000;

/** The browser's; nothing where even asking for it is forbidden. */
export function browserFactory(): IDBFactory | undefined {
	try {
		return window.indexedDB;
	} catch {
		return undefined;
	}
}

export function createAttic(factory: IDBFactory | undefined): Attic {
	let opened: Promise<IDBDatabase> | null = null;
	const open = (): Promise<IDBDatabase> => {
		opened ??= openDatabase(factory).then(
			(database) => {
				const forget = () => {
					opened = null;
				};
				// Another tab with a newer page waits until this one lets go.
				database.onversionchange = () => {
					database.close();
					forget();
				};
				// The browser has closed it itself, such as when its data was cleared.
				database.onclose = forget;
				return database;
			},
			(error: unknown) => {
				opened = null; // The next time it may open.
				throw error;
			},
		);
		return opened;
	};
	const ask = async <T>(
		mode: IDBTransactionMode,
		action: (store: IDBObjectStore) => IDBRequest<T>,
		otherwise: T,
	): Promise<T> => {
		try {
			const transaction = (await open()).transaction(STORE, mode, { durability: "relaxed" });
			return await done(transaction, action(transaction.objectStore(STORE)));
		} catch {
			return otherwise;
		}
	};
	return {
		get: (key) => ask("readonly", (store) => store.get(key) as IDBRequest<unknown>, undefined),
		put: async (key, value) =>
			(await ask<IDBValidKey | null>(
				"readwrite",
				(store) => store.put(value, key) as IDBRequest<IDBValidKey | null>,
				null,
			)) !== null,
		remove: (key) =>
			ask("readwrite", (store) => store.delete(key) as IDBRequest<undefined>, undefined),
		keys: async (prefix) =>
			(await ask("readonly", (store) => store.getAllKeys(), []))
				.map(String)
				.filter((key) => key.startsWith(prefix)),
	};
}

function openDatabase(factory: IDBFactory | undefined): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		if (!factory) {
			reject(new Error("This browser has no IndexedDB."));
			return;
		}
		const request = factory.open(DATABASE, 1);
		// Some browsers never answer: what can be found elsewhere must not wait for this.
		const timer = setTimeout(() => reject(new Error("The database does not open.")), PATIENCE_MS);
		const settle = (end: () => void) => () => {
			clearTimeout(timer);
			end();
		};
		request.onupgradeneeded = () => request.result.createObjectStore(STORE);
		request.onsuccess = settle(() => resolve(request.result));
		request.onerror = settle(() => reject(request.error));
		request.onblocked = settle(() => reject(new Error("Another tab holds the database.")));
	});
}

function done<T>(transaction: IDBTransaction, request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		transaction.oncomplete = () => resolve(request.result);
		transaction.onabort = () => reject(transaction.error);
		transaction.onerror = () => reject(transaction.error);
	});
}

/** One that lives as long as the page: for tests, and for browsers that forbid storing. */
export function createMemoryAttic(items = new Map<string, unknown>()): Attic {
	return {
		get: async (key) => structuredClone(items.get(key)),
		put: async (key, value) => {
			items.set(key, structuredClone(value));
			return true;
		},
		remove: async (key) => void items.delete(key),
		keys: async (prefix) => [...items.keys()].filter((key) => key.startsWith(prefix)),
	};
}
