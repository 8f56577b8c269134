// The configuration of one server: a JSON file that lists all servers of the set, so that the same
// file can lie on every machine. Everything in it is checked here, with the key and the file named.

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { isReplicaId, type ReplicaId } from '../core/model/ids.ts'
import {
  caretsPerSecondMax,
  pushBurstMax,
  pushBurstMin,
  pushesPerSecondMax,
  sessionsPerAddressMax,
} from '../core/model/limits.ts'
import { brokenRule } from '../core/model/names.ts'
import type { Rates } from '../core/replica/visitor.ts'
import { unixCallers } from './addresses.ts'
import { parseText } from './configuration-text.ts'
import { ConfigurationError, Section } from './section.ts'
import { readTls, type Tls } from './tls-files.ts'
import { isUnsafePort } from './unsafe-ports.ts'

export { ConfigurationError } from './section.ts'

/** Where the port is: a host and port, or the path of a Unix socket. */
export type Listen = { host: string; port: number } | { path: string }

/** Plain files that a server keeps beside its store. */
export interface MirrorPlace {
  directory: string
  /** The directory of the folder that is mirrored; absent: all of it. */
  folder?: string
}

export interface Configuration {
  /** Of this server. */
  id: ReplicaId
  set: string
  /** All of the set, this one among them; `address` is where clients and peers find it. */
  servers: { id: ReplicaId; address: string }[]
  /** The directory of this server alone. */
  directory: string
  listen: Listen
  /** On how many servers an edit counts as safe. */
  safe: number
  tls?: Tls
  /** Whoever knows it may sign in; servers prove by it that they belong together. */
  password?: string
  /** Whether gRPC clients may ask for the schema. */
  hasReflection: boolean
  /** Origins of pages, beside the servers' own, whose scripts may connect. */
  origins: string[]
  /** How much one session may send. */
  rates: Rates
  /** How many sessions one address may have here. */
  sessionsPerAddress: number
  /** Hosts, by their numbers, whose X-Forwarded-For is believed. */
  proxies: string[]
  /** Least free bytes of the disk; absent: 1 GiB or 5%, whichever is more. */
  diskFreeBytesMin?: number
  mirror?: MirrorPlace
}

export interface Overrides {
  /** Which of the file's servers this is. */
  id?: string
}

/** Reads and checks a file. Throws ConfigurationError. */
export function readConfiguration(file: string, overrides: Overrides = {}): Configuration {
  const attempt = <T>(act: () => T, what: string): T => {
    try {
      return act()
    } catch (error) {
      throw new ConfigurationError(`${file}: ${what}${(error as Error).message}.`)
    }
  }
  const bytes = attempt(() => readFileSync(file), 'cannot be read: ')
  const json = attempt(() => parseText(bytes), '')
  return parseConfiguration(json, file, overrides)
}

/** Checks what a file holds. Relative paths in it start at the file's directory. */
export function parseConfiguration(
  json: unknown,
  file: string,
  overrides: Overrides = {},
): Configuration {
  const root = new Section(file, '', json)
  const set = readSet(root)
  const servers = readServers(root)
  const id = readId(root, servers, overrides.id)
  const own = servers.find((server) => server.id === id)!
  const tls = readTls(root)
  const password = readPassword(root)
  const listen = readListen(root, own.address)
  const safe = readSafe(root, servers.length)
  const diskFreeBytesMin = readDiskFree(root)
  const rates = readRates(root)
  const sessionsPerAddress = readSessionsPerAddress(root)
  const origins = readOrigins(root)
  const proxies = readProxies(root)
  const hasReflection = root.optionalFlag('reflection') ?? isLoopback(listen)
  const place = readData(root)
  const directory = join(place, id)
  const stores = servers.map((server) => join(place, server.id))
  const mirror = readMirror(root, stores)
  root.end()
  if (tls && own.address.startsWith('http:')) {
    root.fail('servers', `the address of "${id}" must begin with https:, because tls is set`)
  }
  refuseUnsafe(listen, tls, password)
  return {
    id,
    set,
    servers,
    directory,
    listen,
    safe,
    hasReflection,
    origins,
    rates,
    sessionsPerAddress,
    proxies,
    ...(tls && { tls }),
    ...(password !== undefined && { password }),
    ...(diskFreeBytesMin !== undefined && { diskFreeBytesMin }),
    ...(mirror && { mirror }),
  }
}

