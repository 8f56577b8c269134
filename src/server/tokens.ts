// Tokens: what SignIn gives and every later call and Hello brings back; good on every server of a
// set. Without a password a token only says who somebody is; with one it is signed.

import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import { FourfoldError } from '../core/model/errors.ts'
import { checkScreenName } from '../core/model/names.ts'

/** Without accounts a token ends with the password it was given for; this is only a last bound. */
const tokenLifeMs = 30 * 24 * 3600 * 1000
/** The last bound need not be exact. */
const clockSkewMs = 60_000
/** So wrong may the clocks of servers be, and so much a sleeping machine may miss: nothing shall fail. */
const clockErrorMs = 24 * 3600 * 1000
/** 128 bits: nobody guesses them. */
const sealBytes = 16

/** Who calls. */
export interface Caller {
  name: string
  /** Of the session that SignIn made; absent for a guest. */
  key?: Uint8Array
}

interface Claims {
  name: string
  key: string
  /** Milliseconds since 1970. */
  from: number
}

export class Tokens {
  readonly #password: string | undefined
  readonly #secret: Buffer | undefined

  /** `set` is in the secret, so that one password used for two sets does not open both. */
  constructor(set: string, password: string | undefined) {
    this.#password = password
    if (password !== undefined) this.#secret = scryptSync(password, `fourfold\n${set}`, 32)
  }

  /** Marks an update of a document as taken by a server of this set; see Changed.seal. */
  seal(document: string, update: Uint8Array): Uint8Array {
    // Where nobody signs in, everybody may write anyhow: the seal then only says that it is one.
    const secret = this.#secret ?? 'no password'
    const mac = createHmac('sha256', secret).update(`seal\n${document}\n`).update(update)
    return mac.digest().subarray(0, sealBytes)
  }

  /** Whether callers must sign in. */
  get areRequired(): boolean {
    return this.#secret !== undefined
  }

  isPassword(password: string): boolean {
    if (this.#password === undefined) return true
    const digest = (text: string) => createHmac('sha256', 'password').update(text).digest()
    return timingSafeEqual(digest(password), digest(this.#password))
  }

  /** A token for a new session of this name, and the session's key. */
  make(name: string, now: number): { token: string; key: Uint8Array } {
    const key = randomBytes(16)
    const claims: Claims = { name, key: key.toString('base64url'), from: now }
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    return { token: this.#secret ? `${body}.${this.#sign('token', body)}` : body, key }
  }

  /** Who holds this token. Throws FourfoldError. */
  check(token: string, now: number): Caller {
    const [body = '', signature = '', ...rest] = token.split('.')
    const isSigned = this.#secret ? this.#isSignature('token', body, signature) : signature === ''
    const claims = isSigned && rest.length === 0 ? decoded(body) : undefined
    const isCurrent =
      claims && claims.from <= now + clockErrorMs && now <= claims.from + tokenLifeMs + clockSkewMs
    const name = claims && nameIn(claims)
    if (name === undefined || !isCurrent) {
      throw new FourfoldError('unauthenticated', 'Sign in again.')
    }
    return { name, key: Buffer.from(claims.key, 'base64url') }
  }

  /**
   * Proves to another server of the set that this one belongs to it; empty without a password. Times of
   * proofs are those of the wall clock.
   */
  proof(replica: string, now: number): string {
    if (!this.#secret) return ''
    const body = `${replica}.${Math.round(now)}`
    return `${body}.${this.#sign('peer', body)}`
  }

  isProof(proof: string, now: number): boolean {
    if (!this.#secret) return true
    const [replica = '', at = '', signature = '', ...rest] = proof.split('.')
    const isNear = Math.abs(now - Number(at)) <= clockErrorMs
    return rest.length === 0 && isNear && this.#isSignature('peer', `${replica}.${at}`, signature)
  }

  #sign(what: 'token' | 'peer', body: string): string {
    return createHmac('sha256', this.#secret!).update(`${what}\n${body}`).digest('base64url')
  }

  #isSignature(what: 'token' | 'peer', body: string, signature: string): boolean {
    const expected = Buffer.from(this.#sign(what, body))
    const given = Buffer.from(signature)
    return given.length === expected.length && timingSafeEqual(given, expected)
  }
}

function decoded(body: string): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
    return isClaims(claims) ? claims : undefined
  } catch {
    // Not JSON: somebody's rubbish.
    return undefined
  }
}

/** As it is shown. Where nobody signs in, anybody may write a token and any name into it. */
function nameIn({ name }: Claims): string | undefined {
  try {
    return checkScreenName(name)
  } catch (error) {
    if (error instanceof FourfoldError) return undefined
    throw error
  }
}

function isClaims(value: unknown): value is Claims {
  const claims = value as Partial<Claims> | null
  return (
    typeof claims === 'object' &&
    claims !== null &&
    typeof claims.name === 'string' &&
    typeof claims.key === 'string' &&
    Buffer.from(claims.key, 'base64url').length === 16 &&
    typeof claims.from === 'number'
  )
}
