// How far files and folders are on their way into the folder, with a way to stop.

import { useSyncExternalStore } from 'react'
import { Button, Label, ProgressBar } from 'react-aria-components'
import type { BringIn } from './bring-in.ts'
import { useClient } from './client-context.tsx'

export function BringingBar({ bringIn }: { bringIn: BringIn }) {
  const state = useSyncExternalStore(bringIn.subscribe, () => bringIn.state)
  const { connection } = useClient()
  if (state.name === 'nothing') return null
  const isWaiting = connection.name !== 'online'
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
        <ProgressBar className="progress" value={state.done} maxValue={state.total}>
          {({ percentage }) => (
            <>
              <Label>
                {isWaiting ? 'Waits for a server: ' : ''}
                {state.done.toLocaleString('en')} of {state.total.toLocaleString('en')}
              </Label>
              <span className="progress-track">
                <span className="progress-fill" style={{ width: `${percentage ?? 0}%` }} />
              </span>
              <span className="progress-now muted">{state.now}</span>
            </>
          )}
        </ProgressBar>
      )}
      <Button className="button" onPress={() => bringIn.stop()}>
        Stop
      </Button>
    </div>
  )
}
