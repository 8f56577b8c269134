// The files of TLS that a configuration names: each is what it is named as, and they belong together.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Section } from './section.ts'

export interface Tls {
  /** Files in PEM. */
  cert: string
  key: string
  /** Of the authority that signed the servers' certificates: peers must show one of it. */
  ca?: string
}

/** Throws ConfigurationError. */
export function readTls(root: Section): Tls | undefined {
  const section = root.section('tls')
  if (!section) return undefined
  const names = { cert: section.text('cert'), key: section.text('key') }
  const caName = section.optionalText('ca')
  section.end()
  const files = new TlsSection(section)
  const cert = files.certificate('cert', names.cert)
  const key = files.key(names.key)
  const ca = caName === undefined ? undefined : files.certificate('ca', caName)
  if (!cert.holds.checkPrivateKey(key.holds)) {
    section.fail('key', `names ${key.path}, which is not the key of ${cert.path}`)
  }
  return { cert: cert.path, key: key.path, ...(ca && { ca: ca.path }) }
}

/** A file, and what is in it. */
interface Found<T> {
  path: string
  holds: T
}

class TlsSection {
  readonly #section: Section

  constructor(section: Section) {
    this.#section = section
  }

  certificate(name: 'cert' | 'ca', file: string): Found<X509Certificate> {
    return this.#read(name, file, 'which holds no certificate in PEM', (pem) => {
      // As the server will: the first alone may be good.
      createSecureContext({ [name]: pem })
      return new X509Certificate(pem)
    })
  }

  key(file: string): Found<KeyObject> {
    const why = 'which holds no private key in PEM, or one with a passphrase'
    const found = this.#read('key', file, why, (pem) => createPrivateKey(pem))
    if (statSync(found.path).mode & 0o077) {
      this.#section.fail('key', `names ${found.path}, which others can read: chmod 600 it`)
    }
    return found
  }

  #read<T>(name: keyof Tls, file: string, why: string, parse: (pem: Buffer) => T): Found<T> {
    const path = resolve(dirname(this.#section.file), file)
    const fail = (what: string) => this.#section.fail(name, `names ${path}, ${what}`)
    let pem: Buffer
    try {
      pem = readFileSync(path)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return fail(code === 'ENOENT' ? 'which is not there' : `which cannot be read: ${message}`)
    }
    try {
      return { path, holds: parse(pem) }
    } catch {
      // What OpenSSL says of it is nothing to act on.
      return fail(why)
    }
  }
}
