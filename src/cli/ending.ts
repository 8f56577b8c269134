// Ctrl+C, and what else ends a command: it is told, and comes to an end by itself.

/**
 * Aborted when the person, or a signal, ends the command. From the first call on a signal ends the
 * process only when it comes a second time.
 */
export function untilEnded(): AbortSignal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => ending.abort())
  }
  return ending.signal
}
