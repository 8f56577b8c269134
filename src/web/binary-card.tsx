// What stands in place of the text when a file holds other bytes: what it is, and what it was before.

import { Copy, Download, FileDigit, GitFork, Undo2 } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import type { Client, FileBytes, FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import { copy } from './download.ts'
import {
  type Content,
  contentsOf,
  downloadBytes,
  imageOf,
  imageTypeOf,
  previewBytesMax,
  sizeWords,
} from './file-bytes.ts'
import { dayOf } from './history-pane.tsx'
import { IconButton } from './icon-button.tsx'
import { clock, named } from './save-words.ts'
import { notify } from './toasts.tsx'

interface BinaryCardProps {
  file: FileInfo
  bytes: FileBytes
  restore: (file: FileInfo) => void
}

type Asked<T> = { name: 'asking' } | { name: 'here'; it: T } | { name: 'failed'; text: string }

export function BinaryCard({ file, bytes, restore }: BinaryCardProps) {
  const client = useClient()
  const [tries, setTries] = useState(0)
  const contents = useContents(client, file.id, bytes.hash, tries)
  const all = contents.name === 'here' ? contents.it : []
  const [now, ...older] = all
  const type = imageTypeOf(file.name)
  return (
    <main className="binary" aria-label={file.name}>
      {type !== undefined && bytes.size <= previewBytesMax ? (
        <Preview key={bytes.hash} {...{ client, type }} name={file.name} hash={bytes.hash} />
      ) : (
        <FileDigit className="binary-icon" size={56} strokeWidth={1.2} aria-hidden />
      )}
      <section className="binary-card" aria-label="About this file">
        <h2>
          {file.name}
          {bytes.hasConflict && <span className="tag tone-warn">2 versions</span>}
        </h2>
        {file.isDeleted && (
          <p>
            {file.deletedBy === '' ? 'Somebody' : file.deletedBy} deleted it. All its versions are
            kept.
          </p>
        )}
        {bytes.hasConflict && (
          <p className="binary-conflict tone-warn">
            <GitFork size={18} aria-hidden />
            {conflictSentence(all)}
          </p>
        )}
        <dl>
          <Fact word="Size">{sizeWords(bytes.size)}</Fact>
          <Fact word="SHA-256">
            <code title={bytes.hash}>{bytes.hash.slice(0, 12)}…</code>
            <IconButton
              label="Copy the whole SHA-256"
              icon={<Copy size={15} aria-hidden />}
              onPress={() => void copyHash(bytes.hash)}
            />
          </Fact>
          {now?.hash === bytes.hash && <Fact word="From">{whoAndWhen(now)}</Fact>}
        </dl>
        <span className="actions">
          <Button
            className="button primary"
            onPress={() => void saveBytes(client, file.name, bytes)}
          >
            <Download size={16} aria-hidden />
            Download
          </Button>
          {file.isDeleted && (
            <Button className="button" onPress={() => restore(file)}>
              <Undo2 size={16} aria-hidden />
              {file.isInTrashItself ? 'Restore file' : 'Restore folder'}
            </Button>
          )}
        </span>
        {contents.name === 'failed' && (
          <p className="muted">
            {contents.text}{' '}
            <Button className="text-button" onPress={() => setTries(tries + 1)}>
              Ask again
            </Button>
          </p>
        )}
        {older.length > 0 && (
          <>
            <h3 id="older-versions">Older versions</h3>
            <ul className="binary-versions" aria-labelledby="older-versions">
              {older.map((content) => (
                <OlderVersion key={keyOf(content)} {...{ client, content }} name={file.name} />
              ))}
            </ul>
          </>
        )}
      </section>
    </main>
  )
}

function Fact({ word, children }: { word: string; children: ReactNode }) {
  return (
    <div>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </div>
  )
}

interface OlderVersionProps {
  client: Client
  content: Content
  name: string
}

function OlderVersion({ client, content, name }: OlderVersionProps) {
  const { hash, size } = content
  return (
    <li>
      <span>
        {whoAndWhen(content)}
        <span className="muted"> · {hash === '' ? 'text' : sizeWords(size)}</span>
      </span>
      {hash !== '' && (
        <IconButton
          label={`Download the version of ${whoAndWhen(content)}`}
          icon={<Download size={16} aria-hidden />}
          onPress={() => void saveBytes(client, name, content)}
        />
      )}
    </li>
  )
}

interface PreviewProps {
  client: Client
  name: string
  hash: string
  type: string
}

function Preview({ client, name, hash, type }: PreviewProps) {
  const [picture, setPicture] = useState<Asked<string>>({ name: 'asking' })
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    let url = ''
    setPicture({ name: 'asking' })
    imageOf(client, hash, type, stop.signal).then(
      (blob) => {
        if (stop.signal.aborted) return
        url = URL.createObjectURL(blob)
        setPicture({ name: 'here', it: url })
      },
      (error: Error) => {
        if (!stop.signal.aborted) setPicture({ name: 'failed', text: error.message })
      },
    )
    return () => {
      stop.abort()
      URL.revokeObjectURL(url)
    }
  }, [client, hash, type, tries])
  return (
    <div className="binary-preview">
      {picture.name === 'here' && (
        <img
          src={picture.it}
          alt={`Preview of ${name}`}
          onError={() =>
            setPicture({ name: 'failed', text: 'This browser cannot show it as a picture.' })
          }
        />
      )}
      {picture.name === 'asking' && <p className="muted">Fetching the picture…</p>}
      {picture.name === 'failed' && (
        <p className="muted">
          {picture.text}{' '}
          <Button className="text-button" onPress={() => setTries(tries + 1)}>
            Try again
          </Button>
        </p>
      )}
    </div>
  )
}

/** Asked anew whenever the file holds something else. */
function useContents(client: Client, file: string, hash: string, tries: number): Asked<Content[]> {
  const [contents, setContents] = useState<Asked<Content[]>>({ name: 'asking' })
  useEffect(() => {
    let isCurrent = true
    contentsOf(client, file).then(
      (it) => isCurrent && setContents({ name: 'here', it }),
      (error: Error) => isCurrent && setContents({ name: 'failed', text: error.message }),
    )
    return () => {
      isCurrent = false
    }
  }, [client, file, hash, tries])
  return contents
}

function conflictSentence([newer, other]: Content[]): string {
  const people = newer && other ? [...new Set([other.author, newer.author])] : ['Two people']
  const where = people.length === 1 && newer && other ? ' in two places' : ''
  return `${named(people)} changed it${where} at the same time. The newer version is shown; both are kept.`
}

function whoAndWhen({ author, at }: Content): string {
  return `${author}, ${dayOf(at)} ${clock(at)}`
}

function keyOf({ hash, at, author }: Content): string {
  return `${hash} ${at} ${author}`
}

/** Saves bytes through the browser's download, or says why not. */
export async function saveBytes(
  client: Client,
  name: string,
  { hash }: Pick<FileBytes, 'hash'>,
): Promise<void> {
  try {
    await downloadBytes(client, name, hash)
  } catch (error) {
    notify((error as Error).message)
  }
}

async function copyHash(hash: string): Promise<void> {
  try {
    await copy(hash)
    notify('The SHA-256 is on the clipboard')
  } catch {
    notify(`The browser forbids the clipboard. The SHA-256 is ${hash}`, undefined, { stays: true })
  }
}
