// Requests as nobody would send them: any method, any path, any headers and any body together.

import { gzipSync } from 'node:zlib'
import type { Random } from '../../sim/random.ts'

export interface Request {
  method: string
  path: string
  headers: [name: string, value: string][]
  body: Buffer
}

const hash = 'ab'.repeat(32)

const methods = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND'],
  ...['PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'SEARCH', 'REPORT'],
]

const places = [
  ...[
    '/',
    '/session',
    '/healthz',
    '/assets/x',
    '/index.html',
    '*',
    '//',
    '/..',
    '/%',
    'http://[::1',
  ],
  ...['/dav', '/dav/', '/dav/x.md', '/dav/x.md?y', '/dav/dir', '/dav/dir/', '/dav/dir/sub/y.md'],
  ...['/dav/%zz', '/dav/%ff', '/dav//x', '/dav/../x', '/dav/%00', `/dav/${'x'.repeat(300)}`],
  ...['/blobs/', '/blobs/x', `/blobs/${hash}`, `/blobs/${hash}?size=10`, `/blobs/${hash}?size=NaN`],
  ...[`/blobs/${hash}?size=10&upload=1`, `/blobs/${hash}?size=1e99&name=%zz`],
]

const types = [
  ...['application/json', 'application/proto', 'application/grpc', 'application/grpc+proto', ''],
  ...['application/grpc-web', 'application/grpc-web+proto', 'application/grpc-web-text'],
  ...['application/connect+json', 'application/connect+proto', 'application/grpc+x', 'text/plain'],
]

const values: { [header: string]: string[] } = {
  'content-type': types,
  accept: ['*/*', 'x'],
  'accept-encoding': ['gzip', 'br', 'x', 'identity;q=0'],
  authorization: ['Basic eDp5', 'Basic', 'Bearer x', 'Bearer e30', 'Basic //8=', 'x'],
  'connect-protocol-version': ['1', '2'],
  'connect-timeout-ms': ['1', '0', 'x', '99999999999999'],
  'content-encoding': ['gzip', 'br', 'identity', 'x'],
  'content-range': ['bytes 0-1/2', 'x'],
  depth: ['0', '1', 'infinity', '2', ''],
  destination: [
    '/dav/z.md',
    'http://other/dav/z',
    '/dav/dir',
    'x',
    '',
    '/dav/%zz',
    '/dav/dir/sub/x',
  ],
  expect: ['100-continue', 'x'],
  'fourfold-proof': ['', 'a.1.x', 'a', '....'],
  'grpc-encoding': ['gzip', 'x'],
  'grpc-timeout': ['1n', '1S', 'x', '99999999H', '0m'],
  host: ['x', '[::1', ''],
  if: ['(<urn:uuid:x>)', '<http://x> (<y>)', '(', '()', '(["a"])', '(Not <DAV:no-lock>)', '(<'],
  'if-match': ['*', '"x"', 'W/"x"', '"', ''],
  'if-none-match': ['*', '"x"', ''],
  'if-range': ['"x"', 'x'],
  'lock-token': ['<urn:uuid:x>', 'x', ''],
  origin: ['null', 'http://evil.example.org', 'x', ''],
  overwrite: ['T', 'F', 'x'],
  range: ['bytes=0-', 'bytes=5-2', 'bytes=-5', 'bytes=99999999999999-', 'bytes=0-1,2-3', 'x'],
  'sec-fetch-site': ['cross-site'],
  te: ['trailers', 'x'],
  timeout: ['Second-10', 'Infinite', 'Second-99999999999', 'x'],
  'transfer-encoding': ['chunked', 'gzip', 'x'],
  upgrade: ['websocket', 'h2c', 'x'],
  'upload-length': ['10', '-1', 'x'],
  'upload-offset': ['0', '5', '-1', 'x', '1e9', '99999999999999999'],
  'x-forwarded-for': ['1.2.3.4', '::1', 'x, y', '::ffff:1.2.3.4%eth0'],
}
const names = Object.keys(values)

const xmls = [
  '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>',
  '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>',
  '<lockinfo xmlns="DAV:"/>',
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="y">z</x></D:prop></D:set></D:propertyupdate>',
  '<a',
]

const jsons = [
  ...['{}', '[]', 'null', '{"file":1}', '{"file":"x.md"}', '{"pageSize":-1,"page":"x"}', '"', '{'],
  ...['{"file":"x.md","text":"y","baseState":"AAEC"}', '{"since":{"seen":{"a.x":5}}}'],
  ...['{"file":"x.md","size":"NaN"}', '{"file":"x.md","size":"Infinity"}', '{"limit":4294967295}'],
  ...['{"files":[{"file":"x.md","text":"z"},{}]}', '{"changes":[{"delete":{"file":"q"}},{}]}'],
  ...['{"text":"(a*)*b","isRegex":true}', '{"file":"dir","path":"dir/sub/q"}'],
]

/** `rpcs`: the paths of all calls there are. */
export function anyRequest(random: Random, rpcs: readonly string[]): Request {
  const path = random.chance(0.4) ? random.pick(rpcs) : random.pick(places)
  const headers: Request['headers'] = []
  for (let left = random.below(6); left > 0; left--) {
    const name = random.pick(names)
    headers.push([name, random.pick(values[name]!)])
  }
  return { method: random.pick(methods), path, headers, body: anyBody(random) }
}

function anyBody(random: Random): Buffer {
  const roll = random.next()
  let body = Buffer.from(random.pick(roll < 0.3 ? xmls : jsons))
  if (roll > 0.7) body = Buffer.from(random.bytes(random.below(60)))
  return random.chance(0.15) ? gzipSync(body) : body
}

/** The request in the words of HTTP/1, which may lie about how long it is. */
export function asHttp1(random: Random, { method, path, headers, body }: Request): Buffer {
  const lines = [`${method} ${path} HTTP/1.${random.pick([1, 1, 1, 0])}`, 'Host: 127.0.0.1']
  if (random.chance(0.1)) lines.push('Connection: Upgrade')
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  const roll = random.next()
  if (roll < 0.2) {
    lines.push('Transfer-Encoding: chunked')
    const chunked = [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'].map(asBuffer)
    return Buffer.concat([asBuffer(`${lines.join('\r\n')}\r\n\r\n`), ...chunked])
  }
  if (roll < 0.9) lines.push(`Content-Length: ${body.length + (roll < 0.3 ? 5 : 0)}`)
  return Buffer.concat([asBuffer(`${lines.join('\r\n')}\r\n\r\n`), body])
}

function asBuffer(part: string | Buffer): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part
}
