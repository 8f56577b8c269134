// What stands in place of a text that is not on this device while no server answers.

import { useEffect, useState } from 'react'
import { Button, Link } from 'react-aria-components'
import type { Client, FileInfo } from '../client/api.ts'
import { useClient } from './client-context.tsx'
import { isDirectory } from './folder-tree.ts'
import { hashOf } from './route.ts'

/** Each is looked up in the storage: so many show that there are some. */
const lookedMax = 50

export function NotHere({ begin }: { begin: () => void }) {
  const client = useClient()
  const { files } = client
  const [here, setHere] = useState<FileInfo[]>([])
  useEffect(() => {
    let isCurrent = true
    const present = files
      .filter((file) => !file.isDeleted && !isDirectory(file))
      .slice(0, lookedMax)
    void filesHere(client, present).then((found) => isCurrent && setHere(found))
    return () => {
      isCurrent = false
    }
  }, [files, client])
  return (
    <div className="empty">
      <p>This file is not on this device. It opens when a server answers.</p>
      <p className="muted">What you write meanwhile is put together with its text then.</p>
      <Button className="button" onPress={begin}>
        Write all the same
      </Button>
      {here.length > 0 && (
        <>
          <h2>On this device</h2>
          <ul aria-label="Files on this device">
            {here.map((file) => (
              <li key={file.id}>
                <Link className="text-button" href={hashOf(file.id)}>
                  {file.path}
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

async function filesHere(client: Client, files: FileInfo[]): Promise<FileInfo[]> {
  const kept = await Promise.all(files.map((file) => client.isKept(file.id)))
  return files.filter((_file, index) => kept[index])
}
