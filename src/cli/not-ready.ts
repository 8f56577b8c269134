// Why a server that answers takes nothing now.

/** As it says itself at /healthz, where nobody has to sign in. */
export async function whyNotReady(address: string, waitMs: number): Promise<string> {
  try {
    const answer = await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(waitMs) })
    const { status } = (await answer.json()) as { status?: unknown }
    if (status === 'full') return 'the disk of the last is nearly full: make room there'
    if (status === 'recovering') return 'the last waits for the other servers of its set'
  } catch {
    // It is about to end, or somebody else answers.
  }
  return 'the last is not ready'
}