/** "127.0.0.1:4400", or the path of a Unix socket. */
export function listenText(listen: Listen): string {
  if ('path' in listen) return listen.path
  const host = isIP(listen.host) === 6 ? `[${listen.host}]` : listen.host
  return `${host}:${listen.port}`
}

// Anything but this machine itself needs both: a reader on the way, and a stranger at the door.
function refuseUnsafe(listen: Listen, tls: Tls | undefined, password: string | undefined): void {
  if (isLoopback(listen) || (tls && password !== undefined)) return
  const lacks = tls
    ? 'no sign-in is configured'
    : password !== undefined
      ? 'no certificate is configured'
      : 'no certificate and no sign-in are configured'
  throw new ConfigurationError(
    `Refusing to listen on ${listenText(listen)}: ${lacks}. ` +
      'Listen on 127.0.0.1, or set tls.cert, tls.key and auth. ' +
      'Behind a proxy that does both: listen on loopback or a Unix socket.',
  )
}

/** Whether only programs of this machine can reach it. */
export function isLoopback(listen: Listen): boolean {
  if ('path' in listen) return true
  const { host } = listen
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function readSet(root: Section): string {
  const set = root.text('set')
  if (!/^[a-z0-9-]{1,64}$/.test(set)) {
    root.fail('set', `"${set}" is not 1 to 64 of a-z, 0-9 and "-"`)
  }
  return set
}

function readServers(root: Section): Configuration['servers'] {
  const servers = root.sections('servers').map((section) => {
    const id = section.text('id')
    if (!isReplicaId(id)) section.fail('id', `"${id}" is not 1 to 32 of a-z, 0-9 and "-"`)
    const address = section.text('address')
    if (!isAddress(address)) {
      section.fail('address', `"${address}" is not like "http://127.0.0.1:4400", without a path`)
    }
    const { port } = new URL(address)
    if (port === '0') {
      section.fail('address', `"${address}" has the port 0, at which nobody can be reached`)
    }
    if (isUnsafePort(Number(port))) {
      section.fail('address', `"${address}" has the port ${port}, at which browsers open no page`)
    }
    section.end()
    return { id: id as ReplicaId, address }
  })
  if (servers.length === 0) root.fail('servers', 'lists no server')
  for (const [index, { id, address }] of servers.entries()) {
    const before = servers.slice(0, index)
    if (before.some((server) => server.id === id)) {
      root.fail(`servers[${index}].id`, `two servers have the id "${id}"`)
    }
    if (before.some((server) => server.address === address)) {
      root.fail(`servers[${index}].address`, `two servers have the address "${address}"`)
    }
  }
  return servers
}

function readId(
  root: Section,
  servers: Configuration['servers'],
  asked: string | undefined,
): ReplicaId {
  const own = root.optionalText('id')
  const id = asked ?? own ?? (servers.length === 1 ? servers[0]!.id : undefined)
  const known = servers.map((server) => server.id).join(', ')
  if (id === undefined) root.fail('id', `is missing: start it with --id and one of ${known}`)
  if (!servers.some((server) => server.id === id)) {
    root.fail('id', `"${id}" is not among the servers ${known}`)
  }
  return id as ReplicaId
}

function readPassword(root: Section): string | undefined {
  const auth = root.section('auth')
  const password = auth?.text('password')
  auth?.end()
  if (password !== undefined && password.length < 8) {
    root.fail('auth.password', 'must have 8 characters at least')
  }
  return password
}

function readListen(root: Section, address: string): Listen {
  const text = root.optionalText('listen')
  if (text === undefined) {
    const { hostname, port, protocol } = new URL(address)
    const usual = protocol === 'https:' ? 443 : 80
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) }
  }
  if (text.startsWith('/')) return { path: text }
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]/]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) > 65535) {
    root.fail('listen', `"${text}" is neither "host:port" nor the whole path of a Unix socket`)
  }
  return { host, port: Number(port) }
}

