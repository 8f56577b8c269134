// What stands in place of the text when a file holds other bytes: what it is, and what it was before.

import { Copy, Download, RefreshCw, Undo2 } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import { Button, DropZone, FileTrigger } from 'react-aria-components'
import { useLandmark } from 'react-aria/useLandmark'
import type { FileBytes, FileInfo } from '../client/api.ts'
import type { BinaryActions } from './binary-actions.ts'
import { BinaryConflict } from './binary-conflict.tsx'
import { BinaryPreview } from './binary-preview.tsx'
import { BinaryVersions } from './binary-versions.tsx'
import { useClient } from './client-context.tsx'
import { copy } from './download.ts'
import { sizeWords } from './file-bytes.ts'
import { IconButton } from './icon-button.tsx'
import { saveBytes } from './save-bytes.ts'
import { TextBeneath } from './text-beneath.tsx'
import { useContents } from './use-contents.ts'
import { notify } from './toasts.tsx'
import { whoAndWhen } from './who-and-when.ts'

interface BinaryCardProps {
  file: FileInfo
  bytes: FileBytes
  /** This person wrote in its text when it was one. */
  wasWriting: boolean
  actions: BinaryActions
  restore: (file: FileInfo) => void
}

export function BinaryCard({ file, bytes, wasWriting, actions, restore }: BinaryCardProps) {
  const client = useClient()
  const pane = useRef<HTMLElement>(null)
  const { landmarkProps } = useLandmark({ role: 'main', 'aria-label': file.name }, pane)
  const [tries, setTries] = useState(0)
  const contents = useContents(client, file, tries)
  const [now, ...older] = contents.name === 'here' ? contents.all : []
  const isTold = now?.hash === bytes.hash
  const other = bytes.hasConflict && isTold ? older[0] : undefined
  return (
    <main {...landmarkProps} ref={pane} className="binary">
      <DropZone
        className="binary-drop"
        aria-label={`Drop a file here to replace ${file.name}`}
        isDisabled={file.isDeleted}
        getDropOperation={() => 'copy'}
        onDrop={({ items }) => {
          const [item, ...others] = items.filter(({ kind }) => kind !== 'text')
          if (item?.kind === 'file' && others.length === 0) {
            void item.getFile().then((blob) => actions.replace(file, blob))
          } else notify(`Drop one file here to replace ${file.name}.`)
        }}
      >
        {now && other ? (
          <BinaryConflict file={file} versions={[now, other]} actions={actions} />
        ) : (
          <BinaryPreview
            name={file.name}
            hash={bytes.hash}
            size={bytes.size}
            alt={`Preview of ${file.name}`}
          />
        )}
        <TextBeneath
          {...{ file, actions }}
          isVersion={other?.hash === ''}
          interruptedBy={wasWriting ? (isTold ? now!.author : 'Somebody') : undefined}
        />
        <section className="binary-card" aria-label="About this file">
          <h2>
            {file.name}
            {bytes.hasConflict && <span className="tag tone-warn">2 versions</span>}
          </h2>
          {file.isDeleted && (
            <p>
              {file.deletedBy === '' ? 'Somebody' : file.deletedBy} deleted it. With its versions it
              can be restored for 30 days.
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
            {now && isTold && <Fact word="From">{whoAndWhen(now)}</Fact>}
          </dl>
          <span className="actions">
            <Button
              className="button primary"
              onPress={() => void saveBytes(client, file.name, bytes)}
            >
              <Download size={16} aria-hidden />
              Download
            </Button>
            {file.isDeleted ? (
              <Button className="button" onPress={() => restore(file)}>
                <Undo2 size={16} aria-hidden />
                {file.isInTrashItself ? 'Restore file' : 'Restore folder'}
              </Button>
            ) : (
              <FileTrigger
                onSelect={(list) => {
                  if (list?.[0]) actions.replace(file, list[0])
                }}
              >
                <Button className="button">
                  <RefreshCw size={16} aria-hidden />
                  Replace…
                </Button>
              </FileTrigger>
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
            <BinaryVersions
              name={file.name}
              versions={older}
              {...(!file.isDeleted && { putBack: (content) => actions.keepThis(file, content) })}
            />
          )}
        </section>
      </DropZone>
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

async function copyHash(hash: string): Promise<void> {
  try {
    await copy(hash)
    notify('The SHA-256 is on the clipboard')
  } catch {
    notify(`The browser forbids the clipboard. The SHA-256 is ${hash}`, undefined, { stays: true })
  }
}
