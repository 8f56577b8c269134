// What the operating system calls an error: "ENOENT", "ENOSPC".

/** The code of an error of a file, a socket or a process; undefined where it has none. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
