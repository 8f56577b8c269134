// What is shown when the page itself breaks: a sentence and a way on, instead of nothing.

import { Component, type ReactNode } from 'react'
import { Button } from 'react-aria-components'

interface MishapProps {
  children: ReactNode
}

/** React knows this only as a class. */
export class Mishap extends Component<MishapProps, { text: string }> {
  override state = { text: '' }

  static getDerivedStateFromError(error: unknown): { text: string } {
    return { text: String(error) }
  }

  override render(): ReactNode {
    if (this.state.text === '') return this.props.children
    return (
      <main className="nothing" role="alert">
        <p>This page broke. What you wrote is kept on this device and on the servers.</p>
        <p className="muted">{this.state.text}</p>
        <Button className="button primary" onPress={() => location.reload()}>
          Reload
        </Button>
      </main>
    )
  }
}
