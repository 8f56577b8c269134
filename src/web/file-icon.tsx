// A picture for a kind of file, by its name.

import { FileCode, FileText, Image } from 'lucide-react'
import { imageTypeOf } from './file-bytes.ts'
import { languageOf } from './language.ts'

export function FileIcon({ name }: { name: string }) {
  const isPicture = imageTypeOf(name) !== undefined
  const Icon = isPicture ? Image : languageOf(name).isProse ? FileText : FileCode
  return <Icon className="file-icon" size={16} aria-hidden />
}
