// XML as WebDAV needs it: small bodies in, with bounds and without DTDs, and text that is escaped out.

import { SaxesParser, type SaxesAttributeNS } from 'saxes'
import {
  davXmlDepthMax,
  davXmlElementsMax,
  davXmlNamesCharactersMax,
} from '../../core/model/limits.ts'
import { Refusal } from './refusal.ts'

/** The namespace of WebDAV's own words. */
export const davNamespace = 'DAV:'

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

export interface Name {
  uri: string
  local: string
}

export interface XmlElement extends Name {
  attributes: (Name & { value: string })[]
  children: (XmlElement | string)[]
}

/** The root of a document. Throws Refusal where it is none, has a DTD, or is too deep or too long. */
export function parseXml(bytes: Uint8Array): XmlElement {
  const parser = new SaxesParser({ xmlns: true, position: false })
  const open: XmlElement[] = []
  let root: XmlElement | undefined
  let elements = 0
  let characters = 0
  parser.on('doctype', () => {
    // Entities are declared there: those that grow, and those that fetch.
    throw new Refusal(400, 'Document types are not allowed here.')
  })
  parser.on('opentag', ({ uri, local, attributes }) => {
    const element = { uri, local, attributes: plain(Object.values(attributes)), children: [] }
    characters += charactersOf(element)
    const isLong = ++elements > davXmlElementsMax || characters > davXmlNamesCharactersMax
    if (isLong || open.length >= davXmlDepthMax) {
      throw new Refusal(400, 'This XML is too long, or too deep.')
    }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  for (const event of ['text', 'cdata'] as const) {
    parser.on(event, (text: string) => void open.at(-1)?.children.push(text))
  }
  parser.on('error', ({ message }) => {
    throw new Refusal(400, `This is not XML: ${message}`)
  })
  parser.write(decoded(bytes)).close()
  if (!root) throw new Refusal(400, 'This XML is empty.')
  return root
}

/** What its names and attributes take where it is written again. */
function charactersOf({ uri, local, attributes }: XmlElement): number {
  const own = uri.length + local.length
  return attributes.reduce(
    (sum, each) => sum + each.uri.length + each.local.length + each.value.length,
    own,
  )
}

function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  const encoding = isWide ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal(400, 'XML is taken in UTF-8 or UTF-16.')
  }
}

function plain(attributes: SaxesAttributeNS[]): XmlElement['attributes'] {
  return attributes
    .filter(({ uri }) => uri !== xmlnsNamespace)
    .map(({ uri, local, value }) => ({ uri, local, value }))
}

// ------------------------------------------------------------------------------------ reading

export function isDav(child: XmlElement | string, local: string): child is XmlElement {
  return typeof child !== 'string' && child.uri === davNamespace && child.local === local
}

export function elementsOf({ children }: XmlElement): XmlElement[] {
  return children.filter((child) => typeof child !== 'string')
}

export function childOf(element: XmlElement, local: string): XmlElement | undefined {
  return elementsOf(element).find((child) => isDav(child, local))
}

/** xml:lang, which counts for all that is within. */
export function languageOf({ attributes }: XmlElement): string | undefined {
  return attributes.find(({ uri, local }) => uri === xmlNamespace && local === 'lang')?.value
}

export function withLanguage(element: XmlElement, language: string | undefined): XmlElement {
  if (language === undefined || languageOf(element) !== undefined) return element
  const lang = { uri: xmlNamespace, local: 'lang', value: language }
  return { ...element, attributes: [...element.attributes, lang] }
}

// ------------------------------------------------------------------------------------ writing

/** What XML may not hold becomes the sign for what cannot be shown. */
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu
const signs: { [sign: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser would read it as a line feed, and within an attribute all three as a space.
  '\r': '&#13;',
}

export function escapeXml(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>"\r]/g, (sign) => signs[sign]!)
}

function escapeAttribute(text: string): string {
  return escapeXml(text).replace(/[\t\n]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** An element with its own declarations: it may stand anywhere. */
export function writeXml(element: XmlElement, outer?: string): string {
  const { uri, local, attributes, children } = element
  const own = uri === outer ? '' : ` xmlns="${escapeAttribute(uri)}"`
  const others = attributes.map(({ uri: of, local: name, value }, index) => {
    const text = `="${escapeAttribute(value)}"`
    if (of === '') return ` ${name}${text}`
    if (of === xmlNamespace) return ` xml:${name}${text}`
    return ` xmlns:a${index}="${escapeAttribute(of)}" a${index}:${name}${text}`
  })
  const inner = children.map((child) =>
    typeof child === 'string' ? escapeXml(child) : writeXml(child, uri),
  )
  const start = `<${local}${own}${others.join('')}`
  return inner.length === 0 ? `${start}/>` : `${start}>${inner.join('')}</${local}>`
}

/** Only the name of a property. */
export function writeName({ uri, local }: Name): string {
  return writeXml({ uri, local, attributes: [], children: [] })
}
