// The threads of a SQLite store.

import { Worker } from 'node:worker_threads'

/** `directory`: of the store that it works on. */
export function startThread(name: 'sqlite-worker' | 'sqlite-compactor', directory: string): Worker {
  // Compiled, this file and the thread's lie side by side all the same.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData: directory })
}
