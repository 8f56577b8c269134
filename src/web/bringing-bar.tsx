// How far files and folders are on their way into the folder, with a way to stop.

import { useSyncExternalStore } from 'react'
import { Button, Label, ProgressBar } from 'react-aria-components'
import type { Bringing, BringIn } from './bring-in.ts'
import { useClient } from './client-context.tsx'
import { sizeWords } from './file-bytes.ts'
import type { Sending } from './upload.ts'

export function BringingBar({ bringIn }: { bringIn: BringIn }) {
  const state = useSyncExternalStore(bringIn.subscribe, () => bringIn.state)
  if (state.name === 'nothing') return null
  return (
    <div className="bringing">
      {state.name === 'looking' ? (
        <ProgressBar className="progress" isIndeterminate>
          <Label>Looking: {state.found.toLocaleString('en')} found</Label>
          <span className="progress-track">
            <span className="progress-fill is-unknown" />
          </span>
        </ProgressBar>
      ) : (
        <UnderWay state={state} />
      )}
      <Button className="button" onPress={() => bringIn.stop()}>
        Stop
      </Button>
    </div>
  )
}

function UnderWay({ state }: { state: Extract<Bringing, { name: 'bringing' }> }) {
  const { connection } = useClient()
  const { done, total, now, sendings } = state
  const isWaiting = connection.name !== 'online'
  // A file that is half there counts half.
  const parts = sendings.reduce((sum, sending) => sum + partOf(sending), 0)
  return (
    <>
      <ProgressBar className="progress" value={done + parts} maxValue={total}>
        {({ percentage }) => (
          <>
            <Label>
              {isWaiting ? 'Waits for a server: ' : ''}
              {done.toLocaleString('en')} of {total.toLocaleString('en')}
            </Label>
            <Track percentage={percentage} />
          </>
        )}
      </ProgressBar>
      <div className="bringing-files">
        {sendings.length === 0 && <span className="progress-now muted">{now}</span>}
        {sendings.map((sending) => (
          <OneFile key={sending.path} sending={sending} />
        ))}
      </div>
    </>
  )
}

function OneFile({ sending }: { sending: Sending & { path: string } }) {
  const { path, size } = sending
  return (
    <ProgressBar
      className="progress is-one"
      aria-label={path}
      value={partOf(sending) * size}
      maxValue={Math.max(1, size)}
      valueLabel={words(sending)}
    >
      {({ percentage }) => (
        <>
          <span className="progress-now">
            <span className="progress-path" title={path}>
              {path}
            </span>
            <span className="muted">{words(sending)}</span>
          </span>
          <Track percentage={percentage} />
        </>
      )}
    </ProgressBar>
  )
}

function Track({ percentage }: { percentage: number | undefined }) {
  return (
    <span className="progress-track">
      <span className="progress-fill" style={{ width: `${percentage ?? 0}%` }} />
    </span>
  )
}

/** Reading comes first, is quick, and brings nothing to a server. */
function partOf({ stage, bytes, size }: Sending): number {
  return stage === 'reading' || size === 0 ? 0 : Math.min(1, bytes / size)
}

function words({ stage, bytes, size }: Sending): string {
  if (stage === 'waiting') return 'waits for a server'
  if (stage === 'reading') return `reading, ${percent(bytes, size)}`
  return `${percent(bytes, size)} of ${sizeWords(size)}`
}

function percent(bytes: number, size: number): string {
  return size === 0 ? '0%' : `${Math.floor((100 * bytes) / size)}%`
}
