// What the operating system calls an error: "ENOENT", "ENOSPC"; and what TLS does.

/** The code of an error of a file, a socket or a process; undefined where it has none. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** Whether these are OpenSSL's words for a certificate of which it does not know who signed it. */
export function isOfUnknownAuthority(message: string): boolean {
  return /self-signed certificate|unable to (verify the first|get (local )?issuer) certificate/.test(
    message,
  )
}
