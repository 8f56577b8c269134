// The picture that bytes are, if the browser can show it.

import { FileDigit, FileText } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from 'react-aria-components'
import { useClient } from './client-context.tsx'
import { imageOf, imageTypeOf, previewBytesMax } from './file-bytes.ts'

interface BinaryPreviewProps {
  /** Of the file: its end says what kind of picture it is. */
  name: string
  /** Empty: text. */
  hash: string
  size: number
  /** What a picture is called for those who do not see it. */
  alt: string
}

type Picture = { name: 'asking' } | { name: 'here'; url: string } | { name: 'failed'; text: string }

export function BinaryPreview({ name, hash, size, alt }: BinaryPreviewProps) {
  const type = imageTypeOf(name)
  if (hash === '') {
    return <FileText className="binary-icon" size={56} strokeWidth={1.2} aria-hidden />
  }
  if (type === undefined || size > previewBytesMax) {
    return <FileDigit className="binary-icon" size={56} strokeWidth={1.2} aria-hidden />
  }
  return <Preview key={hash} {...{ hash, type, alt }} />
}

function Preview({ hash, type, alt }: { hash: string; type: string; alt: string }) {
  const client = useClient()
  const [picture, setPicture] = useState<Picture>({ name: 'asking' })
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    let url = ''
    setPicture({ name: 'asking' })
    imageOf(client, hash, type, stop.signal).then(
      (blob) => {
        if (stop.signal.aborted) return
        url = URL.createObjectURL(blob)
        setPicture({ name: 'here', url })
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
          src={picture.url}
          alt={alt}
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
