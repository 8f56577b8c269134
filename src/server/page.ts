// The page: the files of dist/web, as Vite built them.

import { readFile, stat } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, extname, join, resolve, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendText } from './plain-answer.ts'

const types: { [extension: string]: string } = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** Vite puts a hash of the content into the names of these files: they never change. */
const immutableFolder = '/assets/'

const notBuilt = 'The page is not built here: run "npm run page" once. The server itself is well.\n'

interface Loaded {
  modifiedAt: number
  plain: Buffer
  zipped: Buffer | undefined
}

/** Where this package lies, from its sources as from its published files. */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

export function builtPage(): string {
  return join(packageRoot(), 'dist', 'web')
}

export class Page {
  readonly #root: string
  readonly #policy: string
  readonly #loaded = new Map<string, Loaded>()

  /** `addresses` are those of all servers: the page connects to each of them. */
  constructor(root: string, addresses: string[]) {
    this.#root = resolve(root)
    const sockets = addresses.map((address) => address.replace(/^http/, 'ws'))
    this.#policy = [
      "default-src 'none'",
      "script-src 'self'",
      // CodeMirror and React Aria write style elements.
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      `connect-src ${["'self'", ...addresses, ...sockets].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; ')
  }

  /** Answers GET and HEAD: a file, or the page itself for any path that names none. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    const file = path === undefined ? undefined : await this.#find(path)
    if (file) {
      this.#send(request, response, file)
      return
    }
    const isPage = path !== undefined && extname(path) === ''
    const index = isPage ? await this.#find('/index.html') : undefined
    if (index) this.#send(request, response, index)
    else if (isPage && path === '/') sendText(response, 503, notBuilt)
    else sendText(response, 404, 'There is nothing here.\n')
  }

  async #find(path: string): Promise<{ path: string; loaded: Loaded } | undefined> {
    const whole = resolve(this.#root, `.${path}`)
    if (!whole.startsWith(this.#root + sep)) return undefined
    const found = await stat(whole).catch(() => undefined)
    if (!found?.isFile()) return undefined
    const known = this.#loaded.get(whole)
    if (known?.modifiedAt === found.mtimeMs) return { path, loaded: known }
    const plain = await readFile(whole)
    const zipped = gzipSync(plain)
    const isWorth = zipped.length < plain.length
    const loaded = { modifiedAt: found.mtimeMs, plain, zipped: isWorth ? zipped : undefined }
    this.#loaded.set(whole, loaded)
    return { path, loaded }
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    file: { path: string; loaded: Loaded },
  ): void {
    const { plain, zipped } = file.loaded
    const isZipped =
      zipped !== undefined && /\bgzip\b/.test(String(request.headers['accept-encoding']))
    const body = isZipped ? zipped : plain
    const type = types[extname(file.path)] ?? 'application/octet-stream'
    const isFixed = file.path.startsWith(immutableFolder)
    response.writeHead(200, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': isFixed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': this.#policy,
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
      ...(isZipped && { 'content-encoding': 'gzip' }),
    })
    if (request.method === 'HEAD') response.end()
    else response.end(body)
  }
}

/** The path asked for, decoded once; nothing when it is malformed or hides something. */
function pathOf(request: IncomingMessage): string | undefined {
  const [path = ''] = (request.url ?? '').split(/[?#]/, 1)
  try {
    const decoded = decodeURIComponent(path)
    const isPlain = decoded.startsWith('/') && !/[\0\\]/.test(decoded)
    const isHidden = decoded.split('/').some((part) => part.startsWith('.'))
    return isPlain && !isHidden ? decoded : undefined
  } catch {
    // A malformed percent sign.
    return undefined
  }
}
