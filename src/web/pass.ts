// What opens a set with a password: the token that servers gave for it, shown with every call.

import {
  Code,
  ConnectError,
  createClient,
  type Client,
  type Interceptor,
} from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { FolderService } from '../core/model/wire.ts'
import { isBoolean, isString, remembered } from './remembered.ts'

/** For all tabs of this browser: whoever gave the password in one need not in the next. */
const kept = remembered('device', 'token', '', isString)
/** Whether this set asked for a password the last time: then the first form has a field for it. */
const asked = remembered('device', 'asksForPassword', false, isBoolean)
/** The same where the browser keeps nothing. */
let here = ''

/** A server that does not answer this long is down. */
const answerMs = 5000

/** Good on every server of the set; empty: none was given. */
export function token(): string {
  return kept.read() || here
}

function keep(given: string): void {
  here = given
  kept.write(given)
}

/** A token that servers no longer take, or of somebody who leaves this device. */
export function forgetToken(): void {
  keep('')
}

/** Whether nobody comes in here without the password. */
export function asksForPassword(): boolean {
  return asked.read() && token() === ''
}

/** The servers want a password. */
export function passwordAsked(): void {
  asked.write(true)
  forgetToken()
}

/** For a request by HTTP: in a header, because addresses are written into logs. */
export function authorization(): { authorization?: string } {
  return token() === '' ? {} : { authorization: `Bearer ${token()}` }
}

const showToken: Interceptor = (next) => (request) => {
  for (const [name, value] of Object.entries(authorization())) request.header.set(name, value)
  return next(request)
}

/** The folder as the server at this address has it. */
export function folderAt(address: string): Client<typeof FolderService> {
  const transport = createConnectTransport({ baseUrl: address, interceptors: [showToken] })
  return createClient(FolderService, transport)
}

/** Gives the password to the server of this page. Returns why that did not open the set, if so. */
export async function givePassword(password: string): Promise<string | undefined> {
  // Who somebody is, a session says: this name is nobody's.
  const name = `page ${crypto.randomUUID().slice(0, 8)}`
  try {
    const answer = await folderAt(location.origin).signIn(
      { name, password },
      { timeoutMs: answerMs },
    )
    keep(answer.token)
    return undefined
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error)
    if (code === Code.Unauthenticated) return 'That is not the password.'
    // It was wrong too often.
    if (code === Code.ResourceExhausted) return rawMessage
    return 'No server answers. Try again in a moment.'
  }
}