function readSafe(root: Section, servers: number): number {
  const safe = root.optionalNumber('safe') ?? Math.min(2, servers)
  if (!Number.isInteger(safe) || safe < 1 || safe > servers) {
    root.fail('safe', `${safe} is not a whole number from 1 to the ${servers} servers`)
  }
  return safe
}

function readDiskFree(root: Section): number | undefined {
  const bytes = root.optionalNumber('diskFreeBytesMin')
  if (bytes !== undefined && bytes < 0) root.fail('diskFreeBytesMin', 'must not be negative')
  return bytes
}

function readSessionsPerAddress(root: Section): number {
  const count = root.optionalNumber('sessionsPerAddress') ?? sessionsPerAddressMax
  if (!Number.isInteger(count) || count < 1) {
    root.fail('sessionsPerAddress', `${count} is not a whole number from 1`)
  }
  return count
}

/** Where all servers of the file have a directory each. */
function readData(root: Section): string {
  const path = root.text('data')
  if (path === '') root.fail('data', 'names no directory')
  return resolve(dirname(root.file), path)
}

/** A path, or with a part of the folder: `{"directory", "folder"}`. `stores`: of servers. */
function readMirror(root: Section, stores: readonly string[]): MirrorPlace | undefined {
  const read = root.textOrSection('mirror')
  if (read === undefined) return undefined
  const isText = typeof read === 'string'
  const path = isText ? read : read.text('directory')
  const asked = isText ? undefined : read.optionalText('folder')
  const fail = (key: string, why: string) =>
    isText ? root.fail('mirror', why) : read.fail(key, why)
  if (!isText) read.end()
  if (path === '') fail('directory', 'names no directory')
  const directory = resolve(dirname(root.file), path)
  const store = stores.find((each) => isWithin(directory, each) || isWithin(each, directory))
  if (store !== undefined) {
    fail('directory', `names ${directory}, but ${store} is a server's own; keep them apart`)
  }
  const names = asked?.split('/').filter((name) => name !== '') ?? []
  if (asked !== undefined && names.length === 0) fail('folder', 'names no directory of the folder')
  for (const name of names) {
    const rule = brokenRule(name)
    if (rule !== undefined) fail('folder', `has the name "${name}": ${rule.replace(/\.$/, '')}`)
  }
  return { directory, ...(names.length > 0 && { folder: names.join('/') }) }
}

function isWithin(path: string, directory: string): boolean {
  const inside = relative(directory, path)
  return inside === '' || !(inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside))
}

function readRates(root: Section): Rates {
  const section = root.section('rates')
  const read = (key: keyof Rates, usual: number, least: number) => {
    const value = section?.optionalNumber(key) ?? usual
    if (value < least) section?.fail(key, `${value} is less than ${least}, the least there can be`)
    return value
  }
  const rates = {
    pushesPerSecond: read('pushesPerSecond', pushesPerSecondMax, 1),
    pushBurst: read('pushBurst', pushBurstMax, pushBurstMin),
    // As many at once, too: with less than one none would ever be taken.
    caretsPerSecond: read('caretsPerSecond', caretsPerSecondMax, 1),
  }
  section?.end()
  return rates
}

function readOrigins(root: Section): string[] {
  return root.texts('origins').map((text, index) => {
    if (!isAddress(text)) {
      root.fail(`origins[${index}]`, `"${text}" is not an origin like "https://notes.example.org"`)
    }
    return new URL(text).origin
  })
}

function readProxies(root: Section): string[] {
  return root.texts('proxies').map((text, index) => {
    if (isIP(text) === 0 && text !== unixCallers) {
      const like = `neither a number like "127.0.0.1" nor "${unixCallers}"`
      root.fail(`proxies[${index}]`, `"${text}" is ${like}`)
    }
    return text
  })
}

function isAddress(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
  const { origin } = new URL(text)
  return text === origin || text === `${origin}:${text.split(':').at(-1)}`
}
