// Keeps the page in the browser, so that a reload with no server alive still shows it.
// index.html: from the server, or from here when none answers within a second. Everything under
// /assets carries its hash in its name and never changes: from here when it is here.

/** The little of a service worker's world that this file uses; lib.webworker excludes lib.dom. */
interface Waiting extends Event {
  waitUntil(done: Promise<unknown>): void
}
interface Fetching extends Waiting {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  addEventListener(type: 'install' | 'activate', listener: (event: Waiting) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
}

const worker = self as unknown as Worker
const shelf = 'fourfold-page'
const page = '/'
const answerWithinMs = 1000

worker.addEventListener('install', (event) => {
  event.waitUntil(keepPage().then(() => worker.skipWaiting()))
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim())
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin) return
  if (request.mode === 'navigate' && url.pathname === page) event.respondWith(freshPage(event))
  else if (url.pathname.startsWith('/assets/')) event.respondWith(asset(request))
})

/** Fetches the page and all it needs to start, and drops what no page here needs. */
async function keepPage(): Promise<void> {
  await keep(await fetch(page, { cache: 'no-store' }))
}

async function keep(answer: Response): Promise<void> {
  if (!answer.ok) return
  const cache = await caches.open(shelf)
  const needed = assetsOf(await answer.clone().text())
  if (needed.length === 0) return
  const held = new Set((await cache.keys()).map((request) => new URL(request.url).pathname))
  if (needed.every((path) => held.has(path))) {
    await cache.put(page, answer)
    return
  }
  // Another build: first all of it, then the page that names it, then the old build goes.
  await cache.addAll(needed.filter((path) => !held.has(path)))
  await cache.put(page, answer)
  const kept = new Set([page, ...needed])
  for (const path of held) if (!kept.has(path)) await cache.delete(path)
}

function assetsOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!)
}

async function freshPage(event: Fetching): Promise<Response> {
  const cache = await caches.open(shelf)
  const kept = await cache.match(page)
  const fetched = fetch(page, { cache: 'no-store' }).then((answer) => {
    event.waitUntil(keep(answer.clone()))
    return answer
  })
  if (kept === undefined) return fetched
  const late = new Promise<Response>((resolve) => setTimeout(resolve, answerWithinMs, kept))
  return Promise.race([fetched, late]).then(
    (answer) => (answer.ok ? answer : kept),
    () => kept,
  )
}

async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(shelf)
  const kept = await cache.match(request)
  if (kept !== undefined) return kept
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request, answer.clone())
  return answer
}
