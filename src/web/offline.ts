// Lets the page itself load when no server answers, and notices when a server has a newer one.

import { useEffect, useRef, useState } from 'react'
import type { Client } from '../client/api.ts'

/** Has the service worker keep the page. Without it (an old browser) only reloads need a server. */
export function keepPage(): void {
  if (!('serviceWorker' in navigator)) return
  const isLoaded = document.readyState === 'complete'
  if (isLoaded) register()
  else window.addEventListener('load', register, { once: true })
}

function register(): void {
  navigator.serviceWorker.register('/service-worker.js').catch(() => {
    // Forbidden by the person's settings, or no built page (vite dev): the page works, reloads need a server.
  })
}

/** A page is looked for once per connection, and not more often than this. */
const lookEveryMs = 60_000

/** Whether the server this page came from has another build of it. */
export function useNewerPage(client: Client): boolean {
  const [isNewer, setNewer] = useState(false)
  const lookedAt = useRef(0)
  const isOnline = client.connection.name === 'online'
  useEffect(() => {
    if (!isOnline || Date.now() - lookedAt.current < lookEveryMs) return
    lookedAt.current = Date.now()
    void hasNewerPage().then(setNewer)
  }, [isOnline])
  return isNewer
}

/** False when the server cannot be asked. */
async function hasNewerPage(): Promise<boolean> {
  const entry = document.querySelector<HTMLScriptElement>('script[type=module][src]')?.src
  if (entry === undefined) return false
  try {
    const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(5000) })
    const page = await answer.text()
    return answer.ok && page.includes('id="page"') && !page.includes(new URL(entry).pathname)
  } catch {
    // No server to ask: the next connection asks again.
    return false
  }
}
